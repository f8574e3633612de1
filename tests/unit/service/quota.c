/* How often, and how many at once: tables that all processes share. */
#include "service/quota.h"

#include "../base/check.h"
#include "base/bytes.h"
#include "service/auth_cache.h"
#include "service/headcount.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define S WEIR_NS_PER_S

/* Numbers as a keyed hash gives them: in one line of the table, with tags that differ. */
static uint64_t who(uint64_t line, uint64_t number)
{
    return (number + 1) << 44 | line;
}

static void words(void **state)
{
    static const struct {
        const char *text;
        uint64_t every_ns;
        unsigned burst;
    } good[] = {
        {"10/s", S / 10, 10},          {"1/s", S, 1},
        {"100/m", S * 60 / 100, 1},    {"5/h", S * 720, 1},
        {"10/s burst 50", S / 10, 50}, {"1/m burst 3", S * 60, 3},
        {"10000/s", S / 10000, 10000},
    };
    static const char *const wrong[] = {"",
                                        "10",
                                        "/s",
                                        "10/",
                                        "0/s",
                                        "10001/s",
                                        "10/d",
                                        "10/s burst",
                                        "10/s 5",
                                        "10/s burst 0",
                                        "10/s burst x",
                                        "x/s",
                                        "1/h burst 25",
                                        "10/s burst 1000001",
                                        "-1/s"};
    struct quota quota;
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(quota_read(bytes_str(good[i].text), &quota), 0);
        assert_int_equal(quota.every_ns, good[i].every_ns);
        assert_int_equal(quota.burst, good[i].burst);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        if (quota_read(bytes_str(wrong[i]), &quota) != -EINVAL)
            fail_msg("'%s' was taken for a rate", wrong[i]);
}

static void a_burst_and_then_one_after_the_other(void **state)
{
    const struct quota quota = {S, 3};
    struct quotas *quotas;
    uint64_t now = 1000 * S;
    (void)state;
    assert_int_equal(quotas_new(&quotas), 0);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(quota_take(quotas, &quota, who(0, 1), now), 0);
    uint64_t wait = quota_take(quotas, &quota, who(0, 1), now);
    assert_true(wait > S * 99 / 100 && wait <= S + 20000);
    assert_int_equal(quota_take(quotas, &quota, who(0, 2), now), 0); /* another */
    assert_int_equal(quota_take(quotas, &quota, who(0, 1), now + wait), 0);
    assert_true(quota_take(quotas, &quota, who(0, 1), now + wait) > 0);
    for (unsigned i = 0; i < 3; i++) /* worn off */
        assert_int_equal(quota_take(quotas, &quota, who(0, 1), now + 60 * S), 0);
    assert_true(quota_take(quotas, &quota, who(0, 1), now + 60 * S) > 0);
    quotas_free(quotas);
}

static void a_rate_is_kept_over_time(void **state)
{
    const struct quota quota = {S / 1000, 1};
    struct quotas *quotas;
    unsigned taken = 0;
    (void)state;
    assert_int_equal(quotas_new(&quotas), 0);
    for (uint64_t now = 5 * S; now < 15 * S; now += S / 10000)
        taken += quota_take(quotas, &quota, who(7, 1), now) == 0;
    assert_in_range(taken, 9800, 10200);
    quotas_free(quotas);
}

/* However many others there are: nobody new is refused, and who has used up his own is not let in again. */
static void others_lock_nobody_out(void **state)
{
    const struct quota quota = {S * 60, 5};
    struct quotas *quotas;
    uint64_t now = 1000 * S;
    (void)state;
    assert_int_equal(quotas_new(&quotas), 0);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(quota_take(quotas, &quota, who(3, 0), now), 0);
    for (unsigned i = 1; i < 100000; i++)
        assert_int_equal(quota_take(quotas, &quota, who(3, i), now + i), 0);
    assert_true(quota_take(quotas, &quota, who(3, 0), now + S) > 0);
    quotas_free(quotas);
}

