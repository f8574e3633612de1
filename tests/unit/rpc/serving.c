/* Calls that are answered, in virtual time: a client opens windows late or never, and says by PING that it is there. */
#include "drive/sim.h"
#include "h2/wire.h"
#include "tbl/limits_rpc.h"

#include <weir/http.h>
#include <weir/routes.h>
#include <weir/rpc_server.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEND_S   4
#define BODY_MAX 16

struct world {
    struct sim *sim;
    struct sim_end *end;
    struct weir_rpc_server *server;
    struct weir_route route;
    struct weir_http http;
    unsigned ended;
    int why;
    char limit[32];
};

/* --- the service --- */

static const char text[1000];

static void whole(struct weir_rpc_context *c, void *arg, struct weir_bytes message)
{
    (void)arg, (void)message;
    assert_int_equal(weir_rpc_write_bytes(c, "hi", 2), 0);
    weir_rpc_done(c);
}

static void some(struct weir_rpc_context *c, void *arg, struct weir_bytes message)
{
    (void)arg, (void)message;
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(weir_rpc_write_bytes(c, text, sizeof(text)), 0);
    weir_rpc_done(c);
}

/* As many as there is room for, and more would come. */
static void full(struct weir_rpc_context *c, void *arg, struct weir_bytes message)
{
    int rc;
    (void)arg, (void)message;
    while ((rc = weir_rpc_write_bytes(c, text, sizeof(text))) == 0)
        ;
    assert_int_equal(rc, -EAGAIN);
}

static const struct weir_rpc_reactor reactors[] = {
    {.bytes = whole}, {.bytes = some}, {.bytes = full}};
static const struct weir_rpc_method methods[] = {
    {.path = "/t.S/Whole", .client_streaming = true},
    {.path = "/t.S/Some", .client_streaming = true, .server_streaming = true},
    {.path = "/t.S/Full", .server_streaming = true},
};
static const struct weir_rpc_service service = {
    .name = "t.S", .methods = methods, .method_count = 3};
static const struct weir_rpc_streaming rows[] = {
    {.method = "Whole", .reactor = &reactors[0]},
    {.method = "Some", .reactor = &reactors[1]},
    {.method = "Full", .reactor = &reactors[2]},
};

/* --- the world --- */

static const struct weir_handler *find(const struct weir_http *http, struct weir_exchange *x,
                                       const void **out_config)
{
    const struct world *w = http->arg;
    (void)x;
    *out_config = &w->route;
    return w->route.handler;
}

static void on_ended(const struct weir_http *http, struct weir_exchange *x, int why)
{
    struct world *w = http->arg;
    const char *limit = weir_exchange_limit(x);
    w->ended++;
    w->why = why;
    strcpy(w->limit, limit ? limit : "");
}

static void start(struct world *w)
{
    const struct sim_options options = {0};
    const struct weir_rpc_served served = {.service = &service, .methods = rows, .method_count = 3};
    const struct weir_rpc_server_options bare = {.no_health = true, .no_reflection = true};
    *w = (struct world){.http = {.route = find,
                                 .ended = on_ended,
                                 .arg = w,
                                 .body_max = BODY_MAX,
                                 .send_ms = SEND_S * 1000}};
    assert_int_equal(weir_rpc_serve(&served, 1, &bare, &w->server), 0);
    assert_int_equal(weir_rpc_routes(w->server, &w->route, 1), 1);
    assert_int_equal(sim_new(&options, &w->sim), 0);
    w->end = sim_connect(w->sim, &weir_http2, &w->http);
    assert_int_equal(sim_send(w->end, WIRE_PREFACE, WIRE_PREFACE_LEN), 0);
}

static void stop(struct world *w)
{
    sim_free(w->sim);
    weir_rpc_server_close(w->server);
}

static void say(struct world *w, enum wire_type type, unsigned flags, uint32_t id,
                const void *payload, size_t len)
{
    uint8_t head[WIRE_HEAD];
    wire_write(head, len, type, flags, id);
    assert_int_equal(sim_send(w->end, head, sizeof(head)), 0);
    assert_int_equal(sim_send(w->end, payload, len), 0);
    assert_int_equal(sim_run(w->sim), 0);
}

static void say_number(struct world *w, enum wire_type type, uint32_t id, uint32_t number)
{
    uint8_t payload[4];
    wire_put32(payload, number);
    say(w, type, 0, id, payload, sizeof(payload));
}

static void shut_windows(struct world *w)
{
    static const uint8_t none[6] = {0, WIRE_INITIAL_WINDOW_SIZE};
    say(w, WIRE_SETTINGS, 0, 0, none, sizeof(none));
}

static size_t put_field(uint8_t *to, const char *name, const char *value)
{
    size_t name_len = strlen(name), len = strlen(value);
    to[0] = 0; /* literal, not indexed (RFC 7541 section 6.2.2) */
    to[1] = (uint8_t)name_len;
    memcpy(to + 2, name, name_len);
    to[2 + name_len] = (uint8_t)len;
    memcpy(to + 3 + name_len, value, len);
    return 3 + name_len + len;
}

