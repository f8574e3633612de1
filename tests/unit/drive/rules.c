/* The rules of DESIGN that bind drivers, each under poll and under epoll. */
#include "world.h"

#include <weir/process.h>
#include <weir/protocols.h>

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static atomic_int closes, last_why, inputs;

static void reset_counts(void)
{
    atomic_store(&closes, 0);
    atomic_store(&last_why, 1);
    atomic_store(&inputs, 0);
}

static void wait_for(atomic_int *value, int at_least)
{
    for (int i = 0; i < 5000 && atomic_load(value) < at_least; i++)
        usleep(1000);
    assert_true(atomic_load(value) >= at_least);
}

static void note_close(void *state, struct weir_conn *conn, int why)
{
    (void)state;
    (void)conn;
    atomic_store(&last_why, why);
    atomic_fetch_add(&closes, 1);
}

static ssize_t echo_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    (void)state;
    atomic_fetch_add(&inputs, 1);
    size_t space = weir_out_space(weir_conn_out(conn));
    size_t n = len < space ? len : space;
    weir_out_copy(weir_conn_out(conn), bytes, n);
    weir_conn_arm(conn, weir_conn_now(conn).mono_ns + 20 * WEIR_NS_PER_S);
    return (ssize_t)n;
}

static const struct weir_protocol echo = {
    .name = "echo", .input_max = 1, .input = echo_input, .close = note_close};

static enum kind kind_of(void **state)
{
    return *(enum kind *)*state;
}

/* --- a deadline passes while nothing comes --- */

static int arm_soon(void *state, struct weir_conn *conn, const void *config)
{
    (void)state;
    (void)config;
    weir_conn_arm(conn, weir_conn_now(conn).mono_ns + 100 * WEIR_NS_PER_MS);
    return 0;
}

static const struct weir_protocol sleeper = {
    .name = "sleeper", .open = arm_soon, .input = echo_input, .close = note_close, .input_max = 1};

static void test_deadline(void **state)
{
    reset_counts();
    struct weir_service service = {.name = "t", .protocol = &sleeper};
    struct world world;
    world_start(&world, kind_of(state), &service);
    int fd = world_client(&world);
    char byte;
    assert_int_equal(read(fd, &byte, 1), 0);
    assert_int_equal(atomic_load(&last_why), -ETIMEDOUT);
    close(fd);
    world_stop(&world);
}

/* --- both directions at once: more than all buffers hold, from a client that writes all before it reads --- */

struct sender {
    int fd;
    size_t len;
};

static void *send_all(void *arg)
{
    struct sender *sender = arg;
    char block[8192];
    memset(block, 'd', sizeof(block));
    for (size_t sent = 0; sent < sender->len; sent += sizeof(block))
        assert_int_equal(write(sender->fd, block, sizeof(block)), sizeof(block));
    shutdown(sender->fd, SHUT_WR);
    return NULL;
}

static void test_duplex(void **state)
{
    reset_counts();
    struct weir_service service = {.name = "t", .protocol = &echo};
    struct world world;
    world_start(&world, kind_of(state), &service);
    struct sender sender = {world_client(&world), 4u << 20};
    pthread_t thread;
    pthread_create(&thread, NULL, send_all, &sender);
    static char buffer[65536];
    size_t got = 0;
    ssize_t n;
    usleep(50000); /* let the queues fill: the writer must wait meanwhile, not lose anything */
    while ((n = read(sender.fd, buffer, sizeof(buffer))) > 0)
        got += (size_t)n;
    assert_int_equal(got, sender.len);
    pthread_join(thread, NULL);
    close(sender.fd);
    world_stop(&world);
}

/* --- the stop reaches a connection that waits --- */

static void test_stop(void **state)
{
    reset_counts();
    struct weir_service service = {.name = "t", .protocol = &echo};
    struct world world;
    world_start(&world, kind_of(state), &service);
    int fd = world_client(&world);
    char byte = 'x';
    assert_int_equal(write(fd, &byte, 1), 1);
    assert_int_equal(read(fd, &byte, 1), 1);
    world_stop(&world); /* echo here has no leave(): finish at once */
    assert_int_equal(atomic_load(&closes), 1);
    assert_int_equal(atomic_load(&last_why), WEIR_DONE);
    close(fd);
}

