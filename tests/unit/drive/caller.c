/*
 * weir/caller.h against servers in other processes, over every transport, and against peers that lie, are silent or die.
 *
 * Called with "serve" it is such a server on its standard input and output (for exec:).
 */
#include "proto/call_wire.h"
#include "tbl/limits.h"

#include <weir/caller.h>
#include <weir/server.h>
#include <weir/shm.h>

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS 20000

static const char *program;

/* --- a server in a child process --- */

#define HELD_MAX 2000

struct held {
    struct weir_call *calls[HELD_MAX];
    unsigned count;
};

static void release_all(struct held *held)
{
    while (held->count > 0) {
        struct weir_call *call = held->calls[--held->count];
        (void)weir_call_reply(call, "held", 4);
        weir_call_drop(call);
    }
}

static bool starts(const uint8_t *bytes, size_t len, const char *word)
{
    return len >= strlen(word) && memcmp(bytes, word, strlen(word)) == 0;
}

/* "hold" waits for "now", "big" is answered with 1 MiB, "error" with an error, "die" not at all; the rest comes back. */
static int handle(void *arg, struct weir_call *call, const uint8_t *bytes, size_t len)
{
    static char big[LIMIT_CALL_BYTES];
    struct held *held = arg;
    if (starts(bytes, len, "die"))
        raise(SIGKILL);
    if (starts(bytes, len, "big"))
        return weir_call_reply(call, big, sizeof(big));
    if (starts(bytes, len, "error"))
        return weir_call_fail(call, 99, bytes, len);
    if (starts(bytes, len, "hold") && held->count < HELD_MAX) {
        held->calls[held->count++] = weir_call_hold(call);
        return 0;
    }
    if (starts(bytes, len, "now"))
        release_all(held);
    return weir_call_reply(call, bytes, len);
}

static int serve(struct weir_stream *stream)
{
    static struct held held;
    const struct weir_call_options options = {.request = handle, .arg = &held};
    int rc = weir_call_serve(stream, &options);
    release_all(&held);
    return rc;
}

struct world {
    struct weir_caller *caller;
    pid_t server; /* 0: the stream's own */
};

typedef void (*peer)(int fd);

/* A child process at the other end of a pair. */
static pid_t start_peer(struct weir_stream *ends[2], peer run)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        weir_close(ends[0]);
        if (!run)
            _exit(serve(ends[1]) < 0);
        int fd = weir_read_fd(ends[1]);
        run(fd);
        _exit(0);
    }
    weir_close(ends[1]);
    return pid;
}

static void start_on(struct world *world, bool shm, peer run,
                     const struct weir_caller_options *options)
{
    struct weir_stream *ends[2];
    assert_int_equal(shm ? weir_shm_pair(0, ends) : weir_pair(ends), 0);
    world->server = start_peer(ends, run);
    assert_int_equal(weir_caller_new(ends[0], options, &world->caller), 0);
}

static void start(struct world *world)
{
    start_on(world, false, NULL, NULL);
}

/* The server's exit status, or 1000 and the signal that killed it. */
static int stop(struct world *world)
{
    int status = 0, closed = weir_caller_close(world->caller);
    if (world->server == 0)
        return closed;
    assert_int_equal(waitpid(world->server, &status, 0), world->server);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int call(struct world *world, const char *text, struct weir_answer *answer)
{
    return weir_call(world->caller, text, strlen(text), PATIENCE_MS, answer);
}

static uint64_t begin(struct world *world, const char *text, int timeout_ms)
{
    uint64_t id = 0;
    assert_int_equal(weir_caller_start(world->caller, text, strlen(text), timeout_ms, &id), 0);
    return id;
}

static double now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* --- what every transport must do --- */

static void expect(struct world *world, const char *text)
{
    struct weir_answer answer;
    assert_int_equal(call(world, text, &answer), 0);
    assert_int_equal(answer.len, strlen(text));
    assert_memory_equal(answer.bytes, text, answer.len);
}

static void long_both_ways(struct world *world)
{
    static char bytes[LIMIT_CALL_BYTES];
    struct weir_answer answer;
    memset(bytes, 'm', sizeof(bytes));
    assert_int_equal(weir_call(world->caller, bytes, sizeof(bytes), PATIENCE_MS, &answer), 0);
    assert_int_equal(answer.len, sizeof(bytes));
    assert_memory_equal(answer.bytes, bytes, sizeof(bytes));
    assert_int_equal(weir_call(world->caller, bytes, sizeof(bytes) + 1, PATIENCE_MS, &answer),
                     -EMSGSIZE);
}

static void many_at_once(struct world *world)
{
    struct weir_answer answer;
    uint64_t ids[1000], id;
    char text[32];
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof(text), i % 2 ? "hold" : "%d", i);
        ids[i] = begin(world, text, PATIENCE_MS);
    }
    expect(world, "now");
    for (int i = 999; i >= 500; i--) {
        assert_int_equal(weir_caller_wait(world->caller, ids[i], WEIR_FOREVER, &answer), 0);
        snprintf(text, sizeof(text), i % 2 ? "held" : "%d", i);
        assert_int_equal(answer.len, strlen(text));
        assert_memory_equal(answer.bytes, text, answer.len);
        assert_int_equal(weir_caller_wait(world->caller, ids[i], 0, &answer), -ENOENT);
    }
    for (int i = 0; i < 500; i++) {
        assert_int_equal(weir_caller_next(world->caller, PATIENCE_MS, &id, &answer), 0);
        assert_int_equal(answer.error, 0);
    }
    assert_int_equal(weir_caller_next(world->caller, 0, &id, &answer), -ENOENT);
}

