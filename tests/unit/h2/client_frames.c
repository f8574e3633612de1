/* A client of HTTP/2 and frames, row by row: what RFC 9113 says of each, wrong ones and right ones, at every cut. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fatal),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_fine),
        cmocka_unit_test(test_pong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