/* --- paused: held back, no spinning, and an error still reaches close() --- */

static ssize_t pause_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    (void)state;
    (void)bytes;
    (void)len;
    atomic_fetch_add(&inputs, 1);
    weir_conn_pause(conn);
    return 1;
}

static const struct weir_protocol pauser = {
    .name = "pauser", .input = pause_input, .close = note_close, .input_max = 64};

static void test_hang_up_while_paused(void **state)
{
    reset_counts();
    struct weir_service service = {.name = "t", .protocol = &pauser};
    struct world world;
    world_start(&world, kind_of(state), &service);
    int fd = world_client(&world);
    assert_int_equal(write(fd, "x", 1), 1);
    wait_for(&inputs, 1);
    usleep(20000);
    close(fd);
    wait_for(&closes, 1);
    assert_true(atomic_load(&last_why) < 0);
    world_stop(&world);
}

static void test_paused_does_not_spin(void **state)
{
    reset_counts();
    struct weir_service service = {.name = "t", .protocol = &pauser};
    struct world world;
    world_start(&world, kind_of(state), &service);
    int fd = world_client(&world);
    assert_int_equal(write(fd, "xxxx", 4), 4); /* one is consumed; the rest stays unread or kept */
    wait_for(&inputs, 1);
    assert_int_equal(write(fd, "yyyy", 4), 4);
    shutdown(fd, SHUT_WR);
    double before = world_cpu_s(&world);
    usleep(300000);
    assert_true(world_cpu_s(&world) - before < 0.1);
    assert_int_equal(atomic_load(&inputs), 1);
    close(fd);
    world_stop(&world);
}

/* --- one that floods does not starve another (epoll; poll has one) --- */