static void what_counts_in_the_end(void **state)
{
    const struct quota quota = {S, 2};
    struct quotas *quotas;
    uint64_t now = 50 * S;
    (void)state;
    assert_int_equal(quotas_new(&quotas), 0);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(quota_wait(quotas, &quota, who(1, 1), now), 0); /* looking is free */
    for (unsigned i = 0; i < 10; i++)
        quota_add(quotas, &quota, who(1, 1), now);
    uint64_t wait = quota_wait(quotas, &quota, who(1, 1), now); /* no more than one beyond it */
    assert_in_range(wait, 2 * S - S / 100, 2 * S + S / 100);
    assert_int_equal(quota_wait(quotas, &quota, who(1, 1), now + wait), 0);
    assert_false(quota_noted(quotas, who(1, 2), now));
    quota_note(quotas, who(1, 2), now, 100 * S);
    assert_true(quota_noted(quotas, who(1, 2), now + 99 * S));
    assert_false(quota_noted(quotas, who(1, 2), now + 101 * S));
    quotas_free(quotas);
}

static void what_did_not_count_is_given_back(void **state)
{
    const struct quota quota = {S, 2};
    struct quotas *quotas;
    uint64_t now = 50 * S;
    (void)state;
    assert_int_equal(quotas_new(&quotas), 0);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(quota_take(quotas, &quota, who(1, 1), now), 0);
        quota_give(quotas, &quota, who(1, 1), now);
    }
    quota_give(quotas, &quota, who(1, 1), now); /* more than was taken: nothing is saved up */
    quota_give(quotas, &quota, who(1, 2), now);
    assert_int_equal(quota_take(quotas, &quota, who(1, 1), now), 0);
    assert_int_equal(quota_take(quotas, &quota, who(1, 1), now), 0);
    assert_true(quota_take(quotas, &quota, who(1, 1), now) > 0);
    quotas_free(quotas);
}

/* A moment has 44 bits: what was worn off long ago stays so for nine years. */
static void a_slot_that_was_long_forgotten(void **state)
{
    const struct quota quota = {S, 1};
    struct quotas *quotas;
    uint64_t now = 7 * S, turn = (UINT64_C(1) << 54);
    (void)state;
    assert_int_equal(quotas_new(&quotas), 0);
    assert_int_equal(quota_take(quotas, &quota, who(1, 1), now), 0);
    assert_int_equal(quota_take(quotas, &quota, who(1, 1), now + turn / 2), 0);
    assert_int_equal(quota_take(quotas, &quota, who(1, 1), now + turn), 0);
    for (unsigned i = 2; i < 40; i++) {
        quota_note(quotas, who(1, i), now, S);
        assert_false(quota_noted(quotas, who(1, i), now + (turn * i) / 4 - S));
        assert_int_equal(quota_wait(quotas, &quota, who(1, i), now + (turn * i) / 4 - S / 2), 0);
    }
    quotas_free(quotas);
}

static void processes_share_what_is_left(void **state)
{
    const struct quota quota = {S * 600, 140};
    struct quotas *quotas;
    unsigned taken = 0;
    (void)state;
    assert_int_equal(quotas_new(&quotas), 0);
    pid_t children[4];
    for (unsigned i = 0; i < 4; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            unsigned mine = 0;
            for (unsigned k = 0; k < 1000; k++)
                mine += quota_take(quotas, &quota, who(9, 9), 100 * S) == 0;
            _exit(mine / 4 > 255 ? 255 : (int)(mine / 4));
        }
    }
    for (unsigned i = 0; i < 4; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        taken += (unsigned)WEXITSTATUS(status) * 4;
    }
    assert_in_range(taken, 136, 144); /* two that come first at once may both count as the first */
    quotas_free(quotas);
}

static void a_client_has_so_many_connections(void **state)
{
    struct headcount *headcount;
    (void)state;
    assert_int_equal(headcount_new(&headcount), 0);
    for (unsigned i = 0; i < 10; i++)
        assert_true(headcount_enter(headcount, who(5, 1), 10));
    assert_false(headcount_enter(headcount, who(5, 1), 10));
    assert_true(headcount_enter(headcount, who(5, 2), 10));
    headcount_leave(headcount, who(5, 1));
    assert_true(headcount_enter(headcount, who(5, 1), 10));
    assert_false(headcount_enter(headcount, who(5, 1), 10));
    for (unsigned i = 0; i < 20; i++)
        headcount_leave(headcount, who(5, 1)); /* more than there are: nothing breaks */
    assert_true(headcount_enter(headcount, who(5, 1), 1));
    headcount_free(headcount);
}

