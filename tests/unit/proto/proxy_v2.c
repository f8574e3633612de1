/* The header's bytes, compared with those that doc/proxy-protocol.txt, section 2.2, spells out. */
#include "proto/proxy_v2.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

static const struct weir_address v4_client = {
    .family = WEIR_FAMILY_IP4, .port = 0xd0a1, .ip = {192, 0, 2, 7}};
static const struct weir_address v4_server = {
    .family = WEIR_FAMILY_IP4, .port = 443, .ip = {198, 51, 100, 1}};
static const struct weir_address v6_client = {
    .family = WEIR_FAMILY_IP6,
    .port = 258,
    .ip = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0a}};
static const struct weir_address v6_server = {
    .family = WEIR_FAMILY_IP6, .port = 80, .ip = {[15] = 1}};
static const struct weir_address nowhere = {.family = WEIR_FAMILY_NONE};

static void check(const struct weir_address *client, const struct weir_address *server,
                  const char *expected, size_t len)
{
    uint8_t header[PROXY_V2_BYTES_MAX];
    memset(header, 0xdb, sizeof(header));
    assert_int_equal(proxy_v2(header, client, server), len);
    assert_memory_equal(header, expected, len);
    for (size_t i = len; i < sizeof(header); i++)
        assert_int_equal(header[i], 0xdb);
}

#define CHECK(client, server, expected) check(client, server, expected, sizeof(expected) - 1)

static void tcp_over_v4(void **state)
{
    (void)state;
    CHECK(&v4_client, &v4_server,
          SIGNATURE "\x21\x11\x00\x0c\xc0\x00\x02\x07\xc6\x33\x64\x01\xd0\xa1\x01\xbb");
}

static void tcp_over_v6(void **state)
{
    (void)state;
    CHECK(&v6_client, &v6_server,
          SIGNATURE "\x21\x21\x00\x24"
                    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x0a"
                    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"
                    "\x01\x02\x00\x50");
}

static void a_unix_socket(void **state)
{
    (void)state;
    struct weir_address client = {.family = WEIR_FAMILY_UNIX}; /* it seldom has a name */
    struct weir_address server = {.family = WEIR_FAMILY_UNIX};
    char expected[16 + 216] = SIGNATURE "\x21\x31\x00\xd8";
    memcpy(server.path, "/run/front", 10);
    memcpy(expected + 16 + 108, "/run/front", 10);
    check(&client, &server, expected, sizeof(expected));
    memset(client.path, 'p', sizeof(client.path)); /* as long as can be, without a NUL */
    memset(expected + 16, 'p', 108);
    check(&client, &server, expected, sizeof(expected));
    memcpy(client.path, "\0name", 5); /* abstract */
    memcpy(expected + 16, "\0name", 5);
    check(&client, &server, expected, sizeof(expected));
}

static void what_is_not_known(void **state)
{
    (void)state;
    CHECK(&nowhere, &nowhere, SIGNATURE "\x21\x00\x00\x00");
    CHECK(&v4_client, &v6_server, SIGNATURE "\x21\x00\x00\x00"); /* there is no such pair */
}

static void the_relays_own(void **state)
{
    (void)state;
    CHECK(NULL, &v4_server, SIGNATURE "\x20\x00\x00\x00");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_over_v4),    cmocka_unit_test(tcp_over_v6),
        cmocka_unit_test(a_unix_socket),  cmocka_unit_test(what_is_not_known),
        cmocka_unit_test(the_relays_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
