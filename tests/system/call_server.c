/*
 * A service of requests for test_calls.py, and clients of it.
 *
 *     call_server serve ENDPOINT MODEL REQUESTS_MAX SILENT_MS   under any model, until SIGTERM
 *     call_server ask ENDPOINT                                  straight-line calls, many at once
 *     call_server die ENDPOINT                                  calls wait while the one that answers kills itself
 *
 * "hold" waits for "now" on its connection, "slow" for a helper thread; "big" is answered with 1 MiB, "error..." with the error
 * 99, "die" not at all; the rest comes back.
 */
#include <weir/caller.h>
#include <weir/driver.h>
#include <weir/server.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HELD_MAX  4096
#define BIG_BYTES (1024 * 1024)
#define MANY      1000

/* --- serve --- */

struct held {
    struct weir_call *calls[HELD_MAX];
    unsigned count;
};

static int opened(void *arg, struct weir_conn *conn)
{
    (void)arg;
    struct held *held = calloc(1, sizeof(*held));
    weir_calls_set_slot(conn, held);
    return held ? 0 : -ENOMEM;
}

static void closed(void *arg, struct weir_conn *conn, int why)
{
    (void)arg;
    (void)why;
    free(weir_calls_slot(conn));
}

static void cancelled(void *arg, struct weir_call *call, int why)
{
    (void)arg;
    (void)why;
    struct held *held = weir_call_slot(call);
    for (unsigned i = 0; held && i < held->count; i++) {
        if (held->calls[i] == call) {
            held->calls[i] = held->calls[--held->count];
            weir_call_drop(call);
            return;
        }
    }
}

static void release_all(struct held *held)
{
    while (held->count > 0) {
        struct weir_call *call = held->calls[--held->count];
        weir_call_reply(call, "held", 4);
        weir_call_drop(call);
    }
}

struct slow {
    struct weir_job job; /* first */
    struct weir_call *call;
};

static void slow_work(struct weir_job *job)
{
    (void)job;
    usleep(300000);
}

/* Its client may be gone. */
static void slow_done(struct weir_job *job)
{
    struct slow *slow = (struct slow *)job;
    weir_call_reply(slow->call, "slow", 4);
    weir_call_drop(slow->call);
    free(slow);
}

static int start_slow(struct weir_call *call)
{
    struct weir_driver *driver = weir_conn_driver(weir_call_conn(call));
    struct slow *slow = calloc(1, sizeof(*slow));
    if (!slow)
        return -ENOMEM;
    slow->job = (struct weir_job){.work = slow_work, .done = slow_done};
    slow->call = weir_call_hold(call);
    int rc = driver->ops->submit(driver, &slow->job);
    if (rc < 0) {
        weir_call_drop(call);
        free(slow);
    }
    return rc;
}

static bool is(const uint8_t *bytes, size_t len, const char *word)
{
    return len >= strlen(word) && memcmp(bytes, word, strlen(word)) == 0;
}

static int request(void *arg, struct weir_call *call, const uint8_t *bytes, size_t len)
{
    static const char big[BIG_BYTES];
    struct held *held = weir_calls_slot(weir_call_conn(call));
    (void)arg;
    if (is(bytes, len, "die"))
        raise(SIGKILL);
    if (is(bytes, len, "slow"))
        return start_slow(call);
    if (is(bytes, len, "big"))
        return weir_call_reply(call, big, sizeof(big));
    if (is(bytes, len, "error"))
        return weir_call_fail(call, 99, bytes, len);
    if (is(bytes, len, "hold") && held->count < HELD_MAX) {
        weir_call_set_slot(call, held);
        held->calls[held->count++] = weir_call_hold(call);
        return 0;
    }
    if (is(bytes, len, "now"))
        release_all(held);
    return weir_call_reply(call, bytes, len);
}

static void report(void *arg, enum weir_report kind, const char *text)
{
    (void)arg;
    fprintf(stderr, "%s%s\n", kind == WEIR_REPORT_READY ? "calls at " : "", text);
}

