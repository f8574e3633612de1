/* The relay through the simulated driver: both of its ends are played by the test. */
#include "probe.h"

#include <weir/protocols.h>

/* What ended() was told. */
struct told {
    unsigned count;
    int why;
    enum weir_relay_side side;
    bool silence;
    uint64_t to_target, to_client;
    const char *target;
};

static struct told told;
static struct weir_relay_counts counted;

static void note_end(void *arg, const struct weir_relay_end *end)
{
    (void)arg;
    told = (struct told){told.count + 1, end->why,       end->side,  end->silence,
                         end->to_target, end->to_client, end->target};
}

static struct weir_relay_counts *count_here(void *arg, struct weir_driver *driver)
{
    (void)arg, (void)driver;
    return &counted;
}

static const char *const up_only[] = {"tcp:up:80"};
static const char *const down_then_up[] = {"tcp:down:80", "tcp:up:80"};
static const char *const down_only[] = {"tcp:down:80", "tcp:down:81"};

static struct weir_relay_options plain(const char *const *targets, size_t count)
{
    told = (struct told){0};
    memset(&counted, 0, sizeof(counted));
    return (struct weir_relay_options){.targets = targets,
                                       .target_count = count,
                                       .idle_ms = 5000,
                                       .counts = count_here,
                                       .ended = note_end};
}

static void send_much(struct sim_end *end, size_t len, uint8_t salt)
{
    uint8_t *bytes = malloc(len);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * 31 + i / 251 + salt);
    assert_int_equal(sim_send(end, bytes, len), 0);
    free(bytes);
}

static void assert_much(const struct sim_end *end, size_t len, uint8_t salt)
{
    struct weir_bytes out = sim_output(end);
    assert_int_equal(out.len, len);
    for (size_t i = 0; i < len; i++)
        if ((uint8_t)out.at[i] != (uint8_t)(i * 31 + i / 251 + salt))
            fail_msg("byte %zu differs", i);
}

static void assert_told(int why, enum weir_relay_side side, uint64_t to_target, uint64_t to_client)
{
    assert_int_equal(told.count, 1);
    assert_int_equal(told.why, why);
    if (why != WEIR_DONE)
        assert_int_equal(told.side, side);
    assert_int_equal(told.to_target, to_target);
    assert_int_equal(told.to_client, to_client);
    assert_int_equal(counted.connections, 1);
    assert_int_equal(counted.open, 0);
    assert_int_equal(counted.errors, why != WEIR_DONE);
    assert_int_equal(counted.to_target, to_target);
    assert_int_equal(counted.to_client, to_client);
}

static void bytes_and_ends_pass_both_ways(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 400; seed++) {
        struct weir_relay_options o = plain(up_only, 1);
        struct sim *sim = seed ? rough(seed) : calm();
        struct sim_end *up = sim_peer(sim, "tcp:up:80");
        struct sim_end *client = sim_connect(sim, &weir_relay_protocol, &o);
        send_much(client, 100000 + seed, 1);
        send_much(up, 50000, 2);
        run(sim);
        assert_much(up, 100000 + seed, 1);
        assert_much(client, 50000, 2);
        struct sim_end *first = seed % 2 ? up : client, *second = seed % 2 ? client : up;
        sim_finish(first);
        run(sim);
        assert_true(sim_ended(second));
        assert_false(sim_ended(first));
        send_text(second, "last words");
        sim_finish(second);
        run(sim);
        assert_closed(client, WEIR_DONE);
        assert_closed(up, WEIR_DONE);
        assert_told(WEIR_DONE, 0, 100000 + seed + (seed % 2 ? 10 : 0), 50000 + (seed % 2 ? 0 : 10));
        sim_free(sim);
    }
}

/* What one does not read is not read from the other either, beyond two queues and a read. */
static void a_slow_side_holds_the_other_back(void **state)
{
    (void)state;
    enum { MUCH = 1 << 20 };
    for (int there = 0; there < 2; there++) {
        struct weir_relay_options o = plain(up_only, 1);
        struct sim *sim = calm();
        struct sim_end *up = sim_peer(sim, "tcp:up:80");
        struct sim_end *client = sim_connect(sim, &weir_relay_protocol, &o);
        struct sim_end *writer = there ? client : up, *reader = there ? up : client;
        sim_window(reader, 1000);
        send_much(writer, MUCH, 3);
        sim_finish(writer);
        run(sim);
        assert_int_equal(sim_output(reader).len, 1000);
        assert_true(sim_unread(writer) >=
                    MUCH - 1000 - LIMIT_OUT_BYTES - LIMIT_HOT_BYTES - LIMIT_OUT_BYTES);
        assert_false(sim_ended(reader));
        sim_window(reader, UINT64_MAX);
        run(sim);
        assert_much(reader, MUCH, 3);
        assert_true(sim_ended(reader));
        sim_free(sim);
    }
}

