/* weir_calls beyond its scripts: what programs on both sides see. */
#include "alloc.h"
#include "probe.h"
#include "proto/call_table.h"

#include <weir/call.h>

#define MANY 10000

/* One side's program. */
struct side {
    struct weir_call_options options;
    struct sim_end *end;
    size_t moved; /* bytes of its output that the other side has got */
    struct weir_call *held[MANY];
    unsigned held_count, cancelled_count, requests, readies, closes, answers;
    int cancelled_why, closed_why, last_error;
    uint64_t last_len;
};

static int hold(void *arg, struct weir_call *call, const uint8_t *bytes, size_t len)
{
    struct side *side = arg;
    (void)bytes;
    (void)len;
    side->requests++;
    side->held[side->held_count++] = weir_call_hold(call);
    return 0;
}

static int echo(void *arg, struct weir_call *call, const uint8_t *bytes, size_t len)
{
    ((struct side *)arg)->requests++;
    return weir_call_reply(call, bytes, len);
}

static void note_cancelled(void *arg, struct weir_call *call, int why)
{
    struct side *side = arg;
    (void)call;
    side->cancelled_count++;
    side->cancelled_why = why;
}

static void note_ready(void *arg, struct weir_conn *conn)
{
    (void)conn;
    ((struct side *)arg)->readies++;
}

static void note_closed(void *arg, struct weir_conn *conn, int why)
{
    struct side *side = arg;
    (void)conn;
    side->closes++;
    side->closed_why = why;
}

static void note_answer(void *arg, const struct weir_answer *answer)
{
    struct side *side = arg;
    side->answers++;
    side->last_error = answer->error;
    side->last_len = answer->len;
}

static struct side *new_side(struct sim *sim,
                             int (*request)(void *, struct weir_call *, const uint8_t *, size_t))
{
    struct side *side = calloc(1, sizeof(*side));
    assert_non_null(side);
    side->options = (struct weir_call_options){.request = request,
                                               .cancelled = note_cancelled,
                                               .ready = note_ready,
                                               .closed = note_closed,
                                               .arg = side,
                                               .requests_max = MANY,
                                               .calls_max = MANY};
    side->end = sim_connect(sim, &weir_calls, &side->options);
    assert_non_null(side->end);
    return side;
}

/* What one side has sent since the last time arrives at the other. */
static bool carry(struct side *from, struct side *to)
{
    struct weir_bytes output = sim_output(from->end);
    int why;
    if (output.len == from->moved || sim_closed(to->end, &why))
        return false;
    assert_int_equal(sim_send(to->end, output.at + from->moved, output.len - from->moved), 0);
    from->moved = output.len;
    return true;
}

static void talk(struct sim *sim, struct side *a, struct side *b)
{
    bool moved;
    do {
        run(sim);
        moved = carry(a, b);
        moved |= carry(b, a);
    } while (moved);
}

static int ask(struct side *side, const void *bytes, size_t len, unsigned timeout_ms,
               uint64_t *out_id)
{
    struct weir_request request = {
        .bytes = bytes, .len = len, .timeout_ms = timeout_ms, .done = note_answer, .arg = side};
    return weir_conn_call(sim_conn(side->end), &request, out_id);
}

/* --- calls --- */

struct numbered {
    unsigned number;
    unsigned *seen;
};

static void check_number(void *arg, const struct weir_answer *answer)
{
    struct numbered *n = arg;
    assert_int_equal(answer->error, 0);
    assert_int_equal(answer->len, sizeof(n->number));
    assert_memory_equal(answer->bytes, &n->number, sizeof(n->number));
    ++*n->seen;
}

static int hold_number(void *arg, struct weir_call *call, const uint8_t *bytes, size_t len)
{
    unsigned number;
    assert_int_equal(len, sizeof(number));
    memcpy(&number, bytes, sizeof(number));
    weir_call_set_slot(call, (void *)(uintptr_t)number);
    return hold(arg, call, bytes, len);
}

