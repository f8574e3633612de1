/* A client of HTTP/2 against frames written by hand: what RFC 9113 says of each, and that every request ends once. */
#include "h2/client.h"

#include "drive/sim.h"
#include "h2/wire.h"
#include "tbl/limits_h2.h"
#include "tbl/limits_rpc.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define REQUESTS 3

struct asked {
    struct h2_request request; /* first */
    unsigned fields, heads, ends, closed;
    size_t content;
    size_t send; /* bytes that are there to be sent, and then the end */
    int why;
    uint32_t code;
    int fail; /* what field() says */
};

struct world {
    struct sim *sim;
    struct sim_end *end;
    struct h2_client_options options;
    struct asked asked[REQUESTS];
    unsigned left;
};

static int on_field(struct h2_request *s, struct weir_bytes name, struct weir_bytes value,
                    bool trailer)
{
    struct asked *a = (struct asked *)s;
    (void)name, (void)value, (void)trailer;
    a->fields++;
    return a->fail;
}

static int on_fields_end(struct h2_request *s, bool trailer)
{
    (void)trailer;
    ((struct asked *)s)->heads++;
    return 0;
}

static int on_data(struct h2_request *s, const uint8_t *bytes, size_t len)
{
    (void)bytes;
    ((struct asked *)s)->content += len;
    return 0;
}

static int on_end(struct h2_request *s)
{
    ((struct asked *)s)->ends++;
    return 0;
}

static size_t on_ready(struct h2_request *s, size_t max, bool *out_last)
{
    const struct asked *a = (struct asked *)s;
    *out_last = a->send <= max;
    return a->send < max ? a->send : max;
}

static void on_give(struct h2_request *s, struct weir_out *out, size_t len)
{
    static const uint8_t zeroes[LIMIT_H2_FRAME];
    ((struct asked *)s)->send -= len;
    weir_out_bytes(out, zeroes, len, NULL);
}

static void on_closed(struct h2_request *s, int why, uint32_t code)
{
    struct asked *a = (struct asked *)s;
    a->closed++;
    a->why = why;
    a->code = code;
}

static const struct h2_request_calls calls = {
    .field = on_field,
    .fields_end = on_fields_end,
    .data = on_data,
    .end = on_end,
    .ready = on_ready,
    .give = on_give,
    .closed = on_closed,
};

static void on_leaving(void *arg)
{
    ((struct world *)arg)->left++;
}

static void on_over(void *arg, int why)
{
    (void)arg, (void)why;
}

static nghttp2_nv line(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
                        strlen(value), NGHTTP2_NV_FLAG_NONE};
}

static int submit(struct world *w, unsigned i, bool body)
{
    const nghttp2_nv nv[] = {line(":method", "POST"), line(":scheme", "http"), line(":path", "/a"),
                             line(":authority", "x")};
    w->asked[i].request.calls = &calls;
    return h2_client_submit(sim_conn(w->end), &w->asked[i].request, NULL, nv, 4, body);
}

static void start(struct world *w, enum sim_cut cut, unsigned requests)
{
    const struct sim_options options = {.cut = cut};
    *w = (struct world){.options = {.leaving = on_leaving, .closed = on_over, .arg = w}};
    assert_int_equal(sim_new(&options, &w->sim), 0);
    w->end = sim_connect(w->sim, &h2_client, &w->options);
    assert_int_equal(sim_run(w->sim), 0);
    for (unsigned i = 0; i < requests; i++)
        assert_int_equal(submit(w, i, false), 0);
    assert_int_equal(sim_run(w->sim), 0);
}

static void say(struct world *w, const void *bytes, size_t len)
{
    assert_int_equal(sim_send(w->end, bytes, len), 0);
    assert_int_equal(sim_run(w->sim), 0);
}
#define SAY(w, literal) say(w, literal, sizeof(literal) - 1)

/* How many frames of this kind were sent on this stream; the payload of the last in *out. */
static unsigned sent(const struct world *w, uint8_t type, uint32_t id, const uint8_t **out)
{
    struct weir_bytes all = sim_output(w->end);
    const uint8_t *p = (const uint8_t *)all.at;
    unsigned count = 0;
    for (size_t at = WIRE_PREFACE_LEN; at + WIRE_HEAD <= all.len;) {
        struct frame f = wire_read(p + at);
        if (f.type == type && f.id == id) {
            count++;
            if (out)
                *out = p + at + WIRE_HEAD;
        }
        at += WIRE_HEAD + f.len;
    }
    return count;
}

static void stop(struct world *w)
{
    sim_free(w->sim);
    for (unsigned i = 0; i < REQUESTS; i++)
        assert_true(w->asked[i].closed == (w->asked[i].request.calls != NULL));
}

/* Of the last GOAWAY; 99: none was sent. */
static uint32_t goaway_of(const struct world *w)
{
    const uint8_t *payload;
    return sent(w, WIRE_GOAWAY, 0, &payload) > 0 ? wire_get32(payload + 4) : 99;
}

static uint32_t reset_of(const struct world *w, uint32_t id)
{
    const uint8_t *payload;
    return sent(w, WIRE_RST_STREAM, id, &payload) == 1 ? wire_get32(payload) : 99;
}

#define F(len, type, flags, id) "\0" len type flags "\0\0\0" id
#define SETTINGS                F("\0\0", "\4", "\0", "\0")
#define ACK                     F("\0\0", "\4", "\1", "\0")
#define HEAD(id)                F("\0\1", "\1", "\4", id) "\x88"
#define HEAD_END(id)            F("\0\1", "\1", "\5", id) "\x88"

