/* The rules of the seam: what a connection holds, what bytes cost, and what happens when memory runs out. */
#include "base/bytes.h"
#include "probe.h"

#include <weir/protocols.h>

/* The driver's part by hand, so that nothing but the connection allocates. */
static void receive(struct weir_conn *conn, const char *text)
{
    struct iovec room = weir_conn_room(conn);
    size_t len = strlen(text);
    assert_true(room.iov_len >= len);
    memcpy(room.iov_base, text, len);
    weir_conn_received(conn, (ssize_t)len);
    weir_conn_turn(conn);
}

static void send_all(struct weir_conn *conn)
{
    struct iovec iov[8];
    const struct weir_span *file;
    int count;
    while ((count = weir_conn_gather(conn, iov, 8, &file)) > 0) {
        for (int i = 0; i < count; i++)
            weir_conn_sent(conn, (ssize_t)iov[i].iov_len);
        weir_conn_turn(conn);
    }
}

static void an_idle_connection_holds_no_buffers(void **state)
{
    (void)state;
    struct sim *sim = calm();
    long before = alloc_live();
    struct weir_conn *conn = weir_conn_new(sim_driver(sim), &weir_line, NULL);
    weir_conn_turn(conn);
    assert_int_equal(alloc_live(), before + 1); /* the connection and its state are one */
    receive(conn, "half a li");
    assert_int_equal(alloc_live(), before + 2); /* the unfinished line */
    receive(conn, "ne\n");
    assert_true(alloc_live() > before + 1); /* the answer */
    send_all(conn);
    assert_int_equal(alloc_live(), before + 1);
    assert_true(weir_conn_resting(conn));
    weir_conn_free(conn);
    assert_int_equal(alloc_live(), before);
    sim_free(sim);
}

static void whole_units_are_not_copied(void **state)
{
    (void)state;
    struct sim *sim = calm();
    struct weir_conn *conn = weir_conn_new(sim_driver(sim), &weir_discard, NULL);
    weir_conn_turn(conn);
    unsigned long calls = alloc_calls();
    for (int i = 0; i < 1000; i++)
        receive(conn, "bytes that are taken at once");
    assert_int_equal(alloc_calls(), calls); /* straight from the hot buffer */
    weir_conn_free(conn);
    sim_free(sim);
}

static unsigned long moved; /* bytes that memmove() and realloc() may have copied */
void *__real_memmove(void *to, const void *from, size_t len);
void *__wrap_memmove(void *to, const void *from, size_t len);

void *__wrap_memmove(void *to, const void *from, size_t len)
{
    moved += len;
    return __real_memmove(to, from, len);
}

static int swallow(void *arg, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    (void)conn;
    (void)bytes;
    *(size_t *)arg += len;
    return 0;
}

/* Each read ends in the middle of a message, so something is left over each time. */
static void left_over_input_is_not_moved_again_and_again(void **state)
{
    (void)state;
    size_t got = 0;
    const struct weir_line_options options = {.calls = {.message = swallow, .arg = &got}};
    struct sim *sim;
    struct sim_options cut = {.cut = SIM_RANDOM, .seed = 3};
    assert_int_equal(sim_new(&cut, &sim), 0);
    struct sim_end *end = sim_connect(sim, &weir_line, &options);
    for (int i = 0; i < 50000; i++)
        send_text(end, "0123456789\n");
    moved = 0;
    run(sim);
    assert_int_equal(got, 500000);
    assert_true(moved < 4 * 550000);
    sim_free(sim);
}

static void a_long_unit_byte_by_byte_is_not_moved_again_and_again(void **state)
{
    (void)state;
    size_t got = 0;
    const struct weir_frame_options options = {.calls = {.message = swallow, .arg = &got}};
    static uint8_t frame[4 + LIMIT_FRAME_BYTES] = {0, 16};
    struct sim *sim;
    struct sim_options cut = {.cut = SIM_BYTES};
    assert_int_equal(sim_new(&cut, &sim), 0);
    struct sim_end *end = sim_connect(sim, &weir_frame, &options);
    assert_int_equal(sim_send(end, frame, sizeof(frame)), 0);
    moved = 0;
    unsigned long calls = alloc_calls();
    run(sim);
    assert_int_equal(got, LIMIT_FRAME_BYTES);
    assert_true(moved < 2 * sizeof(frame));
    assert_true(alloc_calls() - calls < 64); /* the buffer doubles */
    sim_free(sim);
}