static void shuffle(struct weir_call **calls, unsigned count)
{
    uint64_t dice = 88172645463325252u;
    for (unsigned i = count; i > 1; i--) {
        dice ^= dice << 13, dice ^= dice >> 7, dice ^= dice << 17;
        unsigned j = (unsigned)(dice % i);
        struct weir_call *last = calls[i - 1];
        calls[i - 1] = calls[j];
        calls[j] = last;
    }
}

static void ask_numbers(struct sim *sim, struct side *a, struct side *b, struct numbered *numbers,
                        unsigned *seen)
{
    for (unsigned i = 0; i < MANY; i++) {
        numbers[i] = (struct numbered){.number = i, .seen = seen};
        struct weir_request request = {.bytes = &numbers[i].number,
                                       .len = sizeof(unsigned),
                                       .done = check_number,
                                       .arg = &numbers[i]};
        int rc = weir_conn_call(sim_conn(a->end), &request, NULL);
        if (rc == -EAGAIN) {
            unsigned before = a->readies;
            talk(sim, a, b);
            assert_int_equal(a->readies, before + 1);
            rc = weir_conn_call(sim_conn(a->end), &request, NULL);
        }
        assert_int_equal(rc, 0);
    }
}

/* Ten thousand at once, answered in any order: each gets its own. */
static void answers_find_their_calls(void **state)
{
    (void)state;
    unsigned seen = 0;
    struct sim *sim = calm();
    struct side *a = new_side(sim, NULL), *b = new_side(sim, hold_number);
    struct numbered *numbers = calloc(MANY, sizeof(*numbers));
    talk(sim, a, b);
    ask_numbers(sim, a, b, numbers, &seen);
    talk(sim, a, b);
    assert_int_equal(b->held_count, MANY);
    assert_int_equal(ask(a, "", 0, 0, NULL), -EAGAIN);
    shuffle(b->held, MANY);
    for (unsigned i = 0; i < MANY; i++) {
        unsigned number = (unsigned)(uintptr_t)weir_call_slot(b->held[i]);
        assert_int_equal(weir_call_reply(b->held[i], &number, sizeof(number)), 0);
        weir_call_drop(b->held[i]);
        if (i % 100 == 0)
            talk(sim, a, b);
    }
    talk(sim, a, b);
    assert_int_equal(seen, MANY);
    sim_free(sim);
    free(numbers);
    free(a);
    free(b);
}

/* Small messages of one turn lie behind each other: few pieces, so one write. */
static void small_messages_go_out_together(void **state)
{
    (void)state;
    struct sim *sim = calm();
    struct side *a = new_side(sim, NULL), *b = new_side(sim, echo);
    struct iovec iov[64];
    const struct weir_span *file;
    char bytes[64] = "";
    talk(sim, a, b);
    for (unsigned i = 0; i < 500; i++)
        assert_int_equal(ask(a, bytes, sizeof(bytes), 0, NULL), 0);
    int pieces = weir_conn_gather(sim_conn(a->end), iov, 64, &file);
    size_t len = 0;
    for (int i = 0; i < pieces; i++)
        len += iov[i].iov_len;
    assert_int_equal(len, 500 * (20 + sizeof(bytes)));
    assert_true(pieces <= 12); /* a block of 4 KiB each */
    talk(sim, a, b);
    assert_int_equal(a->answers, 500);
    sim_free(sim);
    free(a);
    free(b);
}

