/* Timeouts as they travel. */
#include "base/bytes.h"
#include "rpc/wire.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_format(void **state)
{
    (void)state;
    static const struct {
        uint64_t ns;
        const char *text;
    } rows[] = {
        {0, "0n"},
        {1, "1n"},
        {99999998, "99999998n"},
        {100000000, "100000u"},
        {5 * WEIR_NS_PER_S, "5000000u"},
        {100 * WEIR_NS_PER_S + 1, "100001m"},
        {100000 * WEIR_NS_PER_S, "100000S"},
        {UINT64_MAX, "307445735M"},
    };
    for (size_t i = 0; i + 1 < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[RPC_TIMEOUT_MAX];
        rpc_timeout_format(rows[i].ns, text);
        assert_string_equal(text, rows[i].text);
    }
    char text[RPC_TIMEOUT_MAX];
    assert_true(rpc_timeout_format(UINT64_MAX, text) <= 9);
}

static void test_parse(void **state)
{
    (void)state;
    uint64_t ns = 7;
    static const char *const wrong[] = {"", "1", "m", "-1m", "1 m", "1x", "123456789m", "1.5S"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(rpc_timeout_parse(bytes_str(wrong[i]), &ns), -EINVAL);
    assert_int_equal(ns, 7);
    assert_true(rpc_timeout_parse(BYTES("250m"), &ns) == 0 && ns == 250 * WEIR_NS_PER_MS);
    assert_true(rpc_timeout_parse(BYTES("2H"), &ns) == 0 && ns == 7200 * WEIR_NS_PER_S);
    assert_true(rpc_timeout_parse(BYTES("99999999H"), &ns) == 0 && ns == UINT64_MAX / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_format), cmocka_unit_test(test_parse)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
