/*
 * A client of gRPC for test_rpc_client.py: rpc-client ENDPOINT WHAT. It checks what it gets; the exit status is 0 if all was as
 * it should be, else a line on standard error says what was not.
 */
#include "echo_table.h"

#include <weir/rpc_client.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "rpc-client: line %d: %s\n", __LINE__, #condition);                    \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* How a call must have ended. */
#define ENDS(code, call, status)                                                                   \
    do {                                                                                           \
        int got = call;                                                                            \
        if (got != (int)(code))                                                                    \
            fprintf(stderr, "rpc-client: %s: %s\n", weir_rpc_code_name(got), (status).message);    \
        CHECK(got == (int)(code));                                                                 \
    } while (0)

static const char *endpoint;
/* Under pool a server may want the place of a client: it connects again. */
static struct weir_rpc_options options = {
    .connect_ms = 20000, .timeout_ms = 60000, .reconnect_ms = 1000};

static struct weir_rpc_channel *open_channel(void)
{
    struct weir_rpc_channel *ch = NULL;
    int rc = weir_rpc_open(endpoint, &options, &ch);
    if (rc < 0)
        fprintf(stderr, "rpc-client: %s: %s\n", endpoint, strerror(-rc));
    CHECK(rc == 0);
    return ch;
}

static uint64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static Weir__Test__Answer *answer_of(ProtobufCMessage *message)
{
    CHECK(message && message->descriptor == &weir__test__answer__descriptor);
    return (Weir__Test__Answer *)message;
}

static void drop(void *message)
{
    protobuf_c_message_free_unpacked(message, NULL);
}

/* --- generated stubs --- */

static void on_answer(const Weir__Test__Answer *answer, void *data)
{
    unsigned *seen = data;
    CHECK(answer && strcmp(answer->text, "hello") == 0);
    (*seen)++;
}

static void on_failure(const Weir__Test__Answer *answer, void *data)
{
    unsigned *seen = data;
    CHECK(!answer);
    (*seen)++;
}

static void stub(void)
{
    ProtobufCService *service;
    unsigned seen = 0;
    CHECK(weir_rpc_client(endpoint, &echo_service, &options, &service) == 0);
    Weir__Test__Ask ask = WEIR__TEST__ASK__INIT;
    ask.text = (char *)(uintptr_t) "hello";
    for (unsigned i = 0; i < 100; i++)
        weir__test__echo__unary(service, &ask, on_answer, &seen);
    CHECK(seen == 100 && weir_rpc_last(service)->code == WEIR_RPC_OK);
    ask.code = WEIR_RPC_NOT_FOUND;
    weir__test__echo__unary(service, &ask, on_failure, &seen);
    CHECK(seen == 101 && weir_rpc_last(service)->code == WEIR_RPC_NOT_FOUND);
    CHECK(strcmp(weir_rpc_last(service)->message, "hello: 100 % wrong\n\xc3\xbc") == 0);
    weir__test__echo__down(service, &ask, on_failure, &seen);
    CHECK(weir_rpc_last(service)->code == WEIR_RPC_UNIMPLEMENTED);
    protobuf_c_service_destroy(service);
}

static void stub_async(void)
{
    ProtobufCService *service;
    unsigned seen = 0;
    options.async = true;
    CHECK(weir_rpc_client(endpoint, &echo_service, &options, &service) == 0);
    Weir__Test__Ask ask = WEIR__TEST__ASK__INIT;
    ask.text = (char *)(uintptr_t) "hello";
    for (unsigned i = 0; i < 500; i++)
        weir__test__echo__unary(service, &ask, on_answer, &seen);
    CHECK(seen == 0);
    while (weir_rpc_run(weir_rpc_channel(service), 30000) == 0)
        ;
    CHECK(seen == 500);
    ask.hold = true;
    weir__test__echo__unary(service, &ask, on_failure, &seen);
    CHECK(weir_rpc_run(weir_rpc_channel(service), 50) == -EAGAIN);
    protobuf_c_service_destroy(service); /* the call ends with it */
    CHECK(seen == 501);
}

/* --- messages --- */