/* Both send 1 MiB and read only as they write: neither waits for the other for ever. */
static void long_messages_both_ways(void **state)
{
    (void)state;
    static char bytes[LIMIT_CALL_BYTES];
    for (uint64_t seed = 0; seed < 3; seed++) {
        struct sim *sim = rough(seed);
        struct side *a = new_side(sim, echo), *b = new_side(sim, echo);
        talk(sim, a, b);
        /* Neither can send at first. */
        sim_window(a->end, 1000);
        sim_window(b->end, 1000);
        assert_int_equal(ask(a, bytes, sizeof(bytes), 0, NULL), 0);
        assert_int_equal(ask(b, bytes, sizeof(bytes), 0, NULL), 0);
        assert_int_equal(ask(a, bytes, 1, 0, NULL), -EAGAIN);
        assert_int_equal(ask(a, bytes, sizeof(bytes) + 1, 0, NULL), -EMSGSIZE);
        for (int i = 0; i < 3000 && (a->answers == 0 || b->answers == 0); i++) {
            /* Between them fits little: one sends on only when the other has read. */
            if (sim_unread(b->end) == 0)
                sim_window(a->end, 3000);
            if (sim_unread(a->end) == 0)
                sim_window(b->end, 3000);
            talk(sim, a, b);
        }
        assert_int_equal(a->answers, 1);
        assert_int_equal(b->answers, 1);
        assert_int_equal(a->last_len, sizeof(bytes));
        assert_int_equal(a->readies, 1);
        sim_free(sim);
        free(a);
        free(b);
    }
}

static int answer_long(void *arg, struct weir_call *call, const uint8_t *bytes, size_t len)
{
    static const char answer[100000];
    (void)bytes;
    (void)len;
    ((struct side *)arg)->requests++;
    return weir_call_reply(call, answer, sizeof(answer));
}

/* A peer that does not read gets so many answers, and then its requests stay where they are. */
static void unread_answers_are_bounded(void **state)
{
    (void)state;
    struct sim *sim = calm();
    struct side *a = new_side(sim, NULL), *b = new_side(sim, answer_long);
    talk(sim, a, b);
    sim_window(b->end, 0);
    for (unsigned i = 0; i < 200; i++)
        assert_int_equal(ask(a, "x", 1, 0, NULL), 0);
    talk(sim, a, b);
    assert_true(b->requests * 100000ull < LIMIT_CALL_BACKLOG + LIMIT_OUT_BYTES + 200000);
    sim_window(b->end, UINT64_MAX);
    talk(sim, a, b);
    assert_int_equal(b->requests, 200);
    assert_int_equal(a->answers, 200);
    sim_free(sim);
    free(a);
    free(b);
}

/* --- ends --- */

static void every_call_ends_with_its_connection(void **state)
{
    (void)state;
    static const int errors[] = {-ECONNRESET, -EPIPE, -EIO};
    for (unsigned i = 0; i < 3; i++) {
        struct sim *sim = calm();
        struct side *a = new_side(sim, hold), *b = new_side(sim, hold);
        uint64_t id;
        talk(sim, a, b);
        for (unsigned n = 0; n < 300; n++) {
            assert_int_equal(ask(a, "x", 1, 0, &id), 0);
            assert_int_equal(ask(b, "x", 1, 0, NULL), 0);
        }
        talk(sim, a, b);
        assert_int_equal(weir_conn_cancel(sim_conn(a->end), id), 0); /* its place is still held */
        weir_conn_received(sim_conn(a->end), errors[i]);
        weir_conn_wake(sim_conn(a->end));
        run(sim);
        assert_int_equal(a->answers, 300);
        assert_int_equal(a->last_error, errors[i]);
        assert_int_equal(a->cancelled_count, 300);
        assert_int_equal(a->cancelled_why, errors[i]);
        assert_closed(a->end, errors[i]);
        assert_int_equal(a->closes, 1);
        /* A request outlives its client. */
        assert_null(weir_call_conn(a->held[0]));
        assert_true(weir_call_cancelled(a->held[0]));
        assert_int_equal(weir_call_reply(a->held[0], "x", 1), -ECONNRESET);
        assert_int_equal(weir_call_reply(a->held[0], "x", 1), -EALREADY);
        for (unsigned n = 0; n < 300; n++)
            weir_call_drop(a->held[n]);
        sim_free(sim);
        assert_int_equal(b->answers, 300);
        for (unsigned n = 0; n < 300; n++)
            weir_call_drop(b->held[n]);
        free(a);
        free(b);
    }
}