/* One who does not read can still write: the two ways have nothing to do with each other. */
static void the_ways_are_independent(void **state)
{
    (void)state;
    enum { MUCH = 1 << 20 };
    for (int there = 0; there < 2; there++) {
        struct weir_relay_options o = plain(up_only, 1);
        struct sim *sim = calm();
        struct sim_end *up = sim_peer(sim, "tcp:up:80");
        struct sim_end *client = sim_connect(sim, &weir_relay_protocol, &o);
        struct sim_end *deaf = there ? client : up, *other = there ? up : client;
        sim_window(deaf, 0);
        send_much(other, MUCH, 1);
        run(sim);
        assert_true(sim_unread(other) > 0);
        send_much(deaf, MUCH, 2);
        sim_finish(deaf);
        run(sim);
        assert_much(other, MUCH, 2);
        assert_true(sim_ended(other));
        sim_window(deaf, UINT64_MAX);
        sim_finish(other);
        run(sim);
        assert_much(deaf, MUCH, 1);
        assert_told(WEIR_DONE, 0, MUCH, MUCH);
        sim_free(sim);
    }
}

static void an_end_that_was_not_meant_is_passed_on(void **state)
{
    (void)state;
    for (int there = 0; there < 2; there++) {
        struct weir_relay_options o = plain(up_only, 1);
        struct sim *sim = calm();
        struct sim_end *up = sim_peer(sim, "tcp:up:80");
        struct sim_end *client = sim_connect(sim, &weir_relay_protocol, &o);
        struct sim_end *dying = there ? client : up, *other = there ? up : client;
        run(sim);
        send_text(dying, "half of");
        sim_reset(dying);
        run(sim);
        assert_output(other, "half of");
        assert_closed(dying, -ECONNRESET);
        assert_closed(other, -ECONNRESET);
        assert_true(sim_was_reset(other));
        assert_told(-ECONNRESET, there ? WEIR_RELAY_CLIENT : WEIR_RELAY_TARGET, there ? 7 : 0,
                    there ? 0 : 7);
        sim_free(sim);
    }
}

/* One that reads no more still answers and ends: the other gets all of it, whatever it still sends. */
static void an_early_answer_is_not_lost(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct weir_relay_options o = plain(up_only, 1);
        struct sim *sim = seed ? rough(seed) : calm();
        struct sim_end *up = sim_peer(sim, "tcp:up:80");
        struct sim_end *client = sim_connect(sim, &weir_relay_protocol, &o);
        sim_window(up, 10);
        send_much(client, 200000, 4);
        run(sim);
        sim_stop(up);
        send_text(client, "and more");
        send_text(up, "too much");
        run(sim);
        assert_output(client, "too much");
        assert_int_equal(sim_unread(client), 0); /* it gets to the reading */
        assert_open(client);
        sim_finish(up);
        run(sim);
        assert_true(sim_ended(client));
        assert_closed(up, -EPIPE);
        assert_false(sim_was_reset(client));
        wait_ms(sim, LIMIT_RELAY_LINGER_MS + 1); /* if it never ends, that ends, too */
        assert_closed(client, -EPIPE);
        assert_told(-EPIPE, WEIR_RELAY_TARGET, 200008, 8);
        sim_free(sim);
    }
}

/* It has said all it had to say and breaks while it is written to: the other has its answer. */
static void one_that_ended_and_broke(void **state)
{
    (void)state;
    struct weir_relay_options o = plain(up_only, 1);
    struct sim *sim = calm();
    struct sim_end *up = sim_peer(sim, "tcp:up:80");
    struct sim_end *client = sim_connect(sim, &weir_relay_protocol, &o);
    send_text(client, "question");
    sim_finish(client);
    run(sim);
    sim_break_at(client, 3);
    send_text(up, "answer");
    run(sim);
    assert_output(client, "ans");
    assert_closed(client, -ECONNRESET);
    assert_open(up);
    send_text(up, "to nobody");
    sim_finish(up);
    run(sim);
    assert_closed(up, -ECONNRESET);
    assert_false(sim_was_reset(up));
    sim_free(sim);
}

static void the_next_target_is_tried(void **state)
{
    (void)state;
    struct weir_relay_options o = plain(down_then_up, 2);
    struct sim *sim = calm();
    struct sim_end *up = sim_peer(sim, "tcp:up:80");
    struct sim_end *client = sim_connect(sim, &weir_relay_protocol, &o);
    send_text(client, "found");
    sim_finish(client);
    sim_finish(up);
    run(sim);
    assert_output(up, "found");
    assert_told(WEIR_DONE, 0, 5, 0);
    assert_string_equal(told.target, "tcp:up:80");
    sim_free(sim);
}

