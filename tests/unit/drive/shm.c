/* Shared memory under both drivers: the rules that rules.c has for sockets, and the ones that are its own. */
#include "world.h"

#include <weir/shm.h>

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS 10000

static atomic_int closes, last_why, inputs;

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

static ssize_t pause_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    (void)state;
    (void)bytes;
    (void)len;
    atomic_fetch_add(&inputs, 1);
    weir_conn_pause(conn);
    return 1;
}

static int arm_soon(void *state, struct weir_conn *conn, const void *config)
{
    (void)state;
    (void)config;
    weir_conn_arm(conn, weir_conn_now(conn).mono_ns + 100 * WEIR_NS_PER_MS);
    return 0;
}

static const struct weir_protocol echo = {
    .name = "echo", .input_max = 1, .input = echo_input, .close = note_close};
static const struct weir_protocol pauser = {
    .name = "pauser", .input = pause_input, .close = note_close, .input_max = 64};
static const struct weir_protocol sleeper = {
    .name = "sleeper", .open = arm_soon, .input = echo_input, .close = note_close, .input_max = 1};

/* A server for `protocol`; the service lives as long. */
static void start(struct world *world, void **state, const struct weir_protocol *protocol)
{
    static struct weir_service service;
    service = (struct weir_service){.name = "t", .protocol = protocol};
    atomic_store(&closes, 0);
    atomic_store(&last_why, 1);
    atomic_store(&inputs, 0);
    world_start_at(world, *(enum kind *)*state, &service, "shm:");
}

static struct weir_stream *client_of(struct world *world)
{
    struct weir_stream *s;
    assert_int_equal(weir_open(weir_listener_name(world->listener), 0, PATIENCE_MS, &s), 0);
    weir_set_timeout(s, PATIENCE_MS);
    return s;
}

static void exchange(struct weir_stream *s, const char *text)
{
    char back[64];
    size_t len = strlen(text);
    assert_int_equal(weir_write_all(s, text, len), 0);
    assert_int_equal(weir_read_full(s, back, len), len);
    assert_memory_equal(back, text, len);
}

static void test_deadline(void **state)
{
    struct world world;
    char byte;
    start(&world, state, &sleeper);
    struct weir_stream *s = client_of(&world);
    assert_int_equal(weir_read(s, &byte, 1), 0);
    assert_int_equal(weir_write(s, "x", 1), -EPIPE);
    assert_int_equal(atomic_load(&last_why), -ETIMEDOUT);
    weir_close(s);
    world_stop(&world);
}

#define DUPLEX_BYTES (8u << 20)

static void *send_all(void *arg)
{
    static char block[10000];
    for (size_t sent = 0; sent < DUPLEX_BYTES; sent += sizeof(block)) {
        memset(block, (int)(sent / sizeof(block)) & 0x7f, sizeof(block));
        assert_int_equal(weir_write_all(arg, block, sizeof(block)), 0);
    }
    assert_int_equal(weir_end(arg), 0);
    return NULL;
}

static void test_duplex(void **state)
{
    static char block[10000];
    struct world world;
    pthread_t thread;
    size_t got = 0;
    ssize_t n;
    start(&world, state, &echo);
    struct weir_stream *s = client_of(&world);
    pthread_create(&thread, NULL, send_all, s);
    usleep(50000); /* let the rings fill: the writer must wait meanwhile */
    while ((n = weir_read_full(s, block, sizeof(block))) > 0) {
        for (ssize_t i = 0; i < n; i++)
            assert_int_equal(block[i], (got / sizeof(block)) & 0x7f);
        got += (size_t)n;
    }
    assert_int_equal(n, 0);
    assert_true(got >= DUPLEX_BYTES);
    pthread_join(thread, NULL);
    weir_close(s);
    world_stop(&world);
}

/* Each message finds the loop asleep, or still spinning: none may be lost between the two. */
static void test_no_wake_up_is_lost(void **state)
{
    struct world world;
    start(&world, state, &echo);
    struct weir_stream *s = client_of(&world);
    for (int i = 0; i < 3000; i++) {
        exchange(s, "ping");
        if (i % 10 == 0)
            usleep((unsigned)(i % 200));
    }
    weir_close(s);
    wait_for(&closes, 1);
    assert_int_equal(atomic_load(&last_why), WEIR_DONE);
    world_stop(&world);
}