/* done() may begin new calls and cancel others, also while all of them end. */
struct chain {
    struct side *side;
    uint64_t other;
    unsigned ends;
};

static void ask_again(void *arg, const struct weir_answer *answer)
{
    struct chain *chain = arg;
    struct weir_conn *conn = sim_conn(chain->side->end);
    chain->ends++;
    if (answer->error == -ECANCELED)
        return;
    (void)weir_conn_cancel(conn, chain->other);
    struct weir_request request = {.done = ask_again, .arg = chain, .timeout_ms = 100};
    int rc = weir_conn_call(conn, &request, &chain->other);
    assert_true(rc == 0 || rc == -ENOTCONN);
    chain->ends -= rc == 0; /* that one will end, too */
}

static void done_may_ask_and_cancel(void **state)
{
    (void)state;
    struct sim *sim = calm();
    struct side *a = new_side(sim, NULL), *b = new_side(sim, hold);
    struct chain chain = {.side = a};
    talk(sim, a, b);
    for (unsigned n = 0; n < 50; n++) {
        struct weir_request request = {.done = ask_again, .arg = &chain, .timeout_ms = 100};
        assert_int_equal(weir_conn_call(sim_conn(a->end), &request, &chain.other), 0);
    }
    for (int i = 0; i < 5; i++) {
        wait_ms(sim, 100);
        talk(sim, a, b);
    }
    assert_int_equal(b->requests > 50, 1);
    sim_reset(a->end);
    run(sim);
    assert_closed(a->end, -ECONNRESET);
    assert_int_equal(chain.ends, 50);
    sim_free(sim);
    for (unsigned n = 0; n < b->held_count; n++)
        weir_call_drop(b->held[n]);
    free(a);
    free(b);
}

static void answers_of_a_handler(void **state)
{
    (void)state;
    struct sim *sim = calm();
    struct side *a = new_side(sim, NULL), *b = new_side(sim, hold);
    talk(sim, a, b);
    for (unsigned n = 0; n < 3; n++)
        assert_int_equal(ask(a, "x", 1, n == 1 ? 5000 : 0, NULL), 0);
    talk(sim, a, b);
    assert_int_equal(weir_call_deadline(b->held[0]), 0);
    assert_int_equal(weir_call_deadline(b->held[1]),
                     weir_conn_now(sim_conn(b->end)).mono_ns + 5 * WEIR_NS_PER_S);
    assert_ptr_equal(weir_call_conn(b->held[0]), sim_conn(b->end));
    assert_int_equal(weir_call_fail(b->held[0], 42, "no", 2), 0);
    assert_int_equal(weir_call_fail(b->held[0], 42, "no", 2), -EALREADY);
    assert_int_equal(weir_call_reply(b->held[1], sim, LIMIT_CALL_BYTES + 1), -EMSGSIZE);
    for (unsigned n = 0; n < 3; n++)
        weir_call_drop(b->held[n]);
    talk(sim, a, b);
    assert_int_equal(a->answers, 3);
    assert_int_equal(a->last_error, -EREMOTEIO);
    assert_int_equal(b->cancelled_count, 0);
    sim_free(sim);
    free(a);
    free(b);
}

/* --- rest and memory --- */

static void an_idle_connection_is_at_rest(void **state)
{
    (void)state;
    struct sim *sim = calm();
    struct side *a = new_side(sim, NULL), *b = new_side(sim, hold);
    talk(sim, a, b);
    assert_true(weir_conn_resting(sim_conn(a->end)));
    assert_int_equal(ask(a, "x", 1, 0, NULL), 0);
    talk(sim, a, b);
    assert_false(weir_conn_resting(sim_conn(a->end)));
    assert_false(weir_conn_resting(sim_conn(b->end)));
    weir_call_drop(b->held[0]);
    talk(sim, a, b);
    assert_true(weir_conn_resting(sim_conn(a->end)));
    assert_true(weir_conn_resting(sim_conn(b->end)));
    sim_free(sim);
    free(a);
    free(b);
}

