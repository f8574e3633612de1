#include "http/range.h"

#include "../base/check.h"
#include "base/bytes.h"

#include <stdio.h>

struct row {
    const char *text;
    uint64_t size;
    enum range_kind kind;
    struct range want;
};

static const struct row rows[] = {
    {"bytes=0-4", 10, RANGE_PARTS, {0, 5}},
    {"BYTES=0-4", 10, RANGE_PARTS, {0, 5}},
    {"bytes= 0-4 ", 10, RANGE_PARTS, {0, 5}},
    {"bytes=0-0", 10, RANGE_PARTS, {0, 1}},
    {"bytes=9-", 10, RANGE_PARTS, {9, 1}},
    {"bytes=0-", 10, RANGE_PARTS, {0, 10}},
    {"bytes=3-99", 10, RANGE_PARTS, {3, 7}},
    {"bytes=3-99999999999999999999999999", 10, RANGE_PARTS, {3, 7}},
    {"bytes=-3", 10, RANGE_PARTS, {7, 3}},
    {"bytes=-99", 10, RANGE_PARTS, {0, 10}},
    {"bytes=-99999999999999999999999999", 10, RANGE_PARTS, {0, 10}},
    {"bytes=0-18446744073709551615", UINT64_MAX, RANGE_PARTS, {0, UINT64_MAX}},
    {"bytes=,0-4,", 10, RANGE_PARTS, {0, 5}},
    {"bytes=10-", 10, RANGE_BEYOND, {0, 0}},
    {"bytes=10-12", 10, RANGE_BEYOND, {0, 0}},
    {"bytes=10-12,-0", 10, RANGE_BEYOND, {0, 0}},
    {"bytes=99999999999999999999999999-", 10, RANGE_BEYOND, {0, 0}},
    {"bytes=-0", 10, RANGE_BEYOND, {0, 0}},
    {"bytes=0-", 0, RANGE_BEYOND, {0, 0}},
    {"bytes=-5", 0, RANGE_WHOLE, {0, 0}},
    {"bytes=4-2", 10, RANGE_WHOLE, {0, 0}},
    {"bytes=0-1,4-2", 10, RANGE_WHOLE, {0, 0}}, /* one that is invalid spoils all */
    {"bytes=0-1;3-4", 10, RANGE_WHOLE, {0, 0}},
    {"bytes=", 10, RANGE_WHOLE, {0, 0}},
    {"bytes=,", 10, RANGE_WHOLE, {0, 0}},
    {"bytes=-", 10, RANGE_WHOLE, {0, 0}},
    {"bytes=--1", 10, RANGE_WHOLE, {0, 0}},
    {"bytes=1", 10, RANGE_WHOLE, {0, 0}},
    {"bytes=a-b", 10, RANGE_WHOLE, {0, 0}},
    {"bytes=1-b", 10, RANGE_WHOLE, {0, 0}},
    {"bytes=+1-2", 10, RANGE_WHOLE, {0, 0}},
    {"bytes 0-4", 10, RANGE_WHOLE, {0, 0}},
    {"lines=0-4", 10, RANGE_WHOLE, {0, 0}},
    {"", 10, RANGE_WHOLE, {0, 0}},
    /* joined to one */
    {"bytes=0-1,3-4", 10, RANGE_PARTS, {0, 5}},
    {"bytes=5000-5099,4000-4999", 10000, RANGE_PARTS, {4000, 1100}},
    {"bytes=4000-4999,99999-", 10000, RANGE_PARTS, {4000, 1000}},
    {"bytes=0-99,50-199", 10000, RANGE_PARTS, {0, 200}},
    {"bytes=0-99,199-200", 10000, RANGE_PARTS, {0, 201}},
};

static void ranges(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ranges got = {.count = 0};
        print_message("%s of %llu\n", rows[i].text, (unsigned long long)rows[i].size);
        assert_int_equal(range_read(bytes_str(rows[i].text), rows[i].size, &got), rows[i].kind);
        if (rows[i].kind != RANGE_PARTS)
            continue;
        assert_int_equal(got.count, 1);
        assert_int_equal(got.at[0].first, rows[i].want.first);
        assert_int_equal(got.at[0].len, rows[i].want.len);
    }
}

struct many {
    const char *text;
    enum range_kind kind;
    unsigned count;
    struct range want[4];
};

/* Of 10,000 bytes. */
static const struct many lists[] = {
    {"bytes=0-99,200-299", RANGE_PARTS, 2, {{0, 100}, {200, 100}}},
    {"bytes=200-299,0-99", RANGE_PARTS, 2, {{200, 100}, {0, 100}}}, /* the client's order */
    {"bytes=9000-,0-9,-5", RANGE_PARTS, 2, {{9000, 1000}, {0, 10}}},
    {"bytes=5000-5009,0-9,4950-4999", RANGE_PARTS, 2, {{4950, 60}, {0, 10}}},
    {"bytes=0-9,5000-5009,10-4999", RANGE_PARTS, 1, {{0, 5010}}}, /* joins two */
    {"bytes=0-9,1000-1009,2000-2009", RANGE_PARTS, 3, {{0, 10}, {1000, 10}, {2000, 10}}},
    {"bytes=0-9,1000-1009,10000-", RANGE_PARTS, 2, {{0, 10}, {1000, 10}}},
    {"bytes=0-4999,5200-9999", RANGE_WHOLE, 0, {{0, 0}}}, /* as much as the whole */
    {"bytes=0-9,5-14,1000-1009", RANGE_PARTS, 2, {{0, 15}, {1000, 10}}},
    {"bytes=0-9,5-14,8-20", RANGE_PARTS, 1, {{0, 21}}},
    {"bytes=0-9,5-14,8-20,1-2", RANGE_FLOOD, 0, {{0, 0}}},
    {"bytes=0-,0-,0-,0-", RANGE_FLOOD, 0, {{0, 0}}},
};

static void several_keep_their_order_and_are_joined(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct ranges got;
        print_message("%s\n", lists[i].text);
        assert_int_equal(range_read(bytes_str(lists[i].text), 10000, &got), lists[i].kind);
        if (lists[i].kind != RANGE_PARTS)
            continue;
        assert_int_equal(got.count, lists[i].count);
        for (unsigned k = 0; k < got.count; k++) {
            assert_int_equal(got.at[k].first, lists[i].want[k].first);
            assert_int_equal(got.at[k].len, lists[i].want[k].len);
        }
    }
}

/* As many as are allowed, far apart; and one more. */
static void too_many_are_none(void **state)
{
    (void)state;
    char text[4096];
    for (unsigned count = LIMIT_HTTP_RANGES; count <= LIMIT_HTTP_RANGES + 1; count++) {
        struct ranges got;
        size_t len = (size_t)snprintf(text, sizeof(text), "bytes=");
        for (unsigned i = 0; i < count; i++)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%u-%u,", i * 1000, i * 1000);
        enum range_kind kind = range_read(bytes_str(text), 1000000, &got);
        assert_int_equal(kind, count > LIMIT_HTTP_RANGES ? RANGE_FLOOD : RANGE_PARTS);
        if (kind == RANGE_PARTS)
            assert_int_equal(got.count, count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges),
        cmocka_unit_test(several_keep_their_order_and_are_joined),
        cmocka_unit_test(too_many_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