static void unary(void)
{
    options.reconnect_ms = 1000;
    struct weir_rpc_channel *ch = open_channel();
    ProtobufCMessage *reply = NULL;
    struct weir_rpc_status status;
    Weir__Test__Ask ask = WEIR__TEST__ASK__INIT;
    static uint8_t big[1 << 20];
    memset(big, 'x', sizeof(big));
    ask.text = (char *)(uintptr_t) "h\xc3\xbc";
    ask.payload = (ProtobufCBinaryData){sizeof(big), big};
    ask.size = 3000000; /* more than any window */
    ENDS(0, weir_rpc_unary(ch, &echo_methods[ECHO_UNARY], &ask.base, NULL, &reply, &status),
         status);
    Weir__Test__Answer *answer = answer_of(reply);
    CHECK(strcmp(answer->text, "h\xc3\xbc") == 0 && answer->number == sizeof(big));
    CHECK(answer->payload.len == 3000000 && answer->payload.data[2999999] == 'y');
    drop(answer);
    ask.size = 5000000; /* more than this client takes */
    ENDS(WEIR_RPC_RESOURCE_EXHAUSTED,
         weir_rpc_unary(ch, &echo_methods[ECHO_UNARY], &ask.base, NULL, &reply, &status), status);
    /* And the channel goes on; or the server, which had a place to give to somebody else, is asked again. */
    ask.size = 0;
    int code = WEIR_RPC_UNAVAILABLE;
    for (unsigned tries = 0; code == WEIR_RPC_UNAVAILABLE && tries < 100; tries++) {
        usleep(tries * 1000);
        code = weir_rpc_unary(ch, &echo_methods[ECHO_UNARY], &ask.base, NULL, &reply, &status);
    }
    ENDS(0, code, status);
    drop(reply);
    weir_rpc_close(ch);
}

static void nowhere(void)
{
    struct weir_rpc_channel *ch = open_channel();
    struct weir_rpc_method other = echo_methods[ECHO_UNARY];
    ProtobufCMessage *reply = NULL;
    struct weir_rpc_status status;
    Weir__Test__Ask ask = WEIR__TEST__ASK__INIT;
    other.path = "/weir.test.Echo/Nowhere";
    CHECK(weir_rpc_unary(ch, &other, &ask.base, NULL, &reply, &status) == WEIR_RPC_UNIMPLEMENTED);
    other.path = "/weir.test.Nobody/Nowhere";
    CHECK(weir_rpc_unary(ch, &other, &ask.base, NULL, &reply, &status) == WEIR_RPC_UNIMPLEMENTED);
    weir_rpc_close(ch);
}

static void down(void)
{
    struct weir_rpc_channel *ch = open_channel();
    struct weir_rpc_call *call;
    const struct weir_rpc_status *status;
    ProtobufCMessage *message;
    Weir__Test__Ask ask = WEIR__TEST__ASK__INIT;
    unsigned count = 0;
    ask.count = 1000;
    ask.size = 5000;
    CHECK(weir_rpc_begin(ch, &echo_methods[ECHO_DOWN], NULL, NULL, NULL, &call) == 0);
    CHECK(weir_rpc_send(call, &ask.base) == 0 && weir_rpc_end(call) == 0);
    usleep(100000); /* the server is held back meanwhile */
    while (weir_rpc_receive(call, 20000, &message) == 1) {
        CHECK(answer_of(message)->number == count++ && answer_of(message)->payload.len == 5000);
        drop(message);
    }
    CHECK(count == 1000 && weir_rpc_finish(call, 0, &status) == WEIR_RPC_OK);
    weir_rpc_free(call);
    /* A failure after some messages, with its details. */
    ask.count = 3;
    ask.size = 0;
    ask.code = WEIR_RPC_DATA_LOSS;
    CHECK(weir_rpc_begin(ch, &echo_methods[ECHO_DOWN], NULL, NULL, NULL, &call) == 0);
    CHECK(weir_rpc_send(call, &ask.base) == 0 && weir_rpc_end(call) == 0);
    for (count = 0; weir_rpc_receive(call, 20000, &message) == 1; count++)
        drop(message);
    CHECK(count == 3 && weir_rpc_finish(call, 0, &status) == WEIR_RPC_DATA_LOSS);
    CHECK(status->details.len == 7 && memcmp(status->details.at, "\0de\xfft\n\0", 7) == 0);
    weir_rpc_free(call);
    weir_rpc_close(ch);
}