static void *flood(void *arg)
{
    int fd = *(int *)arg;
    static const char block[65536];
    char sink[65536];
    for (;;) {
        if (send(fd, block, sizeof(block), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EAGAIN)
            return NULL;
        if (recv(fd, sink, sizeof(sink), MSG_DONTWAIT) == 0)
            return NULL;
    }
}

static void test_fair(void **state)
{
    reset_counts();
    struct weir_service service = {.name = "t", .protocol = &echo};
    struct world world;
    world_start(&world, kind_of(state), &service);
    int loud = world_client(&world);
    pthread_t thread;
    pthread_create(&thread, NULL, flood, &loud);
    for (int i = 0; i < 50; i++) {
        int fd = world_client(&world);
        char byte = 'q';
        assert_int_equal(write(fd, &byte, 1), 1);
        assert_int_equal(read(fd, &byte, 1), 1);
        close(fd);
    }
    shutdown(loud, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(loud);
    world_stop(&world);
}

/* --- jobs: done() on the driver's thread; a job may outlive its client; the queue is bounded --- */

struct slow {
    struct weir_job job;
    struct weir_conn *conn; /* NULL: gone */
    pthread_t thread;
    unsigned ms;
};

static atomic_int jobs_done, jobs_refused, jobs_wrong_thread;

static void slow_work(struct weir_job *job)
{
    usleep(((struct slow *)job)->ms * 1000);
}

static void slow_done(struct weir_job *job)
{
    struct slow *slow = (struct slow *)job;
    if (!pthread_equal(slow->thread, pthread_self()))
        atomic_fetch_add(&jobs_wrong_thread, 1);
    if (slow->conn) {
        weir_out_copy(weir_conn_out(slow->conn), "done", 4);
        weir_conn_wake(slow->conn);
    }
    atomic_fetch_add(&jobs_done, 1);
    free(slow);
}

struct job_state {
    struct slow *slow;
};

static int submit_slow(struct weir_conn *conn, struct slow **out, unsigned ms)
{
    struct slow *slow = calloc(1, sizeof(*slow));
    *slow = (struct slow){.job = {.work = slow_work, .done = slow_done},
                          .conn = conn,
                          .thread = pthread_self(),
                          .ms = ms};
    struct weir_driver *driver = weir_conn_driver(conn);
    int rc = driver->ops->submit(driver, &slow->job);
    if (rc < 0)
        free(slow);
    else
        *out = slow;
    return rc;
}

static ssize_t job_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    struct job_state *job = state;
    if (bytes[0] == 'f') { /* flood the queue */
        struct slow *slow = NULL;
        for (int i = 0; i < 2000; i++) {
            if (submit_slow(conn, &slow, 1) == -EAGAIN)
                atomic_fetch_add(&jobs_refused, 1);
            else
                slow->conn = NULL;
        }
        return (ssize_t)len;
    }
    if (submit_slow(conn, &job->slow, 100) < 0)
        return -EAGAIN;
    return (ssize_t)len;
}

static void job_close(void *state, struct weir_conn *conn, int why)
{
    struct job_state *job = state;
    if (job->slow && atomic_load(&jobs_done) == 0)
        job->slow->conn = NULL;
    note_close(state, conn, why);
}

static const struct weir_protocol jobber = {.name = "jobber",
                                            .state_size = sizeof(struct job_state),
                                            .input = job_input,
                                            .close = job_close,
                                            .input_max = 16};

static void start_jobber(struct world *world, void **state)
{
    static const struct weir_service service = {.name = "t", .protocol = &jobber};
    reset_counts();
    atomic_store(&jobs_done, 0);
    atomic_store(&jobs_refused, 0);
    atomic_store(&jobs_wrong_thread, 0);
    world_start(world, kind_of(state), &service);
}

static void test_job(void **state)
{
    struct world world;
    start_jobber(&world, state);
    int fd = world_client(&world);
    char text[4];
    assert_int_equal(write(fd, "j", 1), 1);
    assert_int_equal(recv(fd, text, 4, MSG_WAITALL), 4);
    assert_memory_equal(text, "done", 4);
    assert_int_equal(atomic_load(&jobs_wrong_thread), 0);
    close(fd);
    world_stop(&world);
}

static void test_job_outlives_client(void **state)
{
    struct world world;
    start_jobber(&world, state);
    int fd = world_client(&world);
    assert_int_equal(write(fd, "j", 1), 1);
    usleep(20000);
    close(fd);
    wait_for(&closes, 1);
    assert_int_equal(atomic_load(&jobs_done), 0);
    world_stop(&world); /* poll: the driver ends and waits for it; epoll: the same */
    assert_int_equal(atomic_load(&jobs_done), 1);
}

static void test_job_queue_is_bounded(void **state)
{
    struct world world;
    start_jobber(&world, state);
    int fd = world_client(&world);
    assert_int_equal(write(fd, "f", 1), 1);
    wait_for(&jobs_refused, 1000);
    close(fd);
    world_stop(&world);
    assert_int_equal(atomic_load(&jobs_done) + atomic_load(&jobs_refused), 2000);
}

/* --- companions: a child program, a dialled endpoint, SIGPIPE --- */

struct pair {
    struct weir_conn *client; /* NULL: gone */
    struct weir_conn *in;     /* the child's standard input, or the dialled end */
};

static ssize_t from_child(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    struct pair *pair = *(struct pair **)state;
    (void)conn;
    if (pair->client) {
        weir_out_copy(weir_conn_out(pair->client), bytes, len);
        weir_conn_wake(pair->client);
    }
    return (ssize_t)len;
}

static int child_open(void *state, struct weir_conn *conn, const void *config)
{
    (void)conn;
    *(struct pair **)state = (struct pair *)(uintptr_t)config;
    return 0;
}

static void child_out_close(void *state, struct weir_conn *conn, int why)
{
    (void)state;
    (void)why;
    struct pair *pair = (struct pair *)(uintptr_t)weir_conn_config(conn);
    if (pair->client)
        weir_conn_finish(pair->client, WEIR_DONE);
}

static void child_in_close(void *state, struct weir_conn *conn, int why)
{
    (void)state; /* open() may never have run: the child was gone before the first turn */
    struct pair *pair = (struct pair *)(uintptr_t)weir_conn_config(conn);
    pair->in = NULL;
    if (why == -EPIPE)
        atomic_fetch_add(&inputs, 1);
}

static const struct weir_protocol child_out = {.name = "child-out",
                                               .state_size = sizeof(struct pair *),
                                               .open = child_open,
                                               .input = from_child,
                                               .close = child_out_close,
                                               .input_max = 1};
static const struct weir_protocol child_in = {.name = "child-in",
                                              .state_size = sizeof(struct pair *),
                                              .open = child_open,
                                              .input = from_child,
                                              .close = child_in_close,
                                              .input_max = 1};

static atomic_int child_status;

static void child_ended(void *arg, int status)
{
    (void)arg;
    atomic_store(&child_status, status + 1);
}

static struct pair the_pair;

static int spawn_open(void *state, struct weir_conn *conn, const void *config)
{
    (void)state;
    struct weir_driver *driver = weir_conn_driver(conn);
    struct weir_conn *ends[3];
    the_pair = (struct pair){.client = conn};
    struct weir_spawn spawn = {.argv = config,
                               .protocol = {&child_in, &child_out, NULL},
                               .config = {&the_pair, &the_pair, NULL},
                               .ended = child_ended};
    int rc = driver->ops->spawn(driver, &spawn, ends);
    if (rc < 0)
        return rc;
    the_pair.in = ends[0];
    return 0;
}

static ssize_t to_companion(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    (void)state;
    (void)conn;
    if (!the_pair.in)
        return -EPIPE;
    weir_out_copy(weir_conn_out(the_pair.in), bytes, len);
    weir_conn_wake(the_pair.in);
    return (ssize_t)len;
}

static int end_companion(void *state, struct weir_conn *conn, size_t rest)
{
    (void)state;
    (void)conn;
    (void)rest;
    if (the_pair.in)
        weir_conn_end(the_pair.in);
    return 0;
}

static void gateway_close(void *state, struct weir_conn *conn, int why)
{
    the_pair.client = NULL;
    if (the_pair.in)
        weir_conn_finish(the_pair.in, WEIR_DONE);
    note_close(state, conn, why);
}

static const struct weir_protocol gateway = {.name = "gateway",
                                             .open = spawn_open,
                                             .input = to_companion,
                                             .eof = end_companion,
                                             .close = gateway_close,
                                             .input_max = 1};

static void start_gateway(struct world *world, void **state, const char *const *argv,
                          struct weir_service *service)
{
    reset_counts();
    atomic_store(&child_status, 0);
    *service = (struct weir_service){.name = "t", .protocol = &gateway, .config = argv};
    world_start(world, kind_of(state), service);
}

static void test_spawn(void **state)
{
    static const char *const cat[] = {"/bin/cat", NULL};
    struct weir_service service;
    struct world world;
    start_gateway(&world, state, cat, &service);
    int fd = world_client(&world);
    char text[5];
    assert_int_equal(write(fd, "hello", 5), 5);
    assert_int_equal(recv(fd, text, 5, MSG_WAITALL), 5);
    assert_memory_equal(text, "hello", 5);
    shutdown(fd, SHUT_WR); /* cat sees the end, ends, and so does the answer */
    assert_int_equal(read(fd, text, 1), 0);
    wait_for(&child_status, 1);
    assert_int_equal(atomic_load(&child_status), 1);
    close(fd);
    world_stop(&world);
}

/* Also: SIGPIPE is blocked on the driver's thread; the default would end this test. */
static void test_child_that_closes_early(void **state)
{
    static const char *const gone[] = {"/bin/sh", "-c", "exec <&-; sleep 0.3; exit 7", NULL};
    struct weir_service service;
    struct world world;
    signal(SIGPIPE, SIG_DFL);
    start_gateway(&world, state, gone, &service);
    int fd = world_client(&world);
    usleep(100000);
    char byte = 'x';
    assert_int_equal(write(fd, &byte, 1), 1);
    assert_int_equal(read(fd, &byte, 1), 0);
    wait_for(&child_status, 1);
    assert_int_equal(atomic_load(&child_status), 8);
    assert_int_equal(atomic_load(&inputs), 1); /* -EPIPE came to the companion's close() */
    close(fd);
    world_stop(&world);
}

static int dial_open(void *state, struct weir_conn *conn, const void *config)
{
    (void)state;
    struct weir_driver *driver = weir_conn_driver(conn);
    the_pair = (struct pair){.client = conn};
    the_pair.in = driver->ops->dial(driver, config, &child_in, &the_pair);
    return the_pair.in ? 0 : -ENOMEM;
}

static const struct weir_protocol dialler = {.name = "dialler",
                                             .open = dial_open,
                                             .input = to_companion,
                                             .eof = end_companion,
                                             .close = gateway_close,
                                             .input_max = 1};

static void test_dial(void **state)
{
    reset_counts();
    struct weir_service target_service = {.name = "target", .protocol = &echo};
    struct world target, world;
    world_start(&target, KIND_EPOLL, &target_service);
    struct weir_service service = {
        .name = "t", .protocol = &dialler, .config = weir_listener_name(target.listener)};
    world_start(&world, kind_of(state), &service);
    int fd = world_client(&world);
    char text[5];
    assert_int_equal(write(fd, "there", 5), 5);
    assert_int_equal(recv(fd, text, 5, MSG_WAITALL), 5);
    assert_memory_equal(text, "there", 5);
    close(fd);
    world_stop(&world);
    world_stop(&target);
}

/* --- out of places: the one that rested longest leaves (epoll) --- */

static void test_oldest_leaves(void **state)
{
    if (kind_of(state) == KIND_POLL)
        return;
    reset_counts();
    struct weir_service service = {.name = "t", .protocol = &echo};
    struct world world;
    world_start(&world, KIND_EPOLL, &service);
    int fds[80];
    char byte = 'x';
    for (int i = 0; i < 80; i++) { /* 64 slots */
        fds[i] = world_client(&world);
        assert_int_equal(write(fds[i], &byte, 1), 1);
        assert_int_equal(read(fds[i], &byte, 1), 1);
    }
    assert_int_equal(recv(fds[0], &byte, 1, 0), 0);
    assert_int_equal(recv(fds[79], &byte, 1, MSG_DONTWAIT), -1);
    for (int i = 0; i < 80; i++)
        close(fds[i]);
    world_stop(&world);
}

/* Full is not crowded: nobody is asked to leave for a client who is not there. */
static void test_full_and_nobody_waits(void **state)
{
    (void)state;
    struct weir_service service = {.name = "t", .protocol = &echo};
    struct world world;
    world_start(&world, KIND_EPOLL, &service);
    int fds[64];
    char byte = 'x';
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 64; i++) {
            if (round == 0)
                fds[i] = world_client(&world);
            assert_int_equal(write(fds[i], &byte, 1), 1);
            assert_int_equal(read(fds[i], &byte, 1), 1);
        }
    }
    for (int i = 0; i < 64; i++)
        close(fds[i]);
    world_stop(&world);
}

