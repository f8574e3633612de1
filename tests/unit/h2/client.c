/* A client of HTTP/2 against a peer written by hand: its life, windows and bounds, and that every request ends once. */
#include "client_world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

/* --- heads that are said again --- */

static int again(struct world *w, unsigned i, const struct h2_key *key)
{
    w->asked[i].request.calls = &calls;
    int rc = h2_client_submit_again(sim_conn(w->end), &w->asked[i].request, key, false);
    if (rc < 0)
        w->asked[i].request.calls = NULL; /* nothing was begun */
    assert_int_equal(sim_run(w->sim), 0);
    return rc;
}

static void first(struct world *w, const struct h2_key *key)
{
    const nghttp2_nv nv[] = {line(":method", "GET"), line(":path", "/")}; /* both of the table */
    struct asked *asked = &w->asked[0];
    start(w, SIM_WHOLE, 0);
    SAY(w, SETTINGS);
    asked->request.calls = &calls;
    assert_int_equal(h2_client_submit(sim_conn(w->end), &asked->request, key, nv, 2, false), 0);
    assert_int_equal(sim_run(w->sim), 0);
}

static void test_again(void **state)
{
    (void)state;
    const struct h2_key key = {{5}, {{"/", 1}}}, other = {{6}, {{"/", 1}}};
    struct world w;
    const uint8_t *payload = NULL;
    first(&w, &key);
    assert_int_equal(again(&w, 1, &other), -EAGAIN);
    assert_int_equal(h2_client_count(sim_conn(w.end)), 1);
    assert_int_equal(again(&w, 1, &key), 0);
    assert_int_equal(sent(&w, WIRE_HEADERS, 3, &payload), 1);
    assert_memory_equal(payload, "\x82\x84", 2);
    SAY(&w, HEAD_END("\3"));
    assert_true(w.asked[1].closed == 1 && w.asked[1].why == WEIR_DONE);
    SAY(&w, F("\0\6", "\4", "\0", "\0") "\0\1\0\0\0\0"); /* another table */
    assert_int_equal(again(&w, 2, &key), -EAGAIN);
    stop(&w);
}

/* Where it cannot begin at once, the fields are asked for: they are what waits. */
static void test_again_not_now(void **state)
{
    (void)state;
    const struct h2_key key = {{5}, {{"/", 1}}};
    struct world w;
    first(&w, &key);
    SAY(&w, F("\0\6", "\4", "\0", "\0") "\0\3\0\0\0\1"); /* one stream at a time */
    assert_int_equal(again(&w, 1, &key), -EAGAIN);
    assert_int_equal(sent(&w, WIRE_HEADERS, 3, NULL), 0);
    SAY(&w, HEAD_END("\1"));
    assert_int_equal(again(&w, 1, &key), 0);
    SAY(&w, F("\0\x8", "\7", "\0", "\0") "\0\0\0\3\0\0\0\0");
    assert_int_equal(again(&w, 2, &key), -ESHUTDOWN);
    stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
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
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_again_not_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