static pid_t child_with(struct headcount *headcount, uint64_t number, unsigned connections)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        for (unsigned i = 0; i < connections; i++)
            (void)headcount_enter(headcount, number, 1000);
        (void)!write(ready[1], "", 1);
        pause();
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return child;
}

static void what_a_dead_worker_had_is_taken_back(void **state)
{
    struct headcount *headcount;
    (void)state;
    assert_int_equal(headcount_new(&headcount), 0);
    pid_t child = child_with(headcount, who(8, 1), 5);
    assert_false(headcount_enter(headcount, who(8, 1), 5));
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    for (unsigned i = 0; i < 5; i++)
        assert_true(headcount_enter(headcount, who(8, 1), 5));
    assert_false(headcount_enter(headcount, who(8, 1), 5));
    headcount_free(headcount);
}

/* All slots a client can be in are others': he is let in, uncounted. Who fills them himself is not. */
static void a_full_window_locks_nobody_out(void **state)
{
    struct headcount *headcount;
    (void)state;
    assert_int_equal(headcount_new(&headcount), 0);
    for (unsigned i = 0; i < LIMIT_CROWD_WINDOW; i++)
        assert_true(headcount_enter(headcount, who(100, i), 1));
    assert_true(headcount_enter(headcount, who(100, 5000), 1));
    headcount_leave(headcount, who(100, 5000));
    assert_false(headcount_enter(headcount, who(100, 7), 1));
    headcount_free(headcount);
}

static void right_passwords_are_remembered_for_a_while(void **state)
{
    struct auth_cache *cache;
    struct siphash_128 one = {{1, 2}}, half = {{1, 3}};
    uint64_t now = 10 * S;
    (void)state;
    assert_int_equal(auth_cache_new(&cache), 0);
    assert_false(auth_cache_find(cache, (struct siphash_128){{0, 0}}, now));
    auth_cache_add(cache, one, now);
    assert_true(auth_cache_find(cache, one, now + S));
    assert_false(auth_cache_find(cache, half, now));
    assert_true(auth_cache_find(cache, one, now + (LIMIT_AUTH_CACHE_S - 1) * S)); /* prolongs it */
    assert_true(auth_cache_find(cache, one, now + (LIMIT_AUTH_CACHE_S + 100) * S));
    assert_false(auth_cache_find(cache, one, now + 4 * LIMIT_AUTH_CACHE_S * S));
    for (uint64_t i = 0; i < 64; i++) /* more than a line has room for */
        auth_cache_add(cache, (struct siphash_128){{1, 100 + i}}, now + 5 * LIMIT_AUTH_CACHE_S * S);
    unsigned kept = 0;
    for (uint64_t i = 0; i < 64; i++)
        kept += auth_cache_find(cache, (struct siphash_128){{1, 100 + i}},
                                now + 5 * LIMIT_AUTH_CACHE_S * S);
    assert_in_range(kept, 1, 4);
    auth_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),
        cmocka_unit_test(a_burst_and_then_one_after_the_other),
        cmocka_unit_test(a_rate_is_kept_over_time),
        cmocka_unit_test(others_lock_nobody_out),
        cmocka_unit_test(what_counts_in_the_end),
        cmocka_unit_test(what_did_not_count_is_given_back),
        cmocka_unit_test(a_slot_that_was_long_forgotten),
        cmocka_unit_test(processes_share_what_is_left),
        cmocka_unit_test(a_client_has_so_many_connections),
        cmocka_unit_test(what_a_dead_worker_had_is_taken_back),
        cmocka_unit_test(a_full_window_locks_nobody_out),
        cmocka_unit_test(right_passwords_are_remembered_for_a_while),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