static ssize_t nap_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    if (bytes[0] == 'z')
        usleep(200000);
    return echo_input(state, conn, bytes, len);
}

static const struct weir_protocol napper = {
    .name = "napper", .input_max = 1, .input = nap_input, .close = note_close};

/* They come in one crowd, each with a byte: who is asked to leave before its first turn is heard first. */
static void test_new_ones_are_heard(void **state)
{
    (void)state;
    struct weir_service service = {.name = "t", .protocol = &napper};
    struct world world;
    world_start_few(&world, &service, 8);
    int fds[40], first = world_client(&world);
    char byte = 'z';
    assert_int_equal(write(first, &byte, 1), 1);
    byte = 'x';
    for (int i = 0; i < 40; i++) {
        fds[i] = world_client(&world);
        assert_int_equal(write(fds[i], &byte, 1), 1);
    }
    for (int i = 0; i < 40; i++) {
        assert_int_equal(read(fds[i], &byte, 1), 1);
        close(fds[i]);
    }
    close(first);
    world_stop(&world);
}

/* --- the service's hooks --- */

static atomic_int started, ended, idled;

static int hook_start(struct weir_driver *driver, void *arg)
{
    driver->local = arg;
    atomic_fetch_add(&started, 1);
    return 0;
}

static void hook_end(struct weir_driver *driver, void *arg)
{
    assert_ptr_equal(driver->local, arg);
    atomic_fetch_add(&ended, 1);
}

