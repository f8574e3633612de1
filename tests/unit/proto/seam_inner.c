/* The rules of the seam: a connection inside another one. The outer machine flips the bits of all that passes. */
#include "base/out.h"
#include "probe.h"

#include <weir/protocols.h>

#include <stdio.h>

#define FLIP  0x55
#define PIECE 512 /* small, so that spans are split */

struct inside {
    const struct weir_protocol *protocol;
    const void *config;
};

struct mask {
    struct weir_conn *inner;
    struct weir_out plain; /* file bytes on their way */
    bool held;             /* the inner one takes no input now */
};

static void flip_into(struct weir_out *out, const uint8_t *bytes, size_t len)
{
    char *to = weir_out_reserve(out, len);
    if (!to)
        return;
    for (size_t i = 0; i < len; i++)
        to[i] = (char)(bytes[i] ^ FLIP);
    weir_out_commit(out, len);
}

/* One piece of the inner queue goes out. 0: it has to wait; -errno. */
static int pass_piece(struct mask *mask, struct weir_conn *conn)
{
    struct weir_out *from = weir_conn_out(mask->inner);
    const struct weir_span *span = weir_out_first(from);
    struct weir_driver *driver = weir_conn_driver(conn);
    size_t len = 0;
    if (span->kind == WEIR_SPAN_FILE) {
        int rc = driver->ops->fill(driver, mask->inner, span, &mask->plain, PIECE, &len);
        if (rc != WEIR_FILL_MORE)
            return rc;
        weir_conn_sent(mask->inner, (ssize_t)len);
    } else {
        len = weir_out_move(&mask->plain, from, PIECE);
    }
    while ((span = weir_out_first(&mask->plain))) {
        flip_into(weir_conn_out(conn), span->bytes, span->len < PIECE ? span->len : PIECE);
        weir_out_skip(&mask->plain, span->len < PIECE ? span->len : PIECE);
    }
    return 1;
}

static int pump(struct mask *mask, struct weir_conn *conn)
{
    for (;;) {
        unsigned want = weir_conn_turn(mask->inner);
        if (want & WEIR_IO_CLOSE) {
            weir_conn_finish(conn, weir_conn_why(mask->inner));
            return 0;
        }
        if (want & WEIR_IO_END) {
            weir_conn_ended(mask->inner);
            weir_conn_end(conn);
            continue;
        }
        if (mask->held && (want & WEIR_IO_READ)) {
            mask->held = false;
            weir_conn_resume(conn);
        }
        mask->held = !(want & WEIR_IO_READ);
        if (!(want & WEIR_IO_WRITE) || !weir_out_room(weir_conn_out(conn)))
            return 0;
        int rc = pass_piece(mask, conn);
        if (rc <= 0)
            return rc;
    }
}

static int mask_open(void *state, struct weir_conn *conn, const void *config)
{
    struct mask *mask = state;
    const struct inside *inside = config;
    out_init(&mask->plain, weir_conn_driver(conn)->pool);
    mask->inner = weir_conn_new_inner(conn, inside->protocol, inside->config);
    return mask->inner ? pump(mask, conn) : -ENOMEM;
}

static ssize_t mask_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    struct mask *mask = state;
    uint8_t clear[PIECE];
    if (mask->held) {
        weir_conn_pause(conn);
        return 0;
    }
    size_t n = len < PIECE ? len : PIECE;
    for (size_t i = 0; i < n; i++)
        clear[i] = bytes[i] ^ FLIP;
    n = weir_conn_feed(mask->inner, clear, n);
    int rc = pump(mask, conn);
    return rc < 0 ? rc : (ssize_t)n;
}

static int mask_eof(void *state, struct weir_conn *conn, size_t rest)
{
    struct mask *mask = state;
    (void)rest;
    weir_conn_received(mask->inner, 0);
    return pump(mask, conn);
}

static int mask_output(void *state, struct weir_conn *conn)
{
    struct mask *mask = state;
    return mask->inner ? pump(mask, conn) : 0;
}

static void mask_leave(void *state, struct weir_conn *conn, enum weir_leave why)
{
    struct mask *mask = state;
    (void)conn;
    weir_conn_leave(mask->inner, why);
}