/* --- what ends the connection, and with which word --- */

static const struct fatal {
    const char *what;
    const char *bytes;
    size_t len;
    enum wire_error code;
    bool greeted; /* it comes behind the peer's SETTINGS, and a head on stream 1 */
} fatals[] = {
#define ROW(what, bytes, code, greeted)                                                            \
    {                                                                                              \
        what, bytes, sizeof(bytes) - 1, code, greeted                                              \
    }
    ROW("no SETTINGS first", F("\0\x8", "\6", "\0", "\0") "12345678", WIRE_PROTOCOL_ERROR, false),
    ROW("an ACK first", ACK, WIRE_PROTOCOL_ERROR, false),
    ROW("HTTP/1.1", "HTTP/1.1 400 Bad Request\r\n\r\n", WIRE_PROTOCOL_ERROR, false),
    ROW("a frame too long", "\0\x40\1\0\0\0\0\0\1", WIRE_FRAME_SIZE_ERROR, true),
    ROW("SETTINGS on a stream", F("\0\0", "\4", "\0", "\1"), WIRE_PROTOCOL_ERROR, true),
    ROW("SETTINGS of 5 bytes", F("\0\5", "\4", "\0", "\0") "12345", WIRE_FRAME_SIZE_ERROR, true),
    ROW("an ACK with content", F("\0\6", "\4", "\1", "\0") "123456", WIRE_FRAME_SIZE_ERROR, true),
    ROW("one ACK too many", ACK ACK, WIRE_PROTOCOL_ERROR, true),
    ROW("push allowed", F("\0\6", "\4", "\0", "\0") "\0\2\0\0\0\1", WIRE_PROTOCOL_ERROR, true),
    ROW("a window too large", F("\0\6", "\4", "\0", "\0") "\0\4\x80\0\0\0", WIRE_FLOW_CONTROL_ERROR,
        true),
    ROW("frames too small", F("\0\6", "\4", "\0", "\0") "\0\5\0\0\x3f\xff", WIRE_PROTOCOL_ERROR,
        true),
    ROW("frames too large", F("\0\6", "\4", "\0", "\0") "\0\5\1\0\0\0", WIRE_PROTOCOL_ERROR, true),
    ROW("CONNECT of 2", F("\0\6", "\4", "\0", "\0") "\0\x8\0\0\0\2", WIRE_PROTOCOL_ERROR, true),
    ROW("PING of 7 bytes", F("\0\7", "\6", "\0", "\0") "1234567", WIRE_FRAME_SIZE_ERROR, true),
    ROW("PING on a stream", F("\0\x8", "\6", "\0", "\1") "12345678", WIRE_PROTOCOL_ERROR, true),
    ROW("GOAWAY of 7 bytes", F("\0\7", "\7", "\0", "\0") "1234567", WIRE_FRAME_SIZE_ERROR, true),
    ROW("GOAWAY on a stream", F("\0\x8", "\7", "\0", "\1") "\0\0\0\0\0\0\0\0", WIRE_PROTOCOL_ERROR,
        true),
    ROW("GOAWAY of an even stream", F("\0\x8", "\7", "\0", "\0") "\0\0\0\2\0\0\0\0",
        WIRE_PROTOCOL_ERROR, true),
    ROW("GOAWAY that goes back",
        F("\0\x8", "\7", "\0", "\0") "\0\0\0\1\0\0\0\0" F("\0\x8", "\7", "\0",
                                                          "\0") "\0\0\0\3\0\0\0\0",
        WIRE_PROTOCOL_ERROR, true),
    ROW("RST_STREAM of 3 bytes", F("\0\3", "\3", "\0", "\1") "123", WIRE_FRAME_SIZE_ERROR, true),
    ROW("RST_STREAM of nothing", F("\0\4", "\3", "\0", "\0") "\0\0\0\0", WIRE_PROTOCOL_ERROR, true),
    ROW("RST_STREAM of an idle stream", F("\0\4", "\3", "\0", "\x9") "\0\0\0\0",
        WIRE_PROTOCOL_ERROR, true),
    ROW("WINDOW_UPDATE of 3 bytes", F("\0\3", "\x8", "\0", "\0") "123", WIRE_FRAME_SIZE_ERROR,
        true),
    ROW("WINDOW_UPDATE by 0", F("\0\4", "\x8", "\0", "\0") "\0\0\0\0", WIRE_PROTOCOL_ERROR, true),
    ROW("WINDOW_UPDATE too large", F("\0\4", "\x8", "\0", "\0") "\x7f\xff\xff\xff",
        WIRE_FLOW_CONTROL_ERROR, true),
    ROW("WINDOW_UPDATE of an idle stream", F("\0\4", "\x8", "\0", "\x9") "\0\0\0\1",
        WIRE_PROTOCOL_ERROR, true),
    ROW("PRIORITY of nothing", F("\0\5", "\2", "\0", "\0") "12345", WIRE_PROTOCOL_ERROR, true),
    ROW("PRIORITY of 4 bytes", F("\0\4", "\2", "\0", "\1") "1234", WIRE_FRAME_SIZE_ERROR, true),
    ROW("PRIORITY_UPDATE", F("\0\4", "\x10", "\0", "\0") "\0\0\0\1", WIRE_PROTOCOL_ERROR, true),
    ROW("a promise", F("\0\5", "\5", "\4", "\1") "\0\0\0\2\x88", WIRE_PROTOCOL_ERROR, true),
    ROW("a head of an even stream", HEAD("\2"), WIRE_PROTOCOL_ERROR, true),
    ROW("a head of an idle stream", HEAD("\x9"), WIRE_PROTOCOL_ERROR, true),
    ROW("a head of nothing", HEAD("\0"), WIRE_PROTOCOL_ERROR, true),
    ROW("content of an idle stream", F("\0\1", "\0", "\0", "\x9") "x", WIRE_PROTOCOL_ERROR, true),
    ROW("content of nothing", F("\0\1", "\0", "\0", "\0") "x", WIRE_PROTOCOL_ERROR, true),
    ROW("more padding than frame", F("\0\2", "\0", "\x8", "\1") "\2x", WIRE_PROTOCOL_ERROR, true),
    ROW("padding without its length", F("\0\0", "\0", "\x8", "\1") "", WIRE_PROTOCOL_ERROR, true),
    ROW("a padded head", F("\0\2", "\1", "\x0d", "\1") "\2\x88", WIRE_PROTOCOL_ERROR, true),
    ROW("a head too short for its priority", F("\0\4", "\1", "\x25", "\1") "1234",
        WIRE_FRAME_SIZE_ERROR, true),
    ROW("CONTINUATION of nothing", F("\0\1", "\x9", "\4", "\1") "\x88", WIRE_PROTOCOL_ERROR, true),
    ROW("CONTINUATION of another",
        F("\0\1", "\1", "\1", "\1") "\x88" F("\0\1", "\x9", "\4", "\3") "\x88", WIRE_PROTOCOL_ERROR,
        true),
    ROW("something within a head",
        F("\0\1", "\1", "\1", "\1") "\x88" F("\0\x8", "\6", "\0", "\0") "12345678",
        WIRE_PROTOCOL_ERROR, true),
    ROW("a line that is none", F("\0\1", "\1", "\5", "\1") "\xff", WIRE_COMPRESSION_ERROR, true),
    ROW("a table larger than ours", F("\0\3", "\1", "\5", "\1") "\x3f\xe2\x1f",
        WIRE_COMPRESSION_ERROR, true),
    ROW("a broken line for nobody",
        F("\0\4", "\3", "\0", "\3") "\0\0\0\x8" F("\0\1", "\1", "\5", "\3") "\xff",
        WIRE_COMPRESSION_ERROR, true),
    ROW("a head behind the end", F("\0\0", "\0", "\1", "\1") HEAD("\1"), WIRE_STREAM_CLOSED, true),
    ROW("content behind the end", F("\0\0", "\0", "\1", "\1") F("\0\1", "\0", "\0", "\1") "x",
        WIRE_STREAM_CLOSED, true),
};

