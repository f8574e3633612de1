#include "load/histogram.h"

#include "../base/check.h"

#include <stdlib.h>

static struct histogram *fresh(void)
{
    struct histogram *h = calloc(1, sizeof(*h));
    assert_non_null(h);
    return h;
}

/* Every length of time from a nanosecond to half an hour comes back within one percent. */
static void test_error_is_bounded(void **state)
{
    (void)state;
    for (uint64_t value = 1; value < 1ull << 41; value += value / 200 + 1) {
        struct histogram *h = fresh();
        histogram_add(h, value, 1);
        histogram_add(h, value * 4, 1); /* else max would give it away */
        double got = (double)histogram_quantile(h, .5);
        double off = got / (double)value - 1;
        if (off > 0.01 || off < -0.01)
            fail_msg("%llu came back as %f", (unsigned long long)value, got);
        free(h);
    }
}

static void test_quantiles(void **state)
{
    (void)state;
    struct histogram *h = fresh();
    for (uint64_t i = 1; i <= 100; i++)
        histogram_add(h, i, 1);
    assert_int_equal(histogram_quantile(h, 0), 1);
    assert_int_equal(histogram_quantile(h, .07), 7);
    assert_int_equal(histogram_quantile(h, .5), 50);
    assert_int_equal(histogram_quantile(h, .99), 99);
    assert_int_equal(histogram_quantile(h, .991), 100);
    assert_int_equal(histogram_quantile(h, 1), 100);
    assert_float_equal(histogram_mean(h), 50.5, 1e-9);
    free(h);
}

static void test_extremes(void **state)
{
    (void)state;
    struct histogram *h = fresh();
    assert_int_equal(histogram_quantile(h, .5), 0);
    histogram_add(h, 5, 0);
    assert_int_equal(h->count, 0);
    histogram_add(h, 0, 3);
    histogram_add(h, UINT64_MAX, 1);
    assert_int_equal(histogram_quantile(h, .5), 0);
    assert_int_equal(histogram_quantile(h, 1), (1ull << HISTOGRAM_TOP) - 1);
    free(h);
}

/* What two threads saw adds up to what one would have seen. */
static void test_merge(void **state)
{
    (void)state;
    struct histogram *all = fresh(), *odd = fresh(), *even = fresh();
    for (uint64_t i = 1; i < 5000; i++) {
        histogram_add(all, i * i, 1);
        histogram_add(i % 2 ? odd : even, i * i, 1);
    }
    histogram_merge(odd, even);
    assert_memory_equal(odd, all, sizeof(*all));
    struct histogram *empty = fresh();
    histogram_merge(odd, empty);
    assert_memory_equal(odd, all, sizeof(*all));
    free(all);
    free(odd);
    free(even);
    free(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error_is_bounded),
        cmocka_unit_test(test_quantiles),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_merge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
