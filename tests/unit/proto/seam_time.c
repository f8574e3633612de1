/* The rules of the seam: deadlines, wakes, leaving, half-close and lingering. */
#include "probe.h"

static void arm_ms(struct weir_conn *conn, uint64_t ms)
{
    weir_conn_arm(conn, weir_conn_now(conn).mono_ns + ms * WEIR_NS_PER_MS);
}

static int arm_second(struct probe *probe, struct weir_conn *conn)
{
    (void)probe;
    arm_ms(conn, 1000);
    return 0;
}

static ssize_t arm_again(struct probe *probe, struct weir_conn *conn, const uint8_t *bytes,
                         size_t len)
{
    (void)probe;
    if (bytes[0] == '0')
        weir_conn_arm(conn, 0);
    else
        arm_ms(conn, 1000);
    return (ssize_t)len;
}

static void a_deadline_passes_once(void **state)
{
    (void)state;
    struct probe probe = {.open = arm_second};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    wait_ms(sim, 999);
    assert_int_equal(probe.expires, 0);
    wait_ms(sim, 1);
    assert_int_equal(probe.expires, 1);
    wait_ms(sim, 5000);
    assert_int_equal(probe.expires, 1);
    assert_open(end);
    sim_free(sim);
}

static void a_deadline_can_be_moved_and_disarmed(void **state)
{
    (void)state;
    struct probe probe = {.open = arm_second, .input = arm_again};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    wait_ms(sim, 600);
    send_text(end, "1");
    wait_ms(sim, 999);
    assert_int_equal(probe.expires, 0);
    send_text(end, "0");
    wait_ms(sim, 5000);
    assert_int_equal(probe.expires, 0);
    assert_int_equal(weir_conn_deadline(sim_conn(end)), 0);
    arm_ms(sim_conn(end), 10); /* from outside a turn */
    wait_ms(sim, 10);
    assert_int_equal(probe.expires, 1);
    sim_free(sim);
}

static void a_deadline_without_expire_ends_with_etimedout(void **state)
{
    (void)state;
    struct probe probe = {.open = arm_second};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_bare, &probe);
    wait_ms(sim, 1000);
    assert_closed(end, -ETIMEDOUT);
    assert_int_equal(probe.why, -ETIMEDOUT);
    sim_free(sim);
}

static void leave_without_leave_finishes(void **state)
{
    (void)state;
    struct probe probe = {0};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_bare, &probe);
    run(sim);
    sim_leave(sim, WEIR_LEAVE_BUSY);
    run(sim);
    assert_closed(end, WEIR_DONE);
    sim_free(sim);
}

static void note_leave(struct probe *probe, struct weir_conn *conn, enum weir_leave why)
{
    (void)conn;
    unsigned *seen = probe->arg;
    seen[why]++;
}

static void leave_comes_once_for_each_wish(void **state)
{
    (void)state;
    unsigned seen[2] = {0, 0};
    struct probe probe = {.leave = note_leave, .arg = seen};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    run(sim);
    assert_false(weir_conn_leaving(sim_conn(end)));
    for (int i = 0; i < 3; i++) {
        sim_leave(sim, WEIR_LEAVE_BUSY);
        run(sim);
    }
    assert_int_equal(seen[WEIR_LEAVE_BUSY], 1);
    sim_leave(sim, WEIR_LEAVE_STOP);
    sim_leave(sim, WEIR_LEAVE_STOP);
    run(sim);
    assert_int_equal(seen[WEIR_LEAVE_BUSY], 1);
    assert_int_equal(seen[WEIR_LEAVE_STOP], 1);
    sim_free(sim);
}

static int say_once(struct probe *probe, struct weir_conn *conn)
{
    if (probe->arg) {
        weir_out_copy(weir_conn_out(conn), probe->arg, strlen(probe->arg));
        probe->arg = NULL;
    }
    return 0;
}

static void a_wake_from_elsewhere_gives_output_its_turn(void **state)
{
    (void)state;
    struct probe probe = {.output = say_once};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    run(sim);
    probe.arg = (void *)(uintptr_t) "news";
    run(sim);
    assert_output(end, ""); /* nobody told it */
    weir_conn_wake(probe.conn);
    run(sim);
    assert_output(end, "news");
    sim_free(sim);
}

