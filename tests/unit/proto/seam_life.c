/* The rules of the seam: how a connection begins, changes hands and ends. */
#include "probe.h"

#include <weir/protocols.h>

static int greet(struct probe *probe, struct weir_conn *conn)
{
    (void)probe;
    weir_out_copy(weir_conn_out(conn), "hi ", 3);
    return 0;
}

static void open_comes_first_and_may_greet(void **state)
{
    (void)state;
    struct probe probe = {.open = greet};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    assert_int_equal(probe.opens, 0); /* by the first turn */
    run(sim);
    assert_int_equal(probe.opens, 1);
    assert_output(end, "hi ");
    sim_free(sim);
}

/* The machine asks for its successor in the middle of its work, and still has its state after that. */
static ssize_t hand_over(struct probe *probe, struct weir_conn *conn, const uint8_t *bytes,
                         size_t len)
{
    struct probe **mine = weir_conn_state(conn);
    const struct weir_protocol *next =
        probe == ((struct probe **)probe->arg)[2] ? &probe_large : &probe_protocol;
    weir_out_copy(weir_conn_out(conn), bytes, 1);
    assert_int_equal(weir_conn_become(conn, next, ((struct probe **)probe->arg)[0]), 0);
    assert_int_equal(weir_conn_become(conn, next, probe), -EBUSY);
    assert_ptr_equal(*mine, probe);
    assert_int_equal(probe->closes, 0);
    weir_out_copy(weir_conn_out(conn), ". ", 2);
    return len < 2 ? (ssize_t)len : 2;
}

static ssize_t echo_all(struct probe *probe, struct weir_conn *conn, const uint8_t *bytes,
                        size_t len)
{
    (void)probe;
    weir_out_copy(weir_conn_out(conn), bytes, len);
    return (ssize_t)len;
}

static void become_is_carried_out_after_the_machine_returned(void **state)
{
    (void)state;
    for (int large = 0; large < 2; large++) {
        struct probe second = {.open = greet, .input = echo_all};
        struct probe first = {.input = hand_over};
        struct probe *order[3] = {&second, &first, large ? &first : NULL};
        first.arg = (void *)order;
        struct sim *sim = calm();
        struct sim_end *end = sim_connect(sim, &probe_protocol, &first);
        send_text(end, "abcde");
        run(sim);
        assert_int_equal(first.closes, 1);
        assert_int_equal(first.why, WEIR_DONE);
        assert_int_equal(second.opens, 1);
        assert_output(
            end, "a. hi cde"); /* queued output in its order, left-over input to the successor */
        send_text(end, "f");
        sim_finish(end);
        run(sim);
        assert_output(end, "a. hi cdef");
        assert_int_equal(second.eofs, 1);
        assert_int_equal(first.eofs, 0);
        assert_int_equal(second.closes, 1);
        assert_closed(end, WEIR_DONE);
        sim_free(sim);
    }
}

static ssize_t hand_over_unread(struct probe *probe, struct weir_conn *conn, const uint8_t *bytes,
                                size_t len)
{
    (void)bytes;
    (void)len;
    assert_int_equal(weir_conn_become(conn, &probe_protocol, probe->arg), 0);
    return 0;
}

static void a_successor_gets_what_its_predecessor_did_not_take(void **state)
{
    (void)state;
    struct probe second = {.input = echo_all};
    struct probe first = {.input = hand_over_unread, .arg = &second};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &first);
    send_text(end, "longer than input_max");
    run(sim);
    assert_output(end, "longer than input_max");
    assert_int_equal(first.inputs, 1);
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

static void hand_over_when_expired(struct probe *probe, struct weir_conn *conn)
{
    assert_int_equal(weir_conn_become(conn, &probe_protocol, probe->arg), 0);
}

/* What the old machine could do nothing with (0: needs more) may be whole units for the new one. */
static void a_successor_is_offered_what_was_too_little(void **state)
{
    (void)state;
    struct probe second = {.input = echo_all};
    struct probe first = {.input = wants_more, .expire = hand_over_when_expired, .arg = &second};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &first);
    send_text(end, "abc");
    run(sim);
    weir_conn_arm(sim_conn(end), weir_conn_now(sim_conn(end)).mono_ns + 1);
    wait_ms(sim, 1);
    assert_output(end, "abc");
    assert_int_equal(first.closes, 1);
    sim_free(sim);
}

static int hand_over_at_open(struct probe *probe, struct weir_conn *conn)
{
    return weir_conn_become(conn, &probe_protocol, probe->arg);
}

static void become_may_be_asked_for_in_open_and_when_leaving(void **state)
{
    (void)state;
    struct probe second = {.input = echo_all};
    struct probe first = {.open = hand_over_at_open, .arg = &second};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &first);
    sim_leave(sim, WEIR_LEAVE_STOP);
    send_text(end, "abc");
    run(sim);
    assert_output(end, "abc");
    assert_int_equal(first.inputs, 0);
    assert_int_equal(second.leaves, 1); /* told anew */
    sim_free(sim);
}

