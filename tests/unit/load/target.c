#include "load/target.h"

#include "../base/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct load_target target;
static char why[LOAD_WHY_MAX];

static int init(const struct load_words *words)
{
    load_target_done(&target);
    why[0] = '\0';
    return load_target_init(&target, words, why);
}

static void assert_request(const char *expected)
{
    assert_int_equal(target.request_len, strlen(expected));
    assert_memory_equal(target.request, expected, strlen(expected));
}

static void test_urls(void **state)
{
    (void)state;
    static const struct {
        const char *url, *endpoint, *path, *host;
    } rows[] = {
        {"http://h/", "tcp:h:80", "/", "h"},
        {"http://h", "tcp:h:80", "/", "h"},
        {"HTTP://h:81/a?b=c", "tcp:h:81", "/a?b=c", "h:81"},
        {"http://h?q", "tcp:h:80", "/?q", "h"},
        {"http://[::1]:81/x#part", "tcp:[::1]:81", "/x", "[::1]:81"},
        {"http://[::1]", "tcp:[::1]:80", "/", "[::1]"},
        {"https://h/", "tcp:h:443", "/", "h"},
        {"HTTPS://h:81/a", "tcp:h:81", "/a", "h:81"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char expected[200];
        assert_int_equal(init(&(struct load_words){.where = rows[i].url}), 0);
        assert_string_equal(target.endpoint, rows[i].endpoint);
        snprintf(expected, sizeof(expected), "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", rows[i].path,
                 rows[i].host);
        assert_request(expected);
    }
}

static void test_endpoints(void **state)
{
    (void)state;
    assert_int_equal(init(&(struct load_words){.where = "unix:/run/x", .path = "/status"}), 0);
    assert_string_equal(target.endpoint, "unix:/run/x");
    assert_request("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_int_equal(init(&(struct load_words){.where = "127.0.0.1:8080"}), 0);
    assert_request("GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n");
    assert_int_equal(init(&(struct load_words){.where = "http://h/p", .endpoint = "unix:/x"}), 0);
    assert_string_equal(target.endpoint, "unix:/x");
    assert_request("GET /p HTTP/1.1\r\nHost: h\r\n\r\n");
}

static void test_words(void **state)
{
    (void)state;
    const char *fields[] = {"Accept: */*", "HOST: other"};
    const struct load_words words = {.where = "http://h/p",
                                     .method = "POST",
                                     .body = "abc",
                                     .fields = fields,
                                     .field_count = 2,
                                     .close = true};
    assert_int_equal(init(&words), 0);
    assert_request("POST /p HTTP/1.1\r\nAccept: */*\r\nHOST: other\r\nConnection: close\r\n"
                   "Content-Length: 3\r\n\r\nabc");
    assert_false(target.head_only);
    assert_int_equal(init(&(struct load_words){.where = "http://h/", .method = "HEAD"}), 0);
    assert_true(target.head_only);
}

static void test_blocks(void **state)
{
    (void)state;
    const struct load_words frame = {.where = "tcp:h:7", .kind = LOAD_FRAME, .size = 258};
    assert_int_equal(init(&frame), 0);
    assert_int_equal(target.request_len, 262);
    assert_memory_equal(target.request, "\0\0\1\2", 4);
    const struct load_words echo = {.where = "tcp:h:7", .kind = LOAD_ECHO, .size = 5};
    assert_int_equal(init(&echo), 0);
    assert_int_equal(target.request_len, 5);
}

static void test_refused(void **state)
{
    (void)state;
    const char *split[] = {"A: b\r\nC: d"}, *nameless[] = {": x"},
               *length[] = {"content-length: 1"};
    const struct load_words wrong[] = {
        {.where = "https://"},
        {.where = "https://h/", .kind = LOAD_ECHO, .size = 1},
        {.where = "tls:h:1?x"},
        {.where = "http://h/", .insecure = true},
        {.where = "tcp:h:1", .ca = "ca.pem"},
        {.where = "http://"},
        {.where = "http://u@h/"},
        {.where = "http://h:/x:y z"},
        {.where = "http://h:99999/"},
        {.where = "exec:cat"},
        {.where = "nothing"},
        {.where = "tcp:h:1", .endpoint = "tcp:h:2"},
        {.where = "http://h/", .kind = LOAD_ECHO, .size = 1},
        {.where = "http://h/", .path = "no-slash"},
        {.where = "http://h/", .path = "/a\r\nX: y"},
        {.where = "http://h/", .method = "G ET"},
        {.where = "http://h/", .method = ""},
        {.where = "http://h/", .fields = split, .field_count = 1},
        {.where = "http://h/", .fields = nameless, .field_count = 1},
        {.where = "http://h/", .fields = length, .field_count = 1},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        if (init(&wrong[i]) != -EINVAL)
            fail_msg("row %zu (%s) was taken", i, wrong[i].where);
        assert_true(strlen(why) > 10);
    }
    load_target_done(&target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls), cmocka_unit_test(test_endpoints), cmocka_unit_test(test_words),
        cmocka_unit_test(test_blocks), cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