static void mask_close(void *state, struct weir_conn *conn, int why)
{
    struct mask *mask = state;
    (void)conn;
    (void)why;
    weir_conn_free(mask->inner);
    out_done(&mask->plain);
}

static const struct weir_protocol mask_protocol = {
    .name = "mask",
    .state_size = sizeof(struct mask),
    .input_max = 1,
    .open = mask_open,
    .input = mask_input,
    .eof = mask_eof,
    .output = mask_output,
    .leave = mask_leave,
    .close = mask_close,
};

static void send_flipped(struct sim_end *end, const void *bytes, size_t len)
{
    uint8_t flipped[256];
    for (size_t i = 0; i < len; i += sizeof(flipped)) {
        size_t n = len - i < sizeof(flipped) ? len - i : sizeof(flipped);
        for (size_t j = 0; j < n; j++)
            flipped[j] = ((const uint8_t *)bytes)[i + j] ^ FLIP;
        assert_int_equal(sim_send(end, flipped, n), 0);
    }
}

static void assert_flipped(const struct sim_end *end, const void *bytes, size_t len)
{
    struct weir_bytes output = sim_output(end);
    assert_int_equal(output.len, len);
    for (size_t i = 0; i < len; i++)
        if ((uint8_t)(output.at[i] ^ FLIP) != ((const uint8_t *)bytes)[i])
            fail_msg("byte %zu of %zu", i, len);
}

static uint8_t long_text[100000];

static void fill_long_text(void)
{
    for (size_t i = 0; i < sizeof(long_text); i++)
        long_text[i] = (uint8_t)(i * 31 + i / 251);
}

static void bytes_pass_both_ways_at_every_cut(void **state)
{
    (void)state;
    const struct inside inside = {&weir_echo, NULL};
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct sim *sim = seed ? rough(seed) : calm();
        struct sim_end *end = sim_connect(sim, &mask_protocol, &inside);
        send_flipped(end, long_text, sizeof(long_text));
        sim_finish(end);
        run(sim);
        assert_flipped(end, long_text, sizeof(long_text));
        assert_closed(end, WEIR_DONE); /* the inner one's finish */
        sim_free(sim);
    }
}

static void masks_nest(void **state)
{
    (void)state;
    const struct inside innermost = {&weir_line, NULL};
    const struct inside middle = {&mask_protocol, &innermost};
    for (uint64_t seed = 1; seed < 50; seed++) {
        struct sim *sim = rough(seed);
        struct sim_end *end = sim_connect(sim, &mask_protocol, &middle);
        send_text(end, "one\ntwo\nthr"); /* flipped twice is as it was */
        sim_finish(end);
        run(sim);
        assert_output(end, "one\ntwo\n");
        assert_closed(end, -EPROTO);
        sim_free(sim);
    }
}

struct source {
    struct weir_ref ref;
    unsigned dropped;
    int fd;
};

static void source_drop(struct weir_ref *ref)
{
    ((struct source *)ref)->dropped++;
}

/* Copied bytes, referenced bytes, a piece of a file, bytes: the order must stay. */
static ssize_t answer_with_file(struct probe *probe, struct weir_conn *conn, const uint8_t *bytes,
                                size_t len)
{
    (void)bytes;
    struct source *source = probe->arg;
    struct weir_out *out = weir_conn_out(conn);
    weir_out_copy(out, "head ", 5);
    weir_out_bytes(out, long_text, 3000, &source->ref);
    weir_out_file(out, source->fd, 1000, 50000, &source->ref);
    weir_out_copy(out, " tail", 5);
    return (ssize_t)len;
}

