/* Addresses: ranges, lists of them, and what proxies write down. */
#include "service/net.h"

#include "../base/check.h"
#include "base/bytes.h"
#include "service/forwarded.h"

#include <errno.h>
#include <stdio.h>

static struct client client(const char *text)
{
    struct client out;
    if (client_read(bytes_str(text), &out) < 0)
        fail_msg("'%s' is no address", text);
    return out;
}

static bool has(const char *range, const char *address)
{
    struct net net;
    char why[300];
    struct client who = client(address);
    if (net_read(bytes_str(range), &net, why, sizeof(why)) < 0)
        fail_msg("'%s': %s", range, why);
    return net_has(&net, &who);
}

static void ranges_have_what_is_in_them(void **state)
{
    (void)state;
    assert_true(has("192.0.2.0/24", "192.0.2.255"));
    assert_false(has("192.0.2.0/24", "192.0.3.0"));
    assert_true(has("192.0.2.128/25", "192.0.2.128"));
    assert_false(has("192.0.2.128/25", "192.0.2.127"));
    assert_true(has("192.0.2.1", "192.0.2.1"));
    assert_false(has("192.0.2.1", "192.0.2.2"));
    assert_true(has("0.0.0.0/0", "203.0.113.1"));
    assert_false(has("0.0.0.0/0", "2001:db8::1"));
    assert_true(has("all", "2001:db8::1"));
    assert_true(has("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(has("2001:db8::/33", "2001:db8:8000::1"));
    assert_true(has("::/0", "2001:db8::1"));
    assert_true(has("::ffff:192.0.2.0/120", "192.0.2.9"));
    assert_true(has("192.0.2.0/24", "::ffff:192.0.2.9"));
    assert_true(has("192.0.2.0/24", "192.0.2.9:4711"));
    assert_true(has("2001:db8::/32", "[2001:db8::1]:80"));
}

static void unix_clients_have_a_user(void **state)
{
    struct net any, one;
    struct client who = {.family = WEIR_FAMILY_UNIX, .uid = 1000};
    char why[300], text[64];
    (void)state;
    assert_int_equal(net_read(BYTES("unix"), &any, why, sizeof(why)), 0);
    assert_int_equal(net_read(BYTES("unix:uid=1000"), &one, why, sizeof(why)), 0);
    assert_true(net_has(&any, &who) && net_has(&one, &who));
    who.uid = 1001;
    assert_true(net_has(&any, &who));
    assert_false(net_has(&one, &who));
    client_text(&who, text);
    assert_string_equal(text, "unix:uid=1001");
}

static void what_is_no_range_says_what_would_be_right(void **state)
{
    static const char *const wrong[][2] = {
        {"192.0.2.5/24", "192.0.2.0/24 is what"}, {"2001:db8::1/64", "2001:db8::/64 is what"},
        {"192.0.2.0/33", "from 0 to 32"},         {"2001:db8::/129", "from 0 to 128"},
        {"192.0.2.0/", "from 0 to 32"},           {"192.0.2.0/x", "from 0 to 32"},
        {"192.0.2", "addresses are like"},        {"", "addresses are like"},
        {"example.org", "addresses are like"},    {"unix:uid=", "unix:uid=N"},
        {"unix:uid=4294967295", "unix:uid=N"},    {"unixx", "unix:uid=N"},
        {"::ffff:192.0.2.0/90", "from 96 to 128"}};
    struct net net;
    char why[300];
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (net_read(bytes_str(wrong[i][0]), &net, why, sizeof(why)) != -EINVAL)
            fail_msg("'%s' was taken for a range", wrong[i][0]);
        if (!strstr(why, wrong[i][1]))
            fail_msg("'%s' says '%s'", wrong[i][0], why);
    }
}

static void what_is_no_address(void **state)
{
    static const char *const wrong[] = {
        "",       "unknown", "_hidden",      "[::1", "1.2.3",    "1.2.3.4:",       "1.2.3.4:65536",
        "[::1]x", "[::1]:x", "1.2.3.4:80:1", "::1]", "1.2.3.4 ", "1.2.3.4,5.6.7.8"};
    struct client out;
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        if (client_read(bytes_str(wrong[i]), &out) != -EINVAL)
            fail_msg("'%s' was taken for an address", wrong[i]);
}

static void the_first_rule_counts(void **state)
{
    struct access access = {.count = 0};
    char why[300];
    (void)state;
    assert_int_equal(access_add(&access, "allow 192.0.2.7", why, sizeof(why)), 0);
    assert_int_equal(access_add(&access, "deny 192.0.2.0/24", why, sizeof(why)), 0);
    struct client one = client("192.0.2.7"), other = client("192.0.2.8"), far = client("::1");
    assert_int_equal(access_find(&access, &one), 0);
    assert_int_equal(access_find(&access, &other), 1);
    assert_true(access.rules[1].deny);
    assert_int_equal(access_find(&access, &far), -1);
    assert_int_equal(access_add(&access, "forbid all", why, sizeof(why)), -EINVAL);
    assert_int_equal(access_add(&access, "deny", why, sizeof(why)), -EINVAL);
    while (access.count < LIMIT_NETS)
        assert_int_equal(access_add(&access, "deny all", why, sizeof(why)), 0);
    assert_int_equal(access_add(&access, "deny all", why, sizeof(why)), -ENOSPC);
}

/* He may be anyone who is denied, and is nobody who is allowed by name. */
static void the_unknown_are_denied_with_anybody(void **state)
{
    struct client unknown = {.family = WEIR_FAMILY_NONE, .uid = UINT32_MAX};
    struct access allows = {.count = 0}, denies = {.count = 0};
    char why[300];
    (void)state;
    assert_int_equal(access_add(&allows, "allow 0.0.0.0/0", why, sizeof(why)), 0);
    assert_int_equal(access_add(&allows, "allow unix", why, sizeof(why)), 0);
    assert_int_equal(access_find(&allows, &unknown), -1);
    assert_int_equal(access_add(&allows, "allow all", why, sizeof(why)), 0);
    assert_int_equal(access_find(&allows, &unknown), 2);
    assert_int_equal(access_add(&denies, "allow 192.0.2.1", why, sizeof(why)), 0);
    assert_int_equal(access_add(&denies, "deny 192.0.2.0/24", why, sizeof(why)), 0);
    assert_int_equal(access_find(&denies, &unknown), 1);
}

/* Whom a request is from: `fields` by lines, proxies in 10.0.0.0/8. */
static const char *from(const char *peer, const char *const *fields, unsigned count, bool rfc7239)
{
    static char text[64];
    struct weir_bytes values[8];
    struct net trusted[1];
    char why[300];
    struct client who = client(peer);
    assert_int_equal(net_read(BYTES("10.0.0.0/8"), &trusted[0], why, sizeof(why)), 0);
    for (unsigned i = 0; i < count; i++)
        values[i] = bytes_str(fields[i]);
    if (!forwarded_find(values, count, rfc7239, trusted, 1, &who, &who))
        return "peer";
    client_text(&who, text);
    return text;
}

#define FROM(peer, rfc7239, ...)                                                                   \
    from(peer, (const char *const[]){__VA_ARGS__},                                                 \
         sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *), rfc7239)

