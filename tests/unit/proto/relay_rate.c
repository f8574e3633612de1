/* When bytes may pass, by a clock of the test's own. */
#include "proto/relay_rate.h"

#include "tbl/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define START    (5 * WEIR_NS_PER_S)
#define BURST_NS (LIMIT_RELAY_BURST_MS * WEIR_NS_PER_MS)

struct user {
    size_t booked;
    uint64_t at, passed;
    unsigned waits;
};

/* Passes what may pass by now, and books again, as one does who always has more. */
static void go_on(struct user *u, struct weir_relay_rate *bucket, uint64_t rate, uint64_t now)
{
    while (u->at <= now) {
        u->passed += u->booked;
        u->booked = relay_rate_piece(rate);
        uint64_t at = relay_rate_book(bucket, rate, now, u->booked);
        u->at = at > now ? relay_rate_wake(at) : 0;
    }
    u->waits++;
}

/* `count` users for some seconds; each comes up to `late_ns` later than it wished. */
static void use(struct user *users, unsigned count, uint64_t rate, unsigned seconds,
                uint64_t late_ns)
{
    struct weir_relay_rate bucket = {0};
    for (unsigned i = 0; i < count; i++)
        users[i] = (struct user){0};
    for (uint64_t now = START; now < START + seconds * WEIR_NS_PER_S;) {
        uint64_t next = UINT64_MAX;
        for (unsigned i = 0; i < count; i++) {
            if (users[i].at <= now)
                go_on(&users[i], &bucket, rate, now);
            next = users[i].at < next ? users[i].at : next;
        }
        now = next + late_ns;
    }
}

static void a_rate_is_kept(void **state)
{
    (void)state;
    static const uint64_t rates[] = {10, 1000, 65536, 10 << 20, 1000000007, 20000000000};
    static const uint64_t late[] = {0, WEIR_NS_PER_MS, BURST_NS / 2};
    for (size_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
        for (size_t l = 0; l < sizeof(late) / sizeof(late[0]); l++) {
            struct user one;
            use(&one, 1, rates[r], 10, late[l]);
            uint64_t burst = rates[r] * BURST_NS / WEIR_NS_PER_S;
            assert_in_range(one.passed, rates[r] * 98 / 10 - 1, rates[r] * 10 + burst + 1);
            assert_true(one.waits <= 10 * 4 * WEIR_NS_PER_S / BURST_NS + 2);
        }
    }
}

static void all_who_share_one_take_turns(void **state)
{
    (void)state;
    enum { USERS = 7, RATE = 1000000 };
    struct user users[USERS];
    uint64_t sum = 0;
    use(users, USERS, RATE, 10, 0);
    for (unsigned i = 0; i < USERS; i++) {
        assert_in_range(users[i].passed, RATE * 10 / USERS * 90 / 100,
                        RATE * 10 / USERS * 110 / 100);
        sum += users[i].passed;
    }
    assert_in_range(sum, RATE * 98 / 10, RATE * 101 / 10);
}

static void silence_saves_up_only_a_burst(void **state)
{
    (void)state;
    enum { RATE = 1000000 };
    struct weir_relay_rate bucket = {0};
    for (uint64_t now = START; now < 100 * START; now += START) {
        uint64_t at = relay_rate_book(&bucket, RATE, now, 1);
        assert_int_equal(at, now - BURST_NS);
        at = relay_rate_book(&bucket, RATE, now, RATE); /* a second's worth */
        assert_true(at <= now);
        at = relay_rate_book(&bucket, RATE, now, 1);
        assert_in_range(at, now + WEIR_NS_PER_S - BURST_NS, now + WEIR_NS_PER_S);
    }
}

static void a_clock_may_have_just_begun(void **state)
{
    (void)state;
    struct weir_relay_rate bucket = {0};
    assert_int_equal(relay_rate_book(&bucket, 1000, 5, 1), 0);
    assert_int_equal(relay_rate_book(&bucket, 1000, 5, 1), WEIR_NS_PER_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rate_is_kept),
        cmocka_unit_test(all_who_share_one_take_turns),
        cmocka_unit_test(silence_saves_up_only_a_burst),
        cmocka_unit_test(a_clock_may_have_just_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
