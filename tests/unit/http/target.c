#include "http/target.h"

#include "../base/check.h"
#include "base/bytes.h"
#include "base/text.h"

#include <string.h>

struct row {
    const char *raw;
    size_t len; /* 0: up to the NUL */
    enum path_error error;
    const char *clean;
};

/* Paths that people, programs and attackers send. */
static const struct row rows[] = {
    {"/", 0, PATH_CLEAN, "/"},
    {"/a/b.html", 0, PATH_CLEAN, "/a/b.html"},
    {"/a.b/c..d/e...", 0, PATH_CLEAN, "/a.b/c..d/e..."},
    {"/%61%2Fb", 0, PATH_FOREIGN, NULL},
    {"/%61%2fb", 0, PATH_FOREIGN, NULL},
    {"/a%20b%25", 0, PATH_CLEAN, "/a b%"},
    {"/gr%C3%BC%c3%9fe", 0, PATH_CLEAN,
     "/gr\xc3\xbc\xc3\x9f"
     "e"},
    {"/%252e%252e/x", 0, PATH_CLEAN, "/%2e%2e/x"}, /* decoded once */
    {"/.", 0, PATH_CLEAN, "/"},
    {"/..", 0, PATH_CLEAN, "/"},
    {"/./", 0, PATH_CLEAN, "/"},
    {"/../", 0, PATH_CLEAN, "/"},
    {"/../../../etc/passwd", 0, PATH_CLEAN, "/etc/passwd"},
    {"/a/../../etc/passwd", 0, PATH_CLEAN, "/etc/passwd"},
    {"/%2e%2e/%2E%2e/etc/passwd", 0, PATH_CLEAN, "/etc/passwd"},
    {"/a/.%2e/b", 0, PATH_CLEAN, "/b"},
    {"/a/b/../..", 0, PATH_CLEAN, "/"},
    {"/a/b/..", 0, PATH_CLEAN, "/a/"},
    {"/a/b/.", 0, PATH_CLEAN, "/a/b/"},
    {"/a/./b/./", 0, PATH_CLEAN, "/a/b/"},
    {"//", 0, PATH_CLEAN, "/"},
    {"//evil.example/x", 0, PATH_CLEAN, "/evil.example/x"},
    {"///a///b//", 0, PATH_CLEAN, "/a/b/"},
    {"/a//..//b", 0, PATH_CLEAN, "/b"},
    {"/...", 0, PATH_CLEAN, "/..."},
    {"/....//x", 0, PATH_CLEAN, "/..../x"},
    {"/..\\x", 0, PATH_CLEAN, "/..\\x"},
    {"/%5c..%5cx", 0, PATH_CLEAN, "/\\..\\x"},
    {"/a%", 0, PATH_MALFORMED, NULL},
    {"/a%4", 0, PATH_MALFORMED, NULL},
    {"/a%zz", 0, PATH_MALFORMED, NULL},
    {"/a%4%31", 0, PATH_MALFORMED, NULL},
    {"/a%00.html", 0, PATH_MALFORMED, NULL},
    {"", 0, PATH_MALFORMED, NULL},
    {"*", 0, PATH_MALFORMED, NULL},
    {"a/b", 0, PATH_MALFORMED, NULL},
};

static void hostile_paths(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char buffer[64];
        struct weir_bytes out = {0};
        print_message("%s\n", rows[i].raw);
        assert_int_equal(path_clean(bytes_str(rows[i].raw), buffer, sizeof(buffer), &out),
                         rows[i].error);
        if (rows[i].clean) {
            assert_int_equal(out.len, strlen(rows[i].clean));
            assert_memory_equal(out.at, rows[i].clean, out.len);
        }
    }
}

/* All short paths over an alphabet that matters: never a dot segment, never a doubled slash, never out of the buffer. */
static void every_short_path_comes_out_clean(void **state)
{
    (void)state;
    static const char alphabet[] = "/.a%2eE";
    char raw[8] = "/";
    for (unsigned n = 0; n < 7 * 7 * 7 * 7 * 7 * 7; n++) {
        unsigned rest = n;
        for (size_t i = 1; i < 7; i++, rest /= 7)
            raw[i] = alphabet[rest % 7];
        char buffer[9];
        memset(buffer, '#', sizeof(buffer));
        struct weir_bytes out;
        if (path_clean((struct weir_bytes){raw, 7}, buffer, 7, &out) != PATH_CLEAN)
            continue;
        char text[9] = {0};
        memcpy(text, out.at, out.len);
        assert_true(out.len >= 1 && text[0] == '/');
        assert_null(strstr(text, "//"));
        strcat(text, "/");
        assert_null(strstr(text, "/./"));
        assert_null(strstr(text, "/../"));
        assert_int_equal(buffer[7], '#');
    }
}

static void too_long_is_no_file(void **state)
{
    (void)state;
    char buffer[4];
    struct weir_bytes out;
    assert_int_equal(path_clean(BYTES("/abc"), buffer, 4, &out), PATH_CLEAN);
    assert_int_equal(path_clean(BYTES("/abcd"), buffer, 4, &out), PATH_FOREIGN);
}

static void dot_files_are_hidden(void **state)
{
    (void)state;
    static const char *const hidden[] = {
        "/.git", "/a/.x",       "/.well-known/.x", "/.well-knownx", "/a/.well-known/b",
        "/...",  "/.git/config"};
    static const char *const seen[] = {
        "/", "/a.b", "/a./b", "/.well-known", "/.well-known/", "/.well-known/a"};
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
        assert_true(path_hidden(bytes_str(hidden[i])));
    for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
        assert_false(path_hidden(bytes_str(seen[i])));
}

static void hosts(void **state)
{
    (void)state;
    static const char *const good[] = {
        "h",        "a.b-c_d~e",  "h:80", "h:",        "127.0.0.1:8080", "[::1]",
        "[::1]:80", "[v1.fe:80]", "%41b", "a!$&'()*+", "h:65535",        "[2001:db8::1]:1"};
    static const char *const bad[] = {"",     "a b", "a/b",     "u@h",    "h:x",      "h:80:80",
                                      "[::1", "[]",  "::1",     "h:-1",   "h:65536",  "h%",
                                      "h%4",  "a?b", "a#b",     "[::1]x", "h:123456", "a\\b",
                                      "a\"b", ":80", "\xc3\xbc"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(host_valid(bytes_str(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(host_valid(bytes_str(bad[i])));
}

static void escaping(void **state)
{
    (void)state;
    char buffer[64];
    struct text t;
    text_init(&t, buffer, sizeof(buffer));
    path_escape(&t, BYTES("/a b/\xc3\xbc?%#\"<\r\n:@;="));
    assert_string_equal(text_end(&t), "/a%20b/%C3%BC%3F%25%23%22%3C%0D%0A:@;=");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_paths),
        cmocka_unit_test(every_short_path_comes_out_clean),
        cmocka_unit_test(too_long_is_no_file),
        cmocka_unit_test(dot_files_are_hidden),
        cmocka_unit_test(hosts),
        cmocka_unit_test(escaping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
