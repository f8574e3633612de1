/* The turn: runs a machine until nothing more can happen without I/O or time. */
#include "proto/impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX                                                                                 \
    64 /* a machine that never settles (each round makes progress) gets its next turn later */

static void do_open(struct weir_conn *conn)
{
    conn->opened = true;
    int rc = conn->protocol->open ? conn->protocol->open(conn->state, conn, conn->config) : 0;
    if (rc < 0)
        weir_conn_finish(conn, rc);
}

/* Carries out what weir_conn_become() asked for, now that the machine has returned. */
static void do_become(struct weir_conn *conn)
{
    const struct weir_protocol *next = conn->next_protocol;
    const void *config = conn->next_config;
    conn->next_protocol = NULL;
    conn->before = NULL;
    if (conn->finishing)
        return;
    void *state = NULL;
    if (state_units(next) > conn->state_room && !(state = calloc(state_units(next), STATE_UNIT))) {
        weir_conn_abort(conn, -ENOMEM); /* the old machine's close() is told so */
        return;
    }
    if (conn->protocol->close)
        conn->protocol->close(conn->state, conn, WEIR_DONE);
    if (state)
        conn_set_state(conn, state, next);
    else if (next->state_size > 0)
        memset(conn->state, 0, next->state_size);
    conn->before = conn->protocol;
    conn->protocol = next;
    conn->config = config;
    conn->deadline_ns = 0;
    conn->paused = false;
    conn->starved = false;
    conn->eof_told = false;
    conn->resting = true;
    do_open(conn);
    /* The successor is told anew what its predecessor knew. */
    conn->tell_stop |= conn->leave_stop;
    conn->tell_busy |= conn->leave_busy;
}

static void tell_leave(struct weir_conn *conn, enum weir_leave why)
{
    if (conn->finishing)
        return;
    if (conn->protocol->leave)
        conn->protocol->leave(conn->state, conn, why);
    else
        weir_conn_finish(conn, WEIR_DONE);
}

static void do_leave(struct weir_conn *conn)
{
    if (conn->tell_busy) {
        conn->tell_busy = false;
        conn->leave_busy = true;
        tell_leave(conn, WEIR_LEAVE_BUSY);
    }
    if (conn->tell_stop) {
        conn->tell_stop = false;
        conn->leave_stop = true;
        tell_leave(conn, WEIR_LEAVE_STOP);
    }
}

static void do_expire(struct weir_conn *conn)
{
    if (!conn->deadline_ns || conn->driver->now.mono_ns < conn->deadline_ns)
        return;
    conn->deadline_ns = 0;
    if (conn->finishing)
        conn->broken = true; /* it takes nothing any more, or lingered long enough */
    else if (conn->protocol->expire)
        conn->protocol->expire(conn->state, conn);
    else
        weir_conn_finish(conn, -ETIMEDOUT);
}

/* What a patient machine takes goes elsewhere, so its own queue says nothing. */
static bool has_room(const struct weir_conn *conn)
{
    return weir_out_room(&conn->out) || conn_patient(conn);
}

static bool wants_input(const struct weir_conn *conn)
{
    return !conn->paused && !conn->finishing && !conn->next_protocol && has_room(conn);
}

/* Offers input while the machine consumes it. true: it consumed some. */
static bool do_input(struct weir_conn *conn)
{
    bool progress = false;
    while (conn->input_len > 0 && !conn->starved && wants_input(conn)) {
        ssize_t n = conn->protocol->input(conn->state, conn, conn->input, conn->input_len);
        if (n < 0) {
            weir_conn_finish(conn, (int)n);
            break;
        }
        if (n == 0) {
            /* A machine that paused has not said that it needs more. */
            conn->starved = !conn->paused && !conn->next_protocol;
            if (conn->starved && conn->input_len >= conn->protocol->input_max && !conn->finishing)
                weir_conn_finish(conn, -EMSGSIZE);
            break;
        }
        if ((size_t)n > conn->input_len) {
            weir_conn_finish(conn,
                             -EPROTO); /* a machine's mistake must not become a read past the end */
            break;
        }
        conn->input += n;
        conn->input_len -= (uint32_t)n;
        progress = true;
    }
    return progress;
}