static void up(void)
{
    struct weir_rpc_channel *ch = open_channel();
    struct weir_rpc_call *call;
    ProtobufCMessage *message;
    Weir__Test__Ask ask = WEIR__TEST__ASK__INIT;
    static uint8_t part[100000];
    ask.payload = (ProtobufCBinaryData){sizeof(part), part};
    CHECK(weir_rpc_begin(ch, &echo_methods[ECHO_UP], NULL, NULL, NULL, &call) == 0);
    for (unsigned i = 0; i < 100; i++)
        CHECK(weir_rpc_send(call, &ask.base) == 0); /* waits where the server is slow */
    CHECK(weir_rpc_end(call) == 0 && weir_rpc_send(call, &ask.base) == -EINVAL);
    CHECK(weir_rpc_receive(call, 20000, &message) == 1 && answer_of(message)->number == 10000000);
    drop(message);
    CHECK(weir_rpc_finish(call, 20000, NULL) == WEIR_RPC_OK);
    weir_rpc_free(call);
    weir_rpc_close(ch);
}

static void both(void)
{
    struct weir_rpc_channel *ch = open_channel();
    struct weir_rpc_call *calls[10];
    ProtobufCMessage *message;
    char text[32];
    Weir__Test__Ask ask = WEIR__TEST__ASK__INIT;
    ask.text = text;
    for (unsigned c = 0; c < 10; c++)
        CHECK(weir_rpc_begin(ch, &echo_methods[ECHO_BOTH], NULL, NULL, NULL, &calls[c]) == 0);
    for (unsigned i = 0; i < 30; i++) {
        for (unsigned c = 0; c < 10; c++) {
            snprintf(text, sizeof(text), "%u of %u", i, c);
            CHECK(weir_rpc_send(calls[c], &ask.base) == 0);
        }
        for (unsigned c = 10; c-- > 0;) {
            snprintf(text, sizeof(text), "%u of %u", i, c);
            CHECK(weir_rpc_receive(calls[c], 20000, &message) == 1);
            CHECK(strcmp(answer_of(message)->text, text) == 0);
            drop(message);
        }
    }
    CHECK(weir_rpc_receive(calls[0], 50, &message) == -EAGAIN);
    for (unsigned c = 0; c < 10; c++) {
        CHECK(weir_rpc_end(calls[c]) == 0);
        CHECK(weir_rpc_finish(calls[c], 20000, NULL) == WEIR_RPC_OK);
        weir_rpc_free(calls[c]);
    }
    weir_rpc_close(ch);
}

/* --- metadata --- */

static const struct weir_rpc_entry *find(const struct weir_rpc_call *call,
                                         bool (*next)(const struct weir_rpc_call *, unsigned *,
                                                      const struct weir_rpc_entry **),
                                         const char *name)
{
    const struct weir_rpc_entry *entry;
    for (unsigned at = 0; next(call, &at, &entry);)
        if (strcmp(entry->name, name) == 0)
            return entry;
    return NULL;
}

