#include "http/range.h"

#include "../base/check.h"
#include "base/bytes.h"

struct row {
    const char *text;
    uint64_t size;
    enum range_kind kind;
    struct range want;
};

static const struct row rows[] = {
    {"bytes=0-4", 10, RANGE_PART, {0, 5}},
    {"BYTES=0-4", 10, RANGE_PART, {0, 5}},
    {"bytes= 0-4 ", 10, RANGE_PART, {0, 5}},
    {"bytes=0-0", 10, RANGE_PART, {0, 1}},
    {"bytes=9-", 10, RANGE_PART, {9, 1}},
    {"bytes=0-", 10, RANGE_PART, {0, 10}},
    {"bytes=3-99", 10, RANGE_PART, {3, 7}},
    {"bytes=3-99999999999999999999999999", 10, RANGE_PART, {3, 7}},
    {"bytes=-3", 10, RANGE_PART, {7, 3}},
    {"bytes=-99", 10, RANGE_PART, {0, 10}},
    {"bytes=-99999999999999999999999999", 10, RANGE_PART, {0, 10}},
    {"bytes=0-18446744073709551615", UINT64_MAX, RANGE_PART, {0, UINT64_MAX}},
    {"bytes=,0-4,", 10, RANGE_PART, {0, 5}},
    {"bytes=10-", 10, RANGE_BEYOND, {0, 0}},
    {"bytes=10-12", 10, RANGE_BEYOND, {0, 0}},
    {"bytes=99999999999999999999999999-", 10, RANGE_BEYOND, {0, 0}},
    {"bytes=-0", 10, RANGE_BEYOND, {0, 0}},
    {"bytes=0-", 0, RANGE_BEYOND, {0, 0}},
    {"bytes=-5", 0, RANGE_WHOLE, {0, 0}},
    {"bytes=0-1,3-4", 10, RANGE_WHOLE, {0, 0}}, /* several: the whole is allowed */
    {"bytes=4-2", 10, RANGE_WHOLE, {0, 0}},
    {"bytes=", 10, RANGE_WHOLE, {0, 0}},
    {"bytes=-", 10, RANGE_WHOLE, {0, 0}},
    {"bytes=--1", 10, RANGE_WHOLE, {0, 0}},
    {"bytes=1", 10, RANGE_WHOLE, {0, 0}},
    {"bytes=a-b", 10, RANGE_WHOLE, {0, 0}},
    {"bytes=1-b", 10, RANGE_WHOLE, {0, 0}},
    {"bytes=+1-2", 10, RANGE_WHOLE, {0, 0}},
    {"bytes 0-4", 10, RANGE_WHOLE, {0, 0}},
    {"lines=0-4", 10, RANGE_WHOLE, {0, 0}},
    {"", 10, RANGE_WHOLE, {0, 0}},
};

static void ranges(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct range got = {0, 0};
        print_message("%s of %llu\n", rows[i].text, (unsigned long long)rows[i].size);
        assert_int_equal(range_read(bytes_str(rows[i].text), rows[i].size, &got), rows[i].kind);
        assert_int_equal(got.first, rows[i].want.first);
        assert_int_equal(got.len, rows[i].want.len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ranges)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