static uint64_t hook_idle(struct weir_driver *driver, void *arg)
{
    (void)arg;
    atomic_fetch_add(&idled, 1);
    return driver->now.mono_ns + 20 * WEIR_NS_PER_MS;
}

static void test_hooks(void **state)
{
    int something = 0;
    struct weir_service service = {.name = "t",
                                   .protocol = &echo,
                                   .arg = &something,
                                   .worker_start = hook_start,
                                   .worker_end = hook_end,
                                   .idle = hook_idle};
    struct world world;
    atomic_store(&started, 0);
    atomic_store(&ended, 0);
    atomic_store(&idled, 0);
    world_start(&world, kind_of(state), &service);
    int fd = world_client(&world);
    for (int i = 0; i < 200 && atomic_load(&idled) < 4; i++)
        usleep(20000);
    assert_true(atomic_load(&idled) >= 4); /* it asked for a call every 20 ms */
    close(fd);
    world_stop(&world);
    assert_int_equal(atomic_load(&started), 1);
    assert_int_equal(atomic_load(&ended), 1);
}

/* --- what one connection received is its own, also when it must let others go first --- */

enum { OWN_BYTES = 8 * 1024 * 1024 };

struct flood {
    int fd;
    uint8_t letter;
    pthread_t writer;
};

