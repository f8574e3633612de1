/* The rules of the seam: how input reaches a machine. */
#include "probe.h"

static char filler[40000];

static ssize_t much_for_a_byte(struct probe *probe, struct weir_conn *conn, const uint8_t *bytes,
                               size_t len)
{
    (void)probe;
    (void)bytes;
    (void)len;
    weir_out_bytes(weir_conn_out(conn), filler, sizeof(filler), NULL);
    return 1;
}

/* probe_input() asserts in every call that there is room. */
static void no_input_while_the_queue_is_full(void **state)
{
    (void)state;
    struct probe probe = {.input = much_for_a_byte};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    sim_window(end, 0);
    send_text(end, "0123456789");
    run(sim);
    assert_int_equal(probe.inputs, 2); /* 40,000 leave room for one more unit, 80,000 do not */
    sim_window(end, UINT64_MAX);
    run(sim);
    assert_int_equal(probe.inputs, 10);
    assert_int_equal(sim_output(end).len, 10 * sizeof(filler));
    sim_free(sim);
}

static void no_reading_while_the_queue_is_full(void **state)
{
    (void)state;
    struct probe probe = {.input = much_for_a_byte};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    sim_window(end, 0);
    send_text(end, "01");
    run(sim);
    send_text(end, "2");
    run(sim);
    assert_int_equal(sim_unread(end), 1); /* it stays with the peer */
    assert_int_equal(weir_conn_turn(sim_conn(end)) & WEIR_IO_READ, 0);
    sim_free(sim);
}

static ssize_t pause_at_all(struct probe *probe, struct weir_conn *conn, const uint8_t *bytes,
                            size_t len)
{
    (void)bytes;
    (void)len;
    if (probe->arg)
        return (ssize_t)len;
    weir_conn_pause(conn);
    probe->paused = true;
    return 0;
}

static void go_on(struct probe *probe)
{
    probe->paused = false;
    probe->arg = probe;
    weir_conn_resume(probe->conn);
}

static void paused_means_no_input_until_resumed(void **state)
{
    (void)state;
    struct probe probe = {.input = pause_at_all};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    send_text(end, "abc");
    run(sim);
    send_text(end, "def");
    wait_ms(sim, 60000);
    assert_int_equal(probe.inputs, 1);
    assert_int_equal(sim_unread(end), 3);
    go_on(&probe);
    run(sim);
    assert_int_equal(probe.consumed, 6);
    sim_free(sim);
}

/* input_max is 8: all of it is there and nothing was consumed, but a paused machine did not ask for more. */
static void paused_is_not_taken_for_an_overlong_unit(void **state)
{
    (void)state;
    struct probe probe = {.input = pause_at_all};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    send_text(end, "a unit that is longer than eight");
    run(sim);
    assert_open(end);
    go_on(&probe);
    run(sim);
    assert_open(end);
    assert_int_equal(probe.consumed, strlen("a unit that is longer than eight"));
    sim_free(sim);
}

static ssize_t wants_more(struct probe *probe, struct weir_conn *conn, const uint8_t *bytes,
                          size_t len)
{
    (void)probe;
    (void)conn;
    (void)bytes;
    (void)len;
    return 0;
}

static void an_overlong_unit_ends_with_emsgsize(void **state)
{
    (void)state;
    struct probe probe = {.input = wants_more};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    send_text(end, "1234567");
    run(sim);
    assert_open(end);
    send_text(end, "8");
    run(sim);
    assert_closed(end, -EMSGSIZE);
    assert_int_equal(probe.why, -EMSGSIZE);
    sim_free(sim);
}

static void zero_is_asked_again_only_when_more_came(void **state)
{
    (void)state;
    struct probe probe = {.input = wants_more};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    send_text(end, "123");
    run(sim);
    weir_conn_wake(sim_conn(end));
    run(sim);
    assert_int_equal(probe.inputs, 1);
    send_text(end, "4");
    run(sim);
    assert_int_equal(probe.inputs, 2);
    assert_int_equal(probe.offered, 4); /* in one piece, with more behind it */
    sim_free(sim);
}