static void spans_are_taken_over_and_split(void **state)
{
    (void)state;
    static uint8_t expected[5 + 3000 + 50000 + 5];
    memcpy(expected, "head ", 5);
    memcpy(expected + 5, long_text, 3000);
    memcpy(expected + 3005, long_text + 1000, 50000);
    memcpy(expected + 53005, " tail", 5);
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct source source = {.ref = {.count = 1, .drop = source_drop}};
        struct probe probe = {.input = answer_with_file, .arg = &source};
        const struct inside inside = {&probe_protocol, &probe};
        struct sim *sim = seed ? rough(seed) : calm();
        source.fd = sim_file(sim, long_text, sizeof(long_text));
        struct sim_end *end = sim_connect(sim, &mask_protocol, &inside);
        send_text(end, "?");
        run(sim);
        assert_flipped(end, expected, sizeof(expected));
        assert_int_equal(source.ref.count, 1); /* the queues hold nothing any more */
        sim_finish(end);
        run(sim);
        assert_closed(end, WEIR_DONE);
        sim_free(sim);
        assert_int_equal(source.dropped, 0);
    }
}

static void a_file_that_got_shorter_ends_with_eio(void **state)
{
    (void)state;
    struct source source = {.ref = {.count = 1, .drop = source_drop}};
    struct probe probe = {.input = answer_with_file, .arg = &source};
    const struct inside inside = {&probe_protocol, &probe};
    struct sim *sim = calm();
    source.fd = sim_file(sim, long_text, 40000);
    struct sim_end *end = sim_connect(sim, &mask_protocol, &inside);
    send_text(end, "?");
    run(sim);
    assert_closed(end, -EIO);
    assert_int_equal(sim_output(end).len, 5 + 3000 + 39000);
    assert_int_equal(source.ref.count, 1);
    assert_int_equal(probe.closes, 1);
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

static void a_wake_climbs(void **state)
{
    (void)state;
    struct probe probe = {.output = say_once};
    const struct inside inside = {&probe_protocol, &probe};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &mask_protocol, &inside);
    run(sim);
    probe.arg = (void *)(uintptr_t) "news";
    weir_conn_wake(probe.conn);
    run(sim);
    assert_flipped(end, "news", 4);
    sim_free(sim);
}

static int arm_second(struct probe *probe, struct weir_conn *conn)
{
    (void)probe;
    weir_conn_arm(conn, weir_conn_now(conn).mono_ns + WEIR_NS_PER_S);
    return 0;
}

static void a_deadline_climbs(void **state)
{
    (void)state;
    struct probe probe = {.open = arm_second};
    const struct inside inside = {&probe_protocol, &probe};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &mask_protocol, &inside);
    wait_ms(sim, 999);
    assert_int_equal(probe.expires, 0);
    assert_int_equal(weir_conn_deadline(sim_conn(end)), weir_conn_deadline(probe.conn));
    wait_ms(sim, 1);
    assert_int_equal(probe.expires, 1);
    assert_int_equal(weir_conn_deadline(sim_conn(end)), 0);
    sim_free(sim);
}

static ssize_t much_for_a_byte(struct probe *probe, struct weir_conn *conn, const uint8_t *bytes,
                               size_t len)
{
    (void)probe;
    (void)bytes;
    (void)len;
    weir_out_bytes(weir_conn_out(conn), long_text, 60000, NULL);
    return 1;
}

/* The peer reads nothing, so the outer queue is full, and still the inner deadline must be met. */
static void a_deadline_climbs_past_a_full_queue(void **state)
{
    (void)state;
    struct probe probe = {.open = arm_second, .input = much_for_a_byte};
    const struct inside inside = {&probe_protocol, &probe};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &mask_protocol, &inside);
    sim_window(end, 0);
    send_text(end, "01234567890123456789");
    wait_ms(sim, 1000);
    assert_int_equal(probe.expires, 1);
    sim_free(sim);
}

/* The outer one is closing, so the inner one has no turn any more: its deadline would be due for ever. */
static void a_deadline_in_one_that_closes_is_none(void **state)
{
    (void)state;
    struct probe probe = {.open = arm_second, .input = much_for_a_byte};
    const struct inside inside = {&probe_protocol, &probe};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &mask_protocol, &inside);
    sim_window(end, 0);
    send_text(end, "x");
    run(sim);
    weir_conn_finish(sim_conn(end), -EPERM);
    wait_ms(sim, LIMIT_FLUSH_MS - 1); /* it spins: -ELOOP */
    assert_open(end);
    assert_int_equal(probe.expires, 0);
    wait_ms(sim, 1);
    assert_closed(end, -EPERM);
    assert_int_equal(probe.closes, 1);
    sim_free(sim);
}