static int hand_over_at_eof(struct probe *probe, struct weir_conn *conn, size_t rest)
{
    (void)rest;
    return weir_conn_become(conn, &probe_protocol, probe->arg);
}

static void a_successor_is_told_of_the_end_anew(void **state)
{
    (void)state;
    struct probe second = {0};
    struct probe first = {.eof = hand_over_at_eof, .arg = &second};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &first);
    sim_finish(end);
    run(sim);
    assert_int_equal(second.eofs, 1);
    assert_closed(end, WEIR_DONE);
    sim_free(sim);
}

static ssize_t hand_over_paused(struct probe *probe, struct weir_conn *conn, const uint8_t *bytes,
                                size_t len)
{
    weir_conn_pause(conn);
    weir_conn_arm(conn, weir_conn_now(conn).mono_ns + WEIR_NS_PER_S);
    return hand_over_unread(probe, conn, bytes, len);
}

static void pauses_and_deadlines_are_not_inherited(void **state)
{
    (void)state;
    struct probe second = {.input = echo_all};
    struct probe first = {.input = hand_over_paused, .arg = &second};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &first);
    send_text(end, "abc");
    wait_ms(sim, 2000);
    assert_output(end, "abc");
    assert_int_equal(first.expires + second.expires, 0);
    sim_free(sim);
}

static int finish_at_once(struct probe *probe, struct weir_conn *conn)
{
    (void)probe;
    weir_out_copy(weir_conn_out(conn), "bye", 3);
    weir_conn_finish(conn, -EPERM);
    weir_conn_finish(conn, WEIR_DONE); /* the first reason stays */
    return 0;
}

static int refuse(struct probe *probe, struct weir_conn *conn)
{
    (void)probe;
    (void)conn;
    return -EACCES;
}

static ssize_t pause_now(struct probe *probe, struct weir_conn *conn, const uint8_t *bytes,
                         size_t len)
{
    (void)probe;
    (void)bytes;
    (void)len;
    weir_conn_pause(conn);
    return 0;
}

static void close_comes_when_open_fails(void **state)
{
    (void)state;
    struct probe probe = {.open = refuse};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    send_text(end, "abc");
    run(sim);
    assert_closed(end, -EACCES);
    assert_int_equal(probe.closes, 1);
    assert_int_equal(probe.why, -EACCES);
    assert_int_equal(probe.inputs, 0);
    sim_free(sim);
    assert_int_equal(probe.closes, 1);
}

static void close_comes_once_after_finish_with_the_first_reason(void **state)
{
    (void)state;
    struct probe probe = {.open = finish_at_once};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    send_text(end, "abc");
    sim_window(end, 1);
    run(sim);
    assert_int_equal(probe.closes, 0); /* bytes are still to be sent */
    sim_window(end, UINT64_MAX);
    run(sim);
    assert_output(end, "bye");
    assert_closed(end, -EPERM);
    assert_int_equal(probe.inputs, 0);
    sim_free(sim);
    assert_int_equal(probe.closes, 1);
}

static void a_break_reaches_close_even_when_paused(void **state)
{
    (void)state;
    struct probe probe = {.input = pause_now};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    send_text(end, "abc");
    run(sim);
    sim_reset(end);
    run(sim);
    assert_closed(end, -ECONNRESET);
    assert_int_equal(probe.closes, 1);
    assert_int_equal(probe.why, -ECONNRESET);
    sim_free(sim);
    assert_int_equal(probe.closes, 1);
}

static void a_failed_write_drops_what_is_queued(void **state)
{
    (void)state;
    struct probe probe = {.input = echo_all};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    sim_break_at(end, 2);
    send_text(end, "abcdef");
    run(sim);
    assert_output(end, "ab");
    assert_closed(end, -ECONNRESET);
    assert_int_equal(probe.closes, 1);
    sim_free(sim);
}

static void free_closes_what_was_not(void **state)
{
    (void)state;
    struct probe opened = {0}, unopened = {0};
    struct sim *sim = calm();
    sim_connect(sim, &probe_protocol, &opened);
    run(sim);
    sim_connect(sim, &probe_protocol, &unopened);
    sim_free(sim);
    assert_int_equal(opened.closes, 1);
    assert_int_equal(opened.why, -ECONNABORTED);
    assert_int_equal(unopened.opens, 0);
    assert_int_equal(unopened.closes, 1);
    weir_conn_free(NULL);
}

/* A dial that fails tells close() without open(), and the program of a line machine as well. */
static void note_closed(void *arg, struct weir_conn *conn, int why)
{
    (void)conn;
    *(int *)arg = why;
}

static void a_failed_dial_reaches_close(void **state)
{
    (void)state;
    int why = 1;
    struct probe probe = {0};
    struct weir_line_options line = {.calls = {.closed = note_closed, .arg = &why}};
    struct sim *sim = calm();
    struct weir_driver *driver = sim_driver(sim);
    assert_non_null(driver->ops->dial(driver, "tcp:nobody:1", &probe_protocol, &probe));
    assert_non_null(driver->ops->dial(driver, "tcp:nobody:1", &weir_line, &line));
    run(sim);
    assert_int_equal(probe.opens, 0);
    assert_int_equal(probe.closes, 1);
    assert_int_equal(probe.why, -ECONNREFUSED);
    assert_int_equal(why, -ECONNREFUSED);
    sim_free(sim);
}

