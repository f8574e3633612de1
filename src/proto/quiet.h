/*
 * proto/quiet.h: the deadline of machines without units (echo, discard): a silence of their own length ends them, and a
 * short one is enough once they were asked to leave, so that no flowing data is cut.
 */
#pragma once

#include "tbl/limits.h"

#include <weir/protocols.h>

#include <errno.h>

struct quiet {
    uint64_t silence_ns;
};

static inline void quiet_heard(const struct quiet *q, struct weir_conn *conn)
{
    weir_conn_arm(conn, weir_conn_now(conn).mono_ns + q->silence_ns);
}

static inline void quiet_open(struct quiet *q, struct weir_conn *conn,
                              const struct weir_quiet_options *options)
{
    unsigned idle_ms = options && options->idle_ms ? options->idle_ms : LIMIT_ECHO_IDLE_MS;
    q->silence_ns = idle_ms * WEIR_NS_PER_MS;
    quiet_heard(q, conn);
}

static inline void quiet_leave(struct quiet *q, struct weir_conn *conn)
{
    uint64_t shorter = LIMIT_LEAVE_QUIET_MS * WEIR_NS_PER_MS;
    if (shorter < q->silence_ns)
        q->silence_ns = shorter;
    quiet_heard(q, conn);
}

static inline void quiet_expire(struct weir_conn *conn)
{
    weir_conn_finish(conn, weir_conn_leaving(conn) ? WEIR_DONE : -ETIMEDOUT);
}