static void without_memory_nothing_is_begun(void **state)
{
    (void)state;
    static char bytes[LIMIT_CALL_BYTES];
    struct sim *sim = calm();
    struct side *a = new_side(sim, NULL), *b = new_side(sim, hold);
    talk(sim, a, b);
    for (unsigned i = 0; i < 2; i++) {
        alloc_fail(i, false);
        assert_int_equal(ask(a, bytes, sizeof(bytes), 0, NULL), -ENOMEM);
        alloc_heal();
    }
    assert_int_equal(a->answers, 0);
    assert_int_equal(ask(a, bytes, sizeof(bytes), 0, NULL), 0);
    talk(sim, a, b);
    assert_int_equal(b->held_count, 1);
    alloc_fail(0, false);
    assert_int_equal(weir_call_reply(b->held[0], bytes, sizeof(bytes)), -ENOMEM);
    alloc_heal();
    assert_int_equal(weir_call_reply(b->held[0], bytes, sizeof(bytes)), 0);
    weir_call_drop(b->held[0]);
    talk(sim, a, b);
    assert_int_equal(a->answers, 1);
    assert_int_equal(a->last_error, 0);
    sim_free(sim);
    free(a);
    free(b);
}

/* --- the table --- */

static void the_table_finds_all(void **state)
{
    (void)state;
    static struct call_entry entries[1000];
    struct call_table table = {0};
    uint64_t next;
    for (unsigned i = 0; i < 1000; i++) {
        entries[i] = (struct call_entry){.id = i * 3 + 1, .deadline_ns = i % 5 * 100};
        call_table_add(&table, &entries[i]);
    }
    assert_int_equal(table.count, 1000);
    for (unsigned id = 0; id < 3100; id++)
        assert_ptr_equal(call_table_find(&table, id),
                         id % 3 == 1 && id < 3000 ? &entries[id / 3] : NULL);
    uint64_t last = 0;
    unsigned due = 0;
    for (struct call_entry *e = call_table_due(&table, 250, &next); e; e = e->later, due++) {
        assert_true(e->id > last);
        last = e->id;
    }
    assert_int_equal(due, 400);
    assert_int_equal(next, 300);
    assert_null(call_table_take(&table, 2));
    assert_ptr_equal(call_table_take(&table, 4), &entries[1]);
    unsigned cut = 0;
    last = 2000;
    for (struct call_entry *e = call_table_cut(&table, 2000); e; e = e->later, cut++) {
        assert_true(e->id > last);
        last = e->id;
    }
    assert_int_equal(cut, 333);
    assert_int_equal(table.count, 666);
    call_table_cut(&table, 0);
    assert_int_equal(table.count, 0);
    assert_null(table.many);
}

static void the_table_does_without_memory(void **state)
{
    (void)state;
    static struct call_entry entries[100];
    struct call_table table = {0};
    alloc_fail(0, true);
    for (unsigned i = 0; i < 100; i++) {
        entries[i].id = i;
        call_table_add(&table, &entries[i]);
    }
    for (unsigned i = 0; i < 100; i++)
        assert_ptr_equal(call_table_take(&table, i), &entries[i]);
    alloc_heal();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_find_their_calls),
        cmocka_unit_test(small_messages_go_out_together),
        cmocka_unit_test(long_messages_both_ways),
        cmocka_unit_test(unread_answers_are_bounded),
        cmocka_unit_test(every_call_ends_with_its_connection),
        cmocka_unit_test(done_may_ask_and_cancel),
        cmocka_unit_test(answers_of_a_handler),
        cmocka_unit_test(an_idle_connection_is_at_rest),
        cmocka_unit_test(without_memory_nothing_is_begun),
        cmocka_unit_test(the_table_finds_all),
        cmocka_unit_test(the_table_does_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
