/*
 * Shared memory whose ends pass from one process to another: every order in which the steps of it can come, and processes
 * that are killed meanwhile.
 *
 * What lies inside one call, between two system calls of it, is forced by hooks around those (the linker's --wrap).
 */
#include "children.h"
#include "stream/shm.h"
#include "stream/wait.h"

#include <sys/epoll.h>

#define RING 65536u

/* --- hooks: each is called once --- */

int __wrap_epoll_wait(int set, struct epoll_event *events, int max, int timeout_ms);
int __real_epoll_wait(int set, struct epoll_event *events, int max, int timeout_ms);
ssize_t __wrap_preadv64v2(int fd, const struct iovec *iov, int count, off_t at, int flags);
ssize_t __real_preadv64v2(int fd, const struct iovec *iov, int count, off_t at, int flags);

static int (*after_wait)(struct epoll_event *events, int count);
static void (*after_ring)(void);
static struct weir_stream *hooked;
static pid_t hooked_pid;

int __wrap_epoll_wait(int set, struct epoll_event *events, int max, int timeout_ms)
{
    int (*hook)(struct epoll_event *, int) = after_wait;
    int n = __real_epoll_wait(set, events, max, timeout_ms);
    after_wait = NULL;
    return hook ? hook(events, n) : n;
}

ssize_t __wrap_preadv64v2(int fd, const struct iovec *iov, int count, off_t at, int flags)
{
    void (*hook)(void) = after_ring;
    ssize_t n = __real_preadv64v2(fd, iov, count, at, flags);
    after_ring = NULL;
    if (hook)
        hook();
    return n;
}

static void open_ends(struct weir_stream *ends[2])
{
    assert_int_equal(weir_shm_pair(RING, ends), 0);
    for (int i = 0; i < 2; i++)
        weir_set_timeout(ends[i], PATIENCE_MS);
}

/* Whoever writes looks after the reader every 0.1 ms or so: this is later. */
static ssize_t write_later(struct weir_stream *s)
{
    nap_ms(1);
    return weir_write(s, "x", 1);
}

/* Says that this process uses the stream now, as its first wait does. */
static void take_over(struct weir_stream *s)
{
    shm_claim(s->shm);
}

/* --- a peer that takes, answers and leaves while the other still writes --- */

static void until_it_has_left(void)
{
    wait_for_end(hooked_pid);
}

static pid_t start_one_that_answers(struct weir_stream *ends[2])
{
    char byte;
    pid_t pid = start();
    weir_close(ends[pid == 0 ? 0 : 1]);
    if (pid == 0)
        _exit(weir_read(ends[1], &byte, 1) != 1 || weir_write(ends[1], "answer", 6) != 6);
    return pid;
}

static void who_took_the_bytes_and_left_did_not_refuse_them(void **state)
{
    (void)state;
    for (int direct = 0; direct < 2; direct++) {
        struct weir_stream *ends[2];
        char bytes[8];
        void *at;
        open_ends(ends);
        hooked_pid = start_one_that_answers(ends);
        if (direct)
            assert_true(weir_shm_reserve(ends[0], 1, &at) > 0);
        after_ring = until_it_has_left;
        if (direct)
            assert_int_equal(weir_shm_commit(ends[0], 1), 0);
        else
            assert_int_equal(weir_write(ends[0], "?", 1), 1);
        assert_null(after_ring);
        assert_int_equal(weir_read_full(ends[0], bytes, sizeof(bytes)), 6);
        assert_memory_equal(bytes, "answer", 6);
        assert_int_equal(write_later(ends[0]), -EPIPE);
        assert_int_equal(end_of(hooked_pid), 0);
        weir_close(ends[0]);
    }
}

static void what_is_refused_is_not_sent(void **state)
{
    (void)state;
    struct weir_stream *ends[2];
    void *at;
    open_ends(ends);
    assert_int_equal(write_later(ends[0]), 1);
    assert_true(weir_shm_reserve(ends[0], 4, &at) > 0);
    uint64_t sent = ends[0]->shm->out.head;
    weir_close(ends[1]);
    nap_ms(1);
    assert_int_equal(weir_shm_commit(ends[0], 4), -EPIPE);
    assert_int_equal(weir_write(ends[0], "x", 1), -EPIPE);
    assert_int_equal(ends[0]->shm->out.head, sent);
    weir_close(ends[0]);
}