static void errors_and_times(struct world *world)
{
    struct weir_answer answer;
    assert_int_equal(call(world, "error!", &answer), -EREMOTEIO);
    assert_int_equal(answer.code, 99);
    assert_int_equal(answer.len, 6);
    double before = now_ms();
    assert_int_equal(weir_call(world->caller, "hold", 4, 50, &answer), -ETIMEDOUT);
    assert_true(now_ms() - before >= 50);
    assert_int_equal(weir_call(world->caller, "x", 1, 0, &answer), -ETIMEDOUT);
    uint64_t id = begin(world, "hold", WEIR_FOREVER);
    assert_int_equal(weir_caller_wait(world->caller, id, 0, &answer), -EAGAIN);
    assert_int_equal(weir_caller_wait(world->caller, id, 20, &answer), -EAGAIN);
    assert_int_equal(weir_caller_cancel(world->caller, id), 0);
    assert_int_equal(weir_caller_cancel(world->caller, id), -ENOENT);
    assert_int_equal(weir_caller_wait(world->caller, id, 0, &answer), -ENOENT);
    expect(world, "now");
}

static void test_talk(struct world *world)
{
    expect(world, "");
    expect(world, "hello");
    many_at_once(world);
    errors_and_times(world);
    long_both_ways(world);
    expect(world, "good bye");
    assert_int_equal(stop(world), 0);
}

static void talk_over_a_socket(void **state)
{
    struct world world;
    (void)state;
    start(&world);
    test_talk(&world);
}

static void talk_over_shared_memory(void **state)
{
    struct world world;
    (void)state;
    start_on(&world, true, NULL, NULL);
    test_talk(&world);
}

/* Two pipes to a child program. */
static void talk_over_pipes(void **state)
{
    struct world world = {0};
    char endpoint[1024];
    (void)state;
    snprintf(endpoint, sizeof(endpoint), "exec:'%s' serve", program);
    assert_int_equal(weir_caller_open(endpoint, NULL, PATIENCE_MS, &world.caller), 0);
    test_talk(&world);
}

static void talk_over(const char *name)
{
    struct world world;
    struct weir_listener *listener;
    struct weir_stream *client;
    assert_int_equal(weir_listen(name, 0, &listener), 0);
    world.server = fork();
    if (world.server == 0)
        _exit(weir_accept(listener, PATIENCE_MS, &client) < 0 || serve(client) < 0);
    assert_int_equal(
        weir_caller_open(weir_listener_name(listener), NULL, PATIENCE_MS, &world.caller), 0);
    test_talk(&world);
    weir_listener_close(listener);
}

static void talk_over_names(void **state)
{
    char name[64];
    (void)state;
    talk_over("tcp:127.0.0.1:0");
    snprintf(name, sizeof(name), "unix:@weir-caller-%d", (int)getpid());
    talk_over(name);
    snprintf(name, sizeof(name), "shm:@weir-caller-%d-s", (int)getpid());
    talk_over(name);
}

/* --- peers that die --- */

