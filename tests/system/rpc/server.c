/*
 * The service of echo.proto for test_rpc_server.py, the same as rpc_peer.py's: rpc-server ENDPOINT MODEL async|blocking [FOLDER [CERT KEY]]. Files of
 * FOLDER lie beside it. "die" ends the process at once.
 */
#include "echo_table.h"

#include <weir/driver.h>
#include <weir/rpc_server.h>
#include <weir/server.h>
#include <weir/tls.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define FAILURE  "hello: 100 % wrong\n\xc3\xbc"
#define DETAILS  "\0de\xfft\n\0"
#define PAYLOAD  (8 * 1024 * 1024)
#define ROWS_MAX 16
#define HELD_MAX 64
#define HOLD_S   60

/* What all processes of the server count. */
static _Atomic unsigned *cancelled;
static struct weir_rpc_server *server;
static uint8_t payload[PAYLOAD];

static struct weir_bytes details_of(const Weir__Test__Ask *ask)
{
    (void)ask;
    return (struct weir_bytes){DETAILS, sizeof(DETAILS) - 1};
}

/* Metadata comes back: in the head, and with another first letter behind the content. */
static void echo_metadata(struct weir_rpc_context *c)
{
    const struct weir_rpc_entry *entry;
    for (unsigned at = 0; weir_rpc_metadata(c, &at, &entry);) {
        if (strncmp(entry->name, "x-", 2) != 0)
            continue;
        char name[256];
        snprintf(name, sizeof(name), "t%s", entry->name + 1);
        struct weir_rpc_entry late = {name, entry->value};
        if (weir_rpc_add_head(c, entry) < 0 || weir_rpc_add_trailer(c, &late) < 0)
            abort();
    }
}

static void fail(struct weir_rpc_context *c, const Weir__Test__Ask *ask)
{
    if (ask->code && weir_rpc_fail(c, (int)ask->code, FAILURE, details_of(ask)) < 0)
        abort();
}

static void act(const Weir__Test__Ask *ask)
{
    if (ask->die)
        _exit(7);
    bool ill = strcmp(ask->text, "ill") == 0;
    if ((ill || strcmp(ask->text, "well") == 0) &&
        weir_rpc_set_health(server, "weir.test.Echo", !ill) < 0)
        abort();
}

static Weir__Test__Answer answer_to(const Weir__Test__Ask *ask, uint32_t number)
{
    Weir__Test__Answer answer = WEIR__TEST__ANSWER__INIT;
    answer.text = ask->text;
    answer.number = number;
    answer.payload = (ProtobufCBinaryData){ask->size < PAYLOAD ? ask->size : PAYLOAD, payload};
    return answer;
}

/* --- unary, on the connection's thread --- */

/* Calls of this thread's connections that are held, until somebody asks again and nobody waits for them any more. */
struct held {
    struct weir_rpc_context *context;
    Weir__Test__Answer_Closure closure;
    void *data;
};
static _Thread_local struct held held[HELD_MAX];
static _Thread_local unsigned held_count;
static pthread_key_t at_thread_end; /* then nobody asks again */

static void let_all_go(void *unused)
{
    (void)unused;
    for (; held_count > 0; held_count--)
        held[held_count - 1].closure(NULL, held[held_count - 1].data);
}

static void let_go(void)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < held_count; i++) {
        if (weir_rpc_cancelled(held[i].context))
            held[i].closure(NULL, held[i].data);
        else
            held[kept++] = held[i];
    }
    held_count = kept;
}

static void unary(Weir__Test__Echo_Service *service, const Weir__Test__Ask *ask,
                  Weir__Test__Answer_Closure closure, void *data)
{
    (void)service;
    struct weir_rpc_context *c = weir_rpc_context();
    act(ask);
    let_go();
    if (ask->hold && held_count < HELD_MAX) {
        held[held_count++] = (struct held){c, closure, data};
        pthread_setspecific(at_thread_end, held);
        return;
    }
    echo_metadata(c);
    fail(c, ask);
    bool asks = strcmp(ask->text, "how many cancelled?") == 0;
    Weir__Test__Answer answer = answer_to(ask, asks ? *cancelled : (uint32_t)ask->payload.len);
    closure(ask->code ? NULL : &answer, data);
}

/* --- the same on a helper thread --- */

static void unary_blocking(Weir__Test__Echo_Service *service, const Weir__Test__Ask *ask,
                           Weir__Test__Answer_Closure closure, void *data)
{
    (void)service;
    struct weir_rpc_context *c = weir_rpc_context();
    act(ask);
    for (unsigned i = 0; ask->hold && !weir_rpc_cancelled(c) && i < HOLD_S * 100; i++)
        usleep(10000);
    usleep(ask->delay_ms * 1000);
    echo_metadata(c);
    fail(c, ask);
    bool asks = strcmp(ask->text, "how many cancelled?") == 0;
    Weir__Test__Answer answer = answer_to(ask, asks ? *cancelled : (uint32_t)ask->payload.len);
    closure(ask->code ? NULL : &answer, data);
}

