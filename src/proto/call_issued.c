/* Calls of our own: from weir_conn_call() until their answer came, also where nobody waits for it any more. */
#include "proto/call.h"
#include "tbl/limits.h"

#include <stdlib.h>

/* How many may be under way: before the peer has said what it takes, one. */
static unsigned places(const struct calls *c, const struct call_bounds *bounds)
{
    unsigned takes = c->greeted ? c->peer_takes : 1;
    return takes < bounds->calls_max ? takes : bounds->calls_max;
}

static bool has_room(const struct calls *c, struct weir_conn *conn)
{
    struct call_bounds bounds = calls_bounds(calls_options(conn));
    return c->issued.count < places(c, &bounds) && calls_unsent(c, conn) < LIMIT_OUT_BYTES;
}

/* 0, or why this request cannot be sent. */
static int check(struct calls *c, struct weir_conn *conn, const struct weir_request *request)
{
    if (c->why < 0)
        return -ENOTCONN;
    if (c->left || c->peer_left || weir_conn_leaving(conn))
        return -ESHUTDOWN;
    if (c->greeted && c->peer_takes == 0)
        return -EOPNOTSUPP;
    if (request->len > calls_bounds(calls_options(conn)).bytes_max || request->len > c->peer_bytes)
        return -EMSGSIZE;
    if (has_room(c, conn))
        return 0;
    c->refused = true;
    return -EAGAIN;
}

WEIR_API int weir_conn_call(struct weir_conn *conn, const struct weir_request *request,
                            uint64_t *out_id)
{
    struct calls *c = weir_conn_state(conn);
    int rc = check(c, conn, request);
    if (rc < 0)
        return rc;
    struct issued *call = calloc(1, sizeof(*call));
    if (!call)
        return -ENOMEM;
    uint64_t id = c->next_issued + 1;
    struct call_head head = {.kind = CALL_REQUEST, .id = id, .value = request->timeout_ms};
    uint64_t now = weir_conn_now(conn).mono_ns;
    if (c->issued.count == 0) {
        c->heard_ns = now; /* nothing was owed before */
        c->pinged = false;
    }
    rc = calls_send(c, conn, head, request->bytes, request->len);
    if (rc < 0) {
        free(call);
        return rc;
    }
    c->next_issued = id;
    call->done = request->done;
    call->arg = request->arg;
    call->entry.id = id;
    if (request->timeout_ms > 0)
        call->entry.deadline_ns = now + request->timeout_ms * WEIR_NS_PER_MS;
    call_table_add(&c->issued, &call->entry);
    calls_expect(c, call->entry.deadline_ns);
    calls_arm(c, conn);
    weir_conn_rest(conn, false);
    if (out_id)
        *out_id = id;
    return 0;
}

static void tell(struct issued *call, const struct weir_answer *answer)
{
    void (*done)(void *, const struct weir_answer *) = call->done;
    call->done = NULL;
    if (done)
        done(call->arg, answer);
}

/* Its place is the peer's until that says it has let go of it. */
static void give_up(struct calls *c, struct weir_conn *conn, struct issued *call)
{
    struct call_head head = {.kind = CALL_CANCEL, .id = call->entry.id};
    call->entry.deadline_ns = 0;
    (void)!calls_send(c, conn, head, NULL, 0); /* has no content: cannot fail */
}

WEIR_API int weir_conn_cancel(struct weir_conn *conn, uint64_t id)
{
    struct calls *c = weir_conn_state(conn);
    struct issued *call = (struct issued *)call_table_find(&c->issued, id);
    if (!call || !call->done)
        return -ENOENT;
    give_up(c, conn, call);
    tell(call, &(struct weir_answer){.error = -ECANCELED});
    return 0;
}

void calls_issued_expire(struct calls *c, struct weir_conn *conn, struct call_entry *due)
{
    for (struct call_entry *next; due; due = next) {
        struct issued *call = (struct issued *)due;
        next = due->later;
        if (!call->done)
            continue; /* cancelled by the done() of one before it */
        give_up(c, conn, call);
        tell(call, &(struct weir_answer){.error = -ETIMEDOUT});
    }
}

/* What an answer means to who asked. -EPROTO: it cannot be one. */
static int meaning(const struct issued *call, struct call_head head)
{
    if (head.kind == CALL_REPLY)
        return 0;
    if (head.kind == CALL_ERROR)
        return -EREMOTEIO;
    /* Its clock runs a little faster than ours, or we have given up. */
    return !call->done || call->entry.deadline_ns ? -ETIMEDOUT : -EPROTO;
}

int calls_issued_answer(struct calls *c, struct call_head head, const uint8_t *content, size_t len)
{
    struct issued *call = (struct issued *)call_table_find(&c->issued, head.id);
    if (!call)
        return -EPROTO;
    int error = meaning(call, head);
    if (error == -EPROTO)
        return error;
    call_table_take(&c->issued, head.id);
    struct weir_answer answer = {.error = error, .code = head.value, .bytes = content, .len = len};
    tell(call, &answer);
    free(call);
    return 0;
}

static void end_list(struct call_entry *list, int why)
{
    for (struct call_entry *next; list; list = next) {
        next = list->later;
        tell((struct issued *)list, &(struct weir_answer){.error = why});
        free(list);
    }
}

int calls_issued_refused(struct calls *c, uint64_t last)
{
    if (last > c->next_issued)
        return -EPROTO;
    end_list(call_table_cut(&c->issued, last), -ESHUTDOWN);
    return 0;
}

void calls_issued_end(struct calls *c, int why)
{
    if (c->why == 0)
        c->why = why;
    end_list(call_table_cut(&c->issued, 0), c->why);
}

void calls_issued_ready(struct calls *c, struct weir_conn *conn)
{
    const struct weir_call_options *options = calls_options(conn);
    if (!c->refused || c->why < 0 || !has_room(c, conn))
        return;
    c->refused = false;
    if (options->ready)
        options->ready(options->arg, conn);
}