/* A full inner queue stops the outer one's reading, all the way to the peer. */
static void back_pressure_climbs(void **state)
{
    (void)state;
    struct probe probe = {.input = much_for_a_byte};
    const struct inside inside = {&probe_protocol, &probe};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &mask_protocol, &inside);
    sim_window(end, 0);
    for (int i = 0; i < 10; i++) {
        send_text(end, "x");
        run(sim);
    }
    assert_true(probe.inputs <= 4);
    assert_true(sim_unread(end) >= 4);
    sim_window(end, UINT64_MAX);
    run(sim);
    assert_int_equal(probe.inputs, 10);
    assert_int_equal(sim_output(end).len, 600000);
    sim_free(sim);
}

static ssize_t pause_first(struct probe *probe, struct weir_conn *conn, const uint8_t *bytes,
                           size_t len)
{
    (void)bytes;
    if (probe->inputs > 1)
        return (ssize_t)len;
    weir_conn_pause(conn);
    probe->paused = true;
    return 0;
}

static void a_pause_climbs(void **state)
{
    (void)state;
    struct probe probe = {.input = pause_first};
    const struct inside inside = {&probe_protocol, &probe};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &mask_protocol, &inside);
    for (int i = 0; i < 5; i++) {
        send_text(end, "abc");
        run(sim);
    }
    assert_int_equal(probe.inputs, 1);
    assert_true(sim_unread(end) > 0);
    probe.paused = false;
    weir_conn_resume(probe.conn);
    run(sim);
    assert_int_equal(probe.consumed, 15);
    sim_free(sim);
}

static void leave_is_passed_in_and_the_finish_climbs(void **state)
{
    (void)state;
    struct probe probe = {0};
    const struct inside inside = {&probe_bare, &probe};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &mask_protocol, &inside);
    run(sim);
    sim_leave(sim, WEIR_LEAVE_STOP);
    run(sim);
    assert_closed(end, WEIR_DONE);
    assert_int_equal(probe.closes, 1);
    sim_free(sim);
}

static void a_finish_from_elsewhere_climbs(void **state)
{
    (void)state;
    struct probe probe = {0};
    const struct inside inside = {&probe_protocol, &probe};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &mask_protocol, &inside);
    run(sim);
    weir_out_copy(weir_conn_out(probe.conn), "bye", 3);
    weir_conn_finish(probe.conn, -EPERM);
    run(sim);
    assert_flipped(end, "bye", 3);
    assert_closed(end, -EPERM);
    assert_int_equal(probe.why, -EPERM);
    sim_free(sim);
}

static void a_break_closes_the_inner_one_once(void **state)
{
    (void)state;
    struct probe probe = {0};
    const struct inside inside = {&probe_protocol, &probe};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &mask_protocol, &inside);
    run(sim);
    sim_reset(end);
    run(sim);
    assert_closed(end, -ECONNRESET);
    assert_int_equal(probe.closes, 1);
    sim_free(sim);
    assert_int_equal(probe.closes, 1);
}

static int make_text(void **state)
{
    (void)state;
    fill_long_text();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_pass_both_ways_at_every_cut),
        cmocka_unit_test(masks_nest),
        cmocka_unit_test(spans_are_taken_over_and_split),
        cmocka_unit_test(a_file_that_got_shorter_ends_with_eio),
        cmocka_unit_test(a_wake_climbs),
        cmocka_unit_test(a_deadline_climbs),
        cmocka_unit_test(a_deadline_climbs_past_a_full_queue),
        cmocka_unit_test(a_deadline_in_one_that_closes_is_none),
        cmocka_unit_test(back_pressure_climbs),
        cmocka_unit_test(a_pause_climbs),
        cmocka_unit_test(leave_is_passed_in_and_the_finish_climbs),
        cmocka_unit_test(a_finish_from_elsewhere_climbs),
        cmocka_unit_test(a_break_closes_the_inner_one_once),
    };
    return cmocka_run_group_tests(tests, make_text, NULL);
}