static void play_fatal(const struct fatal *row, enum sim_cut cut)
{
    struct world w;
    int why = 0;
    start(&w, cut, REQUESTS);
    if (row->greeted)
        SAY(&w, SETTINGS HEAD("\1"));
    say(&w, row->bytes, row->len);
    if (goaway_of(&w) != (uint32_t)row->code || !sim_closed(w.end, &why) || why != -EPROTO)
        fail_msg("%s: GOAWAY %u, %d", row->what, goaway_of(&w), why);
    stop(&w);
}

static void test_fatal(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(fatals) / sizeof(fatals[0]); i++) {
        play_fatal(&fatals[i], SIM_WHOLE);
        play_fatal(&fatals[i], SIM_BYTES);
    }
}

/* --- what ends a stream alone --- */

static const struct broken {
    const char *what;
    const char *bytes; /* on stream 1 */
    size_t len;
    enum wire_error code;
} broken[] = {
#define BROKEN(what, bytes, code)                                                                  \
    {                                                                                              \
        what, bytes, sizeof(bytes) - 1, code                                                       \
    }
    BROKEN("content before a head", F("\0\1", "\0", "\0", "\1") "x", WIRE_PROTOCOL_ERROR),
    BROKEN("no :status", F("\0\5", "\1", "\5", "\1") "\0\1a\1b", WIRE_PROTOCOL_ERROR),
    BROKEN("an empty head", F("\0\0", "\1", "\5", "\1"), WIRE_PROTOCOL_ERROR),
    BROKEN(":status twice", F("\0\2", "\1", "\5", "\1") "\x88\x88", WIRE_PROTOCOL_ERROR),
    BROKEN(":status of a letter",
           F("\0\5", "\1", "\5", "\1") "\x8\3"
                                       "2x0",
           WIRE_PROTOCOL_ERROR),
    BROKEN(":status of 4 digits",
           F("\0\6", "\1", "\5", "\1") "\x8\4"
                                       "2000",
           WIRE_PROTOCOL_ERROR),
    BROKEN(":status of 0",
           F("\0\5", "\1", "\5", "\1") "\x8\3"
                                       "000",
           WIRE_PROTOCOL_ERROR),
    BROKEN("switched to something else",
           F("\0\5", "\1", "\4", "\1") "\x8\3"
                                       "101",
           WIRE_PROTOCOL_ERROR),
    BROKEN("a request's line", F("\0\2", "\1", "\5", "\1") "\x88\x82", WIRE_PROTOCOL_ERROR),
    BROKEN(":status behind a field", F("\0\6", "\1", "\5", "\1") "\0\1a\1b\x88",
           WIRE_PROTOCOL_ERROR),
    BROKEN("a name in capitals", F("\0\6", "\1", "\5", "\1") "\x88\0\1A\1b", WIRE_PROTOCOL_ERROR),
    BROKEN("no name", F("\0\5", "\1", "\5", "\1") "\x88\0\0\1b", WIRE_PROTOCOL_ERROR),
    BROKEN("a line within a value", F("\0\x8", "\1", "\5", "\1") "\x88\0\1a\3b\nc",
           WIRE_PROTOCOL_ERROR),
    BROKEN("a space before a value", F("\0\7", "\1", "\5", "\1") "\x88\0\1a\2 b",
           WIRE_PROTOCOL_ERROR),
    BROKEN("connection",
           F("\0\x14", "\1", "\5", "\1") "\x88\0\x0a"
                                         "connection\6closed",
           WIRE_PROTOCOL_ERROR),
    BROKEN("an interim head that ends",
           F("\0\5", "\1", "\5", "\1") "\x8\3"
                                       "103",
           WIRE_PROTOCOL_ERROR),
    BROKEN("trailers that do not end", HEAD("\1") F("\0\5", "\1", "\4", "\1") "\0\1a\1b",
           WIRE_PROTOCOL_ERROR),
    BROKEN("a pseudo-field in trailers", HEAD("\1") HEAD_END("\1"), WIRE_PROTOCOL_ERROR),
    BROKEN("more than its length",
           F("\0\5", "\1", "\4", "\1") "\x88\x0f\x0d\1"
                                       "1" F("\0\2", "\0", "\0", "\1") "xy",
           WIRE_PROTOCOL_ERROR),
    BROKEN("less than its length",
           F("\0\5", "\1", "\4", "\1") "\x88\x0f\x0d\1"
                                       "3" F("\0\2", "\0", "\1", "\1") "xy",
           WIRE_PROTOCOL_ERROR),
    BROKEN("two lengths",
           F("\0\x9", "\1", "\4", "\1") "\x88\x0f\x0d\1"
                                        "1"
                                        "\x0f\x0d\1"
                                        "1",
           WIRE_PROTOCOL_ERROR),
    BROKEN("a length that is none",
           F("\0\5", "\1", "\4", "\1") "\x88\x0f\x0d\1"
                                       "x",
           WIRE_PROTOCOL_ERROR),
    BROKEN("WINDOW_UPDATE by 0", F("\0\4", "\x8", "\0", "\1") "\0\0\0\0", WIRE_PROTOCOL_ERROR),
    BROKEN("WINDOW_UPDATE too large", F("\0\4", "\x8", "\0", "\1") "\x7f\xff\xff\xff",
           WIRE_FLOW_CONTROL_ERROR),
};