static void kill_it(struct world *world, bool shm)
{
    struct weir_answer answer;
    uint64_t ids[150];
    start_on(world, shm, NULL, NULL);
    expect(world, "x"); /* from now on it takes more than one */
    for (int i = 0; i < 150; i++)
        ids[i] = begin(world, i % 3 ? "hold" : "quick", WEIR_FOREVER);
    (void)!weir_caller_flush(world->caller, 0);
    usleep((useconds_t)(rand() % 500));
    kill(world->server, SIGKILL);
    double before = now_ms();
    for (int i = 149; i >= 0; i--) {
        int rc = weir_caller_wait(world->caller, ids[i], WEIR_FOREVER, &answer);
        assert_true(rc == -ECONNRESET || rc == -EPIPE || rc == -EPROTO || (rc == 0 && i % 3 == 0));
    }
    assert_true(now_ms() - before < 5000); /* 1 ms, on a machine that has nothing else to do */
    assert_int_equal(call(world, "x", &answer), -ENOTCONN);
    assert_int_equal(stop(world), 1000 + SIGKILL);
}

static void a_killed_peer_ends_every_call(void **state)
{
    struct world world;
    (void)state;
    for (int i = 0; i < 60; i++)
        kill_it(&world, i % 2);
}

/* What the peer had said before it went is still heard; a broken pipe is an error, not a signal. */
static void a_dead_program_is_an_error(void **state)
{
    struct world world = {0};
    struct weir_answer answer;
    char endpoint[1024];
    (void)state;
    snprintf(endpoint, sizeof(endpoint), "exec:'%s' serve", program);
    assert_int_equal(weir_caller_open(endpoint, NULL, PATIENCE_MS, &world.caller), 0);
    expect(&world, "x");
    uint64_t id = begin(&world, "hold", WEIR_FOREVER);
    int rc = call(&world, "die", &answer);
    assert_true(rc == -ECONNRESET || rc == -EPIPE);
    assert_int_equal(weir_caller_wait(world.caller, id, WEIR_FOREVER, &answer), rc);
    assert_int_equal(call(&world, "x", &answer), -ENOTCONN);
    assert_true(stop(&world) > 256);
}

/* --- peers that lie --- */

static void put(int fd, struct call_head head, const void *bytes, size_t len, size_t claimed)
{
    uint8_t message[CALL_START + 256];
    call_head_put(message, head, claimed);
    if (len > 0)
        memcpy(message + CALL_START, bytes, len);
    (void)!write(fd, message, CALL_START + len);
}

static void greet(int fd)
{
    put(fd, (struct call_head){.kind = CALL_HELLO, .value = 100, .id = LIMIT_CALL_BYTES}, NULL, 0,
        0);
}

/* Until the caller goes away. */
static void listen_to(int fd)
{
    char bytes[4096];
    ssize_t n;
    do {
        n = read(fd, bytes, sizeof(bytes));
        if (n < 0 && errno == EAGAIN)
            usleep(1000);
    } while (n > 0 || (n < 0 && errno == EAGAIN));
}

/* Answers the first call properly, so that the caller is in the middle of things, and then the lie. */
static void lie(int fd, struct call_head head, size_t len, size_t claimed)
{
    static const char bytes[256];
    greet(fd);
    put(fd, (struct call_head){.kind = CALL_REPLY, .id = 1}, "x", 1, 1);
    put(fd, head, bytes, len, claimed);
    listen_to(fd);
}

static void lie_length(int fd)
{
    lie(fd, (struct call_head){.kind = CALL_REPLY, .id = 2}, 10, 0xfffffff0 - CALL_HEAD);
}
static void lie_id(int fd)
{
    lie(fd, (struct call_head){.kind = CALL_REPLY, .id = 77}, 0, 0);
}
static void lie_again(int fd)
{
    lie(fd, (struct call_head){.kind = CALL_REPLY, .id = 1}, 0, 0);
}
static void lie_kind(int fd)
{
    lie(fd, (struct call_head){.kind = 200, .id = 2}, 0, 0);
}
static void lie_hello(int fd)
{
    lie(fd, (struct call_head){.kind = CALL_HELLO}, 0, 0);
}
static void lie_short(int fd)
{
    lie(fd, (struct call_head){.kind = CALL_REPLY, .id = 2}, 0, (size_t)0 - 5);
}
static void speak_http(int fd)
{
    (void)!write(fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
    listen_to(fd);
}

static void lies_end_every_call(void **state)
{
    static const struct {
        peer run;
        int error;
    } lies[] = {{lie_length, -EMSGSIZE}, {lie_id, -EPROTO},    {lie_again, -EPROTO},
                {lie_kind, -EPROTO},     {lie_hello, -EPROTO}, {lie_short, -EPROTO}};
    (void)state;
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct world world;
        struct weir_answer answer;
        start_on(&world, false, lies[i].run, NULL);
        uint64_t first = begin(&world, "a", WEIR_FOREVER);
        assert_int_equal(weir_caller_wait(world.caller, first, PATIENCE_MS, &answer), 0);
        int rc = weir_call(world.caller, "b", 1, PATIENCE_MS, &answer);
        assert_int_equal(rc, lies[i].error);
        assert_int_equal(weir_call(world.caller, "b", 1, PATIENCE_MS, &answer), -ENOTCONN);
        assert_int_equal(stop(&world), 0);
    }
}