/* The server sends "x-..." back in its head, and as "t-..." in its trailers. */
static void metadata(void)
{
    static const struct weir_rpc_entry always = {"x-always", {"1", 1}};
    const struct weir_rpc_entry own[] = {{"x-text", {"a b", 3}}, {"x-raw-bin", {"\0\xff\n", 3}}};
    const struct weir_rpc_entry wrong = {"X-Text", {"a", 1}}, secret = {"grpc-status", {"0", 1}};
    struct weir_rpc_call_options o = {.metadata = own, .metadata_count = 2};
    options.metadata = &always;
    options.metadata_count = 1;
    struct weir_rpc_channel *ch = open_channel();
    struct weir_rpc_call *call;
    Weir__Test__Ask ask = WEIR__TEST__ASK__INIT;
    ask.count = 1;
    CHECK(weir_rpc_begin(ch, &echo_methods[ECHO_DOWN], &o, NULL, NULL, &call) == 0);
    CHECK(weir_rpc_send(call, &ask.base) == 0 && weir_rpc_end(call) == 0);
    CHECK(weir_rpc_wait_head(call, 20000) == 0);
    const struct weir_rpc_entry *entry = find(call, weir_rpc_head, "x-raw-bin");
    CHECK(entry && entry->value.len == 3 && memcmp(entry->value.at, "\0\xff\n", 3) == 0);
    CHECK(find(call, weir_rpc_head, "x-always") && find(call, weir_rpc_head, "x-text"));
    CHECK(weir_rpc_finish(call, 20000, NULL) == WEIR_RPC_OK);
    entry = find(call, weir_rpc_trailer, "t-raw-bin");
    CHECK(entry && entry->value.len == 3 && memcmp(entry->value.at, "\0\xff\n", 3) == 0);
    weir_rpc_free(call);
    o = (struct weir_rpc_call_options){.metadata = &wrong, .metadata_count = 1};
    CHECK(weir_rpc_begin(ch, &echo_methods[ECHO_DOWN], &o, NULL, NULL, &call) == -EINVAL);
    o.metadata = &secret;
    CHECK(weir_rpc_begin(ch, &echo_methods[ECHO_DOWN], &o, NULL, NULL, &call) == -EINVAL);
    weir_rpc_close(ch);
}

/* --- the end before the end --- */

static void deadline(void)
{
    struct weir_rpc_channel *ch = open_channel();
    struct weir_rpc_call_options o = {.timeout_ms = 300};
    ProtobufCMessage *reply = NULL;
    struct weir_rpc_status status;
    Weir__Test__Ask ask = WEIR__TEST__ASK__INIT;
    uint64_t before = now_ms();
    ask.hold = true;
    CHECK(weir_rpc_unary(ch, &echo_methods[ECHO_UNARY], &ask.base, &o, &reply, &status) ==
          WEIR_RPC_DEADLINE_EXCEEDED);
    CHECK(now_ms() - before >= 295 && now_ms() - before < 20000);
    ask.hold = false;
    o.timeout_ms = 60000;
    CHECK(weir_rpc_unary(ch, &echo_methods[ECHO_UNARY], &ask.base, &o, &reply, &status) == 0);
    drop(reply);
    weir_rpc_close(ch);
}

static void cancel(void)
{
    struct weir_rpc_channel *ch = open_channel();
    struct weir_rpc_call *call;
    ProtobufCMessage *message;
    Weir__Test__Ask ask = WEIR__TEST__ASK__INIT;
    ask.count = 1000000;
    ask.text = (char *)(uintptr_t) "cancel me";
    CHECK(weir_rpc_begin(ch, &echo_methods[ECHO_DOWN], NULL, NULL, NULL, &call) == 0);
    CHECK(weir_rpc_send(call, &ask.base) == 0 && weir_rpc_end(call) == 0);
    for (unsigned i = 0; i < 10; i++) {
        CHECK(weir_rpc_receive(call, 20000, &message) == 1);
        drop(message);
    }
    weir_rpc_cancel(call);
    CHECK(weir_rpc_send(call, &ask.base) == -EPIPE);
    CHECK(weir_rpc_finish(call, 0, NULL) == WEIR_RPC_CANCELLED);
    weir_rpc_free(call);
    /* The server says how many it was told of. */
    for (unsigned tries = 0;; tries++) {
        ask.text = (char *)(uintptr_t) "how many cancelled?";
        ask.count = 0;
        CHECK(weir_rpc_unary(ch, &echo_methods[ECHO_UNARY], &ask.base, NULL, &message, NULL) == 0);
        unsigned number = answer_of(message)->number;
        drop(message);
        if (number > 0)
            break;
        CHECK(tries < 100);
        usleep(50000);
    }
    weir_rpc_close(ch);
}

