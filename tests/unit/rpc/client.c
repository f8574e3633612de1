/* Calls over one connection of HTTP/2, in virtual time, against frames written by hand. */
#include "rpc/client.h"

#include "drive/sim.h"
#include "h2/hpack.h"
#include "tbl/limits_rpc.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PREFACE 24

struct world {
    struct sim *sim;
    struct sim_end *end;
    struct rpc_client client;
    unsigned done, messages;
};

static struct world *world_of; /* of the test that runs */

static void on_done(struct rpc_call *call)
{
    (void)call;
    world_of->done++;
}

static void on_message(struct rpc_call *call)
{
    for (struct rpc_message *m; (m = rpc_call_take(call));) {
        world_of->messages++;
        weir_drop(&m->ref);
    }
}

static const struct rpc_client_events reads = {.message = on_message, .done = on_done};
static const struct rpc_client_events waits = {.done = on_done};
static const struct weir_rpc_method method = {.path = "/a.B/C"};

static void begin_method(struct world *w, struct rpc_call *call, unsigned timeout_ms,
                         const struct weir_rpc_method *of, const struct rpc_client_events *tell)
{
    struct rpc_message *m;
    *call = (struct rpc_call){.method = of, .tell = tell};
    w->client.now_ns = sim_driver(w->sim)->now.mono_ns;
    assert_int_equal(rpc_call_begin(&w->client, call, timeout_ms, NULL, 0), 0);
    assert_int_equal(rpc_message_copy("hi", 2, false, 100, &m), 0);
    assert_int_equal(rpc_call_send(call, m), 0);
    rpc_call_half_close(call);
    assert_int_equal(sim_run(w->sim), 0);
}

static void begin(struct world *w, struct rpc_call *call, unsigned timeout_ms,
                  const struct rpc_client_events *tell)
{
    begin_method(w, call, timeout_ms, &method, tell);
}

static void start(struct world *w, enum sim_cut cut)
{
    const struct sim_options options = {.cut = cut};
    const struct rpc_client_options rpc = {
        .receive_max = 1 << 20, .send_max = 1 << 20, .ping_ms = 10000, .silent_ms = 5000};
    *w = (struct world){0};
    world_of = w;
    assert_int_equal(sim_new(&options, &w->sim), 0);
    assert_int_equal(rpc_client_init(&w->client, &rpc, "x", NULL, 0), 0);
    w->end = sim_connect(w->sim, &h2_client, &w->client.h2);
    assert_int_equal(sim_run(w->sim), 0);
    rpc_client_attach(&w->client, sim_conn(w->end));
}

static void stop(struct world *w)
{
    sim_free(w->sim);
    rpc_client_done(&w->client);
}

static void say(struct world *w, const void *bytes, size_t len)
{
    assert_int_equal(sim_send(w->end, bytes, len), 0);
    assert_int_equal(sim_run(w->sim), 0);
}
#define SAY(w, literal) say(w, literal, sizeof(literal) - 1)

/* How many frames of this kind were sent on this stream; what the last one carried in *out. */
static unsigned sent(const struct world *w, uint8_t kind, uint32_t stream, const uint8_t **out)
{
    struct weir_bytes all = sim_output(w->end);
    const uint8_t *p = (const uint8_t *)all.at;
    unsigned count = 0;
    for (size_t at = PREFACE; at + 9 <= all.len;) {
        size_t len = (size_t)p[at] << 16 | (size_t)p[at + 1] << 8 | p[at + 2];
        uint32_t id = (uint32_t)p[at + 5] << 24 | (uint32_t)p[at + 6] << 16 |
                      (uint32_t)p[at + 7] << 8 | p[at + 8];
        if (p[at + 3] == kind && id == stream) {
            count++;
            if (out)
                *out = p + at + 9;
        }
        at += 9 + len;
    }
    return count;
}

struct heard {
    char path[16], timeout[16];
};

static void hear_line(void *arg, struct weir_bytes name, struct weir_bytes value, bool valid)
{
    struct heard *heard = arg;
    bool path = name.len == 5 && memcmp(name.at, ":path", 5) == 0;
    bool timeout = name.len == 12 && memcmp(name.at, "grpc-timeout", 12) == 0;
    assert_true(valid);
    if (path || timeout)
        memcpy(path ? heard->path : heard->timeout, value.at, value.len < 15 ? value.len : 15);
}