/* --- every order --- */

/* A child that does one step for each letter it is told. */
struct stepper {
    struct weir_stream *ends[2];
    struct signpost go, done;
    pid_t pid;
};

#define CHILD_STEPS  "CTAE" /* close the other end, take over, answer, end */
#define PARENT_STEPS "wcw"  /* write, close the other end, write */

static _Noreturn void obey(struct stepper *s)
{
    for (;;) {
        char what = hear(&s->go);
        if (what == 'C')
            weir_close(s->ends[0]);
        if (what == 'T')
            take_over(s->ends[1]);
        if (what == 'A' && weir_write(s->ends[1], "answer", 6) != 6)
            _exit(1);
        if (what == 'E')
            _exit(0);
        tell(&s->done, what);
    }
}

static void order_child(struct stepper *s, char what, bool reap)
{
    tell(&s->go, what);
    if (what != 'E')
        assert_int_equal(hear(&s->done), what);
    else if (reap)
        assert_int_equal(end_of(s->pid), 0);
    else
        wait_for_end(s->pid);
}

static void play_order(const char *order, bool reap)
{
    struct stepper s;
    char bytes[16];
    bool ended = false;
    open_ends(s.ends);
    signpost_init(&s.go);
    signpost_init(&s.done);
    s.pid = start();
    if (s.pid == 0)
        obey(&s);
    for (const char *at = order; *at; at++) {
        ended |= *at == 'E';
        if (strchr(CHILD_STEPS, *at))
            order_child(&s, *at, reap);
        else if (*at == 'c')
            weir_close(s.ends[1]);
        else if (write_later(s.ends[0]) != (ended ? -EPIPE : 1))
            fail_msg("order %s, at %s", order, at);
    }
    if (weir_read_full(s.ends[0], bytes, sizeof(bytes)) != 6)
        fail_msg("order %s: no answer", order);
    assert_int_equal(write_later(s.ends[0]), -EPIPE);
    weir_close(s.ends[0]);
    signpost_done(&s.go);
    signpost_done(&s.done);
    if (!reap)
        assert_int_equal(end_of(s.pid), 0);
}

/* Each way to bring both lists of steps into one: `picks` says whose turn it is. */
static void every_order_of_a_takeover(void **state)
{
    (void)state;
    enum { CHILD = sizeof(CHILD_STEPS) - 1, PARENT = sizeof(PARENT_STEPS) - 1 };
    unsigned played = 0;
    for (unsigned picks = 0; picks < 1u << (CHILD + PARENT); picks++) {
        char order[CHILD + PARENT + 1] = "";
        const char *child = CHILD_STEPS;
        const char *parent = PARENT_STEPS;
        if (__builtin_popcount(picks) != CHILD)
            continue;
        for (unsigned i = 0; i < CHILD + PARENT; i++)
            order[i] = picks >> i & 1 ? *child++ : *parent++;
        play_order(order, false);
        play_order(order, true);
        played++;
    }
    assert_int_equal(played, 35);
}

/* --- hand to hand --- */

struct relay {
    struct weir_stream *ends[2];
    struct signpost go, done;
    pid_t first, last;
};

/* The test's child takes over, and then a child of that one, which stays. */
static _Noreturn void be_first(struct relay *r)
{
    weir_close(r->ends[0]);
    take_over(r->ends[1]);
    tell(&r->done, '1');
    hear(&r->go);
    if (fork() == 0) {
        pid_t pid = getpid();
        alarm(2 * PATIENCE_MS / 1000); /* if the test fails and forgets it */
        take_over(r->ends[1]);
        if (write(r->done.fds[1], &pid, sizeof(pid)) != sizeof(pid))
            abort();
        hear(&r->go);
        (void)!weir_write_all(r->ends[1], "alive", 5);
    }
    for (;;)
        pause();
}

static void relay_start(struct relay *r)
{
    open_ends(r->ends);
    signpost_init(&r->go);
    signpost_init(&r->done);
    r->first = start();
    if (r->first == 0)
        be_first(r);
    weir_close(r->ends[1]);
    assert_int_equal(hear(&r->done), '1');
}