static void play_broken(const struct broken *row, enum sim_cut cut)
{
    struct world w;
    int why;
    start(&w, cut, 2);
    SAY(&w, SETTINGS);
    say(&w, row->bytes, row->len);
    const struct asked *a = w.asked;
    if (a->closed != 1 || a->why != -EBADMSG || reset_of(&w, 1) != (uint32_t)row->code || a->ends)
        fail_msg("%s: %d, RST_STREAM %u", row->what, a->why, reset_of(&w, 1));
    /* What comes late for it is read past, and the other goes on. */
    SAY(&w, HEAD("\1") F("\0\1", "\0", "\1", "\1") "x" HEAD_END("\3"));
    assert_false(sim_closed(w.end, &why));
    assert_true(w.asked[1].closed == 1 && w.asked[1].why == WEIR_DONE && w.asked[1].ends == 1);
    stop(&w);
}

static void test_broken(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        play_broken(&broken[i], SIM_WHOLE);
        play_broken(&broken[i], SIM_BYTES);
    }
}

/* --- what is right --- */

static const struct fine {
    const char *what;
    const char *bytes; /* on stream 1 */
    size_t len;
    unsigned fields;
    size_t content;
} fine[] = {
#define FINE(what, bytes, fields, content)                                                         \
    {                                                                                              \
        what, bytes, sizeof(bytes) - 1, fields, content                                            \
    }
    FINE("a head alone", HEAD_END("\1"), 1, 0),
    FINE("content", HEAD("\1") F("\0\3", "\0", "\1", "\1") "abc", 1, 3),
    FINE("padding", HEAD("\1") F("\0\6", "\0", "\x9", "\1") "\2abc\0\0", 1, 3),
    FINE("nothing but padding", HEAD("\1") F("\0\3", "\0", "\x9", "\1") "\2\0\0", 1, 0),
    FINE("a padded head with a priority", F("\0\x9", "\1", "\x2d", "\1") "\2\0\0\0\3\1\x88\0\0", 1,
         0),
    FINE("interim heads",
         F("\0\5", "\1", "\4", "\1") "\x8\3"
                                     "100" F("\0\x9", "\1", "\4", "\1") "\x8\3"
                                                                        "103"
                                                                        "\0\1a\0" HEAD_END("\1"),
         1, 0),
    FINE("trailers",
         HEAD("\1") F("\0\1", "\0", "\0", "\1") "x" F("\0\5", "\1", "\5", "\1") "\0\1a\1b", 2, 1),
    FINE("a head in pieces",
         F("\0\1", "\1", "\1", "\1") "\x88" F("\0\0", "\x9", "\0", "\1")
             F("\0\3", "\x9", "\0", "\1") "\0\1a" F("\0\2", "\x9", "\4", "\1") "\1b",
         2, 0),
    FINE("its length",
         F("\0\5", "\1", "\4", "\1") "\x88\x0f\x0d\1"
                                     "3" F("\0\3", "\0", "\1", "\1") "abc",
         2, 3),
    FINE("a length of another answer",
         F("\0\5", "\1", "\5", "\1") "\x8b\x0f\x0d\1"
                                     "3",
         2, 0),
    FINE("an unknown frame", F("\0\3", "\x63", "\xff", "\1") "abc" HEAD_END("\1"), 1, 0),
    FINE("an unknown setting", F("\0\6", "\4", "\0", "\0") "\x70\1\0\0\0\1" HEAD_END("\1"), 1, 0),
    FINE("PRIORITY", F("\0\5", "\2", "\0", "\1") "\0\0\0\1\1" HEAD_END("\1"), 1, 0),
    FINE("PING", F("\0\x8", "\6", "\0", "\0") "12345678" HEAD_END("\1"), 1, 0),
    FINE("an answer nobody asked for", F("\0\x8", "\6", "\1", "\0") "12345678" HEAD_END("\1"), 1,
         0),
    FINE("a reset behind the answer", HEAD_END("\1") F("\0\4", "\3", "\0", "\1") "\0\0\0\0", 1, 0),
};

