#include "load/amount.h"

#include "../base/check.h"

#include <errno.h>

static void test_read_time(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t ns;
    } rows[] = {{"10", 10000000000},
                {"0.5", 500000000},
                {"500ms", 500000000},
                {"2m", 120000000000},
                {"1h", 3600000000000},
                {".25", 250000000},
                {"0", 0},
                {"1.5s", 1500000000},
                {"7us", 7000}};
    static const char *const wrong[] = {"",    "s",   ".",  "1.2.3", "-1",
                                        "1 s", "1e3", "1d", "0x1",   "99999999999999999999h"};
    uint64_t ns;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_int_equal(amount_read_time(rows[i].text, &ns), 0);
        assert_int_equal(ns, rows[i].ns);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        if (amount_read_time(wrong[i], &ns) != -EINVAL)
            fail_msg("'%s' was taken for %llu", wrong[i], (unsigned long long)ns);
}

static void test_read_list(void **state)
{
    (void)state;
    unsigned at[3];
    assert_int_equal(amount_read_list("1,8, 64", 100, at, 3), 3);
    assert_int_equal(at[2], 64);
    assert_int_equal(amount_read_list("", 100, at, 3), -EINVAL);
    assert_int_equal(amount_read_list("1,2,3,4", 100, at, 3), -EINVAL);
    assert_int_equal(amount_read_list("2,2", 100, at, 3), -EINVAL);
    assert_int_equal(amount_read_list("0", 100, at, 3), -EINVAL);
    assert_int_equal(amount_read_list("101", 100, at, 3), -EINVAL);
    assert_int_equal(amount_read_list("1;2", 100, at, 3), -EINVAL);
}

static void test_show(void **state)
{
    (void)state;
    char t[AMOUNT_MAX];
    assert_string_equal(amount_time(t, 850), "850 ns");
    assert_string_equal(amount_time(t, 8412), "8.41 µs");
    assert_string_equal(amount_time(t, 999.9e3), "1.00 ms");
    assert_string_equal(amount_time(t, 12.34e9), "12.3 s");
    assert_string_equal(amount_bytes(t, 612), "612 B");
    assert_string_equal(amount_bytes(t, 1024 * 1024 * 1.25), "1.25 MiB");
    assert_string_equal(amount_count(t, 0), "0");
    assert_string_equal(amount_count(t, 999), "999");
    assert_string_equal(amount_count(t, 1234567), "1,234,567");
    assert_string_equal(amount_number(t, 0.615), "0.61");
    assert_string_equal(amount_number(t, 45260), "45,300");
    assert_string_equal(amount_number(t, 99999), "100,000");
    assert_string_equal(amount_short(t, 0), "0");
    assert_string_equal(amount_short(t, 45000), "45k");
    assert_string_equal(amount_short(t, 2500), "2.5k");
    assert_string_equal(amount_short(t, 0.5), "0.5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_read_time),
                                       cmocka_unit_test(test_read_list),
                                       cmocka_unit_test(test_show)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
