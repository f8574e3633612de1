#include "proto/impl.h"
#include "tbl/limits.h"

#include <assert.h>
#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>

struct conn_and_state {
    struct weir_conn conn;
    alignas(max_align_t) uint8_t state[];
};

struct weir_conn *weir_conn_new(struct weir_driver *driver, const struct weir_protocol *protocol,
                                const void *config)
{
    struct conn_and_state *both = calloc(1, sizeof(*both) + state_units(protocol) * STATE_UNIT);
    if (!both)
        return NULL;
    struct weir_conn *conn = &both->conn;
    conn->protocol = protocol;
    conn->config = config;
    conn->driver = driver;
    conn->state = both->state;
    conn->state_room = state_room(protocol);
    conn->resting = true;
    out_init(&conn->out, driver->pool);
    return conn;
}

struct weir_conn *weir_conn_new_inner(struct weir_conn *outer, const struct weir_protocol *protocol,
                                      const void *config)
{
    struct weir_conn *conn = weir_conn_new(outer->driver, protocol, config);
    if (!conn)
        return NULL;
    conn->outer = outer;
    conn->sibling = outer->inner;
    outer->inner = conn;
    return conn;
}

static void unlink_inner(struct weir_conn *conn)
{
    struct weir_conn **at = &conn->outer->inner;
    while (*at != conn)
        at = &(*at)->sibling;
    *at = conn->sibling;
}

static void free_state(struct weir_conn *conn)
{
    if (conn->state != ((struct conn_and_state *)conn)->state)
        free(conn->state);
}

void conn_set_state(struct weir_conn *conn, void *state, const struct weir_protocol *protocol)
{
    free_state(conn);
    conn->state = state;
    conn->state_room = state_room(protocol);
}

void weir_conn_free(struct weir_conn *conn)
{
    if (!conn)
        return;
    if (!conn->closed) {
        conn->closed = true;
        int why = conn->finishing ? conn->why : -ECONNABORTED;
        if (conn->protocol->close)
            conn->protocol->close(conn->state, conn, why);
    }
    assert(!conn->inner); /* its machine frees what it made */
    if (conn->outer)
        unlink_inner(conn);
    out_done(&conn->out);
    free(conn->own);
    free_state(conn);
    free(conn);
}

/* Something changed: the outermost connection must have a turn, or one more round of the one under way. */
static void want_turn(struct weir_conn *conn)
{
    while (conn->outer)
        conn = conn->outer;
    if (conn->in_turn)
        conn->again = true;
    else
        conn->driver->ops->wake(conn->driver, conn);
}

void *weir_conn_state(struct weir_conn *conn)
{
    return conn->state;
}

const void *weir_conn_config(const struct weir_conn *conn)
{
    return conn->config;
}

struct weir_out *weir_conn_out(struct weir_conn *conn)
{
    return &conn->out;
}

struct weir_driver *weir_conn_driver(struct weir_conn *conn)
{
    return conn->driver;
}

struct weir_now weir_conn_now(const struct weir_conn *conn)
{
    return conn->driver->now;
}

void weir_conn_pause(struct weir_conn *conn)
{
    conn->paused = true;
}

void weir_conn_resume(struct weir_conn *conn)
{
    conn->paused = false;
    conn->starved = false; /* it may want the same bytes now */
    want_turn(conn);
}

void weir_conn_arm(struct weir_conn *conn, uint64_t mono_ns)
{
    conn->deadline_ns = mono_ns;
    if (!conn->in_turn)
        want_turn(conn);
}

void conn_flush_deadline(struct weir_conn *conn)
{
    conn->deadline_ns = conn->driver->now.mono_ns + LIMIT_FLUSH_MS * WEIR_NS_PER_MS;
}

void weir_conn_finish(struct weir_conn *conn, int why)
{
    if (conn->finishing)
        return;
    conn->finishing = true;
    conn->why = (int16_t)(why < INT16_MIN || why > INT16_MAX ? -EINVAL : why);
    conn_flush_deadline(conn);
    want_turn(conn);
}

