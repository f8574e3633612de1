#include "load/series.h"

#include "../base/check.h"

#include <stdlib.h>

/* Adds one value of `ns` each `step` from `from` on. */
static struct series *fill(uint64_t slice, uint64_t step, unsigned count)
{
    struct series *s = series_new(slice);
    assert_non_null(s);
    series_begin(s, 1000);
    for (unsigned i = 0; i < count; i++)
        histogram_add(&series_at(s, 1000 + i * step)->latency, 7, 1);
    return s;
}

static uint64_t count_of(const struct series *s)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i <= s->last; i++)
        sum += s->at[i].latency.count;
    return sum;
}

static void test_slices(void **state)
{
    (void)state;
    struct series *s = fill(10, 5, 20);
    assert_int_equal(s->last, 9);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(s->at[i].latency.count, 2);
    free(s);
}

/* However long it goes on, the slices suffice, and none is lost. */
static void test_halving(void **state)
{
    (void)state;
    struct series *s = fill(10, 10, 1000);
    assert_true(s->last < LIMIT_LOAD_SLICES);
    assert_int_equal(s->slice_ns, 160);
    assert_int_equal(count_of(s), 1000);
    for (unsigned i = 0; i < s->last; i++)
        assert_int_equal(s->at[i].latency.count, 16);
    free(s);
}

/* After a long silence, too. */
static void test_jump(void **state)
{
    (void)state;
    struct series *s = fill(10, 1, 10);
    series_at(s, 1000 + 10 * 5000)->errors++;
    assert_true(s->last < LIMIT_LOAD_SLICES);
    assert_int_equal(s->at[0].latency.count, 10);
    assert_int_equal(s->at[s->last].errors, 1);
    assert_int_equal(s->last, 10 * 5000 / s->slice_ns);
    free(s);
}

static void test_merge(void **state)
{
    (void)state;
    struct series *a = fill(10, 10, 1000), *b = fill(10, 10, 50);
    struct histogram total = {.count = 0};
    series_merge(b, a);
    assert_int_equal(b->slice_ns, a->slice_ns);
    assert_int_equal(count_of(b), 1050);
    assert_int_equal(b->at[0].latency.count, 32);
    series_total(b, &total);
    assert_int_equal(total.count, 1050);
    free(a);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slices),
        cmocka_unit_test(test_halving),
        cmocka_unit_test(test_jump),
        cmocka_unit_test(test_merge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
