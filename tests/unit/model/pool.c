/* What the acceptor of a pool watches: those that are parked with it, and nobody it has given away. */
#include "../drive/awaited.h"
#include "check.h"
#include "drive/core.h"
#include "model/model.h"
#include "tbl/limits.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#define NOBODY (-1)

static bool becomes(bool (*is_so)(int), int arg)
{
    uint64_t until = mono_ns() + 10 * WEIR_NS_PER_S;
    while (!is_so(arg) && mono_ns() < until)
        usleep(1000);
    return is_so(arg);
}

/* --- a service that looks, while a thread has its connection, whether the acceptor still waits for it --- */

static atomic_int parked_fd; /* of the first connection */
static atomic_int looks;     /* so many, and of them: */
static atomic_int awaited;
static atomic_int copy; /* of what was looked at, as a program that is being started has one */
static atomic_int closed;

static bool has_come(int number)
{
    return atomic_load(&parked_fd) != NOBODY && atomic_load(&closed) >= number;
}

static void look_at(int fd)
{
    atomic_fetch_add(&awaited, is_awaited(fd));
    atomic_store(&copy, fcntl(fd, F_DUPFD_CLOEXEC, 0));
    atomic_fetch_add(&looks, 1);
}

static int conn_fd(struct weir_conn *conn)
{
    return ((struct slot *)weir_conn_slot(conn))->stream.in;
}

static int quiet_open(void *state, struct weir_conn *conn, const void *config)
{
    const unsigned *deadline_ms = config;
    int nobody = NOBODY;
    (void)state;
    if (*deadline_ms)
        weir_conn_arm(conn, mono_ns() + *deadline_ms * WEIR_NS_PER_MS);
    atomic_compare_exchange_strong(&parked_fd, &nobody, conn_fd(conn));
    return 0;
}

static void quiet_expire(void *state, struct weir_conn *conn)
{
    (void)state;
    look_at(conn_fd(conn));
    weir_conn_finish(conn, WEIR_DONE);
}

static void quiet_leave(void *state, struct weir_conn *conn, enum weir_leave why)
{
    (void)why;
    if (atomic_load(&looks) == 0)
        quiet_expire(state, conn);
    else
        weir_conn_finish(conn, WEIR_DONE);
}

static ssize_t quiet_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    (void)bytes;
    quiet_expire(state, conn);
    return (ssize_t)len;
}

static void quiet_close(void *state, struct weir_conn *conn, int why)
{
    (void)state;
    (void)conn;
    (void)why;
    atomic_fetch_add(&closed, 1);
}

static const struct weir_protocol quiet = {.name = "quiet",
                                           .input_max = 1,
                                           .open = quiet_open,
                                           .input = quiet_input,
                                           .expire = quiet_expire,
                                           .leave = quiet_leave,
                                           .close = quiet_close};

/* --- one that works for a while when it has heard something, and counts who asked it to leave meanwhile --- */

#define WORK_MS                                                                                    \
    (3 *                                                                                           \
     LIMIT_STALL_MS) /* a wait is noticed after one, or two where a thread took somebody meanwhile */

static atomic_int asked_to_leave;

static ssize_t steady_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    (void)state;
    (void)bytes;
    weir_conn_rest(conn, false);
    weir_conn_arm(conn, mono_ns() + WORK_MS * WEIR_NS_PER_MS);
    return (ssize_t)len;
}

static void steady_expire(void *state, struct weir_conn *conn)
{
    (void)state;
    weir_conn_finish(conn, WEIR_DONE);
}

static void steady_leave(void *state, struct weir_conn *conn, enum weir_leave why)
{
    (void)state;
    (void)conn;
    (void)why;
    atomic_fetch_add(&asked_to_leave, 1);
}

static const struct weir_protocol steady = {.name = "steady",
                                            .input_max = 1,
                                            .open = quiet_open,
                                            .input = steady_input,
                                            .expire = steady_expire,
                                            .leave = steady_leave,
                                            .close = quiet_close};

/* --- a pool of one thread --- */

struct pond {
    unsigned deadline_ms;
    struct weir_service service;
    struct weir_server server;
    struct weir_listener *listener;
    struct worker worker;
    int stop[2];
    pthread_t thread;
    int result;
    struct weir_stream *clients[2];
    unsigned count;
};

static void *run_pool(void *arg)
{
    struct pond *pond = arg;
    pond->result = pool_run(&pond->worker);
    return NULL;
}

static void start_with(struct pond *pond, const struct weir_protocol *protocol, unsigned places,
                       unsigned deadline_ms)
{
    *pond = (struct pond){.deadline_ms = deadline_ms};
    atomic_store(&parked_fd, NOBODY);
    atomic_store(&copy, NOBODY);
    atomic_store(&looks, 0);
    atomic_store(&awaited, 0);
    atomic_store(&closed, 0);
    atomic_store(&asked_to_leave, 0);
    char name[64];
    snprintf(name, sizeof(name), "unix:@weir-pool-%d", (int)getpid());
    assert_int_equal(listener_open(name, 0, 0, &pond->listener), 0);
    assert_int_equal(pipe2(pond->stop, O_CLOEXEC), 0);
    pond->service = (struct weir_service){
        .name = protocol->name, .protocol = protocol, .config = &pond->deadline_ms};
    pond->server = (struct weir_server){
        .service = &pond->service, .workers = 1, .max_connections = places, .queue = 8};
    pond->worker = (struct worker){.server = &pond->server,
                                   .service = &pond->service,
                                   .listeners = &pond->listener,
                                   .listener_count = 1,
                                   .stop = pond->stop[0],
                                   .news = -1};
    assert_int_equal(pthread_create(&pond->thread, NULL, run_pool, pond), 0);
}