static void relay_pass_on(struct relay *r)
{
    tell(&r->go, 'f');
    assert_int_equal(read(r->done.fds[0], &r->last, sizeof(r->last)), sizeof(r->last));
}

static void relay_first_ends(struct relay *r)
{
    kill(r->first, SIGKILL);
    assert_int_equal(end_of(r->first), -SIGKILL);
}

/* The last one lives, and when it dies the stream has ended. */
static void relay_finish(struct relay *r)
{
    char bytes[5];
    assert_int_equal(write_later(r->ends[0]), 1);
    tell(&r->go, 'w');
    assert_int_equal(weir_read_full(r->ends[0], bytes, sizeof(bytes)), 5);
    assert_memory_equal(bytes, "alive", 5);
    kill(r->last, SIGKILL);
    assert_int_equal(weir_read(r->ends[0], bytes, 1), 0);
    assert_int_equal(weir_write(r->ends[0], "x", 1), -EPIPE);
    weir_close(r->ends[0]);
    signpost_done(&r->go);
    signpost_done(&r->done);
}

static void who_took_over_and_went_leaves_it_to_the_next(void **state)
{
    (void)state;
    struct relay r;
    relay_start(&r);
    relay_pass_on(&r);
    relay_first_ends(&r);
    /* Both words are unread, and there is no process of the first's number any more. */
    relay_finish(&r);
}

/* Another thread has seen the same and done what was to be done, before this one comes to it. */
static int when_another_was_faster(struct epoll_event *events, int count)
{
    (void)events;
    (void)!shm_look(hooked->shm, hooked->shm->in_set, 0);
    return count;
}

/* The kernel looks at one descriptor after the other: the word may come when it is past the socket. */
static int without_the_word(struct epoll_event *events, int count)
{
    int kept = 0;
    for (int i = 0; i < count; i++)
        if (events[i].data.u32 != TAG_SOCKET)
            events[kept++] = events[i];
    return kept;
}

static void pass_on_under(int (*hook)(struct epoll_event *, int))
{
    struct relay r;
    relay_start(&r);
    assert_int_equal(write_later(r.ends[0]), 1); /* it knows the first by now */
    relay_pass_on(&r);
    relay_first_ends(&r);
    hooked = r.ends[0];
    after_wait = hook;
    assert_int_equal(write_later(r.ends[0]), 1);
    assert_null(after_wait);
    relay_finish(&r);
}

static void news_that_two_threads_saw(void **state)
{
    (void)state;
    pass_on_under(when_another_was_faster);
}

static void a_word_that_came_just_before_a_death(void **state)
{
    (void)state;
    pass_on_under(without_the_word);
}

/* A client that connected and died before it was accepted has left its end to a child, or to nobody. */
static void who_is_dead_when_it_is_accepted(void **state)
{
    (void)state;
    for (int left_to_a_child = 0; left_to_a_child < 2; left_to_a_child++) {
        struct weir_stream *pair[2];
        struct shm *shm;
        struct ucred dead = {.pid = start(), .uid = getuid(), .gid = getgid()};
        if (dead.pid == 0)
            _exit(0);
        assert_int_equal(end_of(dead.pid), 0);
        assert_int_equal(weir_pair(pair), 0);
        assert_int_equal(shm_new(RING, &shm), 0);
        assert_int_equal(shm_greet(shm, dup(weir_read_fd(pair[0]))), 0);
        if (left_to_a_child)
            assert_int_equal(weir_write(pair[1], "o", 1), 1);
        shm->far = dead;
        epoll_ctl(shm->in_set, EPOLL_CTL_DEL, shm->socket, NULL);
        epoll_ctl(shm->out_set, EPOLL_CTL_DEL, shm->socket, NULL);
        assert_int_equal(shm_watch_life(shm), 0);
        assert_int_equal(atomic_load(&shm->gone), !left_to_a_child);
        shm_close(shm);
        weir_close(pair[0]);
        weir_close(pair[1]);
    }
}

/* --- killed meanwhile --- */