static void *flood_write(void *arg)
{
    const struct flood *flood = arg;
    static _Thread_local uint8_t bytes[65536];
    memset(bytes, flood->letter, sizeof(bytes));
    for (size_t sent = 0; sent < OWN_BYTES;) {
        ssize_t n = send(flood->fd, bytes, sizeof(bytes), MSG_NOSIGNAL);
        if (n <= 0)
            break;
        sent += (size_t)n;
    }
    shutdown(flood->fd, SHUT_WR);
    return NULL;
}

/* Reads all that comes back, from each in turn. */
static void flood_check(struct flood *floods, size_t count)
{
    static uint8_t bytes[65536];
    size_t left = count;
    while (left > 0) {
        for (size_t i = 0; i < count; i++) {
            ssize_t n = floods[i].fd < 0 ? 0 : recv(floods[i].fd, bytes, sizeof(bytes), 0);
            for (ssize_t k = 0; k < n; k++)
                if (bytes[k] != floods[i].letter)
                    fail_msg("%c has a byte of %c", floods[i].letter, bytes[k]);
            if (floods[i].fd >= 0 && n <= 0) {
                pthread_join(floods[i].writer, NULL);
                close(floods[i].fd);
                floods[i].fd = -1;
                left--;
            }
        }
    }
}

static void test_own_bytes(void **state)
{
    struct weir_service service = {.name = "t", .protocol = &weir_echo};
    struct world world;
    struct flood floods[3];
    world_start(&world, kind_of(state), &service);
    for (size_t i = 0; i < 3; i++) {
        floods[i] = (struct flood){.fd = world_client(&world), .letter = (uint8_t)('a' + i)};
        assert_int_equal(pthread_create(&floods[i].writer, NULL, flood_write, &floods[i]), 0);
    }
    flood_check(floods, 3);
    world_stop(&world);
}

#define BOTH(test)                                                                                 \
    {"poll: " #test, test, NULL, NULL, &kinds[0]},                                                 \
    {                                                                                              \
        "epoll: " #test, test, NULL, NULL, &kinds[1]                                               \
    }

int main(void)
{
    static enum kind kinds[] = {KIND_POLL, KIND_EPOLL};
    const struct CMUnitTest tests[] = {
        BOTH(test_deadline),
        BOTH(test_duplex),
        BOTH(test_stop),
        BOTH(test_hang_up_while_paused),
        BOTH(test_paused_does_not_spin),
        {"epoll: test_fair", test_fair, NULL, NULL, &kinds[1]},
        {"epoll: test_own_bytes", test_own_bytes, NULL, NULL, &kinds[1]},
        BOTH(test_job),
        BOTH(test_job_outlives_client),
        BOTH(test_job_queue_is_bounded),
        BOTH(test_spawn),
        BOTH(test_child_that_closes_early),
        BOTH(test_dial),
        BOTH(test_oldest_leaves),
        {"epoll: test_full_and_nobody_waits", test_full_and_nobody_waits, NULL, NULL, &kinds[1]},
        {"epoll: test_new_ones_are_heard", test_new_ones_are_heard, NULL, NULL, &kinds[1]},
        BOTH(test_hooks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