static bool do_eof(struct weir_conn *conn)
{
    if (!conn->eof || conn->eof_told || (conn->input_len > 0 && !conn->starved) ||
        !wants_input(conn))
        return false;
    conn->eof_told = true;
    if (conn->protocol->eof) {
        int rc = conn->protocol->eof(conn->state, conn, conn->input_len);
        if (rc < 0)
            weir_conn_finish(conn, rc);
    } else {
        weir_conn_finish(conn, conn->input_len > 0 ? -EPROTO : WEIR_DONE);
    }
    return true;
}

static bool inner_due(const struct weir_conn *conn)
{
    for (const struct weir_conn *inner = conn->inner; inner; inner = inner->sibling) {
        uint64_t at = weir_conn_deadline(inner);
        if (at && at <= conn->driver->now.mono_ns)
            return true;
    }
    return false;
}

static void do_output(struct weir_conn *conn)
{
    if (!conn->protocol->output || conn->finishing || conn->next_protocol)
        return;
    if (!has_room(conn) && !inner_due(conn))
        return;
    int rc = conn->protocol->output(conn->state, conn);
    if (rc < 0)
        weir_conn_finish(conn, rc);
}

/* Until no step makes progress; the last round's output() may have made room for input that waits. */
static void run_rounds(struct weir_conn *conn)
{
    for (unsigned round = 0; round < ROUNDS_MAX; round++) {
        conn->again = false;
        bool progress = do_input(conn);
        do_output(conn);
        progress |= do_eof(conn);
        if (conn->next_protocol) {
            do_become(conn);
            do_leave(conn);
            progress = true;
        }
        bool can_go_on = conn->input_len > 0 && !conn->starved && wants_input(conn);
        if (!progress && !can_go_on && !conn->again)
            return;
    }
    conn->driver->ops->wake(conn->driver, conn);
}

static unsigned end_of_turn(struct weir_conn *conn)
{
    if (conn->out.failed)
        weir_conn_abort(conn, -ENOMEM);
    if (conn->broken || conn->deaf)
        out_done(&conn->out);
    bool unsent = conn->out.len > 0;
    bool lingers = conn->linger && !conn->eof && !conn->broken;
    if (conn->finishing && !unsent && !lingers) {
        if (!conn->closed && conn->protocol->close)
            conn->protocol->close(conn->state, conn, conn->why);
        conn->closed = true;
        conn->deadline_ns = 0;
        return WEIR_IO_CLOSE;
    }
    unsigned want = unsent ? WEIR_IO_WRITE : 0;
    if (!unsent && conn->end_wanted && !conn->ended)
        want |= WEIR_IO_END;
    if (conn->finishing)
        return want | (conn->ended ? WEIR_IO_READ : 0);
    if (!conn->eof && wants_input(conn) && (conn->input_len == 0 || conn->starved))
        want |= WEIR_IO_READ;
    return want;
}

unsigned weir_conn_turn(struct weir_conn *conn)
{
    conn->in_turn = true;
    if (!conn->opened && !conn->finishing)
        do_open(conn);
    if (conn->deaf)
        out_done(&conn->out); /* nobody waits for that room in vain */
    do_expire(conn);
    if (conn->tell_stop || conn->tell_busy) {
        run_rounds(
            conn); /* what has arrived is older than the wish, and its answer can already tell of it */
        do_leave(conn);
    }
    run_rounds(conn);
    if (conn->deaf && conn->eof_told)
        weir_conn_finish(conn, -EPIPE);
    if (conn->ended && conn->eof_told)
        weir_conn_finish(conn, WEIR_DONE); /* both directions are closed */
    if (conn->finishing)
        conn->input_len = 0;
    if (!conn_keep_input(conn))
        weir_conn_abort(conn, -ENOMEM);
    unsigned want = end_of_turn(conn);
    conn->in_turn = false;
    return want;
}
