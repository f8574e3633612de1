#include "message/number.h"

#include "../base/check.h"
#include "base/bytes.h"

#include <errno.h>

static void texts_are_short_and_read_back(void **state)
{
    (void)state;
    char out[NUMBER_TEXT];
    static const double rows[] = {0.1, -0.0, 1e308, 5e-324, 1e15, 123456789012345680.0, 1.0 / 3, 3};
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        double back;
        number_text(rows[i], out);
        assert_int_equal(number_double(bytes_str(out), &back), 0);
        assert_true(back == rows[i]);
    }
    number_text(0.1, out);
    assert_string_equal(out, "0.1");
    number_text_float(0.1f, out);
    assert_string_equal(out, "0.1");
    number_text_float(16777216, out);
    assert_string_equal(out, "16777216");
}

static void only_numbers_of_json_are_read(void **state)
{
    (void)state;
    static const char *const bad[] = {"",   "-",  "+1",  "1.",  ".5",  "1e",    "1e+", "0x10",
                                      "1 ", " 1", "inf", "nan", "1,5", "1.5.2", "--1"};
    double value;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(number_double(bytes_str(bad[i]), &value), -EINVAL);
    assert_int_equal(number_double(bytes_str("1e999"), &value), -ERANGE);
    assert_int_equal(number_double(bytes_str("-1.5e-3"), &value), 0);
    assert_true(value == -1.5e-3);
}

static void whole_numbers_have_their_ends(void **state)
{
    (void)state;
    int64_t i;
    uint64_t u;
    assert_int_equal(number_i64(bytes_str("-9223372036854775808"), &i), 0);
    assert_true(i == INT64_MIN);
    assert_int_equal(number_i64(bytes_str("9223372036854775808"), &i), -ERANGE);
    assert_int_equal(number_i64(bytes_str("-9223372036854775809"), &i), -ERANGE);
    assert_int_equal(number_i64(bytes_str("-"), &i), -EINVAL);
    assert_int_equal(number_i64(bytes_str("--1"), &i), -EINVAL);
    assert_int_equal(number_u64(bytes_str("18446744073709551615"), &u), 0);
    assert_int_equal(number_u64(bytes_str("18446744073709551616"), &u), -ERANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_short_and_read_back),
        cmocka_unit_test(only_numbers_of_json_are_read),
        cmocka_unit_test(whole_numbers_have_their_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
