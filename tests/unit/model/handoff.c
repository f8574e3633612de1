#include "model/handoff.h"

#include "check.h"

#include <poll.h>
#include <stdatomic.h>
#include <string.h>

#define THREADS 4
#define GUESTS  40
#define ROUNDS  2000

static bool rings(const struct handoff *handoff)
{
    struct pollfd bell = {.fd = handoff->bell, .events = POLLIN};
    return poll(&bell, 1, 0) == 1;
}

static void the_bell_rings_for_who_comes_too_late(void **state)
{
    (void)state;
    struct handoff handoff;
    struct guest guest = {0};
    uint64_t taken;
    bool over;
    assert_int_equal(handoff_init(&handoff, 2), 0);
    assert_int_equal(handoff_room(&handoff, true, &taken), 2); /* for nobody */
    for (int late = 0; late < 2; late++) {
        handoff_give(&handoff, &guest);
        assert_int_equal(handoff_room(&handoff, late, &taken), 1);
        assert_ptr_equal(handoff_take(&handoff, 1, &over), &guest);
        assert_int_equal(rings(&handoff), late);
    }
    handoff_done(&handoff);
}

static void the_queue_is_in_order_and_bounded(void **state)
{
    (void)state;
    struct handoff handoff;
    struct guest guests[2] = {0};
    uint64_t taken;
    bool over;
    assert_int_equal(handoff_init(&handoff, 2), 0);
    assert_int_equal(handoff_room(&handoff, false, &taken), 2);
    handoff_give(&handoff, &guests[0]);
    handoff_give(&handoff, &guests[1]);
    assert_int_equal(handoff_room(&handoff, false, &taken), 0);
    assert_int_equal(taken, 0);
    assert_false(rings(&handoff));
    assert_ptr_equal(handoff_take(&handoff, 1, &over), &guests[0]);
    assert_true(rings(&handoff)); /* somebody waited for room */
    assert_int_equal(handoff_room(&handoff, false, &taken), 1);
    assert_int_equal(taken, 1);
    assert_ptr_equal(handoff_take(&handoff, 1, &over), &guests[1]);
    assert_null(handoff_take(&handoff, 1, &over)); /* 1 ns is long past */
    assert_false(over);
    handoff_done(&handoff);
}

static void what_comes_back_rings_once_and_is_in_order(void **state)
{
    (void)state;
    struct handoff handoff;
    struct guest guests[3] = {0};
    assert_int_equal(handoff_init(&handoff, 2), 0);
    assert_null(handoff_collect(&handoff));
    for (unsigned i = 0; i < 3; i++)
        handoff_return(&handoff, &guests[i]);
    assert_true(rings(&handoff));
    struct guest *first = handoff_collect(&handoff);
    assert_ptr_equal(first, &guests[0]);
    assert_ptr_equal(first->next, &guests[1]);
    assert_ptr_equal(first->next->next, &guests[2]);
    assert_null(first->next->next->next);
    assert_false(rings(&handoff));
    handoff_done(&handoff);
}

static void the_end_comes_after_what_is_queued(void **state)
{
    (void)state;
    struct handoff handoff;
    struct guest guest = {0};
    bool over;
    assert_int_equal(handoff_init(&handoff, 1), 0);
    handoff_give(&handoff, &guest);
    handoff_end(&handoff);
    assert_ptr_equal(handoff_take(&handoff, 0, &over), &guest);
    assert_false(over);
    assert_null(handoff_take(&handoff, 0, &over));
    assert_true(over);
    handoff_done(&handoff);
}

struct work {
    struct handoff handoff;
    atomic_uint done;
};

static void *take_and_return(void *arg)
{
    struct work *work = arg;
    for (bool over = false; !over;) {
        struct guest *guest = handoff_take(&work->handoff, 0, &over);
        if (!guest)
            continue;
        guest->deadline_ns++; /* it is ours alone now */
        atomic_fetch_add(&work->done, 1);
        handoff_return(&work->handoff, guest);
    }
    return NULL;
}

static void nobody_is_lost_between_threads(void **state)
{
    (void)state;
    static struct work work;
    static struct guest guests[GUESTS];
    struct guest *idle = NULL;
    pthread_t threads[THREADS];
    assert_int_equal(handoff_init(&work.handoff, 8), 0);
    for (unsigned i = 0; i < GUESTS; i++) {
        guests[i].next = idle;
        idle = &guests[i];
    }
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_return, &work), 0);
    uint64_t taken;
    unsigned given = 0, back = 0;
    while (back < ROUNDS) {
        while (given < ROUNDS && idle && handoff_room(&work.handoff, false, &taken) > 0) {
            struct guest *guest = idle;
            idle = guest->next;
            handoff_give(&work.handoff, guest);
            given++;
        }
        struct pollfd bell = {.fd = work.handoff.bell, .events = POLLIN};
        assert_int_equal(poll(&bell, 1, 5000), 1); /* a lost ring would hang here */
        struct guest *next;
        for (struct guest *guest = handoff_collect(&work.handoff); guest; guest = next, back++) {
            next = guest->next;
            guest->next = idle;
            idle = guest;
        }
    }
    handoff_end(&work.handoff);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    uint64_t sum = 0;
    for (unsigned i = 0; i < GUESTS; i++)
        sum += guests[i].deadline_ns;
    assert_int_equal(sum, ROUNDS);
    assert_int_equal(atomic_load(&work.done), ROUNDS);
    handoff_done(&work.handoff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_queue_is_in_order_and_bounded),
        cmocka_unit_test(the_bell_rings_for_who_comes_too_late),
        cmocka_unit_test(what_comes_back_rings_once_and_is_in_order),
        cmocka_unit_test(the_end_comes_after_what_is_queued),
        cmocka_unit_test(nobody_is_lost_between_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