/* Units of three bytes, each checked. */
static ssize_t threes(struct probe *probe, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    if (len < 3)
        return 0;
    char unit[3] = {'a', 'b', (char)('0' + probe->consumed / 3 % 10)};
    assert_memory_equal(bytes, unit, 3);
    weir_out_copy(weir_conn_out(conn), bytes, 3);
    return 3;
}

static void what_is_not_consumed_comes_again_in_one_piece(void **state)
{
    (void)state;
    const char *text = "ab0ab1ab2ab3ab4ab5ab6ab7ab8ab9ab0ab1ab2ab3ab4ab5ab6ab7ab8ab9ab";
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct probe probe = {.input = threes};
        struct sim *sim = rough(seed);
        struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
        send_text(end, text);
        sim_finish(end);
        run(sim);
        assert_int_equal(probe.consumed, 60);
        assert_int_equal(probe.rest, 2);
        assert_int_equal(sim_output(end).len, 60);
        assert_memory_equal(sim_output(end).at, text, 60);
        sim_free(sim);
    }
}

static void the_end_comes_after_all_input(void **state)
{
    (void)state;
    struct probe probe = {.input = much_for_a_byte};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    sim_window(end, 0);
    send_text(end, "0123456789");
    sim_finish(end);
    run(sim);
    assert_int_equal(probe.eofs, 0); /* bytes wait for room */
    sim_window(end, UINT64_MAX);
    run(sim);
    assert_int_equal(probe.inputs, 10);
    assert_int_equal(probe.eofs, 1);
    assert_int_equal(probe.rest, 0);
    assert_closed(end, WEIR_DONE);
    sim_free(sim);
}

static void the_end_tells_of_an_unfinished_unit(void **state)
{
    (void)state;
    struct probe probe = {.input = wants_more};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    send_text(end, "123");
    sim_finish(end);
    run(sim);
    assert_int_equal(probe.rest, 3);
    sim_free(sim);
}

static void a_paused_machine_learns_of_the_end_late(void **state)
{
    (void)state;
    struct probe probe = {.input = pause_at_all};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    send_text(end, "abc");
    run(sim);
    sim_finish(end);
    wait_ms(sim, 1000);
    assert_int_equal(probe.eofs, 0);
    go_on(&probe);
    run(sim);
    assert_int_equal(probe.consumed, 3);
    assert_int_equal(probe.eofs, 1);
    assert_closed(end, WEIR_DONE);
    sim_free(sim);
}

/* The end was read before the pause, and still waits. */
static void an_end_that_was_read_waits_for_a_paused_machine(void **state)
{
    (void)state;
    struct probe probe = {.input = pause_at_all};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    struct weir_conn *conn = sim_conn(end);
    run(sim);
    struct iovec room = weir_conn_room(conn);
    memcpy(room.iov_base, "abc", 3);
    weir_conn_received(conn, 3);
    weir_conn_received(conn, 0);
    weir_conn_turn(conn);
    weir_conn_turn(conn);
    assert_int_equal(probe.eofs, 0);
    go_on(&probe);
    run(sim);
    assert_int_equal(probe.eofs, 1);
    sim_free(sim);
}

static ssize_t take_and_pause(struct probe *probe, struct weir_conn *conn, const uint8_t *bytes,
                              size_t len)
{
    (void)bytes;
    weir_conn_pause(conn);
    probe->paused = true;
    return (ssize_t)len;
}

static void nothing_unread_and_paused_is_no_end_either(void **state)
{
    (void)state;
    struct probe probe = {.input = take_and_pause};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    struct weir_conn *conn = sim_conn(end);
    run(sim);
    memcpy(weir_conn_room(conn).iov_base, "abc", 3);
    weir_conn_received(conn, 3);
    weir_conn_received(conn, 0);
    weir_conn_turn(conn);
    assert_int_equal(probe.consumed, 3);
    assert_int_equal(probe.eofs, 0);
    go_on(&probe);
    run(sim);
    assert_int_equal(probe.eofs, 1);
    sim_free(sim);
}

static int go_on_in_output(struct probe *probe, struct weir_conn *conn)
{
    (void)conn;
    if (probe->paused && probe->outputs > 2)
        go_on(probe);
    return 0;
}