static void test_many(void **state)
{
    if (*(enum kind *)*state == KIND_POLL)
        return; /* one after the other */
    struct world world;
    struct weir_stream *s[40];
    start(&world, state, &echo);
    for (int i = 0; i < 40; i++)
        s[i] = client_of(&world);
    for (int round = 0; round < 20; round++)
        for (int i = 0; i < 40; i++)
            exchange(s[(i * 7 + round) % 40], "one of many");
    for (int i = 0; i < 40; i++)
        weir_close(s[i]);
    wait_for(&closes, 40);
    world_stop(&world);
}

static void test_stop(void **state)
{
    struct world world;
    start(&world, state, &echo);
    struct weir_stream *s = client_of(&world);
    exchange(s, "x");
    world_stop(&world);
    assert_int_equal(atomic_load(&closes), 1);
    assert_int_equal(atomic_load(&last_why), WEIR_DONE);
    weir_close(s);
}

static void test_hang_up_while_paused(void **state)
{
    struct world world;
    start(&world, state, &pauser);
    struct weir_stream *s = client_of(&world);
    assert_int_equal(weir_write_all(s, "x", 1), 0);
    wait_for(&inputs, 1);
    usleep(20000);
    weir_close(s);
    wait_for(&closes, 1);
    assert_true(atomic_load(&last_why) < 0);
    world_stop(&world);
}

static void test_idle_and_paused_do_not_spin(void **state)
{
    struct world world;
    start(&world, state, &pauser);
    struct weir_stream *s = client_of(&world);
    usleep(20000);
    double before = world_cpu_s(&world);
    usleep(200000);
    assert_true(world_cpu_s(&world) - before < 0.05);
    assert_int_equal(weir_write_all(s, "xxxx", 4), 0);
    wait_for(&inputs, 1);
    assert_int_equal(weir_write_all(s, "yyyy", 4), 0);
    assert_int_equal(weir_end(s), 0);
    before = world_cpu_s(&world);
    usleep(200000);
    assert_true(world_cpu_s(&world) - before < 0.05);
    assert_int_equal(atomic_load(&inputs), 1);
    weir_close(s);
    /* Dead, with bytes unread and nobody reading: no spinning over that either. */
    usleep(20000);
    before = world_cpu_s(&world);
    usleep(200000);
    assert_true(world_cpu_s(&world) - before < 0.05);
    world_stop(&world);
}

/* Clients that are killed at any moment: the server goes on, and serves the next. */
static void test_killed_clients(void **state)
{
    struct world world;
    start(&world, state, &echo);
    for (int i = 0; i < 60; i++) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            struct weir_stream *s;
            static char block[40000];
            alarm(20);
            if (weir_open(weir_listener_name(world.listener), 0, PATIENCE_MS, &s) < 0)
                _exit(1);
            weir_set_timeout(s, 1);
            for (;;) {
                (void)!weir_write(s, block, sizeof(block));
                (void)!weir_read(s, block, i % 3 ? sizeof(block) : 100);
            }
        }
        usleep((unsigned)(i * 97 % 4000) + 300);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    }
    struct weir_stream *s = client_of(&world);
    exchange(s, "still there");
    weir_close(s);
    world_stop(&world);
}

static int greet_open(void *state, struct weir_conn *conn, const void *config)
{
    (void)state;
    (void)config;
    weir_out_copy(weir_conn_out(conn), "hello", 5);
    return 0;
}

static const struct weir_protocol greeter = {
    .name = "greeter", .open = greet_open, .input = echo_input, .input_max = 1};

/* The server may speak before the client is ready to be woken. */
static void test_server_first(void **state)
{
    struct world world;
    char text[5];
    start(&world, state, &greeter);
    for (int i = 0; i < 50; i++) {
        struct weir_stream *s = client_of(&world);
        struct pollfd p = {.fd = weir_read_fd(s), .events = POLLIN};
        assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
        assert_int_equal(weir_read_full(s, text, 5), 5);
        assert_memory_equal(text, "hello", 5);
        weir_close(s);
    }
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
        BOTH(test_no_wake_up_is_lost),
        BOTH(test_many),
        BOTH(test_stop),
        BOTH(test_hang_up_while_paused),
        BOTH(test_idle_and_paused_do_not_spin),
        BOTH(test_killed_clients),
        BOTH(test_server_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