static void play_fine(const struct fine *row, enum sim_cut cut)
{
    struct world w;
    int why;
    start(&w, cut, 1);
    SAY(&w, SETTINGS ACK);
    say(&w, row->bytes, row->len);
    const struct asked *a = w.asked;
    if (a->closed != 1 || a->why != WEIR_DONE || a->fields != row->fields ||
        a->content != row->content || a->ends != 1 || goaway_of(&w) != 99 || reset_of(&w, 1) != 99)
        fail_msg("%s: %d, %u fields, GOAWAY %u", row->what, a->why, a->fields, goaway_of(&w));
    assert_false(sim_closed(w.end, &why));
    assert_int_equal(sent(&w, WIRE_SETTINGS, 0, NULL) >= 2, 1);
    stop(&w);
}

static void test_fine(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
        play_fine(&fine[i], SIM_WHOLE);
        play_fine(&fine[i], SIM_BYTES);
    }
}

static void test_pong(void **state)
{
    (void)state;
    struct world w;
    const uint8_t *payload = NULL;
    start(&w, SIM_WHOLE, 0);
    SAY(&w, SETTINGS F("\0\x8", "\6", "\0", "\0") "12345678");
    assert_int_equal(sent(&w, WIRE_PING, 0, &payload), 1);
    assert_memory_equal(payload, "12345678", 8);
    assert_int_equal(payload[-5], WIRE_ACK);
    stop(&w);
}

/* --- ends by the peer --- */

static void test_reset(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        int why;
    } rows[] = {{"\0\0\0\0", WEIR_DONE},
                {"\0\0\0\x7", -ESHUTDOWN},
                {"\0\0\0\x8", -ECANCELED},
                {"\0\0\1\0", -ECANCELED}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world w;
        start(&w, SIM_WHOLE, 1);
        SAY(&w, SETTINGS F("\0\4", "\3", "\0", "\1"));
        say(&w, rows[i].code, 4);
        assert_true(w.asked[0].closed == 1 && w.asked[0].why == rows[i].why);
        assert_int_equal(w.asked[0].code, wire_get32((const uint8_t *)rows[i].code));
        assert_int_equal(sent(&w, WIRE_RST_STREAM, 1, NULL), 0);
        stop(&w);
    }
}

static void test_leaving(void **state)
{
    (void)state;
    struct world w;
    int why;
    start(&w, SIM_WHOLE, 2);
    SAY(&w, SETTINGS F("\0\x8", "\7", "\0", "\0") "\x7f\xff\xff\xff\0\0\0\0");
    assert_true(w.left == 1 && w.asked[0].closed == 0 && w.asked[1].closed == 0);
    assert_int_equal(submit(&w, 2, false), -ESHUTDOWN);
    w.asked[2].request.calls = NULL;
    SAY(&w, F("\0\xb", "\7", "\0", "\0") "\0\0\0\1\0\0\0\0bye");
    assert_true(w.left == 1 && w.asked[1].why == -ESHUTDOWN);
    assert_false(sim_closed(w.end, &why));
    SAY(&w, HEAD_END("\1"));
    assert_true(w.asked[0].why == WEIR_DONE);
    assert_true(sim_closed(w.end, &why) && why == WEIR_DONE);
    stop(&w);
}

/* --- how many at once --- */

static void test_streams_max(void **state)
{
    (void)state;
    struct world w;
    start(&w, SIM_WHOLE, 0);
    SAY(&w, F("\0\6", "\4", "\0", "\0") "\0\3\0\0\0\1");
    for (unsigned i = 0; i < REQUESTS; i++)
        assert_int_equal(submit(&w, i, false), 0);
    assert_int_equal(sim_run(w.sim), 0);
    assert_true(sent(&w, WIRE_HEADERS, 1, NULL) == 1 && sent(&w, WIRE_HEADERS, 3, NULL) == 0);
    SAY(&w, HEAD_END("\1"));
    assert_true(sent(&w, WIRE_HEADERS, 3, NULL) == 1 && sent(&w, WIRE_HEADERS, 5, NULL) == 0);
    h2_request_drop(&w.asked[2].request, WIRE_CANCEL); /* nobody was told of it */
    w.asked[2].request.calls = NULL;
    SAY(&w, HEAD_END("\3"));
    assert_int_equal(sent(&w, WIRE_HEADERS, 5, NULL), 0);
    assert_true(w.asked[1].why == WEIR_DONE);
    assert_int_equal(h2_client_count(sim_conn(w.end)), 0);
    stop(&w);
}