/* Between the two comes no input: the bytes that were held back must still be offered first. */
static void resumed_in_output_the_end_still_waits_for_input(void **state)
{
    (void)state;
    struct probe probe = {.input = pause_at_all, .output = go_on_in_output};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    struct weir_conn *conn = sim_conn(end);
    weir_conn_turn(conn);
    memcpy(weir_conn_room(conn).iov_base, "abc", 3);
    weir_conn_received(conn, 3);
    weir_conn_received(conn, 0);
    weir_conn_turn(conn);
    weir_conn_wake(conn);
    run(sim);
    assert_int_equal(probe.consumed, 3);
    assert_int_equal(probe.rest, 0);
    assert_int_equal(probe.eofs, 1);
    sim_free(sim);
}

static void the_end_without_eof_finishes(void **state)
{
    (void)state;
    struct probe whole = {0}, part = {.input = wants_more};
    struct sim *sim = calm();
    struct sim_end *a = sim_connect(sim, &probe_bare, &whole);
    struct sim_end *b = sim_connect(sim, &probe_bare, &part);
    send_text(a, "abc");
    send_text(b, "abc");
    sim_finish(a);
    sim_finish(b);
    run(sim);
    assert_closed(a, WEIR_DONE);
    assert_closed(b, -EPROTO);
    sim_free(sim);
}

static ssize_t refuse(struct probe *probe, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    (void)probe;
    (void)bytes;
    (void)len;
    weir_out_copy(weir_conn_out(conn), "no", 2);
    return -EBADMSG;
}

static void an_input_error_sends_what_is_queued_and_ends(void **state)
{
    (void)state;
    struct probe probe = {.input = refuse};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    send_text(end, "abc");
    run(sim);
    assert_output(end, "no");
    assert_closed(end, -EBADMSG);
    assert_int_equal(probe.inputs, 1);
    sim_free(sim);
}

static ssize_t too_much(struct probe *probe, struct weir_conn *conn, const uint8_t *bytes,
                        size_t len)
{
    (void)probe;
    (void)conn;
    (void)bytes;
    return (ssize_t)len + 1;
}

static void consuming_more_than_there_is_ends_with_eproto(void **state)
{
    (void)state;
    struct probe probe = {.input = too_much};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    send_text(end, "abc");
    run(sim);
    assert_closed(end, -EPROTO);
    sim_free(sim);
}

static int busy_output(struct probe *probe, struct weir_conn *conn)
{
    (void)probe;
    weir_conn_wake(conn); /* never content */
    return 0;
}

static void a_turn_is_bounded(void **state)
{
    (void)state;
    struct probe probe = {.output = busy_output};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    weir_conn_turn(sim_conn(end));
    assert_in_range(probe.outputs, 2, 1000); /* more than once, not for ever */
    unsigned so_far = probe.outputs;
    weir_conn_turn(sim_conn(end));
    assert_true(probe.outputs > so_far);
    assert_int_equal(sim_run(sim), -ELOOP); /* the simulation notices */
    sim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_input_while_the_queue_is_full),
        cmocka_unit_test(no_reading_while_the_queue_is_full),
        cmocka_unit_test(paused_means_no_input_until_resumed),
        cmocka_unit_test(paused_is_not_taken_for_an_overlong_unit),
        cmocka_unit_test(an_overlong_unit_ends_with_emsgsize),
        cmocka_unit_test(zero_is_asked_again_only_when_more_came),
        cmocka_unit_test(what_is_not_consumed_comes_again_in_one_piece),
        cmocka_unit_test(the_end_comes_after_all_input),
        cmocka_unit_test(the_end_tells_of_an_unfinished_unit),
        cmocka_unit_test(a_paused_machine_learns_of_the_end_late),
        cmocka_unit_test(an_end_that_was_read_waits_for_a_paused_machine),
        cmocka_unit_test(nothing_unread_and_paused_is_no_end_either),
        cmocka_unit_test(resumed_in_output_the_end_still_waits_for_input),
        cmocka_unit_test(the_end_without_eof_finishes),
        cmocka_unit_test(an_input_error_sends_what_is_queued_and_ends),
        cmocka_unit_test(consuming_more_than_there_is_ends_with_eproto),
        cmocka_unit_test(a_turn_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