static int serve(char **words)
{
    const struct weir_call_options options = {.request = request,
                                              .cancelled = cancelled,
                                              .opened = opened,
                                              .closed = closed,
                                              .requests_max = (unsigned)atoi(words[2]),
                                              .silent_ms = (unsigned)atoi(words[3])};
    const struct weir_service service = {
        .name = "calls", .protocol = &weir_calls, .config = &options, .threads = true};
    const char *listen = words[0];
    const struct weir_server server = {.service = &service,
                                       .listen = &listen,
                                       .listen_count = 1,
                                       .model = words[1],
                                       .workers = 2,
                                       .report = report};
    return weir_server_run(&server);
}

/* --- clients --- */

static int fail(const char *what, int error)
{
    printf("%s: %s\n", what, strerror(-error));
    return 1;
}

static int ask_one(struct weir_caller *caller, const char *text, int expected)
{
    struct weir_answer answer = {0};
    int rc = weir_call(caller, text, strlen(text), 20000, &answer);
    bool same = rc < 0 || (answer.len == strlen(text) && !memcmp(answer.bytes, text, answer.len));
    return rc == expected && same ? 0 : fail(text, rc);
}

static int ask_many(struct weir_caller *caller)
{
    struct weir_answer answer;
    uint64_t ids[MANY], id;
    unsigned ended = 0;
    for (int i = 0; i < MANY; i++) {
        int rc = weir_caller_start(caller, i % 2 ? "hold" : "x", i % 2 ? 4 : 1, 20000, &ids[i]);
        if (rc < 0)
            return fail("start", rc);
    }
    int rc = weir_caller_wait(caller, ids[MANY - 2], 20000, &answer);
    if (rc < 0 || weir_caller_cancel(caller, ids[1]) < 0 || ask_one(caller, "now", 0))
        return fail("wait", rc);
    while ((rc = weir_caller_next(caller, 20000, &id, &answer)) == 0 && answer.error == 0)
        ended++;
    return rc == -ENOENT && ended == MANY - 2 ? 0 : fail("next", rc);
}

static int ask(struct weir_caller *caller)
{
    static char bytes[BIG_BYTES];
    struct weir_answer answer;
    if (ask_one(caller, "", 0) || ask_one(caller, "hello", 0) ||
        ask_one(caller, "error", -EREMOTEIO))
        return 1;
    if (ask_many(caller) || ask_many(caller))
        return 1;
    int rc = weir_call(caller, bytes, sizeof(bytes), 20000, &answer);
    if (rc < 0 || answer.len != sizeof(bytes))
        return fail("a long one", rc);
    rc = weir_call(caller, "hold", 4, 50, &answer);
    return rc == -ETIMEDOUT ? ask_one(caller, "good bye", 0) : fail("in vain", rc);
}

/* Prints how long the slowest took to end after the death. */
static int die(struct weir_caller *caller)
{
    struct timespec before, after;
    struct weir_answer answer;
    uint64_t ids[100];
    if (ask_one(caller, "x", 0))
        return 1;
    for (int i = 0; i < 100; i++)
        if (weir_caller_start(caller, i < 99 ? "hold" : "die", i < 99 ? 4 : 3, -1, &ids[i]) < 0)
            return 1;
    clock_gettime(CLOCK_MONOTONIC, &before);
    for (int i = 0; i < 100; i++) {
        int rc = weir_caller_wait(caller, ids[i], WEIR_FOREVER, &answer);
        if (rc != -ECONNRESET && rc != -EPIPE && rc != -EPROTO)
            return fail("a dead one", rc);
    }
    clock_gettime(CLOCK_MONOTONIC, &after);
    printf("%ld ms\n",
           (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000);
    return 0;
}

int main(int argc, char **argv)
{
    struct weir_caller *caller;
    if (argc == 6 && strcmp(argv[1], "serve") == 0)
        return serve(argv + 2);
    if (argc != 3)
        return 2;
    int rc = weir_caller_open(argv[2], NULL, 20000, &caller);
    if (rc < 0)
        return fail(argv[2], rc);
    rc = strcmp(argv[1], "die") == 0 ? die(caller) : ask(caller);
    weir_caller_close(caller);
    return rc;
}