static int wake_twice(struct probe *probe, struct weir_conn *conn)
{
    if (probe->outputs < 3)
        weir_conn_wake(conn);
    return 0;
}

static void a_wake_in_its_own_turn_is_not_lost(void **state)
{
    (void)state;
    struct probe probe = {.output = wake_twice};
    struct sim *sim = calm();
    sim_connect(sim, &probe_protocol, &probe);
    run(sim);
    assert_int_equal(probe.outputs, 3);
    sim_free(sim);
}

static ssize_t finish_and_go_on(struct probe *probe, struct weir_conn *conn, const uint8_t *bytes,
                                size_t len)
{
    (void)probe;
    (void)bytes;
    (void)len;
    weir_out_copy(weir_conn_out(conn), "last words", 10);
    weir_conn_finish(conn, WEIR_DONE);
    return 1;
}

static void finish_stops_input_and_sends_what_is_queued(void **state)
{
    (void)state;
    struct probe probe = {.input = finish_and_go_on};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    sim_window(end, 4);
    send_text(end, "abc");
    run(sim);
    assert_open(end);
    sim_window(end, UINT64_MAX);
    run(sim);
    assert_output(end, "last words");
    assert_closed(end, WEIR_DONE);
    assert_int_equal(probe.inputs, 1);
    sim_free(sim);
}

static void a_finished_connection_does_not_wait_for_ever(void **state)
{
    (void)state;
    struct probe probe = {.input = finish_and_go_on};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    sim_window(end, 0);
    send_text(end, "abc");
    wait_ms(sim, LIMIT_FLUSH_MS - 1);
    assert_open(end);
    wait_ms(sim, 1);
    assert_closed(end, WEIR_DONE);
    assert_int_equal(probe.expires, 0); /* the machine is done with */
    sim_free(sim);
}

static ssize_t linger(struct probe *probe, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    (void)probe;
    (void)bytes;
    (void)len;
    weir_out_copy(weir_conn_out(conn), "too much", 8);
    weir_conn_linger(conn, -EMSGSIZE, 100, 1000);
    return 1;
}

static struct sim_end *lingering(struct sim *sim, struct probe *probe)
{
    *probe = (struct probe){.input = linger};
    struct sim_end *end = sim_connect(sim, &probe_protocol, probe);
    send_text(end, "a");
    run(sim);
    assert_output(end, "too much");
    assert_true(sim_ended(end));
    assert_open(end);
    return end;
}

static void lingering_ends_when_the_peer_does(void **state)
{
    (void)state;
    struct probe probe;
    struct sim *sim = calm();
    struct sim_end *end = lingering(sim, &probe);
    send_text(end, "bytes that nobody wants");
    run(sim);
    assert_open(end);
    assert_int_equal(sim_unread(end), 0);
    sim_finish(end);
    run(sim);
    assert_closed(end, -EMSGSIZE);
    assert_int_equal(probe.inputs, 1);
    assert_int_equal(probe.eofs, 0);
    sim_free(sim);
}

static void lingering_ends_in_time(void **state)
{
    (void)state;
    struct probe probe;
    struct sim *sim = calm();
    struct sim_end *end = lingering(sim, &probe);
    wait_ms(sim, 999);
    assert_open(end);
    wait_ms(sim, 1);
    assert_closed(end, -EMSGSIZE);
    sim_free(sim);
}

static void lingering_throws_away_only_so_much(void **state)
{
    (void)state;
    struct probe probe;
    struct sim *sim = calm();
    struct sim_end *end = lingering(sim, &probe);
    for (int i = 0; i < 10; i++)
        send_text(end, "0123456789");
    run(sim);
    assert_closed(end, -EMSGSIZE);
    sim_free(sim);
}

static ssize_t end_early(struct probe *probe, struct weir_conn *conn, const uint8_t *bytes,
                         size_t len)
{
    (void)bytes;
    if (probe->inputs == 1) {
        weir_out_copy(weir_conn_out(conn), "all", 3);
        weir_conn_end(conn);
    }
    return (ssize_t)len;
}

