/* A wait that looks for what is near: it tells nothing else than another wait would, in the same time, and gives up looking where that is in vain. */
#include "stream/near.h"

#include "stream/wait.h"
#include "tbl/limits.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MS WEIR_NS_PER_MS

struct world {
    struct weir_stream *ends[2];
    struct stream_near near;
    pthread_t peer;
    unsigned rounds;
    useconds_t pause_us; /* of the peer, before it answers */
};

static void make(struct world *w)
{
    *w = (struct world){.rounds = 0};
    assert_int_equal(weir_pair(w->ends), 0);
    assert_true(near_ready(&w->near, w->ends[0]));
}

static void done(struct world *w)
{
    near_done(&w->near);
    assert_int_equal(w->near.state, NEAR_NEW);
    weir_close(w->ends[0]);
    weir_close(w->ends[1]);
}

static ssize_t wait_for(struct world *w, char buffer[8], uint64_t left_ns)
{
    return near_read(&w->near, w->ends[0], buffer, 8, left_ns);
}

static void test_bytes_and_end(void **state)
{
    (void)state;
    struct world w;
    char buffer[8];
    make(&w);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(weir_write_all(w.ends[1], "abc", 3), 0);
        assert_int_equal(wait_for(&w, buffer, UINT64_MAX), 3);
    }
    assert_int_equal(weir_write_all(w.ends[1], "0123456789", 10), 0);
    assert_int_equal(wait_for(&w, buffer, UINT64_MAX), 8);
    assert_int_equal(wait_for(&w, buffer, 5000 * MS), 2); /* of which it was told before */
    assert_int_equal(weir_end(w.ends[1]), 0);
    assert_int_equal(wait_for(&w, buffer, UINT64_MAX), 0);
    done(&w);
}

/* What has come before the first wait is found, too. */
static void test_came_before(void **state)
{
    (void)state;
    struct world w = {.rounds = 0};
    char buffer[8];
    assert_int_equal(weir_pair(w.ends), 0);
    assert_int_equal(weir_write_all(w.ends[1], "abc", 3), 0);
    assert_int_equal(stream_wait_read(w.ends[0], &w.near, buffer, 8, UINT64_MAX), 3);
    assert_int_equal(w.near.state, NEAR_OPEN);
    done(&w);
}

static void *answer(void *arg)
{
    struct world *w = arg;
    char buffer[8];
    for (unsigned i = 0; i < w->rounds; i++) {
        if (weir_read(w->ends[1], buffer, 8) != 1)
            return NULL;
        if (w->pause_us)
            usleep(w->pause_us);
        if (weir_write_all(w->ends[1], buffer, 1) < 0)
            return NULL;
    }
    return NULL;
}

static void ask(struct world *w, unsigned rounds)
{
    char buffer[8];
    w->rounds = rounds;
    assert_int_equal(pthread_create(&w->peer, NULL, answer, w), 0);
    for (unsigned i = 0; i < rounds; i++) {
        assert_int_equal(weir_write_all(w->ends[0], "x", 1), 0);
        ssize_t n;
        while ((n = wait_for(w, buffer, 10000 * MS)) == -EAGAIN)
            continue;
        assert_int_equal(n, 1);
    }
    pthread_join(w->peer, NULL);
}

/* Nothing is lost between a look and the next sleep, however the two meet. */
static void test_answers(void **state)
{
    (void)state;
    struct world w;
    make(&w);
    ask(&w, 20000);
    done(&w);
}

/* A peer that sleeps before it answers is looked for a few times, and then now and then. */
static void test_slow(void **state)
{
    (void)state;
    struct world w;
    make(&w);
    w.pause_us = 5000;
    ask(&w, LIMIT_NEAR_MISSES + LIMIT_NEAR_PASSED);
    /* All of them; but on a busy machine a look may last that long. */
    assert_in_range(w.near.luck.passed, LIMIT_NEAR_PASSED / 2, LIMIT_NEAR_PASSED);
    done(&w);
}

static void test_luck(void **state)
{
    (void)state;
    struct near_luck luck = {0};
    unsigned looks = 0;
    for (unsigned i = 0; i < LIMIT_NEAR_MISSES; i++) {
        assert_true(near_may_look(&luck));
        near_looked(&luck, false);
    }
    for (unsigned i = 0; i < 10 * LIMIT_NEAR_PASSED; i++) {
        bool may = near_may_look(&luck);
        looks += may;
        if (may)
            near_looked(&luck, false);
    }
    assert_in_range(looks, 9, 11);
    near_looked(&luck, true);
    assert_true(near_may_look(&luck) && near_may_look(&luck));
    assert_true(near_is_room(EPOLLOUT));
    assert_false(near_is_room(EPOLLOUT | EPOLLIN) || near_is_room(EPOLLOUT | EPOLLHUP) ||
                 near_is_room(EPOLLOUT | EPOLLRDHUP));
}

/* Takes a byte now and then, and never answers. */
static void *nibble(void *arg)
{
    struct world *w = arg;
    char byte;
    for (unsigned i = 0; i < w->rounds && weir_read(w->ends[1], &byte, 1) == 1; i++)
        usleep(1000);
    return NULL;
}

/* Never longer than what is left, and not at once: also where each of its reads wakes us. */
static void test_time(void **state)
{
    (void)state;
    struct world w;
    char buffer[8];
    make(&w);
    w.rounds = 100;
    for (unsigned i = 0; i < w.rounds; i++)
        assert_int_equal(weir_write_all(w.ends[0], "x", 1), 0);
    assert_int_equal(pthread_create(&w.peer, NULL, nibble, &w), 0);
    uint64_t begin = deadline_now();
    assert_int_equal(wait_for(&w, buffer, 63 * MS), -EAGAIN);
    uint64_t took = deadline_now() - begin;
    assert_true(took >= 60 * MS && took < 2000 * MS);
    pthread_join(w.peer, NULL);
    assert_int_equal(stream_wait_read(w.ends[0], &w.near, buffer, 8, MS - 1), -EAGAIN);
    done(&w);
}

/* Each process has its own: what one was told, the other was not. */
static void test_fork(void **state)
{
    (void)state;
    struct world w;
    char buffer[8];
    int status = -1;
    make(&w);
    assert_int_equal(weir_write_all(w.ends[1], "abc", 3), 0);
    pid_t pid = fork();
    if (pid == 0) {
        bool good = near_ready(&w.near, w.ends[0]) && w.near.owner == getpid() &&
                    wait_for(&w, buffer, UINT64_MAX) == 3;
        _exit(!good);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(weir_write_all(w.ends[1], "d", 1), 0);
    assert_int_equal(wait_for(&w, buffer, UINT64_MAX), 1);
    done(&w);
}

/* Other kinds do not tell when the peer has read: they wait as before. */
static void test_cannot(void **state)
{
    (void)state;
    struct weir_stream *pipes[2];
    struct stream_near near = {0};
    char buffer[8];
    assert_int_equal(weir_pipe(pipes), 0);
    assert_false(near_ready(&near, pipes[0]));
    assert_int_equal(near.state, NEAR_NEVER);
    assert_int_equal(stream_wait_read(pipes[0], &near, buffer, 8, UINT64_MAX), -EAGAIN);
    near_done(&near);
    weir_close(pipes[0]);
    weir_close(pipes[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_and_end), cmocka_unit_test(test_came_before),
        cmocka_unit_test(test_answers),       cmocka_unit_test(test_slow),
        cmocka_unit_test(test_luck),          cmocka_unit_test(test_time),
        cmocka_unit_test(test_fork),          cmocka_unit_test(test_cannot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