/* A job whose memory is counted: the connection holds it, and the work under way does. */
struct work {
    struct weir_job job;
    struct weir_ref ref;
    struct weir_conn *conn; /* NULL: the client is gone */
    unsigned *done, *dropped;
};

static void work_drop(struct weir_ref *ref)
{
    struct work *work = (struct work *)((char *)ref - offsetof(struct work, ref));
    (*work->dropped)++;
    free(work);
}

static void work_work(struct weir_job *job)
{
    (void)job;
}

static void work_done(struct weir_job *job)
{
    struct work *work = (struct work *)job;
    (*work->done)++;
    if (work->conn) {
        weir_out_copy(weir_conn_out(work->conn), "done", 4);
        weir_conn_resume(work->conn);
    }
    weir_drop(&work->ref);
}

struct counts {
    struct work *work;
    unsigned done, dropped;
};

static ssize_t start_work(struct probe *probe, struct weir_conn *conn, const uint8_t *bytes,
                          size_t len)
{
    (void)bytes;
    struct counts *counts = probe->arg;
    struct weir_driver *driver = weir_conn_driver(conn);
    struct work *work = calloc(1, sizeof(*work));
    *work = (struct work){.job = {.work = work_work, .done = work_done},
                          .ref = {.count = 2, .drop = work_drop},
                          .conn = conn,
                          .done = &counts->done,
                          .dropped = &counts->dropped};
    counts->work = work;
    assert_int_equal(driver->ops->submit(driver, &work->job), 0);
    weir_conn_pause(conn);
    return (ssize_t)len;
}

static void leave_work(struct probe *probe, struct weir_conn *conn, int why)
{
    (void)conn;
    (void)why;
    struct counts *counts = probe->arg;
    counts->work->conn = NULL;
    weir_drop(&counts->work->ref);
}

static void a_job_ends_on_its_connection(void **state)
{
    (void)state;
    struct counts counts = {0};
    struct probe probe = {.input = start_work, .close = leave_work, .arg = &counts};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    send_text(end, "work");
    run(sim);
    assert_output(end, "done");
    assert_int_equal(counts.dropped, 0);
    sim_free(sim);
    assert_int_equal(counts.dropped, 1);
}

static void a_job_may_outlive_its_client(void **state)
{
    (void)state;
    struct counts counts = {0};
    struct probe probe = {.input = start_work, .close = leave_work, .arg = &counts};
    struct sim *sim;
    struct sim_options slow = {.job_rounds = 20};
    assert_int_equal(sim_new(&slow, &sim), 0);
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    send_text(end, "work");
    weir_conn_turn(sim_conn(end));
    memcpy(weir_conn_room(sim_conn(end)).iov_base, "work", 4);
    weir_conn_received(sim_conn(end), 4);
    weir_conn_turn(sim_conn(end));
    assert_int_equal(probe.inputs, 1);
    weir_conn_received(sim_conn(end), -ECONNRESET);
    run(sim);
    assert_closed(end, -ECONNRESET);
    assert_int_equal(counts.done, 1);
    assert_int_equal(counts.dropped, 1);
    assert_output(end, "");
    sim_free(sim);
}

static void a_driver_that_ends_cancels_jobs_after_their_clients(void **state)
{
    (void)state;
    struct counts counts = {0};
    struct probe probe = {.input = start_work, .close = leave_work, .arg = &counts};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &probe_protocol, &probe);
    weir_conn_turn(sim_conn(end));
    memcpy(weir_conn_room(sim_conn(end)).iov_base, "work", 4);
    weir_conn_received(sim_conn(end), 4);
    weir_conn_turn(sim_conn(end));
    sim_free(sim);
    assert_int_equal(probe.closes, 1);
    assert_int_equal(counts.done, 1);
    assert_int_equal(counts.dropped, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_comes_first_and_may_greet),
        cmocka_unit_test(become_is_carried_out_after_the_machine_returned),
        cmocka_unit_test(a_successor_gets_what_its_predecessor_did_not_take),
        cmocka_unit_test(a_successor_is_offered_what_was_too_little),
        cmocka_unit_test(become_may_be_asked_for_in_open_and_when_leaving),
        cmocka_unit_test(a_successor_is_told_of_the_end_anew),
        cmocka_unit_test(pauses_and_deadlines_are_not_inherited),
        cmocka_unit_test(close_comes_when_open_fails),
        cmocka_unit_test(close_comes_once_after_finish_with_the_first_reason),
        cmocka_unit_test(a_break_reaches_close_even_when_paused),
        cmocka_unit_test(a_failed_write_drops_what_is_queued),
        cmocka_unit_test(free_closes_what_was_not),
        cmocka_unit_test(a_failed_dial_reaches_close),
        cmocka_unit_test(a_job_ends_on_its_connection),
        cmocka_unit_test(a_job_may_outlive_its_client),
        cmocka_unit_test(a_driver_that_ends_cancels_jobs_after_their_clients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