static int stay(struct probe *probe, struct weir_conn *conn, size_t rest)
{
    (void)probe;
    (void)conn;
    (void)rest;
    return 0;
}

static void input_goes_on_after_our_half_close(void **state)
{
    (void)state;
    struct probe probe = {.input = end_early, .eof = stay};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    sim_window(end, 1);
    send_text(end, "a");
    run(sim);
    assert_false(sim_ended(end)); /* not before the last byte */
    sim_window(end, UINT64_MAX);
    run(sim);
    assert_output(end, "all");
    assert_true(sim_ended(end));
    send_text(end, "bc");
    run(sim);
    assert_int_equal(probe.consumed, 3);
    assert_open(end);
    sim_finish(end);
    run(sim);
    assert_closed(end, WEIR_DONE); /* both directions are over */
    sim_free(sim);
}

static int answer_later(struct probe *probe, struct weir_conn *conn, size_t rest)
{
    (void)probe;
    (void)rest;
    arm_ms(conn, 100);
    return 0;
}

static void answer_now(struct probe *probe, struct weir_conn *conn)
{
    (void)probe;
    weir_out_copy(weir_conn_out(conn), "answer", 6);
    weir_conn_finish(conn, WEIR_DONE);
}

static void output_goes_on_after_the_peer_half_closed(void **state)
{
    (void)state;
    struct probe probe = {.eof = answer_later, .expire = answer_now};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    send_text(end, "abc");
    sim_finish(end);
    run(sim);
    assert_open(end);
    assert_int_equal(weir_conn_turn(sim_conn(end)) & WEIR_IO_READ, 0); /* nothing more to read */
    wait_ms(sim, 100);
    assert_output(end, "answer");
    assert_closed(end, WEIR_DONE);
    sim_free(sim);
}

static ssize_t restless(struct probe *probe, struct weir_conn *conn, const uint8_t *bytes,
                        size_t len)
{
    (void)probe;
    weir_conn_rest(conn, bytes[len - 1] == '.');
    return (ssize_t)len;
}

static void a_connection_rests_when_its_machine_says_so(void **state)
{
    (void)state;
    struct probe probe = {.input = restless};
    struct sim *sim = calm(), *other = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    run(sim);
    assert_true(weir_conn_resting(sim_conn(end))); /* a new one */
    send_text(end, "a");
    run(sim);
    assert_false(weir_conn_resting(sim_conn(end)));
    send_text(end, ".");
    run(sim);
    assert_true(weir_conn_resting(sim_conn(end)));
    weir_conn_move(sim_conn(end), sim_driver(other)); /* as when it is parked */
    assert_ptr_equal(weir_conn_driver(sim_conn(end)), sim_driver(other));
    weir_conn_move(sim_conn(end), sim_driver(sim));
    weir_out_copy(weir_conn_out(sim_conn(end)), "x", 1);
    assert_false(weir_conn_resting(sim_conn(end))); /* unsent bytes */
    sim_free(sim);
    sim_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deadline_passes_once),
        cmocka_unit_test(a_deadline_can_be_moved_and_disarmed),
        cmocka_unit_test(a_deadline_without_expire_ends_with_etimedout),
        cmocka_unit_test(leave_without_leave_finishes),
        cmocka_unit_test(leave_comes_once_for_each_wish),
        cmocka_unit_test(a_wake_from_elsewhere_gives_output_its_turn),
        cmocka_unit_test(a_wake_in_its_own_turn_is_not_lost),
        cmocka_unit_test(finish_stops_input_and_sends_what_is_queued),
        cmocka_unit_test(a_finished_connection_does_not_wait_for_ever),
        cmocka_unit_test(lingering_ends_when_the_peer_does),
        cmocka_unit_test(lingering_ends_in_time),
        cmocka_unit_test(lingering_throws_away_only_so_much),
        cmocka_unit_test(input_goes_on_after_our_half_close),
        cmocka_unit_test(output_goes_on_after_the_peer_half_closed),
        cmocka_unit_test(a_connection_rests_when_its_machine_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
