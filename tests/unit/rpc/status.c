/* Status codes and messages. */
#include "base/bytes.h"
#include "rpc/wire.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_codes(void **state)
{
    (void)state;
    assert_string_equal(weir_rpc_code_name(0), "OK");
    assert_string_equal(weir_rpc_code_name(14), "UNAVAILABLE");
    assert_string_equal(weir_rpc_code_name(16), "UNAUTHENTICATED");
    assert_string_equal(weir_rpc_code_name(17), "UNKNOWN");
    assert_string_equal(weir_rpc_code_name(-1), "UNKNOWN");
    assert_int_equal(rpc_code_parse(BYTES("0")), 0);
    assert_int_equal(rpc_code_parse(BYTES("16")), 16);
    assert_int_equal(rpc_code_parse(BYTES("17")), WEIR_RPC_UNKNOWN);
    assert_int_equal(rpc_code_parse(BYTES("")), WEIR_RPC_UNKNOWN);
    assert_int_equal(rpc_code_parse(BYTES("-1")), WEIR_RPC_UNKNOWN);
}

static void test_mapped(void **state)
{
    (void)state;
    static const unsigned http[][2] = {{400, 13}, {401, 16}, {403, 7},  {404, 12}, {429, 14},
                                       {502, 14}, {503, 14}, {504, 14}, {200, 2},  {500, 2}};
    for (size_t i = 0; i < sizeof(http) / sizeof(http[0]); i++)
        assert_int_equal(rpc_code_of_http(http[i][0]), http[i][1]);
    static const unsigned h2[][2] = {{0, 13}, {1, 13}, {2, 13}, {5, 2},  {7, 14},
                                     {8, 1},  {11, 8}, {12, 7}, {99, 13}};
    for (size_t i = 0; i < sizeof(h2) / sizeof(h2[0]); i++)
        assert_int_equal(rpc_code_of_h2(h2[i][0]), h2[i][1]);
    assert_int_equal(rpc_code_of_errno(-ECONNRESET), WEIR_RPC_UNAVAILABLE);
    assert_int_equal(rpc_code_of_errno(-EMSGSIZE), WEIR_RPC_RESOURCE_EXHAUSTED);
    assert_int_equal(rpc_code_of_errno(-ECANCELED), WEIR_RPC_CANCELLED);
}

static void test_percent(void **state)
{
    (void)state;
    static const char text[] = "a 100%\n\xc3\xbc~";
    char out[3 * sizeof(text)];
    size_t len = rpc_percent_encode(text, sizeof(text) - 1, out);
    assert_string_equal(out, "a 100%25%0A%C3%BC~");
    assert_int_equal(rpc_percent_decode(out, len), sizeof(text) - 1);
    assert_string_equal(out, text);
    char odd[] = "%%4%zz%41%4";
    rpc_percent_decode(odd, strlen(odd));
    assert_string_equal(odd, "%%4%zzA%4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_mapped),
        cmocka_unit_test(test_percent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