static void nobody_there(void **state)
{
    (void)state;
    struct weir_relay_options o = plain(down_only, 2);
    struct sim *sim = calm();
    struct sim_end *client = sim_connect(sim, &weir_relay_protocol, &o);
    send_text(client, "hello?");
    run(sim);
    assert_closed(client, -ECONNREFUSED);
    assert_true(sim_was_reset(client));
    assert_told(-ECONNREFUSED, WEIR_RELAY_DIAL, 0, 0);
    assert_string_equal(told.target, "tcp:down:81");
    sim_free(sim);
    o = plain(NULL, 0);
    sim = calm();
    client = sim_connect(sim, &weir_relay_protocol, &o);
    run(sim);
    assert_closed(client, -EINVAL);
    sim_free(sim);
}

static void silence_ends_it(void **state)
{
    (void)state;
    struct weir_relay_options o = plain(up_only, 1);
    struct sim *sim = calm();
    struct sim_end *up = sim_peer(sim, "tcp:up:80");
    struct sim_end *client = sim_connect(sim, &weir_relay_protocol, &o);
    run(sim);
    for (int i = 0; i < 6; i++) { /* a byte of either is enough */
        wait_ms(sim, 4999);
        send_text(i % 2 ? up : client, "x");
        run(sim);
    }
    wait_ms(sim, 4999);
    assert_open(client);
    assert_open(up);
    wait_ms(sim, 1);
    assert_closed(client, -ETIMEDOUT);
    assert_closed(up, -ETIMEDOUT);
    assert_true(sim_was_reset(client) && sim_was_reset(up));
    assert_true(told.silence);
    assert_told(-ETIMEDOUT, WEIR_RELAY_CLIENT, 3, 3);
    sim_free(sim);
}

static void a_patient_one_waits_for_ever(void **state)
{
    (void)state;
    struct weir_relay_options o = plain(up_only, 1);
    o.idle_ms = WEIR_RELAY_PATIENT;
    struct sim *sim = calm();
    struct sim_end *up = sim_peer(sim, "tcp:up:80");
    struct sim_end *client = sim_connect(sim, &weir_relay_protocol, &o);
    run(sim);
    wait_ms(sim, 1000ull * 3600 * 24 * 365);
    assert_open(client);
    assert_open(up);
    sim_free(sim);
}

static void a_wanted_place_is_kept_and_a_stop_waits(void **state)
{
    (void)state;
    struct weir_relay_options o = plain(up_only, 1);
    o.idle_ms = 60000;
    struct sim *sim = calm();
    struct sim_end *up = sim_peer(sim, "tcp:up:80");
    struct sim_end *client = sim_connect(sim, &weir_relay_protocol, &o);
    run(sim);
    assert_false(weir_conn_resting(sim_conn(client)));
    sim_leave(sim, WEIR_LEAVE_BUSY);
    wait_ms(sim, 2 * LIMIT_LEAVE_QUIET_MS);
    send_text(client, "question");
    run(sim);
    sim_leave(sim, WEIR_LEAVE_STOP);
    wait_ms(sim, 20 * LIMIT_LEAVE_QUIET_MS);
    send_text(up, "answer");
    run(sim);
    assert_output(client, "answer");
    assert_open(client);
    sim_free(sim);
}

static void a_stop_ends_what_nobody_uses(void **state)
{
    (void)state;
    struct weir_relay_options o = plain(up_only, 1);
    struct sim *sim = calm();
    struct sim_end *up = sim_peer(sim, "tcp:up:80");
    struct sim_end *client = sim_connect(sim, &weir_relay_protocol, &o);
    run(sim);
    wait_ms(sim, 4000);
    sim_leave(sim, WEIR_LEAVE_STOP);
    wait_ms(sim, LIMIT_LEAVE_QUIET_MS - 1);
    assert_open(client);
    wait_ms(sim, 1);
    assert_closed(client, WEIR_DONE);
    assert_closed(up, WEIR_DONE);
    assert_told(WEIR_DONE, 0, 0, 0);
    sim_free(sim);
}

static void a_rate_is_kept_each_way(void **state)
{
    (void)state;
    enum { RATE = 100000, MUCH = 1 << 20 };
    struct weir_relay_options o = plain(up_only, 1);
    o.rate = RATE;
    struct sim *sim = calm();
    struct sim_end *up = sim_peer(sim, "tcp:up:80");
    struct sim_end *client = sim_connect(sim, &weir_relay_protocol, &o);
    send_much(client, MUCH, 5);
    send_much(up, MUCH, 6);
    for (size_t s = 1; s <= 8; s++) {
        wait_ms(sim, 1000);
        assert_in_range(sim_output(up).len, RATE * s * 95 / 100, RATE * s * 105 / 100 + 5000);
        assert_in_range(sim_output(client).len, RATE * s * 95 / 100, RATE * s * 105 / 100 + 5000);
    }
    wait_ms(sim, 4000);
    assert_much(up, MUCH, 5);
    assert_much(client, MUCH, 6);
    sim_free(sim);
}