static _Noreturn void use_for_ever(struct weir_stream *s, bool writes)
{
    uint8_t bytes[3000];
    uint32_t seed = (uint32_t)getpid();
    for (size_t have = 0;;) {
        size_t len = next_random(&seed) % sizeof(bytes) + 1;
        for (size_t i = 0; i < len; i++)
            bytes[i] = byte_at(have + i);
        ssize_t n = writes ? weir_write(s, bytes, len) : weir_read(s, bytes, len);
        if (n <= 0)
            _exit(1);
        have += (size_t)n;
    }
}

/* What came is right as far as it goes, and then there is the end. */
static void survive(struct weir_stream *s, bool reads)
{
    static uint8_t bytes[5000];
    size_t have = 0;
    ssize_t n;
    while ((n = reads ? weir_read(s, bytes, sizeof(bytes)) : weir_write(s, bytes, 5000)) > 0)
        for (ssize_t i = 0; reads && i < n; i++, have++)
            if (bytes[i] != byte_at(have))
                fail_msg("wrong byte at %zu", have);
    assert_int_equal(n, reads ? 0 : -EPIPE);
}

/* Killed around its first steps with the stream: before, while and after it takes over. */
static void killed_while_it_takes_over(void **state)
{
    (void)state;
    uint32_t seed = (uint32_t)getpid();
    for (int i = 0; i < 300; i++) {
        struct weir_stream *ends[2];
        struct killer k = {.us = (long)(next_random(&seed) % 500)};
        bool reads = i % 2;
        bool keeps = i / 2 % 2; /* closes its copy late, when it is told of no end by the socket */
        open_ends(ends);
        k.pid = start();
        if (k.pid == 0) {
            weir_close(ends[0]);
            use_for_ever(ends[1], reads);
        }
        if (!keeps)
            weir_close(ends[1]);
        killer_start(&k);
        if (keeps) {
            nap_us((long)(next_random(&seed) % 1000));
            weir_close(ends[1]);
        }
        survive(ends[0], reads);
        killer_done(&k);
        weir_close(ends[0]);
    }
}

/* One that used the stream dies while its child takes over: either that child has it, or it has ended for both. */
static void killed_while_another_takes_over(void **state)
{
    (void)state;
    uint32_t seed = (uint32_t)getpid();
    for (int i = 0; i < 300; i++) {
        struct weir_stream *ends[2];
        struct signpost alive; /* closed when all that hold it have ended */
        struct killer k = {.us = (long)(next_random(&seed) % 600)};
        bool reads = i % 2;
        char byte;
        open_ends(ends);
        signpost_init(&alive);
        k.pid = start();
        if (k.pid == 0) {
            weir_close(ends[0]);
            take_over(ends[1]);
            if (fork() == 0)
                use_for_ever(ends[1], reads);
            for (;;)
                pause();
        }
        weir_close(ends[1]);
        close(alive.fds[1]);
        killer_start(&k);
        weir_set_timeout(ends[0], 100);
        uint8_t bytes[4096] = {0};
        ssize_t n = 1;
        for (int turn = 0; n > 0 && turn < 20; turn++)
            n = reads ? weir_read(ends[0], bytes, 4096) : weir_write(ends[0], bytes, 4096);
        assert_true(n > 0 || n == (reads ? 0 : -EPIPE) || n == -ETIMEDOUT);
        weir_close(ends[0]); /* whoever has it now is told */
        killer_done(&k);
        struct pollfd p = {.fd = alive.fds[0], .events = POLLIN};
        assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
        assert_int_equal(read(alive.fds[0], &byte, 1), 0);
        close(alive.fds[0]);
    }
}

#define COUNTED(f) cmocka_unit_test_setup_teardown(f, count_before, count_after)

int main(void)
{
    const struct CMUnitTest tests[] = {
        COUNTED(who_took_the_bytes_and_left_did_not_refuse_them),
        COUNTED(what_is_refused_is_not_sent),
        COUNTED(every_order_of_a_takeover),
        COUNTED(who_took_over_and_went_leaves_it_to_the_next),
        COUNTED(news_that_two_threads_saw),
        COUNTED(a_word_that_came_just_before_a_death),
        COUNTED(who_is_dead_when_it_is_accepted),
        COUNTED(killed_while_it_takes_over),
        COUNTED(killed_while_another_takes_over),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