static void hear_head(const struct world *w, uint32_t stream, struct h2_unpacker *unpacker,
                      struct heard *out)
{
    const uint8_t *payload = NULL;
    assert_int_equal(sent(w, WIRE_HEADERS, stream, &payload), 1);
    struct h2_block block = {.count = 1};
    block.piece[0] = (struct weir_bytes){(const char *)payload, wire_read(payload - 9).len};
    assert_int_equal(h2_unpack(unpacker, &block, hear_line, out), 0);
}

/* The heads of calls that have their timeout and their path in common are the same, and of no others. */
static void test_heads(void **state)
{
    (void)state;
    static const struct weir_rpc_method other = {.path = "/a.B/D"};
    static const unsigned timeouts[] = {5000, 5000, 5000, 7000, 7000, 5000, 0, 0};
    enum { CALLS = sizeof(timeouts) / sizeof(timeouts[0]) };
    struct rpc_call calls[CALLS + 1];
    struct h2_unpacker unpacker = {0};
    struct world w;
    start(&w, SIM_WHOLE);
    for (unsigned i = 0; i <= CALLS; i++) {
        struct heard heard = {0};
        begin_method(&w, &calls[i], i < CALLS ? timeouts[i] : 0, i < CALLS ? &method : &other,
                     &waits);
        hear_head(&w, 2 * i + 1, &unpacker, &heard);
        assert_string_equal(heard.path, i < CALLS ? "/a.B/C" : "/a.B/D");
        assert_string_equal(heard.timeout, i >= CALLS || timeouts[i] == 0 ? ""
                                           : timeouts[i] == 5000          ? "5000000u"
                                                                          : "7000000u");
    }
    for (unsigned i = 0; i <= CALLS; i++)
        rpc_call_done(&calls[i]);
    h2_unpacker_done(&unpacker);
    stop(&w);
}

#define SETTINGS "\0\0\0\4\0\0\0\0\0\0\0\0\4\1\0\0\0\0" /* and ours are agreed to */
/* ":status: 200" is in HPACK's table; content-type is number 31 there. */
#define HEAD_OK                                                                                    \
    "\0\0\x14\1\4\0\0\0\1\x88\x0f\x10\x10"                                                         \
    "application/grpc"
#define MESSAGE "\0\0\7\0\0\0\0\0\1\0\0\0\0\2ok"
#define END_OK                                                                                     \
    "\0\0\x0f\1\5\0\0\0\1\0\x0bgrpc-status\1"                                                      \
    "0"