static void a_rate_of_all_is_shared(void **state)
{
    (void)state;
    enum { RATE = 100000, MUCH = 1 << 20 };
    struct weir_relay_rate total = {0};
    struct weir_relay_options o = plain(up_only, 1);
    o.total = &total;
    o.rate_total = RATE;
    struct sim *sim = calm();
    struct sim_end *ups[4], *clients[4];
    for (int i = 0; i < 4; i++) {
        ups[i] = sim_peer(sim, "tcp:up:80");
        clients[i] = sim_connect(sim, &weir_relay_protocol, &o);
        send_much(clients[i], MUCH, 7);
        run(sim);
    }
    wait_ms(sim, 6000);
    uint64_t sum = 0;
    for (int i = 0; i < 4; i++) {
        assert_in_range(sim_output(ups[i]).len, RATE * 6 / 4 * 80 / 100, RATE * 6 / 4 * 120 / 100);
        sum += sim_output(ups[i]).len;
    }
    assert_in_range(sum, RATE * 6 * 95 / 100, RATE * 6 * 105 / 100);
    sim_free(sim);
}

static void the_header_comes_first(void **state)
{
    (void)state;
    struct weir_relay_options o = plain(up_only, 1);
    o.proxy_v2 = true;
    struct sim *sim = calm();
    struct sim_end *up = sim_peer(sim, "tcp:up:80");
    struct sim_end *client = sim_connect(sim, &weir_relay_protocol, &o);
    send_text(client, "hello");
    run(sim);
    /* The simulation knows no addresses. */
    static const char expected[] = "\r\n\r\n\0\r\nQUIT\n\x21\0\0\0hello";
    assert_int_equal(sim_output(up).len, sizeof(expected) - 1);
    assert_memory_equal(sim_output(up).at, expected, sizeof(expected) - 1);
    sim_free(sim);
}

/* A break at every byte, either way: told once, counted once, nothing left. */
static void broken_anywhere(void **state)
{
    (void)state;
    for (uint64_t at = 0; at < 60; at++) {
        for (int there = 0; there < 2; there++) {
            struct weir_relay_options o = plain(up_only, 1);
            struct sim *sim = rough(at * 2 + (uint64_t)there + 1);
            struct sim_end *up = sim_peer(sim, "tcp:up:80");
            struct sim_end *client = sim_connect(sim, &weir_relay_protocol, &o);
            sim_break_at(there ? up : client, at);
            send_much(client, 30, 8);
            send_much(up, 30, 9);
            sim_finish(there ? client : up);
            run(sim);
            wait_ms(sim, 60000);
            sim_free(sim);
            assert_int_equal(told.count, 1);
            assert_int_equal(counted.connections, 1);
            assert_int_equal(counted.open, 0);
        }
    }
}

static void no_memory_anywhere(void **state)
{
    (void)state;
    for (unsigned long nth = 0; nth < 60; nth++) {
        struct weir_relay_options o = plain(up_only, 1);
        struct sim *sim = calm();
        struct sim_end *up = sim_peer(sim, "tcp:up:80");
        alloc_fail(nth, true);
        struct sim_end *client = sim_connect(sim, &weir_relay_protocol, &o);
        if (client)
            (void)!sim_run(sim);
        alloc_heal();
        (void)up;
        sim_free(sim);
        assert_int_equal(told.count, counted.connections);
        assert_int_equal(counted.open, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_and_ends_pass_both_ways),
        cmocka_unit_test(a_slow_side_holds_the_other_back),
        cmocka_unit_test(the_ways_are_independent),
        cmocka_unit_test(an_end_that_was_not_meant_is_passed_on),
        cmocka_unit_test(an_early_answer_is_not_lost),
        cmocka_unit_test(one_that_ended_and_broke),
        cmocka_unit_test(the_next_target_is_tried),
        cmocka_unit_test(nobody_there),
        cmocka_unit_test(silence_ends_it),
        cmocka_unit_test(a_patient_one_waits_for_ever),
        cmocka_unit_test(a_wanted_place_is_kept_and_a_stop_waits),
        cmocka_unit_test(a_stop_ends_what_nobody_uses),
        cmocka_unit_test(a_rate_is_kept_each_way),
        cmocka_unit_test(a_rate_of_all_is_shared),
        cmocka_unit_test(the_header_comes_first),
        cmocka_unit_test(broken_anywhere),
        cmocka_unit_test(no_memory_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