/* A peer that only announces a large frame gets no large buffer for it. */
static void buffers_grow_only_as_bytes_arrive(void **state)
{
    (void)state;
    struct sim *sim = calm();
    struct weir_conn *conn = weir_conn_new(sim_driver(sim), &weir_frame, NULL);
    weir_conn_turn(conn);
    struct iovec room = weir_conn_room(conn);
    memcpy(room.iov_base, "\0\x10\0\0abc", 7);
    weir_conn_received(conn, 7);
    weir_conn_turn(conn);
    assert_true(weir_conn_room(conn).iov_len < 8192);
    weir_conn_free(conn);
    sim_free(sim);
}

static void talk(const struct weir_protocol *protocol, struct weir_bytes text, struct sim *sim)
{
    struct sim_end *end = sim_connect(sim, protocol, NULL);
    if (!end)
        return;
    for (int i = 0; i < 8; i++) {
        if (sim_send(end, text.at, text.len) < 0 || sim_run(sim) < 0)
            return;
    }
    sim_finish(end);
    if (sim_run(sim) < 0)
        return;
    int why = 1;
    assert_true(sim_closed(end, &why));
    assert_true(why == WEIR_DONE || why == -ENOMEM);
    assert_int_equal(sim_closes(end), 1);
}

/* Lets each allocation of a conversation fail, once alone and once with all after it. */
static void starve(const struct weir_protocol *protocol, struct weir_bytes text)
{
    for (unsigned long at = 0; at < 1000; at++) {
        long live = alloc_live();
        unsigned long calls = alloc_calls();
        struct sim *sim = NULL;
        struct sim_options options = {.cut = SIM_RANDOM, .seed = at, .faults = true};
        alloc_fail(at, at % 2);
        if (sim_new(&options, &sim) == 0)
            talk(protocol, text, sim);
        sim_free(sim);
        alloc_heal();
        assert_int_equal(alloc_live(), live);
        if (alloc_calls() - calls < at) {
            assert_true(at > 10); /* it did allocate */
            return;
        }
    }
    fail_msg("it never stops to allocate");
}

static void an_echo_survives_every_failing_allocation(void **state)
{
    (void)state;
    starve(&weir_echo, BYTES("some text that comes back"));
}

static void lines_survive_every_failing_allocation(void **state)
{
    (void)state;
    starve(&weir_line, BYTES("one line\nand another one\nand a third that is a little longer\n"));
}

static void frames_survive_every_failing_allocation(void **state)
{
    (void)state;
    starve(&weir_frame, BYTES("\0\0\0\5hello\0\0\0\0\0\0\0\1x"));
}

static void a_failed_allocation_ends_with_enomem(void **state)
{
    (void)state;
    struct sim *sim = calm();
    struct weir_conn *conn = weir_conn_new(sim_driver(sim), &weir_line, NULL);
    weir_conn_turn(conn);
    struct iovec room = weir_conn_room(conn);
    memcpy(room.iov_base, "half", 4);
    weir_conn_received(conn, 4);
    alloc_fail(0, true);
    unsigned want = weir_conn_turn(conn);
    alloc_heal();
    assert_int_equal(want, WEIR_IO_CLOSE);
    assert_int_equal(weir_conn_why(conn), -ENOMEM);
    weir_conn_free(conn);
    sim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_connection_holds_no_buffers),
        cmocka_unit_test(whole_units_are_not_copied),
        cmocka_unit_test(left_over_input_is_not_moved_again_and_again),
        cmocka_unit_test(a_long_unit_byte_by_byte_is_not_moved_again_and_again),
        cmocka_unit_test(buffers_grow_only_as_bytes_arrive),
        cmocka_unit_test(an_echo_survives_every_failing_allocation),
        cmocka_unit_test(lines_survive_every_failing_allocation),
        cmocka_unit_test(frames_survive_every_failing_allocation),
        cmocka_unit_test(a_failed_allocation_ends_with_enomem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