/* The server dies while calls wait. */
static void die(void)
{
    struct weir_rpc_channel *ch = open_channel();
    struct weir_rpc_call *calls[20];
    ProtobufCMessage *message;
    Weir__Test__Ask ask = WEIR__TEST__ASK__INIT;
    ask.hold = true;
    for (unsigned i = 0; i < 20; i++) {
        CHECK(weir_rpc_begin(ch, &echo_methods[i % 2 ? ECHO_UNARY : ECHO_BOTH], NULL, NULL, NULL,
                             &calls[i]) == 0);
        CHECK(weir_rpc_send(calls[i], &ask.base) == 0);
    }
    CHECK(weir_rpc_receive(calls[0], 200, &message) == -EAGAIN);
    ask.die = true;
    uint64_t before = now_ms();
    struct weir_rpc_status status;
    CHECK(weir_rpc_unary(ch, &echo_methods[ECHO_UNARY], &ask.base, NULL, &message, &status) ==
          WEIR_RPC_UNAVAILABLE);
    for (unsigned i = 0; i < 20; i++) {
        CHECK(weir_rpc_finish(calls[i], 5000, NULL) == WEIR_RPC_UNAVAILABLE);
        weir_rpc_free(calls[i]);
    }
    CHECK(now_ms() - before < 10000);
    CHECK(weir_rpc_unary(ch, &echo_methods[ECHO_UNARY], &ask.base, NULL, &message, &status) ==
          WEIR_RPC_UNAVAILABLE);
    weir_rpc_close(ch);
}

/* The same of a server whose other processes live on. */
static void die_alone(void)
{
    struct weir_rpc_channel *ch = open_channel();
    struct weir_rpc_call *held;
    ProtobufCMessage *message;
    Weir__Test__Ask ask = WEIR__TEST__ASK__INIT;
    ask.hold = true;
    CHECK(weir_rpc_begin(ch, &echo_methods[ECHO_BOTH], NULL, NULL, NULL, &held) == 0);
    CHECK(weir_rpc_send(held, &ask.base) == 0);
    CHECK(weir_rpc_receive(held, 200, &message) == -EAGAIN);
    ask.die = true;
    uint64_t before = now_ms();
    CHECK(weir_rpc_unary(ch, &echo_methods[ECHO_UNARY], &ask.base, NULL, &message, NULL) ==
          WEIR_RPC_UNAVAILABLE);
    CHECK(weir_rpc_finish(held, 5000, NULL) == WEIR_RPC_UNAVAILABLE);
    CHECK(now_ms() - before < 10000);
    weir_rpc_free(held);
    weir_rpc_close(ch);
}

/* The server goes and comes back: what was under way is lost, what follows is not. */
static void again(void)
{
    options.reconnect_ms = 2000;
    struct weir_rpc_channel *ch = open_channel();
    ProtobufCMessage *message;
    struct weir_rpc_status status;
    Weir__Test__Ask ask = WEIR__TEST__ASK__INIT;
    CHECK(weir_rpc_unary(ch, &echo_methods[ECHO_UNARY], &ask.base, NULL, &message, &status) == 0);
    drop(message);
    ask.die = true;
    CHECK(weir_rpc_unary(ch, &echo_methods[ECHO_UNARY], &ask.base, NULL, &message, &status) ==
          WEIR_RPC_UNAVAILABLE);
    ask.die = false;
    bool back = false;
    for (uint64_t until = now_ms() + 60000; !back && now_ms() < until; usleep(20000)) {
        int code =
            weir_rpc_unary(ch, &echo_methods[ECHO_UNARY], &ask.base, NULL, &message, &status);
        CHECK(code == 0 || code == WEIR_RPC_UNAVAILABLE);
        back = code == 0;
    }
    CHECK(back);
    drop(message);
    weir_rpc_close(ch);
}

/* The connection is lost, and the server has no time for another one at once: that is part of the call's time. */
static void late(void)
{
    options.timeout_ms = 2000;
    struct weir_rpc_channel *ch = open_channel();
    ProtobufCMessage *message;
    Weir__Test__Ask ask = WEIR__TEST__ASK__INIT;
    CHECK(weir_rpc_unary(ch, &echo_methods[ECHO_UNARY], &ask.base, NULL, &message, NULL) ==
          WEIR_RPC_UNAVAILABLE);
    uint64_t before = now_ms();
    CHECK(weir_rpc_unary(ch, &echo_methods[ECHO_UNARY], &ask.base, NULL, &message, NULL) ==
          WEIR_RPC_DEADLINE_EXCEEDED);
    CHECK(now_ms() - before >= 1990 && now_ms() - before < 3200);
    weir_rpc_close(ch);
}