static void test_answer(void **state)
{
    (void)state;
    for (enum sim_cut cut = SIM_WHOLE; cut <= SIM_BYTES; cut++) {
        struct world w;
        struct rpc_call call;
        start(&w, cut);
        begin(&w, &call, 0, &reads);
        assert_memory_equal(sim_output(w.end).at, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", PREFACE);
        assert_int_equal(sent(&w, NGHTTP2_HEADERS, 1, NULL), 1);
        const uint8_t *data = NULL;
        assert_int_equal(sent(&w, NGHTTP2_DATA, 1, &data), 1); /* with the end of the stream */
        assert_memory_equal(data, "\0\0\0\0\2hi", 7);
        assert_int_equal(data[-5], NGHTTP2_FLAG_END_STREAM);
        SAY(&w, SETTINGS HEAD_OK MESSAGE END_OK);
        assert_true(call.ended && call.status.code == WEIR_RPC_OK);
        assert_true(w.done == 1 && w.messages == 1);
        assert_int_equal(sent(&w, NGHTTP2_RST_STREAM, 1, NULL), 0);
        rpc_call_done(&call);
        stop(&w);
    }
}

static void test_deadline(void **state)
{
    (void)state;
    struct world w;
    struct rpc_call call, other;
    start(&w, SIM_WHOLE);
    SAY(&w, SETTINGS);
    begin(&w, &call, 1000, &reads);
    begin(&w, &other, 3000, &reads);
    assert_int_equal(sim_wait(w.sim, 999 * WEIR_NS_PER_MS), 0);
    assert_false(call.ended);
    assert_int_equal(sim_wait(w.sim, WEIR_NS_PER_MS), 0);
    assert_true(call.ended && call.status.code == WEIR_RPC_DEADLINE_EXCEEDED);
    assert_int_equal(sent(&w, NGHTTP2_RST_STREAM, 1, NULL), 1);
    assert_false(other.ended);
    assert_int_equal(sim_wait(w.sim, 2000 * WEIR_NS_PER_MS), 0);
    assert_true(other.ended && w.done == 2);
    rpc_call_done(&call);
    rpc_call_done(&other);
    stop(&w);
}

/* A peer that says nothing while a call waits is asked, and then given up. */
static void test_sign_of_life(void **state)
{
    (void)state;
    int why;
    struct world w;
    struct rpc_call call;
    start(&w, SIM_WHOLE);
    SAY(&w, SETTINGS);
    assert_int_equal(sim_wait(w.sim, 60 * WEIR_NS_PER_S), 0); /* nobody waits */
    assert_int_equal(sent(&w, NGHTTP2_PING, 0, NULL), 0);
    begin(&w, &call, 0, &reads);
    assert_int_equal(sim_wait(w.sim, 10 * WEIR_NS_PER_S), 0);
    assert_int_equal(sent(&w, NGHTTP2_PING, 0, NULL), 1);
    SAY(&w, "\0\0\x8\6\1\0\0\0\0"
            "\0\0\0\0\0\0\0\0");
    assert_int_equal(sim_wait(w.sim, 14 * WEIR_NS_PER_S), 0);
    assert_false(call.ended);
    assert_int_equal(sent(&w, NGHTTP2_PING, 0, NULL), 2);
    assert_int_equal(sim_wait(w.sim, 2 * WEIR_NS_PER_S), 0);
    assert_true(call.ended && call.status.code == WEIR_RPC_UNAVAILABLE);
    assert_true(sim_closed(w.end, &why));
    rpc_call_done(&call);
    stop(&w);
}

/* Whoever does not read holds the peer back, on this stream alone. */
static void test_window(void **state)
{
    (void)state;
    static uint8_t big[9 + 16384] = {0, 0x40, 0, 0, 0, 0, 0, 0, 1};
    struct world w;
    struct rpc_call call;
    start(&w, SIM_WHOLE);
    begin(&w, &call, 0, &waits);
    SAY(&w, SETTINGS HEAD_OK);
    for (unsigned i = 0; i < 16; i++) { /* all of the stream's window: messages of 16,379 bytes */
        big[9 + 3] = 0x3f;
        big[9 + 4] = 0xfb;
        say(&w, big, sizeof(big));
    }
    unsigned given = sent(&w, NGHTTP2_WINDOW_UPDATE, 1, NULL);
    assert_true(given <= 1);
    assert_true(sent(&w, NGHTTP2_WINDOW_UPDATE, 0, NULL) >= 1);
    assert_false(call.ended);
    for (unsigned i = 0; i < 16; i++) {
        struct rpc_message *m = rpc_call_take(&call);
        assert_true(m && m->len == 16379);
        weir_drop(&m->ref);
    }
    assert_int_equal(sim_run(w.sim), 0);
    assert_true(sent(&w, NGHTTP2_WINDOW_UPDATE, 1, NULL) > given);
    rpc_call_done(&call);
    stop(&w);
}

/* Messages without a byte of content take memory, too: the peer is held back for them as for others. */
static void test_empty_messages(void **state)
{
    (void)state;
    static uint8_t zeros[9 + 16380] = {0, 0x3f, 0xfc, 0, 0, 0, 0, 0, 1}; /* 3,276 of them */
    struct world w;
    struct rpc_call call;
    start(&w, SIM_WHOLE);
    begin(&w, &call, 0, &waits);
    SAY(&w, SETTINGS HEAD_OK);
    for (unsigned i = 0; i < 16; i++)
        say(&w, zeros, sizeof(zeros));
    assert_false(call.ended);
    assert_int_equal(sent(&w, NGHTTP2_WINDOW_UPDATE, 1, NULL), 0);
    rpc_call_done(&call);
    stop(&w);
}

/* The end of the connection is the end of every call, and of those that come after. */
static void test_death(void **state)
{
    (void)state;
    struct world w;
    struct rpc_call calls[3], late = {.method = &method, .tell = &reads};
    start(&w, SIM_WHOLE);
    SAY(&w, SETTINGS);
    for (unsigned i = 0; i < 3; i++)
        begin(&w, &calls[i], 0, &reads);
    sim_reset(w.end);
    assert_int_equal(sim_run(w.sim), 0);
    assert_int_equal(w.done, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(calls[i].status.code, WEIR_RPC_UNAVAILABLE);
        rpc_call_done(&calls[i]);
    }
    assert_null(w.client.conn);
    assert_int_equal(rpc_call_begin(&w.client, &late, 1000, NULL, 0), 0);
    assert_false(late.ended);
    assert_true(rpc_client_settle(&w.client));
    assert_true(late.ended && late.status.code == WEIR_RPC_UNAVAILABLE);
    rpc_call_done(&late);
    stop(&w);
}

static void test_goaway(void **state)
{
    (void)state;
    struct world w;
    int why;
    struct rpc_call calls[2], late = {.method = &method, .tell = &reads};
    start(&w, SIM_WHOLE);
    SAY(&w, SETTINGS);
    begin(&w, &calls[0], 0, &reads);
    begin(&w, &calls[1], 0, &reads);
    SAY(&w, "\0\0\x8\7\0\0\0\0\0"
            "\0\0\0\1\0\0\0\0"); /* the first was looked at, the second was not */
    assert_false(calls[0].ended);
    assert_true(calls[1].ended && calls[1].status.code == WEIR_RPC_UNAVAILABLE);
    assert_int_equal(rpc_call_begin(&w.client, &late, 0, NULL, 0), 0);
    assert_true(rpc_client_settle(&w.client) && late.ended);
    SAY(&w, HEAD_OK MESSAGE END_OK);
    assert_true(calls[0].ended && calls[0].status.code == WEIR_RPC_OK);
    assert_true(sim_closed(w.end, &why)); /* nothing is left to do */
    for (unsigned i = 0; i < 2; i++)
        rpc_call_done(&calls[i]);
    rpc_call_done(&late);
    stop(&w);
}

static struct rpc_call again[8];
static unsigned agains;
static void ask_again(struct rpc_call *call);
static const struct rpc_client_events asks_again = {.done = ask_again};

static void ask_again(struct rpc_call *call)
{
    if (agains == 8)
        return;
    struct rpc_call *next = &again[agains++];
    *next = (struct rpc_call){.method = &method, .tell = &asks_again};
    assert_int_equal(rpc_call_begin(call->client, next, 0, NULL, 0), 0);
}

/* Who asks again whenever a call has failed does so once a round, and gets out of it. */
static void test_again(void **state)
{
    (void)state;
    struct world w;
    struct rpc_call first = {.method = &method, .tell = &asks_again};
    agains = 0;
    start(&w, SIM_WHOLE);
    SAY(&w, SETTINGS);
    sim_reset(w.end);
    assert_int_equal(sim_run(w.sim), 0);
    assert_int_equal(rpc_call_begin(&w.client, &first, 0, NULL, 0), 0);
    for (unsigned i = 1; i <= 3; i++) {
        assert_true(rpc_client_settle(&w.client));
        assert_int_equal(agains, i);
    }
    agains = 8;
    assert_true(rpc_client_settle(&w.client));
    assert_false(rpc_client_settle(&w.client));
    rpc_call_done(&first);
    for (unsigned i = 0; i < 3; i++)
        rpc_call_done(&again[i]);
    stop(&w);
}

/* A status that comes with the head, as if nothing could happen any more. */
#define HEAD_EARLY_OK                                                                              \
    "\0\0\x23\1\4\0\0\0\1\x88\x0f\x10\x10"                                                         \
    "application/grpc\0\x0bgrpc-status\1"                                                          \
    "0"

static void test_early_ok(void **state)
{
    (void)state;
    struct world w;
    struct rpc_call call;
    start(&w, SIM_WHOLE);
    begin(&w, &call, 0, &reads);
    SAY(&w, SETTINGS HEAD_EARLY_OK);
    assert_false(call.ended);
    sim_reset(w.end);
    assert_int_equal(sim_run(w.sim), 0);
    assert_true(call.ended);
    assert_int_equal(call.status.code, WEIR_RPC_UNAVAILABLE);
    rpc_call_done(&call);
    stop(&w);
}

/* A call that is given up before the peer was told of it leaves nothing behind. */
static void test_given_up(void **state)
{
    (void)state;
    struct world w;
    struct rpc_call call = {.method = &method, .tell = &reads};
    start(&w, SIM_WHOLE);
    assert_int_equal(rpc_call_begin(&w.client, &call, 0, NULL, 0), 0);
    rpc_call_done(&call);
    assert_int_equal(w.done, 1);
    SAY(&w, SETTINGS);
    assert_int_equal(h2_client_count(sim_conn(w.end)), 0);
    stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads),    cmocka_unit_test(test_answer),
        cmocka_unit_test(test_deadline), cmocka_unit_test(test_sign_of_life),
        cmocka_unit_test(test_window),   cmocka_unit_test(test_death),
        cmocka_unit_test(test_goaway),   cmocka_unit_test(test_given_up),
        cmocka_unit_test(test_early_ok), cmocka_unit_test(test_empty_messages),
        cmocka_unit_test(test_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
