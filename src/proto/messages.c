#include "proto/messages.h"

#include "tbl/limits.h"

#include <errno.h>
#include <stddef.h>

_Static_assert(offsetof(struct weir_line_options, calls) == 0 &&
                   offsetof(struct weir_frame_options, calls) == 0,
               "calls_of() finds the calls at the front of either");

static void arm_in(struct weir_conn *conn, uint64_t ns)
{
    weir_conn_arm(conn, weir_conn_now(conn).mono_ns + ns);
}

/* Both options begin with them. */
static const struct weir_message_calls *calls_of(const struct weir_conn *conn)
{
    static const struct weir_message_calls none;
    const struct weir_message_calls *calls = weir_conn_config(conn);
    return calls ? calls : &none;
}

int messages_open(struct messages *m, struct weir_conn *conn)
{
    const struct weir_message_calls *calls = calls_of(conn);
    arm_in(conn, m->idle_ns);
    return calls->opened ? calls->opened(calls->arg, conn) : 0;
}

/* The time given covers the sending of what is still queued, too. */
static void leave_now(struct weir_conn *conn)
{
    weir_conn_linger(conn, WEIR_DONE, LIMIT_FRAME_BYTES, LIMIT_LEAVE_QUIET_MS);
}

ssize_t messages_take(struct messages *m, struct weir_conn *conn, const uint8_t *bytes, size_t len,
                      size_t unit)
{
    m->begun = false;
    m->served = true;
    arm_in(conn, m->idle_ns);
    const struct weir_message_calls *calls = calls_of(conn);
    int rc = calls->message ? calls->message(calls->arg, conn, bytes, len)
                            : m->send_back(conn, bytes, len);
    if (rc < 0)
        return rc;
    if (weir_conn_leaving(conn))
        leave_now(conn);
    return (ssize_t)unit;
}

ssize_t messages_wait(struct messages *m, struct weir_conn *conn)
{
    /* Not again for each byte: a message as a whole has a deadline, or a byte a minute would keep it for ever. */
    if (!m->begun && weir_conn_leaving(conn))
        arm_in(conn, m->idle_ns);
    m->begun = true;
    return 0;
}

void messages_expire(void *state, struct weir_conn *conn)
{
    const struct messages *m = state;
    weir_conn_finish(conn, weir_conn_leaving(conn) && !m->begun ? WEIR_DONE : -ETIMEDOUT);
}

void messages_leave(void *state, struct weir_conn *conn, enum weir_leave why)
{
    (void)why;
    const struct messages *m = state;
    if (m->begun)
        return;
    if (m->served)
        leave_now(conn);
    else
        arm_in(conn, LIMIT_FIRST_BYTE_BUSY_MS * WEIR_NS_PER_MS);
}

void messages_close(void *state, struct weir_conn *conn, int why)
{
    (void)state; /* open() may never have been called */
    const struct weir_message_calls *calls = calls_of(conn);
    if (calls->closed)
        calls->closed(calls->arg, conn, why);
}