static void proxies_are_followed_as_far_as_they_are_trusted(void **state)
{
    (void)state;
    assert_string_equal(FROM("10.0.0.1", false, "192.0.2.1"), "192.0.2.1");
    assert_string_equal(FROM("192.0.2.9", false, "192.0.2.1"), "peer");
    assert_string_equal(FROM("10.0.0.1", false, "203.0.113.1, 192.0.2.1"), "192.0.2.1");
    assert_string_equal(FROM("10.0.0.1", false, "203.0.113.1, 192.0.2.1, 10.0.0.2"), "192.0.2.1");
    assert_string_equal(FROM("10.0.0.1", false, "203.0.113.1", "192.0.2.1", "10.0.0.2"),
                        "192.0.2.1");
    assert_string_equal(FROM("10.0.0.1", false, "10.0.0.3, 10.0.0.2"), "10.0.0.3");
    assert_string_equal(FROM("10.0.0.1", true, "for=192.0.2.1;proto=https"), "192.0.2.1");
    assert_string_equal(FROM("10.0.0.1", true, "For=\"[2001:db8::1]:4711\";by=10.0.0.1"),
                        "2001:db8::1");
    assert_string_equal(FROM("10.0.0.1", true, "proto=\"a;for=192.0.2.5\";for=192.0.2.1"),
                        "192.0.2.1");
    assert_string_equal(FROM("10.0.0.1", true, "for=203.0.113.1, for=192.0.2.1"), "192.0.2.1");
    assert_string_equal(FROM("10.0.0.1", true, "for=192.0.2.1, for=10.0.0.3;by=\"[::1]:1\""),
                        "192.0.2.1");
}

