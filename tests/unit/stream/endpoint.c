/* Names: which can be used, and that each one that cannot is told why, on one line, with a name that can. */
#include "ends.h"
#include "stream/transport.h"

static const char *const good[] = {
    "tcp:127.0.0.1:80",
    "tcp://127.0.0.1:80",
    "tcp:[::1]:80",
    "tcp:[fe80::1%eth0]:80",
    "tcp:localhost:http",
    "tcp:a-b.example_1.org:65535",
    "localhost:80",
    "127.0.0.1:80",
    "[::1]:80",
    "unix:/run/x",
    "unix:///run/x",
    "unix:relative",
    "unix:@name",
    "unix:/with:colon",
    "pipe:/tmp/p",
    "file:/etc/hosts",
    "file:///etc/hosts",
    "file:a name with spaces",
    "exec:sort -u",
    "exec:sh -c 'echo \"a b\"'",
    "fd:0",
    "fd:2147483647",
    "-",
};

static const struct {
    const char *name;
    const char *why; /* a part of the line */
} bad[] = {
    {"", "empty"},
    {"x", "no kind"},
    {"--", "no kind"},
    {"tcp:", "port is missing"},
    {"tcp:localhost", "port is missing"},
    {"tcp:localhost:", "port is missing"},
    {"tcp::80", "host is missing"},
    {"tcp:[]:80", "not an IPv6 address"},
    {"tcp:[::1]", "port is missing"},
    {"tcp:[::1:80", "not closed"},
    {"tcp:[::1]x:80", "port is missing"},
    {"tcp:[1.2.3.4]:80", "not an IPv6 address"},
    {"tcp:::1:80", "needs brackets"},
    {"::1:80", "no such kind"},
    {"tcp:300.1.1.1:80", "not an IPv4 address"},
    {"tcp:1.2.3:80", "not an IPv4 address"},
    {"tcp:ho st:80", "a character"},
    {"tcp:host/path:80", "a character"},
    {"tcp:host:65536", "up to 65535"},
    {"tcp:host:99999999999999999999999", "up to 65535"},
    {"tcp:host:-1", "up to 65535"},
    {"tcp:host:80/path", "up to 65535"},
    {"tcp:host:0", "only be listened on"},
    {"tcp:host:00", "only be listened on"},
    {"tcp:*:80", "only be listened on"},
    {"localhost:", "port is missing"},
    {"unix:", "path is missing"},
    {"unix:@", "name after @"},
    {"pipe:", "path is missing"},
    {"file:", "path is missing"},
    {"file://", "path is missing"},
    {"exec:", "command is missing"},
    {"exec:  ", "command is empty"},
    {"exec:echo 'x", "quote"},
    {"fd:", "number is missing"},
    {"fd:x", "not a descriptor"},
    {"fd:-1", "not a descriptor"},
    {"fd:2147483648", "not a descriptor"},
    {"fd:99999999999999999999", "not a descriptor"},
    {"gopher://host:70/x", "no such kind"},
    {"a:b:c", "no such kind"},
    {"tcp:host\n:80", "a character"},
    {"TCP:host:80", "no such kind"},
};

static void good_names_pass(void **state)
{
    (void)state;
    char why[512] = "untouched";
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (weir_endpoint_check(good[i], false, why, sizeof(why)) != 0)
            fail_msg("%s: %s", good[i], why);
    assert_string_equal(why, "untouched");
}

static void check_line(const char *name, bool listening, const char *part)
{
    char why[512] = "";
    if (weir_endpoint_check(name, listening, why, sizeof(why)) != -EINVAL)
        fail_msg("\"%s\" passed", name);
    if (!strstr(why, part))
        fail_msg("\"%s\": \"%s\" does not say \"%s\"", name, why, part);
    assert_null(strpbrk(why, "\n\r\t"));
    /* The example at its end can be used itself. */
    const char *example = strstr(why, "for example ");
    assert_non_null(example);
    char first[64];
    assert_int_equal(sscanf(example, "for example %63[^,]", first), 1);
    assert_int_equal(weir_endpoint_check(first, listening, why, sizeof(why)), 0);
}

static void bad_names_are_told_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        check_line(bad[i].name, false, bad[i].why);
}

static void listening_has_its_own_rules(void **state)
{
    (void)state;
    char why[512];
    const char *const fine[] = {"tcp:127.0.0.1:0", "tcp:*:0", "[::1]:0",
                                "unix:/tmp/x",     "unix:@x", "fd:3"};
    for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
        assert_int_equal(weir_endpoint_check(fine[i], true, why, sizeof(why)), 0);
    const char *const never[] = {"file:/tmp/x", "pipe:/tmp/x", "exec:cat", "-"};
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
        check_line(never[i], true, "nobody can be waited for");
}

static void lengths_are_bounded(void **state)
{
    (void)state;
    char name[8000];
    char why[64];
    struct weir_stream *s;
    memset(name, 'a', sizeof(name));
    memcpy(name, "unix:", 5);
    name[5 + 107] = '\0';
    assert_int_equal(weir_endpoint_check(name, false, why, sizeof(why)), 0);
    name[5 + 107] = 'a';
    name[5 + 108] = '\0';
    check_line(name, false, "107 bytes");
    name[5 + 108] = 'a';
    memcpy(name, "tcp:a", 5);
    memcpy(name + 300, ":80", 4);
    check_line(name, false, "too long");
    memset(name, 'a', sizeof(name));
    memcpy(name, "file:", 5);
    name[7000] = '\0';
    check_line(name, false, "too long");
    assert_int_equal(weir_open(name, 0, 0, &s), -EINVAL);
    /* A small buffer gets what fits, with its NUL. */
    memset(why, 'x', sizeof(why));
    assert_int_equal(weir_endpoint_check(name, false, why, 10), -EINVAL);
    assert_int_equal(strlen(why), 9);
    assert_int_equal(why[10], 'x');
}

static void slashes_are_optional(void **state)
{
    (void)state;
    const char *rest;
    assert_ptr_equal(endpoint_split("unix:///run/x", &rest), &unix_transport);
    assert_string_equal(rest, "/run/x");
    assert_ptr_equal(endpoint_split("tcp://h:1", &rest), &tcp_transport);
    assert_string_equal(rest, "h:1");
    assert_ptr_equal(endpoint_split("h:1", &rest), &tcp_transport);
    assert_string_equal(rest, "h:1");
    assert_ptr_equal(endpoint_split("-", &rest), &standard_transport);
    assert_ptr_equal(endpoint_split("tls://h:1?insecure", &rest), &tls_transport);
    assert_string_equal(rest, "h:1?insecure");
    assert_null(endpoint_split("ssl:h:1", &rest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_names_pass),
        cmocka_unit_test(bad_names_are_told_why),
        cmocka_unit_test(listening_has_its_own_rules),
        cmocka_unit_test(lengths_are_bounded),
        cmocka_unit_test(slashes_are_optional),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
