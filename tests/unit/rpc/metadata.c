/* Metadata: base64, names, values. */
#include "base/bytes.h"
#include "rpc/wire.h"
#include "tbl/limits_rpc.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_base64(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},      {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"\xff\xef", "/+8"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[32];
        uint8_t back[32];
        size_t len = rpc_base64_encode(rows[i][0], strlen(rows[i][0]), text);
        assert_true(len == strlen(rows[i][1]) && memcmp(text, rows[i][1], len) == 0);
        ssize_t n = rpc_base64_decode((struct weir_bytes){text, len}, back);
        assert_true(n == (ssize_t)strlen(rows[i][0]) && memcmp(back, rows[i][0], (size_t)n) == 0);
    }
    uint8_t out[8];
    assert_int_equal(rpc_base64_decode(BYTES("Zg=="), out), 1);
    assert_int_equal(rpc_base64_decode(BYTES("_-8="), out), 2);
    assert_int_equal(rpc_base64_decode(BYTES("Z"), out), -EBADMSG);
    assert_int_equal(rpc_base64_decode(BYTES("Zg==="), out), -EBADMSG);
    assert_int_equal(rpc_base64_decode(BYTES("Z g"), out), -EBADMSG);
}

static void test_entries(void **state)
{
    (void)state;
    struct rpc_entries e = {0};
    assert_int_equal(rpc_entries_add(&e, BYTES("a"), BYTES("b,c")), 0);
    assert_int_equal(rpc_entries_add(&e, BYTES("x-bin"), BYTES("AA, Zm9v")), 0);
    assert_int_equal(rpc_entries_add(&e, BYTES("y-bin"), BYTES("?")), -EBADMSG);
    assert_int_equal(e.count, 3);
    assert_string_equal(e.at[0].value.at, "b,c");
    assert_true(e.at[1].value.len == 1 && e.at[1].value.at[0] == 0);
    assert_string_equal(e.at[2].name, "x-bin");
    assert_string_equal(e.at[2].value.at, "foo");
    for (unsigned i = 3; i < LIMIT_RPC_ENTRIES; i++)
        assert_int_equal(rpc_entries_add(&e, BYTES("n"), BYTES("")), 0);
    assert_int_equal(rpc_entries_add(&e, BYTES("n"), BYTES("")), -ENOBUFS);
    rpc_entries_done(&e);
}

static int check(const char *name, const char *value)
{
    return rpc_entry_check(&(struct weir_rpc_entry){name, {value, strlen(value)}});
}

static void test_what_may_be_sent(void **state)
{
    (void)state;
    assert_int_equal(check("x-y_z.9", "a b~"), 0);
    assert_int_equal(check("x-bin", "\n\xff"), 0);
    static const char *const wrong[] = {"",   "X",    "a b",          ":path", "grpc-timeout",
                                        "te", "host", "content-type", "a\n"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(check(wrong[i], "v"), -EINVAL);
    assert_int_equal(check("x", "a\nb"), -EINVAL);
    assert_int_equal(check("x", "\xc3\xbc"), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_entries),
        cmocka_unit_test(test_what_may_be_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