/* --- streams, blocking --- */

static Weir__Test__Ask *ask_of(ProtobufCMessage *message)
{
    return (Weir__Test__Ask *)message;
}

static int down_blocking(struct weir_rpc_context *c, void *arg)
{
    (void)arg;
    ProtobufCMessage *message;
    if (weir_rpc_read(c, &message) != 1)
        return WEIR_RPC_INVALID_ARGUMENT;
    Weir__Test__Ask *ask = ask_of(message);
    act(ask);
    echo_metadata(c);
    int rc = 0;
    for (uint32_t i = 0; i < ask->count && rc == 0; i++) {
        Weir__Test__Answer answer = answer_to(ask, i);
        usleep(ask->delay_ms * 1000);
        rc = weir_rpc_write(c, &answer.base);
    }
    if (rc == -EPIPE)
        ++*cancelled;
    fail(c, ask);
    protobuf_c_message_free_unpacked(message, NULL);
    return rc;
}

static int up_blocking(struct weir_rpc_context *c, void *arg)
{
    (void)arg;
    ProtobufCMessage *message;
    Weir__Test__Answer answer = WEIR__TEST__ANSWER__INIT;
    int rc;
    echo_metadata(c);
    while ((rc = weir_rpc_read(c, &message)) == 1) {
        act(ask_of(message));
        fail(c, ask_of(message));
        answer.number += (uint32_t)ask_of(message)->payload.len;
        protobuf_c_message_free_unpacked(message, NULL);
    }
    return rc < 0 ? rc : weir_rpc_write(c, &answer.base);
}

static int both_blocking(struct weir_rpc_context *c, void *arg)
{
    (void)arg;
    ProtobufCMessage *message;
    int rc;
    echo_metadata(c);
    for (uint32_t number = 0; (rc = weir_rpc_read(c, &message)) == 1; number++) {
        Weir__Test__Answer answer = answer_to(ask_of(message), number);
        act(ask_of(message));
        rc = ask_of(message)->hold ? 0 : weir_rpc_write(c, &answer.base);
        fail(c, ask_of(message));
        protobuf_c_message_free_unpacked(message, NULL);
        if (rc < 0)
            break;
    }
    return rc;
}

/* --- streams, on the connection's thread, which has places of its own for them --- */

struct stream {
    struct weir_rpc_context *context; /* NULL: this place is free */
    Weir__Test__Ask *ask;
    uint32_t next;
    uint64_t total;
    bool whole;
};
static _Thread_local struct stream streams[1024];

static struct stream *find(struct weir_rpc_context *c)
{
    for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++)
        if (streams[i].context == c)
            return &streams[i];
    return NULL;
}

static void begun(struct weir_rpc_context *c, void *arg)
{
    (void)arg;
    struct stream *s = find(NULL);
    if (!s)
        abort();
    *s = (struct stream){.context = c};
    echo_metadata(c);
}

static void over(struct weir_rpc_context *c, void *arg)
{
    struct stream *s = find(c);
    (void)arg;
    if (s->ask && !s->whole)
        ++*cancelled;
    if (s->ask)
        protobuf_c_message_free_unpacked(&s->ask->base, NULL);
    *s = (struct stream){0};
}

static void go_on(struct weir_rpc_context *c, void *arg)
{
    struct stream *s = find(c);
    int rc = 0;
    (void)arg;
    while (s->ask && s->next < s->ask->count && rc == 0) {
        Weir__Test__Answer answer = answer_to(s->ask, s->next);
        rc = weir_rpc_write(c, &answer.base);
        s->next += rc == 0;
    }
    if (rc < 0 || !s->ask)
        return;
    s->whole = true;
    fail(c, s->ask);
    weir_rpc_done(c);
}

/* The message is the library's: a copy outlives it. */
static Weir__Test__Ask *copy(const ProtobufCMessage *message)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = malloc(len + 1);
    protobuf_c_message_pack(message, bytes);
    ProtobufCMessage *made = protobuf_c_message_unpack(message->descriptor, NULL, len, bytes);
    free(bytes);
    return ask_of(made);
}

static void down_message(struct weir_rpc_context *c, void *arg, const ProtobufCMessage *message)
{
    struct stream *s = find(c);
    act((const Weir__Test__Ask *)message);
    s->ask = copy(message);
    go_on(c, arg);
}

static void up_message(struct weir_rpc_context *c, void *arg, const ProtobufCMessage *message)
{
    const Weir__Test__Ask *ask = (const Weir__Test__Ask *)message;
    (void)arg;
    act(ask);
    fail(c, ask);
    find(c)->total += ask->payload.len;
}