static void another_language_is_an_error(void **state)
{
    struct world world;
    struct weir_answer answer;
    (void)state;
    start_on(&world, false, speak_http, NULL);
    assert_int_equal(weir_call(world.caller, "a", 1, PATIENCE_MS, &answer), -EMSGSIZE);
    assert_int_equal(stop(&world), 0);
}

/* --- peers that are silent, or leave --- */

static void greet_only(int fd)
{
    greet(fd);
    listen_to(fd);
}

static void a_silent_peer_counts_as_dead(void **state)
{
    static const struct weir_caller_options options = {.ping_ms = 50, .silent_ms = 150};
    struct world world;
    struct weir_answer answer;
    uint64_t ids[20];
    (void)state;
    start_on(&world, false, greet_only, &options);
    for (int i = 0; i < 20; i++)
        ids[i] = i == 0 ? begin(&world, "x", 20) : begin(&world, "x", WEIR_FOREVER);
    double before = now_ms();
    for (int i = 0; i < 20; i++)
        assert_int_equal(weir_caller_wait(world.caller, ids[i], WEIR_FOREVER, &answer), -ETIMEDOUT);
    assert_true(now_ms() - before >= 100);
    assert_int_equal(call(&world, "x", &answer), -ENOTCONN);
    assert_int_equal(stop(&world), 0);
}

/* It answers nothing, but is alive. */
static void a_living_peer_may_take_its_time(void **state)
{
    static const struct weir_caller_options options = {.ping_ms = 20, .silent_ms = 2000};
    struct world world;
    struct weir_answer answer;
    (void)state;
    start_on(&world, false, NULL, &options);
    uint64_t id = begin(&world, "hold", WEIR_FOREVER);
    assert_int_equal(weir_caller_wait(world.caller, id, 2500, &answer), -EAGAIN);
    expect(&world, "now");
    assert_int_equal(weir_caller_wait(world.caller, id, 0, &answer), 0);
    assert_int_equal(stop(&world), 0);
}

static void leave_at_once(int fd)
{
    greet(fd);
    put(fd, (struct call_head){.kind = CALL_LEAVE}, NULL, 0, 0);
}

/* Its word is heard although what we send finds nobody any more. */
static void what_a_leaving_peer_did_not_take_is_known(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct world world;
        struct weir_answer answer;
        start_on(&world, false, leave_at_once, NULL);
        if (late)
            waitpid(world.server, NULL, 0);
        assert_int_equal(call(&world, "x", &answer), -ESHUTDOWN);
        int rc = call(&world, "x", &answer);
        assert_true(rc == -ESHUTDOWN || rc == -ENOTCONN);
        weir_caller_close(world.caller);
        if (!late)
            waitpid(world.server, NULL, 0);
    }
}

/* --- bounds --- */

static void requests_are_gathered(void **state)
{
    int fds[2];
    char bytes[65536];
    struct weir_stream *stream;
    struct world world = {0};
    struct weir_answer answer;
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    greet(fds[1]);
    assert_int_equal(weir_from_fd(fds[0], true, &stream), 0);
    assert_int_equal(weir_caller_new(stream, NULL, &world.caller), 0);
    uint64_t first = begin(&world, "gathered", WEIR_FOREVER);
    assert_int_equal(weir_caller_wait(world.caller, first, 0, &answer), -EAGAIN);
    assert_int_equal(recv(fds[1], bytes, sizeof(bytes), MSG_DONTWAIT), 2 * CALL_START + 8);
    for (int i = 0; i < 50; i++)
        begin(&world, "gathered", WEIR_FOREVER);
    assert_int_equal(recv(fds[1], bytes, sizeof(bytes), MSG_DONTWAIT), -1);
    assert_int_equal(weir_caller_flush(world.caller, PATIENCE_MS), 0);
    assert_int_equal(recv(fds[1], bytes, sizeof(bytes), MSG_DONTWAIT), 50 * (CALL_START + 8));
    weir_caller_close(world.caller);
    close(fds[1]);
}