/* --- events --- */

struct counts {
    unsigned messages, done, ready;
};

static void on_message(void *arg, struct weir_rpc_call *call, struct weir_bytes bytes)
{
    struct counts *counts = arg;
    CHECK(bytes.len > 0);
    CHECK(weir_rpc_finish(call, 0, NULL) == -EDEADLK);
    counts->messages++;
}

static void on_ready(void *arg, struct weir_rpc_call *call)
{
    (void)call;
    ((struct counts *)arg)->ready++;
}

static void on_done(void *arg, struct weir_rpc_call *call, const struct weir_rpc_status *status)
{
    CHECK(status->code == WEIR_RPC_OK);
    ((struct counts *)arg)->done++;
    weir_rpc_free(call);
}

static void events(void)
{
    static const struct weir_rpc_events told = {on_message, on_ready, on_done};
    struct weir_rpc_channel *ch = open_channel();
    struct counts counts = {0};
    Weir__Test__Ask ask = WEIR__TEST__ASK__INIT;
    struct weir_rpc_call *call;
    ask.count = 10;
    ask.size = 100;
    for (unsigned i = 0; i < 50; i++) {
        CHECK(weir_rpc_begin(ch, &echo_methods[ECHO_DOWN], NULL, &told, &counts, &call) == 0);
        CHECK(weir_rpc_send(call, &ask.base) == 0 && weir_rpc_end(call) == 0);
    }
    while (weir_rpc_run(ch, 20000) == 0)
        ;
    CHECK(counts.done == 50 && counts.messages == 500);
    /* A sender that must wait is told when it need not. */
    static uint8_t part[100000];
    ask = (Weir__Test__Ask)WEIR__TEST__ASK__INIT;
    ask.payload = (ProtobufCBinaryData){sizeof(part), part};
    CHECK(weir_rpc_begin(ch, &echo_methods[ECHO_UP], NULL, &told, &counts, &call) == 0);
    for (unsigned sent = 0; sent < 50;) {
        int rc = weir_rpc_send(call, &ask.base);
        CHECK(rc == 0 || rc == -EAGAIN);
        sent += rc == 0;
        unsigned before = counts.ready;
        while (rc == -EAGAIN && counts.ready == before)
            CHECK(weir_rpc_run(ch, 20000) == 0);
    }
    CHECK(weir_rpc_end(call) == 0);
    while (weir_rpc_run(ch, 20000) == 0)
        ;
    CHECK(counts.done == 51 && counts.ready > 0);
    weir_rpc_close(ch);
}

static void spin(void)
{
    options.spin_us = 50;
    unary();
    both();
}

static void gzip(void)
{
    options.gzip = true;
    unary();
    down();
}

/* --- what a caller can have of a peer that is none --- */

static void status(void)
{
    struct weir_rpc_channel *ch = NULL;
    ProtobufCMessage *message;
    struct weir_rpc_status status = {0};
    Weir__Test__Ask ask = WEIR__TEST__ASK__INIT;
    options.timeout_ms = 3000;
    int rc = weir_rpc_open(endpoint, &options, &ch);
    int code =
        rc < 0 ? (int)WEIR_RPC_UNAVAILABLE
               : weir_rpc_unary(ch, &echo_methods[ECHO_UNARY], &ask.base, NULL, &message, &status);
    if (code == 0)
        drop(message);
    printf("%s: %s\n", weir_rpc_code_name(code), status.message ? status.message : "");
    weir_rpc_close(ch);
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"stub", stub},         {"stub-async", stub_async},
    {"unary", unary},       {"nowhere", nowhere},
    {"down", down},         {"up", up},
    {"both", both},         {"metadata", metadata},
    {"deadline", deadline}, {"cancel", cancel},
    {"die", die},           {"die-alone", die_alone},
    {"late", late},         {"again", again},
    {"events", events},     {"gzip", gzip},
    {"status", status},     {"spin", spin},
};

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    endpoint = argv[1];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (strcmp(cases[i].name, argv[2]) == 0) {
            cases[i].run();
            return 0;
        }
    }
    fprintf(stderr, "rpc-client: no case \"%s\"\n", argv[2]);
    return 2;
}
