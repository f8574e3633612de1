/* Requests of the peer's: from when they come until they are answered, or nobody holds them any more. */
#include "proto/call.h"
#include "tbl/limits.h"

#include <stdlib.h>

/* It gives its place back: input may have stopped for want of one. */
static void end(struct calls *c, struct weir_call *call)
{
    call->ended = true;
    call_table_take(&c->asked, call->entry.id);
    c->active_ns = weir_conn_now(call->conn).mono_ns;
    weir_conn_wake(call->conn);
}

/* No content and nothing to allocate for it: this cannot fail. */
static void end_with(struct weir_call *call, enum call_kind kind)
{
    struct calls *c = weir_conn_state(call->conn);
    struct call_head head = {.kind = kind, .id = call->entry.id};
    (void)!calls_send(c, call->conn, head, NULL, 0);
    end(c, call);
}

static int answer(struct weir_call *call, struct call_head head, const void *bytes, size_t len)
{
    if (call->ended)
        return -EALREADY;
    if (!call->conn) {
        call->ended = true;
        return -ECONNRESET;
    }
    if (call->cancelled) {
        end_with(call, CALL_CANCELLED);
        return -ECANCELED;
    }
    struct calls *c = weir_conn_state(call->conn);
    if (len > LIMIT_CALL_BYTES || len > c->peer_bytes)
        return -EMSGSIZE;
    int rc = calls_send(c, call->conn, head, bytes, len);
    if (rc == 0)
        end(c, call);
    return rc;
}

WEIR_API int weir_call_reply(struct weir_call *call, const void *bytes, size_t len)
{
    struct call_head head = {.kind = CALL_REPLY, .id = call->entry.id};
    return answer(call, head, bytes, len);
}

WEIR_API int weir_call_fail(struct weir_call *call, uint32_t code, const void *bytes, size_t len)
{
    struct call_head head = {.kind = CALL_ERROR, .value = code, .id = call->entry.id};
    return answer(call, head, bytes, len);
}

WEIR_API struct weir_call *weir_call_hold(struct weir_call *call)
{
    call->holds++;
    return call;
}

WEIR_API void weir_call_drop(struct weir_call *call)
{
    if (!call || --call->holds > 0)
        return;
    if (call->conn && !call->ended)
        end_with(call, call->cancelled ? CALL_CANCELLED : CALL_ERROR);
    free(call);
}

WEIR_API struct weir_conn *weir_call_conn(const struct weir_call *call)
{
    return call->ended ? NULL : call->conn;
}

WEIR_API uint64_t weir_call_deadline(const struct weir_call *call)
{
    return call->entry.deadline_ns;
}

WEIR_API bool weir_call_cancelled(const struct weir_call *call)
{
    return call->cancelled;
}

WEIR_API void weir_call_set_slot(struct weir_call *call, void *slot)
{
    call->slot = slot;
}

WEIR_API void *weir_call_slot(const struct weir_call *call)
{
    return call->slot;
}

static struct weir_call *add(struct calls *c, struct weir_conn *conn, struct call_head head)
{
    struct weir_call *call = calloc(1, sizeof(*call));
    if (!call)
        return NULL;
    call->conn = conn;
    call->holds = 1;
    call->entry.id = head.id;
    if (head.value > 0)
        call->entry.deadline_ns = weir_conn_now(conn).mono_ns + head.value * WEIR_NS_PER_MS;
    call_table_add(&c->asked, &call->entry);
    calls_expect(c, call->entry.deadline_ns);
    return call;
}

int calls_asked_request(struct calls *c, struct weir_conn *conn, struct call_head head,
                        const uint8_t *content, size_t len)
{
    const struct weir_call_options *options = calls_options(conn);
    if (head.id != c->next_asked + 1 || c->peer_left)
        return -EPROTO;
    if (c->left) {
        c->next_asked++;
        return 0; /* it was told that nothing after the last one is taken */
    }
    if (!options->request) {
        c->next_asked++;
        return calls_send(c, conn, (struct call_head){.kind = CALL_ERROR, .id = head.id}, NULL, 0);
    }
    if (c->asked.count >= calls_bounds(options).requests_max)
        return -EAGAIN;
    struct weir_call *call = add(c, conn, head);
    if (!call)
        return -ENOMEM;
    c->next_asked++;
    int rc = options->request(options->arg, call, content, len);
    weir_call_drop(call);
    return rc < 0 ? rc : 0;
}

static void tell(struct weir_call *call, const struct weir_call_options *options, int why)
{
    call->cancelled = true;
    if (call->told || call->ended)
        return;
    call->told = true;
    if (options->cancelled)
        options->cancelled(options->arg, call, why);
}

int calls_asked_cancel(struct calls *c, uint64_t id)
{
    if (id == 0 || id > c->next_asked)
        return -EPROTO;
    struct weir_call *call = (struct weir_call *)call_table_find(&c->asked, id);
    if (!call)
        return 0; /* the answer has crossed it */
    weir_call_hold(call);
    tell(call, calls_options(call->conn), -ECANCELED);
    weir_call_drop(call);
    return 0;
}

void calls_asked_expire(struct call_entry *due)
{
    for (struct call_entry *entry = due; entry; entry = entry->later)
        weir_call_hold((struct weir_call *)entry);
    for (struct call_entry *next; due; due = next) {
        struct weir_call *call = (struct weir_call *)due;
        next = due->later;
        due->deadline_ns = 0;
        if (call->conn)
            tell(call, calls_options(call->conn), -ETIMEDOUT);
        weir_call_drop(call);
    }
}

void calls_asked_close(struct calls *c, int why)
{
    struct call_entry *all = call_table_cut(&c->asked, 0);
    const struct weir_call_options *options =
        all ? calls_options(((struct weir_call *)all)->conn) : NULL;
    for (struct call_entry *entry = all; entry; entry = entry->later)
        weir_call_hold((struct weir_call *)entry)->conn = NULL;
    for (struct call_entry *next; all; all = next) {
        next = all->later;
        tell((struct weir_call *)all, options, why);
        weir_call_drop((struct weir_call *)all);
    }
}