void weir_conn_linger(struct weir_conn *conn, int why, size_t bytes_max, unsigned ms)
{
    if (conn->finishing)
        return;
    weir_conn_finish(conn, why);
    conn->linger = true;
    conn->end_wanted = true;
    conn->linger_ms = ms;
    conn->linger_max = bytes_max < UINT32_MAX ? (uint32_t)bytes_max : UINT32_MAX;
}

void weir_conn_abort(struct weir_conn *conn, int why)
{
    conn->broken = true;
    weir_conn_finish(conn, why);
    want_turn(conn); /* also when it was finishing */
}

void weir_conn_reset(struct weir_conn *conn, int why)
{
    conn->reset = true;
    weir_conn_finish(conn, why);
}

void weir_conn_end(struct weir_conn *conn)
{
    conn->end_wanted = true;
    want_turn(conn);
}

int weir_conn_become(struct weir_conn *conn, const struct weir_protocol *protocol,
                     const void *config)
{
    if (conn->next_protocol)
        return -EBUSY;
    conn->next_protocol = protocol;
    conn->next_config = config;
    want_turn(conn);
    return 0;
}

const struct weir_protocol *weir_conn_before(const struct weir_conn *conn)
{
    return conn->next_protocol ? NULL : conn->before;
}

void weir_conn_wake(struct weir_conn *conn)
{
    want_turn(conn);
}

void weir_conn_rest(struct weir_conn *conn, bool at_rest)
{
    conn->resting = at_rest;
}

const char *weir_conn_who(const struct weir_conn *conn)
{
    for (conn = conn->outer; conn; conn = conn->outer)
        if (conn->protocol->who)
            return conn->protocol->who(conn->state);
    return NULL;
}

bool weir_conn_leaving(const struct weir_conn *conn)
{
    return conn->leave_stop || conn->leave_busy || conn->tell_stop || conn->tell_busy;
}

void weir_conn_leave(struct weir_conn *conn, enum weir_leave why)
{
    bool told = why == WEIR_LEAVE_STOP ? conn->leave_stop : conn->leave_busy;
    if (told)
        return;
    if (why == WEIR_LEAVE_STOP)
        conn->tell_stop = true;
    else
        conn->tell_busy = true;
    want_turn(conn);
}

/* Turns of the inner ones are its machine's to give, which has none any more once this one is closing. */
uint64_t weir_conn_deadline(const struct weir_conn *conn)
{
    uint64_t first = conn->deadline_ns;
    if (conn->finishing)
        return first;
    for (const struct weir_conn *inner = conn->inner; inner; inner = inner->sibling) {
        uint64_t at = weir_conn_deadline(inner);
        if (at && (!first || at < first))
            first = at;
    }
    return first;
}

bool weir_conn_resting(const struct weir_conn *conn)
{
    for (const struct weir_conn *inner = conn->inner; inner; inner = inner->sibling)
        if (!weir_conn_resting(inner))
            return false;
    return conn->resting && conn->input_len == 0 && conn->out.len == 0 && !conn->finishing &&
           !conn->eof && !conn->paused;
}

static void move_to(struct weir_conn *conn, struct weir_driver *to)
{
    conn->driver = to;
    conn->out.pool = to->pool;
    for (struct weir_conn *inner = conn->inner; inner; inner = inner->sibling)
        move_to(inner, to);
}

void weir_conn_move(struct weir_conn *conn, struct weir_driver *to)
{
    assert(weir_conn_resting(conn) && !conn->outer);
    move_to(conn, to);
}

struct weir_conn *weir_conn_outer(const struct weir_conn *conn)
{
    return conn->outer;
}

struct weir_conn *weir_conn_inner(const struct weir_conn *conn)
{
    return conn->inner;
}

void weir_conn_set_slot(struct weir_conn *conn, void *slot)
{
    assert(!conn->outer);
    conn->slot = slot;
}

void *weir_conn_slot(const struct weir_conn *conn)
{
    return conn->outer ? NULL : conn->slot;
}

int weir_conn_why(const struct weir_conn *conn)
{
    return conn->why;
}

bool weir_conn_is_reset(const struct weir_conn *conn)
{
    return conn->reset;
}

bool weir_conn_is_broken(const struct weir_conn *conn)
{
    return conn->broken;
}

bool weir_conn_patient(const struct weir_conn *conn)
{
    return conn_patient(conn);
}