/* Who forges has written in front of what the proxy wrote: it is there, and neither removed nor replaced. */
static void quotes_swallow_nothing(void **state)
{
    static const char *const forged[] = {"\"",
                                         "\\",
                                         "\"\\",
                                         "\"\\\"",
                                         "\"a",
                                         "a\"b\"\"",
                                         "for=10.0.0.1",
                                         "for=10.0.0.1;x=\"",
                                         "for=10.0.0.1;x=\"\\",
                                         "x=\"\\\"",
                                         "for=\"10.0.0.1",
                                         "for=\"_a\"\"",
                                         "\"for=10.0.0.1\"",
                                         "x=\", for=10.0.0.1",
                                         ",\",,\"\\,"};
    static const char *const written[] = {
        "for=203.0.113.9", "for=\"203.0.113.9:1\"",
        "x=\"a,\\\\\\\",b\";for=203.0.113.9;y=\"for=10.0.0.1, for=\"",
        "x=\", for=10.0.0.1;y=\";for=203.0.113.9"};
    char line[200];
    (void)state;
    for (size_t i = 0; i < sizeof(forged) / sizeof(forged[0]); i++) {
        snprintf(line, sizeof(line), "%s, 203.0.113.9", forged[i]);
        assert_string_equal(FROM("10.0.0.1", false, line), "203.0.113.9");
        assert_string_equal(FROM("10.0.0.1", false, forged[i], "203.0.113.9"), "203.0.113.9");
        for (size_t j = 0; j < sizeof(written) / sizeof(written[0]); j++) {
            snprintf(line, sizeof(line), "%s, %s", forged[i], written[j]);
            assert_string_equal(FROM("10.0.0.1", true, line), "203.0.113.9");
            assert_string_equal(FROM("10.0.0.1", true, forged[i], written[j]), "203.0.113.9");
        }
    }
}

/* A proxy that was asked to say who it is, and did not, is not the client itself. */
static void whom_a_proxy_does_not_name_is_unknown(void **state)
{
    static const char *const said[] = {
        "",           "192.0.2.1, unknown", "192.0.2.1, unknown, 10.0.0.2",
        "192.0.2.1,", "\"192.0.2.1\"",      "unix:"};
    static const char *const said_rfc7239[] = {"",
                                               "192.0.2.1",
                                               "for=_secret",
                                               "for=unknown",
                                               "for=192.0.2.1, for=_secret, for=10.0.0.2",
                                               "for=192.0.2.1,",
                                               "for=192.0.2.1, proto=https",
                                               "for=192.0.2.1;x=\"",
                                               "for=192.0.2.1;x=\"a\"b",
                                               "for=192.0.2.1;x=a\"b\"",
                                               "for=192.0.2.1;for=192.0.2.2",
                                               "x\"=a\";for=192.0.2.1"};
    (void)state;
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
        assert_string_equal(FROM("10.0.0.1", false, said[i]), "unknown");
    for (size_t i = 0; i < sizeof(said_rfc7239) / sizeof(said_rfc7239[0]); i++)
        assert_string_equal(FROM("10.0.0.1", true, said_rfc7239[i]), "unknown");
    assert_string_equal(FROM("192.0.2.9", false, "unknown"), "peer");
}

static void more_proxies_than_anybody_has(void **state)
{
    char text[4096] = "192.0.2.1";
    (void)state;
    for (unsigned i = 0; i < 2 * LIMIT_FORWARDED; i++)
        strcat(text, ",10.0.0.9");
    assert_string_equal(FROM("10.0.0.1", false, text), "10.0.0.9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_have_what_is_in_them),
        cmocka_unit_test(unix_clients_have_a_user),
        cmocka_unit_test(what_is_no_range_says_what_would_be_right),
        cmocka_unit_test(what_is_no_address),
        cmocka_unit_test(the_first_rule_counts),
        cmocka_unit_test(proxies_are_followed_as_far_as_they_are_trusted),
        cmocka_unit_test(the_unknown_are_denied_with_anybody),
        cmocka_unit_test(quotes_swallow_nothing),
        cmocka_unit_test(whom_a_proxy_does_not_name_is_unknown),
        cmocka_unit_test(more_proxies_than_anybody_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