/* One that waits when the peer leaves was not looked at. */
static void test_waits_and_leaving(void **state)
{
    (void)state;
    struct world w;
    start(&w, SIM_WHOLE, 0);
    SAY(&w, F("\0\6", "\4", "\0", "\0") "\0\3\0\0\0\0");
    assert_int_equal(submit(&w, 0, true), 0);
    SAY(&w, F("\0\x8", "\7", "\0", "\0") "\0\0\0\0\0\0\0\0");
    assert_true(w.asked[0].closed == 1 && w.asked[0].why == -ESHUTDOWN);
    stop(&w);
}

static void test_many_before_settings(void **state)
{
    (void)state;
    static struct asked many[LIMIT_H2_CLIENT_STREAMS + 1];
    struct world w;
    memset(many, 0, sizeof(many));
    start(&w, SIM_WHOLE, 0);
    const nghttp2_nv nv[] = {line(":method", "GET")};
    for (unsigned i = 0; i <= LIMIT_H2_CLIENT_STREAMS; i++) {
        many[i].request.calls = &calls;
        assert_int_equal(h2_client_submit(sim_conn(w.end), &many[i].request, NULL, nv, 1, false),
                         0);
    }
    assert_int_equal(sim_run(w.sim), 0);
    assert_int_equal(many[LIMIT_H2_CLIENT_STREAMS - 1].request.id, 2 * LIMIT_H2_CLIENT_STREAMS - 1);
    assert_int_equal(many[LIMIT_H2_CLIENT_STREAMS].request.id, 0);
    SAY(&w, SETTINGS);
    assert_int_equal(many[LIMIT_H2_CLIENT_STREAMS].request.id, 2 * LIMIT_H2_CLIENT_STREAMS + 1);
    stop(&w);
    for (unsigned i = 0; i <= LIMIT_H2_CLIENT_STREAMS; i++)
        assert_int_equal(many[i].closed, 1);
}

/* --- windows --- */

static size_t content_sent(const struct world *w, uint32_t id)
{
    struct weir_bytes all = sim_output(w->end);
    const uint8_t *p = (const uint8_t *)all.at;
    size_t len = 0;
    for (size_t at = WIRE_PREFACE_LEN; at + WIRE_HEAD <= all.len;) {
        struct frame f = wire_read(p + at);
        assert_true(f.len <= LIMIT_H2_FRAME_HEADS);
        len += f.type == WIRE_DATA && f.id == id ? f.len : 0;
        at += WIRE_HEAD + f.len;
    }
    return len;
}

static void test_send_windows(void **state)
{
    (void)state;
    struct world w;
    start(&w, SIM_WHOLE, 0);
    SAY(&w, SETTINGS);
    w.asked[0].send = w.asked[1].send = 100000;
    assert_true(submit(&w, 0, true) == 0 && submit(&w, 1, true) == 0);
    assert_int_equal(sim_run(w.sim), 0);
    assert_int_equal(content_sent(&w, 1) + content_sent(&w, 3), 65535); /* the connection's */
    assert_true(content_sent(&w, 3) > 16384);                           /* in turn */
    SAY(&w, F("\0\4", "\x8", "\0", "\0") "\0\x10\0\0");
    assert_true(content_sent(&w, 1) == 65535 && content_sent(&w, 3) == 65535);
    SAY(&w, F("\0\4", "\x8", "\0", "\1") "\0\0\x10\0");
    assert_true(content_sent(&w, 1) == 65535 + 4096 && content_sent(&w, 3) == 65535);
    SAY(&w, F("\0\6", "\4", "\0", "\0") "\0\4\0\0\0\0"); /* below nothing */
    SAY(&w, F("\0\4", "\x8", "\0", "\3") "\0\0\xff\xff");
    assert_int_equal(content_sent(&w, 3), 65535);
    SAY(&w, F("\0\6", "\4", "\0", "\0") "\0\4\0\1\0\0");
    assert_int_equal(content_sent(&w, 3), 100000);
    SAY(&w, F("\0\4", "\x8", "\0", "\1") "\0\1\0\0");
    assert_int_equal(content_sent(&w, 1), 100000);
    SAY(&w, HEAD_END("\1") HEAD_END("\3"));
    assert_true(w.asked[0].why == WEIR_DONE && w.asked[1].why == WEIR_DONE);
    stop(&w);
}

/* The end of a stream has no content, and needs no window. */
static void test_end_without_window(void **state)
{
    (void)state;
    struct world w;
    const uint8_t *payload = NULL;
    start(&w, SIM_WHOLE, 0);
    SAY(&w, F("\0\6", "\4", "\0", "\0") "\0\4\0\0\0\0");
    assert_int_equal(submit(&w, 0, true), 0);
    assert_int_equal(sim_run(w.sim), 0);
    assert_int_equal(sent(&w, WIRE_DATA, 1, &payload), 1);
    assert_int_equal(payload[-5], WIRE_END_STREAM);
    stop(&w);
}