static void start(struct pond *pond, unsigned places, unsigned deadline_ms)
{
    start_with(pond, &quiet, places, deadline_ms);
}

static void connect_one(struct pond *pond)
{
    assert_int_equal(weir_open(weir_listener_name(pond->listener), WEIR_READ | WEIR_WRITE, 1000,
                               &pond->clients[pond->count]),
                     0);
    pond->count++;
}

/* One connection, which is parked. */
static void park_one(struct pond *pond)
{
    connect_one(pond);
    assert_true(becomes(has_come, 0));
    assert_true(becomes(is_awaited, atomic_load(&parked_fd)));
}

static void say_stop(struct pond *pond)
{
    if (pond->stop[1] >= 0)
        close(pond->stop[1]);
    pond->stop[1] = -1;
}

static void end(struct pond *pond)
{
    say_stop(pond);
    pthread_join(pond->thread, NULL);
    assert_int_equal(pond->result, 0);
    for (unsigned i = 0; i < pond->count; i++)
        weir_close(pond->clients[i]);
    weir_listener_close(pond->listener);
    close(pond->stop[0]);
    if (atomic_load(&copy) != NOBODY)
        close(atomic_load(&copy));
}

static void expect_let_go(struct pond *pond)
{
    assert_true(becomes(has_come, 1));
    end(pond);
    assert_int_equal(atomic_load(&looks), 1);
    assert_int_equal(atomic_load(&awaited), 0);
}

static void one_that_has_spoken_is_not_awaited(void **state)
{
    struct pond pond;
    (void)state;
    start(&pond, 4, 0);
    park_one(&pond);
    assert_int_equal(weir_write(pond.clients[0], "x", 1), 1);
    expect_let_go(&pond);
}

static void one_whose_deadline_came_is_not_awaited(void **state)
{
    struct pond pond;
    (void)state;
    start(&pond, 4, 300);
    park_one(&pond);
    expect_let_go(&pond);
}

static void one_that_makes_room_is_not_awaited(void **state)
{
    struct pond pond;
    (void)state;
    start(&pond, 1, 0);
    park_one(&pond);
    connect_one(&pond);
    expect_let_go(&pond);
}

static void one_that_is_stopped_is_not_awaited(void **state)
{
    struct pond pond;
    (void)state;
    start(&pond, 4, 0);
    park_one(&pond);
    say_stop(&pond);
    expect_let_go(&pond);
}

static bool is_shut(int fd)
{
    return fcntl(fd, F_GETFD) < 0;
}

/* A close() ends what is registered only with the last copy of the descriptor. */
static void the_acceptor_hears_nothing_of_a_closed_one(void **state)
{
    struct pond pond;
    (void)state;
    start(&pond, 4, 300);
    park_one(&pond);
    int fd = atomic_load(&parked_fd);
    assert_true(becomes(is_shut, fd));
    bool waits = is_awaited(fd);
    assert_int_equal(weir_write(pond.clients[0], "x", 1), 1); /* it is the copy that gets this */
    usleep(100000);
    end(&pond);
    assert_false(waits);
}

/* Threads let go of what they have when guests wait and no thread takes one: not when nobody has spoken for as long. */
static void who_speaks_after_a_silence_has_not_waited(void **state)
{
    struct pond pond;
    (void)state;
    start_with(&pond, &steady, 4, 0);
    park_one(&pond);
    usleep((LIMIT_STALL_MS + 100) * 1000);
    assert_int_equal(weir_write(pond.clients[0], "x", 1), 1);
    assert_true(becomes(has_come, 1));
    end(&pond);
    assert_int_equal(atomic_load(&asked_to_leave), 0);
}

/* Somebody waits in vain, and who has the thread is asked to leave; it ends, and who comes next has it for himself. */
static void who_comes_after_a_wait_is_not_asked_to_leave(void **state)
{
    struct pond pond;
    (void)state;
    start_with(&pond, &steady, 4, 0);
    park_one(&pond);
    assert_int_equal(weir_write(pond.clients[0], "x", 1), 1);
    connect_one(&pond);
    assert_int_equal(weir_write(pond.clients[1], "x", 1), 1);
    assert_true(becomes(has_come, 2));
    end(&pond);
    assert_int_equal(atomic_load(&asked_to_leave), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_has_spoken_is_not_awaited),
        cmocka_unit_test(one_whose_deadline_came_is_not_awaited),
        cmocka_unit_test(one_that_makes_room_is_not_awaited),
        cmocka_unit_test(one_that_is_stopped_is_not_awaited),
        cmocka_unit_test(the_acceptor_hears_nothing_of_a_closed_one),
        cmocka_unit_test(who_speaks_after_a_silence_has_not_waited),
        cmocka_unit_test(who_comes_after_a_wait_is_not_asked_to_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