static void up_ended(struct weir_rpc_context *c, void *arg)
{
    Weir__Test__Answer answer = WEIR__TEST__ANSWER__INIT;
    (void)arg;
    answer.number = (uint32_t)find(c)->total;
    if (weir_rpc_write(c, &answer.base) < 0)
        abort();
    weir_rpc_done(c);
}

static void both_message(struct weir_rpc_context *c, void *arg, const ProtobufCMessage *message)
{
    const Weir__Test__Ask *ask = (const Weir__Test__Ask *)message;
    Weir__Test__Answer answer = answer_to(ask, find(c)->next++);
    (void)arg;
    act(ask);
    if (!ask->hold && weir_rpc_write(c, &answer.base) < 0)
        abort(); /* a message comes only when there is room for an answer */
    fail(c, ask);
}

static void both_ended(struct weir_rpc_context *c, void *arg)
{
    (void)arg;
    weir_rpc_done(c);
}

static const struct weir_rpc_reactor down_reactor = {
    .begun = begun, .message = down_message, .ready = go_on, .over = over};
static const struct weir_rpc_reactor up_reactor = {
    .begun = begun, .message = up_message, .ended = up_ended, .over = over};
static const struct weir_rpc_reactor both_reactor = {
    .begun = begun, .message = both_message, .ended = both_ended, .over = over};

static const struct weir_rpc_streaming reactors[] = {
    {.method = "Down", .reactor = &down_reactor},
    {.method = "Up", .reactor = &up_reactor},
    {.method = "Both", .reactor = &both_reactor},
};
static const struct weir_rpc_streaming answers[] = {
    {.method = "Down", .answer = down_blocking},
    {.method = "Up", .answer = up_blocking},
    {.method = "Both", .answer = both_blocking},
};

/* --- the server --- */

static void report(void *arg, enum weir_report kind, const char *text)
{
    (void)arg;
    if (kind == WEIR_REPORT_READY)
        fprintf(stderr, "rpc at %s\n", text);
    else if (kind != WEIR_REPORT_INFO)
        fprintf(stderr, "rpc-server: %s\n", text);
}

/* The same over TLS, where clients may agree upon HTTP/2. */
static bool within_tls(struct weir_service *service, const char *cert, const char *key)
{
    static struct weir_tls_way way = {.alpn = "h2", .protocol = &weir_http2};
    const struct weir_tls_cert pair = {cert, key};
    const struct weir_tls_options options = {.certs = &pair,
                                             .cert_count = 1,
                                             .alpn = "http/1.1",
                                             .protocol = service->protocol,
                                             .config = service->config,
                                             .ways = &way,
                                             .way_count = 1};
    struct weir_tls *tls;
    char why[256];
    way.config = service->config;
    if (weir_tls_new(&options, &tls, why, sizeof(why)) < 0) {
        fprintf(stderr, "rpc-server: %s\n", why);
        return false;
    }
    service->protocol = &weir_tls_machine;
    service->config = tls;
    return true;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    bool blocking = strcmp(argv[3], "blocking") == 0;
    if (pthread_key_create(&at_thread_end, let_all_go) != 0)
        return 2;
    Weir__Test__Echo_Service echo = {WEIR__TEST__ECHO__BASE_INIT, blocking ? unary_blocking : unary,
                                     NULL, NULL, NULL}; /* streams have rows of their own */
    struct weir_rpc_served served = {
        .service = &echo_service,
        .implementation = &echo.base,
        .blocking = blocking,
        .methods = blocking ? answers : reactors,
        .method_count = 3,
    };
    const struct weir_rpc_server_options options = {.gzip = true};
    struct weir_route rows[ROWS_MAX];
    const struct weir_service *service;
    memset(payload, 'y', sizeof(payload));
    cancelled = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (cancelled == MAP_FAILED || weir_rpc_serve(&served, 1, &options, &server) < 0)
        return 1;
    size_t count = weir_rpc_routes(server, rows, ROWS_MAX - 1);
    if (argc > 4)
        rows[count++] = (struct weir_route){.pattern = "/", .files = argv[4]};
    const struct weir_routes_options http = {
        .http = {.http2 = &weir_http2, .answer_ms = 2000, .body_ms = 2000, .send_ms = 5000}};
    if (weir_routes_open(rows, count, &http, &service, NULL) < 0)
        return 1;
    struct weir_service over = *service;
    if (argc > 6 && !within_tls(&over, argv[5], argv[6]))
        return 1;
    const char *const listen[] = {argv[1]};
    const struct weir_server run = {.service = &over,
                                    .listen = listen,
                                    .listen_count = 1,
                                    .model = argv[2],
                                    .grace_s = 5,
                                    .report = report};
    int status = weir_server_run(&run);
    if (argc > 6)
        weir_tls_free((struct weir_tls *)over.config);
    weir_routes_close(service);
    weir_rpc_server_close(server);
    return status;
}