/* An answer that is whole before the request is: the stream lives until both are, or it is dropped. */
static void test_early_answer(void **state)
{
    (void)state;
    struct world w;
    start(&w, SIM_WHOLE, 0);
    SAY(&w, SETTINGS);
    w.asked[0].send = 70000;
    assert_int_equal(submit(&w, 0, true), 0);
    SAY(&w, HEAD_END("\1"));
    assert_true(w.asked[0].ends == 1 && w.asked[0].closed == 0);
    SAY(&w, F("\0\4", "\x8", "\0", "\0") "\0\1\0\0" F("\0\4", "\x8", "\0", "\1") "\0\1\0\0");
    assert_true(content_sent(&w, 1) == 70000 && w.asked[0].closed == 1 &&
                w.asked[0].why == WEIR_DONE);
    stop(&w);
}

static void test_behind_the_answer(void **state)
{
    (void)state;
    struct world w;
    start(&w, SIM_WHOLE, 0);
    SAY(&w, SETTINGS);
    w.asked[0].send = 70000;
    assert_int_equal(submit(&w, 0, true), 0);
    SAY(&w, HEAD_END("\1") F("\0\1", "\0", "\0", "\1") "x");
    assert_true(w.asked[0].why == -EBADMSG && reset_of(&w, 1) == WIRE_STREAM_CLOSED);
    stop(&w);
}

/* More content than there was room for: of one stream, and of all. */
static void test_receive_windows(void **state)
{
    (void)state;
    static uint8_t full[WIRE_HEAD + LIMIT_H2_FRAME];
    struct world w;
    int why;
    start(&w, SIM_WHOLE, 1);
    SAY(&w, SETTINGS HEAD("\1"));
    wire_write(full, LIMIT_H2_FRAME, WIRE_DATA, 0, 1);
    for (unsigned i = 0; i < LIMIT_H2_CLIENT_WINDOW / LIMIT_H2_FRAME; i++)
        say(&w, full, sizeof(full));
    assert_true(w.asked[0].closed == 0 && w.asked[0].content == LIMIT_H2_CLIENT_WINDOW);
    say(&w, full, sizeof(full));
    assert_true(w.asked[0].why == -EBADMSG && reset_of(&w, 1) == WIRE_FLOW_CONTROL_ERROR);
    for (unsigned i = 0; i < 200; i++) /* the connection's window follows, as nobody has to read */
        say(&w, full, sizeof(full));
    assert_false(sim_closed(w.end, &why));
    stop(&w);
}

static void test_padding_is_given_back(void **state)
{
    (void)state;
    static uint8_t padded[WIRE_HEAD + 256];
    struct world w;
    start(&w, SIM_WHOLE, 1);
    SAY(&w, SETTINGS HEAD("\1"));
    wire_write(padded, 256, WIRE_DATA, WIRE_PADDED, 1);
    padded[WIRE_HEAD] = 254; /* one byte of content a frame */
    for (unsigned i = 0; i < 3000; i++)
        say(&w, padded, sizeof(padded));
    assert_true(w.asked[0].closed == 0 && w.asked[0].content == 3000);
    stop(&w);
}

/* --- bounds --- */

static void test_fields_max(void **state)
{
    (void)state;
    struct world w;
    uint8_t head[WIRE_HEAD + 1 + 200];
    start(&w, SIM_WHOLE, 2);
    SAY(&w, SETTINGS);
    /* A line of 4000 bytes, and then that line from the table again and again. */
    static uint8_t first[WIRE_HEAD + 1 + 5 + 4000];
    wire_write(first, sizeof(first) - WIRE_HEAD, WIRE_HEADERS, WIRE_END_HEADERS, 1);
    memcpy(first + WIRE_HEAD, "\x88\x40\1a\x7f\xa1\x1e", 7);
    memset(first + WIRE_HEAD + 7, 'v', sizeof(first) - WIRE_HEAD - 7);
    first[WIRE_HEAD + 5] = (uint8_t)(((sizeof(first) - WIRE_HEAD - 7 - 127) & 0x7f) | 0x80);
    first[WIRE_HEAD + 6] = (uint8_t)((sizeof(first) - WIRE_HEAD - 7 - 127) >> 7);
    say(&w, first, sizeof(first));
    assert_int_equal(w.asked[0].fields, 2);
    wire_write(head, 201, WIRE_HEADERS, WIRE_END_HEADERS, 3);
    head[WIRE_HEAD] = 0x88;
    memset(head + WIRE_HEAD + 1, 0xbe, 200);
    say(&w, head, sizeof(head));
    assert_true(w.asked[1].why == -EMSGSIZE && reset_of(&w, 3) == WIRE_CANCEL);
    assert_true(w.asked[1].fields < 20);
    for (unsigned i = 0; i < 6; i++) /* read past for the table's sake, up to a bound */
        say(&w, head, sizeof(head));
    assert_int_equal(goaway_of(&w), 99);
    stop(&w);
}