/* A call with one message; `ends`: it is all that the client has to say. */
static void call(struct world *w, const char *path, const char *timeout, bool ends)
{
    uint8_t block[512];
    size_t n = put_field(block, ":method", "POST");
    n += put_field(block + n, ":scheme", "http");
    n += put_field(block + n, ":path", path);
    n += put_field(block + n, ":authority", "x");
    n += put_field(block + n, "te", "trailers");
    n += put_field(block + n, "content-type", "application/grpc");
    if (timeout)
        n += put_field(block + n, "grpc-timeout", timeout);
    say(w, WIRE_HEADERS, WIRE_END_HEADERS, 1, block, n);
    say(w, WIRE_DATA, ends ? WIRE_END_STREAM : 0, 1, "\0\0\0\0\1a", 6);
}

/* So many seconds, in each of which the client says that it is there. */
static void pass(struct world *w, unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++) {
        assert_int_equal(sim_wait(w->sim, WEIR_NS_PER_S), 0);
        say(w, WIRE_PING, 0, 0, "12345678", 8);
    }
}

/* How many frames of this kind were sent in the call; what the last one carried in *out. */
static unsigned sent(const struct world *w, enum wire_type type, const uint8_t **out)
{
    struct weir_bytes all = sim_output(w->end);
    const uint8_t *p = (const uint8_t *)all.at;
    unsigned count = 0;
    for (size_t at = 0; at + WIRE_HEAD <= all.len;) {
        struct frame f = wire_read(p + at);
        if (f.type == type && f.id == 1) {
            count++;
            *out = p + at + WIRE_HEAD;
        }
        at += WIRE_HEAD + f.len;
    }
    return count;
}

static void assert_kept(const struct world *w)
{
    const uint8_t *at;
    assert_int_equal(sent(w, WIRE_RST_STREAM, &at), 0);
    assert_int_equal(w->ended, 0);
}

static void assert_given_up(const struct world *w)
{
    const uint8_t *at;
    assert_int_equal(sent(w, WIRE_RST_STREAM, &at), 1);
    assert_int_equal(wire_get32(at), WIRE_CANCEL);
    assert_int_equal(w->ended, 1);
    assert_int_equal(w->why, -ETIMEDOUT);
    assert_string_equal(w->limit, "send-timeout");
    assert_false(sim_closed(w->end, NULL)); /* that call alone */
}

/* --- the tests --- */

static void test_no_window_for_what_is_whole(void **state)
{
    static const char *const paths[] = {"/t.S/Whole", "/t.S/Some"};
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct world w;
        start(&w);
        shut_windows(&w);
        call(&w, paths[i / 2], NULL, i % 2);
        pass(&w, SEND_S - 1);
        assert_kept(&w);
        pass(&w, 2);
        assert_given_up(&w);
        stop(&w);
    }
}

/* The connection's own, which everything takes of. */
static void test_no_window_of_the_connection(void **state)
{
    static const uint8_t much[6] = {0, WIRE_INITIAL_WINDOW_SIZE, 0x7f};
    struct world w;
    (void)state;
    start(&w);
    say(&w, WIRE_SETTINGS, 0, 0, much, sizeof(much));
    call(&w, "/t.S/Some", NULL, true);
    pass(&w, SEND_S - 1);
    assert_kept(&w);
    pass(&w, 2);
    assert_given_up(&w);
    stop(&w);
}

/* There will be more, and a client may take its time. */
static void test_what_goes_on_is_kept(void **state)
{
    struct world w;
    const uint8_t *at;
    (void)state;
    start(&w);
    shut_windows(&w);
    call(&w, "/t.S/Full", NULL, true);
    pass(&w, 20 * SEND_S);
    assert_kept(&w);
    say_number(&w, WIRE_WINDOW_UPDATE, 1, 1000);
    assert_int_equal(sent(&w, WIRE_DATA, &at), 1);
    pass(&w, 20 * SEND_S);
    assert_kept(&w);
    stop(&w);
}

/* What is on its way still is in the way of the status. */
static void test_late_and_no_window(void **state)
{
    struct world w;
    (void)state;
    start(&w);
    shut_windows(&w);
    call(&w, "/t.S/Full", "10S", true);
    pass(&w, 10 + SEND_S - 1);
    assert_kept(&w);
    pass(&w, 2);
    assert_given_up(&w);
    stop(&w);
}

/* Talks have no length: what the client says behind the answer is read past, however much it is. */
static void test_windows_late(void **state)
{
    struct world w;
    const uint8_t *at;
    (void)state;
    start(&w);
    shut_windows(&w);
    call(&w, "/t.S/Some", NULL, false);
    pass(&w, SEND_S - 1);
    say(&w, WIRE_DATA, 0, 1, text, 2 * BODY_MAX);
    assert_kept(&w);
    say_number(&w, WIRE_WINDOW_UPDATE, 0, 1000000);
    say_number(&w, WIRE_WINDOW_UPDATE, 1, 1000000);
    assert_int_equal(sent(&w, WIRE_HEADERS, &at), 2);
    assert_int_equal(w.ended, 1);
    assert_int_equal(w.why, WEIR_DONE);
    assert_string_equal(w.limit, "");
    stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_window_for_what_is_whole),
        cmocka_unit_test(test_no_window_of_the_connection),
        cmocka_unit_test(test_what_goes_on_is_kept),
        cmocka_unit_test(test_late_and_no_window),
        cmocka_unit_test(test_windows_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
