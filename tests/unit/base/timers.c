#include "base/timers.h"

#include "check.h"

#include <stdlib.h>
#include <string.h>

#define TICK (1ull << TIMERS_TICK_SHIFT)

static void comes_out_after_its_time_within_two_ticks(void **state)
{
    (void)state;
    struct timers t;
    timers_init(&t, 5 * TICK);
    for (uint64_t ahead = 0; ahead < 2000 * TICK; ahead += 7 * TICK / 3) {
        uint64_t start = t.tick * TICK;
        struct timer timer = {0};
        timers_file(&t, &timer, start + ahead);
        uint64_t now = start;
        while (!timers_due(&t, now)) {
            assert_true(timers_next(&t) > 0);
            now = timers_next(&t);
        }
        if (ahead < (TIMERS_SLOTS - 2) * TICK) {
            assert_true(now >= start + ahead);
            assert_true(now <= start + ahead + TICK);
        } else {
            assert_true(now <= start + TIMERS_SLOTS * TICK); /* early: to be filed again */
        }
        assert_null(timer.at);
    }
}

static void says_when_to_look_and_never_later(void **state)
{
    (void)state;
    struct timers t;
    timers_init(&t, 0);
    assert_int_equal(timers_next(&t), 0);
    struct timer late = {0}, soon = {0};
    timers_file(&t, &late, 700 * TICK);
    timers_file(&t, &soon, 3 * TICK);
    assert_true(timers_next(&t) > 3 * TICK && timers_next(&t) <= 4 * TICK);
    assert_null(timers_due(&t, 3 * TICK));
    assert_ptr_equal(timers_due(&t, 1000 * TICK), &soon);
    assert_ptr_equal(timers_due(&t, 1000 * TICK), &late);
    assert_null(timers_due(&t, 1000 * TICK));
    assert_int_equal(timers_next(&t), 0);
}

static void moving_earlier_counts_moving_later_is_lazy(void **state)
{
    (void)state;
    struct timers t;
    timers_init(&t, 0);
    struct timer timer = {0};
    timers_file(&t, &timer, 100 * TICK);
    timers_file(&t, &timer, 10 * TICK);
    timers_file(&t, &timer, 500 * TICK);
    assert_true(timers_next(&t) <= 11 * TICK);
    assert_ptr_equal(timers_due(&t, 11 * TICK), &timer);
    assert_null(timers_due(&t, 11 * TICK));
}

static void forgotten_ones_never_come(void **state)
{
    (void)state;
    struct timers t;
    timers_init(&t, 0);
    struct timer a = {0}, b = {0}, c = {0};
    timers_file(&t, &a, 9 * TICK);
    timers_file(&t, &b, 9 * TICK);
    timers_file(&t, &c, 9 * TICK);
    timers_forget(&t, &b);
    timers_forget(&t, &b);
    struct timer *one = timers_due(&t, 20 * TICK), *two = timers_due(&t, 20 * TICK);
    assert_true((one == &a && two == &c) || (one == &c && two == &a));
    assert_null(timers_due(&t, 20 * TICK));
    timers_file(&t, &a, 30 * TICK);
    timers_forget(&t, &a);
    assert_int_equal(timers_next(&t), 0);
}

/* Against the plain way: an array that is searched. Deadlines far, near and past; time in steps and leaps. */
static void agrees_with_a_plain_array(void **state)
{
    (void)state;
    enum { COUNT = 64 };
    struct timers t;
    struct timer timers[COUNT];
    uint64_t at[COUNT], now = 12345 * TICK;
    memset(timers, 0, sizeof(timers));
    timers_init(&t, now);
    srand(1);
    for (int i = 0; i < COUNT; i++)
        timers_file(&t, &timers[i], at[i] = now + (unsigned)(rand() % 3000) * TICK / 2);
    for (int round = 0; round < 20000; round++) {
        now += (unsigned)(rand() % (rand() % 50 ? 3 : 2000)) * TICK;
        struct timer *due;
        unsigned taken = 0; /* a leap over the whole wheel takes each out more than once */
        while ((due = timers_due(&t, now))) {
            size_t i = (size_t)(due - timers);
            if (at[i] <= now)
                at[i] = now + (unsigned)(rand() % 3000) * TICK / 2;
            timers_file(&t, due, at[i]);
            assert_true(++taken <= 4 * COUNT);
        }
        for (int i = 0; i < COUNT; i++) {
            assert_non_null(timers[i].at);
            assert_true(at[i] + TICK > now);
        }
        int i = rand() % COUNT;
        at[i] = now + (unsigned)(rand() % 100) * TICK;
        timers_file(&t, &timers[i], at[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_out_after_its_time_within_two_ticks),
        cmocka_unit_test(says_when_to_look_and_never_later),
        cmocka_unit_test(moving_earlier_counts_moving_later_is_lazy),
        cmocka_unit_test(forgotten_ones_never_come),
        cmocka_unit_test(agrees_with_a_plain_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