static void test_head_bomb(void **state)
{
    (void)state;
    struct world w;
    static uint8_t first[WIRE_HEAD + 4000], bomb[WIRE_HEAD + 1000];
    start(&w, SIM_WHOLE, 1);
    SAY(&w, SETTINGS);
    size_t len = sizeof(first) - WIRE_HEAD - 7;
    wire_write(first, sizeof(first) - WIRE_HEAD, WIRE_HEADERS, WIRE_END_HEADERS, 1);
    memcpy(first + WIRE_HEAD, "\x88\x40\1a\x7f", 5);
    first[WIRE_HEAD + 5] = (uint8_t)(((len - 127) & 0x7f) | 0x80);
    first[WIRE_HEAD + 6] = (uint8_t)((len - 127) >> 7);
    memset(first + WIRE_HEAD + 7, 'v', len);
    say(&w, first, sizeof(first));
    wire_write(bomb, 1000, WIRE_HEADERS, WIRE_END_HEADERS | WIRE_END_STREAM, 1);
    memset(bomb + WIRE_HEAD, 0xbe, 1000);
    say(&w, bomb, sizeof(bomb));
    assert_int_equal(goaway_of(&w), WIRE_ENHANCE_YOUR_CALM);
    stop(&w);
}

/* A call that says no ends its stream, and is told why. */
static void test_refused_by_call(void **state)
{
    (void)state;
    struct world w;
    start(&w, SIM_WHOLE, 1);
    w.asked[0].fail = -ENOBUFS;
    SAY(&w, SETTINGS HEAD("\1"));
    assert_true(w.asked[0].why == -ENOBUFS && reset_of(&w, 1) == WIRE_CANCEL);
    stop(&w);
}

static void test_floods(void **state)
{
    (void)state;
    static const struct {
        const char *what, *bytes;
        size_t len;
        unsigned max;
    } rows[] = {
#define FLOOD(what, bytes, max) {what, bytes, sizeof(bytes) - 1, max}
        FLOOD("PING", F("\0\x8", "\6", "\0", "\0") "12345678", LIMIT_H2_PINGS),
        FLOOD("SETTINGS", SETTINGS, LIMIT_H2_SETTINGS),
        FLOOD("empty content", F("\0\0", "\0", "\0", "\1"), LIMIT_H2_EMPTY),
        FLOOD("PRIORITY", F("\0\5", "\2", "\0", "\1") "\0\0\0\1\1", LIMIT_H2_PRIORITY),
        FLOOD("unknown frames", F("\0\0", "\x63", "\0", "\1"), LIMIT_H2_UNKNOWN),
        FLOOD("heads for nobody", HEAD("\3"), LIMIT_H2_REFUSED),
        FLOOD("resets of nothing", F("\0\4", "\3", "\0", "\3") "\0\0\0\0", LIMIT_H2_RESETS),
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world w;
        int why;
        start(&w, SIM_WHOLE, 2);
        SAY(&w, SETTINGS HEAD("\1"));
        h2_request_drop(&w.asked[1].request, WIRE_CANCEL);
        w.asked[1].request.calls = NULL;
        unsigned said = 0;
        while (!sim_closed(w.end, &why) && said < 3 * rows[i].max) {
            say(&w, rows[i].bytes, rows[i].len);
            said++;
        }
        if (said > rows[i].max + 2 || said < rows[i].max || goaway_of(&w) != WIRE_ENHANCE_YOUR_CALM)
            fail_msg("%s: %u of at most %u", rows[i].what, said, rows[i].max);
        stop(&w);
    }
}

/* So many SETTINGS in one frame, so many pieces of a head. */
static void test_many_in_one(void **state)
{
    (void)state;
    struct world w;
    uint8_t settings[WIRE_HEAD + 6 * (LIMIT_H2_CLIENT_SETTINGS + 1)] = {0};
    start(&w, SIM_WHOLE, 1);
    wire_write(settings, sizeof(settings) - WIRE_HEAD, WIRE_SETTINGS, 0, 0);
    say(&w, settings, sizeof(settings));
    assert_int_equal(goaway_of(&w), WIRE_ENHANCE_YOUR_CALM);
    stop(&w);

    start(&w, SIM_WHOLE, 1);
    SAY(&w, SETTINGS F("\0\1", "\1", "\0", "\1") "\x88");
    for (unsigned i = 0; i <= LIMIT_H2_CONTINUATIONS; i++)
        SAY(&w, F("\0\0", "\x9", "\0", "\1"));
    assert_int_equal(goaway_of(&w), WIRE_ENHANCE_YOUR_CALM);
    stop(&w);
}

/* --- the table that the peer allows --- */

static void test_table(void **state)
{
    (void)state;
    struct world w;
    const uint8_t *payload = NULL;
    start(&w, SIM_WHOLE, 1);
    SAY(&w, F("\0\6", "\4", "\0", "\0") "\0\1\0\0\0\0");
    assert_int_equal(submit(&w, 1, false), 0);
    assert_int_equal(sim_run(w.sim), 0);
    assert_int_equal(sent(&w, WIRE_HEADERS, 3, &payload), 1);
    assert_int_equal(payload[0], 0x20); /* RFC 7541 section 6.3: a table of nothing */
    stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fatal),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_fine),
        cmocka_unit_test(test_pong),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_leaving),
        cmocka_unit_test(test_streams_max),
        cmocka_unit_test(test_waits_and_leaving),
        cmocka_unit_test(test_many_before_settings),
        cmocka_unit_test(test_send_windows),
        cmocka_unit_test(test_end_without_window),
        cmocka_unit_test(test_early_answer),
        cmocka_unit_test(test_behind_the_answer),
        cmocka_unit_test(test_receive_windows),
        cmocka_unit_test(test_padding_is_given_back),
        cmocka_unit_test(test_fields_max),
        cmocka_unit_test(test_head_bomb),
        cmocka_unit_test(test_refused_by_call),
        cmocka_unit_test(test_floods),
        cmocka_unit_test(test_many_in_one),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