static void kept_answers_are_bounded(void **state)
{
    struct world world;
    struct weir_answer answer;
    uint64_t ids[80];
    unsigned kept = 0;
    (void)state;
    start(&world);
    for (int i = 0; i < 80; i++)
        ids[i] = begin(&world, "big", PATIENCE_MS);
    expect(&world, "after all of them");
    for (int i = 0; i < 80; i++) {
        int rc = weir_caller_wait(world.caller, ids[i], PATIENCE_MS, &answer);
        assert_true(rc == -ENOBUFS || (rc == 0 && answer.len == LIMIT_CALL_BYTES));
        kept += rc == 0;
    }
    assert_int_equal(kept, LIMIT_CALLER_KEPT / LIMIT_CALL_BYTES);
    expect(&world, "still good");
    assert_int_equal(stop(&world), 0);
}

static void one_way_is_not_enough(void **state)
{
    struct weir_stream *ends[2];
    struct weir_caller *caller = NULL;
    (void)state;
    assert_int_equal(weir_pipe(ends), 0);
    assert_int_equal(weir_caller_new(ends[0], NULL, &caller), -EINVAL);
    assert_int_equal(weir_caller_new(ends[1], NULL, &caller), -EINVAL);
    assert_null(caller);
    assert_true(weir_caller_open("unix:/nowhere/at/all", NULL, 100, &caller) < 0);
    assert_int_equal(weir_caller_close(NULL), 0);
}

/* --- fork --- */

/* 0: each call was refused and closing did nothing. */
static int in_the_copy(struct weir_caller *caller, uint64_t id)
{
    struct weir_answer answer;
    uint64_t other;
    if (weir_call(caller, "x", 1, 1000, &answer) != -EPERM ||
        weir_caller_start(caller, "x", 1, 1000, &other) != -EPERM ||
        weir_caller_wait(caller, id, 1000, &answer) != -EPERM ||
        weir_caller_next(caller, 1000, &other, &answer) != -EPERM ||
        weir_caller_cancel(caller, id) != -EPERM || weir_caller_flush(caller, 1000) != -EPERM)
        return 1;
    return weir_caller_close(caller) < 0 ? 2 : 0;
}

static void fork_beside(struct world *world)
{
    struct weir_answer answer;
    int status;
    expect(world, "before");
    uint64_t id = begin(world, "hold", PATIENCE_MS); /* gathered: the copy must not send it */
    pid_t pid = fork();
    if (pid == 0)
        _exit(in_the_copy(world->caller, id));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    expect(world, "now");
    assert_int_equal(weir_caller_wait(world->caller, id, PATIENCE_MS, &answer), 0);
    assert_int_equal(answer.len, 4);
    assert_int_equal(stop(world), 0);
}

static void a_forked_copy_does_no_harm(void **state)
{
    struct world world = {0};
    char endpoint[1024];
    (void)state;
    start(&world);
    fork_beside(&world);
    start_on(&world, true, NULL, NULL);
    fork_beside(&world);
    world = (struct world){0};
    snprintf(endpoint, sizeof(endpoint), "exec:'%s' serve", program);
    assert_int_equal(weir_caller_open(endpoint, NULL, PATIENCE_MS, &world.caller), 0);
    fork_beside(&world);
}

int main(int argc, char **argv)
{
    struct weir_stream *stream;
    if (argc > 1 && strcmp(argv[1], "serve") == 0)
        return weir_open("-", 0, WEIR_FOREVER, &stream) < 0 || serve(stream) < 0;
    program = argv[0];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(talk_over_a_socket),
        cmocka_unit_test(talk_over_shared_memory),
        cmocka_unit_test(talk_over_pipes),
        cmocka_unit_test(talk_over_names),
        cmocka_unit_test(a_killed_peer_ends_every_call),
        cmocka_unit_test(a_dead_program_is_an_error),
        cmocka_unit_test(lies_end_every_call),
        cmocka_unit_test(another_language_is_an_error),
        cmocka_unit_test(a_silent_peer_counts_as_dead),
        cmocka_unit_test(a_living_peer_may_take_its_time),
        cmocka_unit_test(what_a_leaving_peer_did_not_take_is_known),
        cmocka_unit_test(requests_are_gathered),
        cmocka_unit_test(kept_answers_are_bounded),
        cmocka_unit_test(one_way_is_not_enough),
        cmocka_unit_test(a_forked_copy_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
