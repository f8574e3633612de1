/* Messages into the connection's queue, or behind it. */
#include "proto/call.h"
#include "tbl/limits.h"

#include <weir/driver.h>

#include <stdlib.h>
#include <string.h>

/* Content that is too long to be copied into blocks. */
struct block {
    struct weir_ref ref; /* first */
    uint8_t bytes[];
};

static void block_drop(struct weir_ref *ref)
{
    free(ref);
}

uint64_t calls_unsent(const struct calls *c, struct weir_conn *conn)
{
    return weir_out_len(weir_conn_out(conn)) + c->waiting.len;
}

void calls_note_sent(struct calls *c, struct weir_conn *conn)
{
    uint64_t sent = c->queued - calls_unsent(c, conn);
    if (sent != c->sent)
        c->moved_ns = weir_conn_now(conn).mono_ns;
    c->sent = sent;
}

/* How many more bytes the connection's queue takes without being full. */
static size_t room(struct weir_conn *conn)
{
    const struct weir_out *out = weir_conn_out(conn);
    if (!weir_out_room(out) || out->spans >= LIMIT_OUT_SPANS - 3)
        return 0;
    return weir_out_space(out) - 1;
}

static struct weir_out *lane(struct calls *c, struct weir_conn *conn, size_t len)
{
    if (c->waiting.len > 0 || c->waiting.failed)
        return &c->waiting;
    if (len <= room(conn))
        return weir_conn_out(conn);
    out_done(&c->waiting);
    out_init(&c->waiting, weir_conn_driver(conn)->pool); /* it may have moved to another thread */
    return &c->waiting;
}

int calls_send(struct calls *c, struct weir_conn *conn, struct call_head head, const void *content,
               size_t len)
{
    struct block *block = NULL;
    uint8_t start[CALL_START];
    if (len > LIMIT_CALL_COPIED) {
        block = malloc(sizeof(*block) + len);
        if (!block)
            return -ENOMEM;
        block->ref = (struct weir_ref){.count = 1, .drop = block_drop};
        memcpy(block->bytes, content, len);
    }
    if (calls_unsent(c, conn) == 0)
        c->moved_ns = weir_conn_now(conn).mono_ns;
    struct weir_out *out = lane(c, conn, sizeof(start) + len);
    call_head_put(start, head, len);
    weir_out_copy(out, start, sizeof(start));
    if (block)
        weir_out_bytes(out, block->bytes, len, &block->ref);
    else
        weir_out_copy(out, content, len);
    weir_drop(block ? &block->ref : NULL);
    c->queued += sizeof(start) + len;
    weir_conn_wake(conn);
    return 0;
}

void calls_flush_all(struct calls *c, struct weir_conn *conn)
{
    while (c->waiting.len > 0 && !c->waiting.failed)
        weir_out_move(weir_conn_out(conn), &c->waiting, SIZE_MAX);
}

int calls_flush(struct calls *c, struct weir_conn *conn)
{
    calls_note_sent(c, conn);
    while (c->waiting.len > 0 && !c->waiting.failed) {
        size_t max = room(conn);
        if (max == 0 || weir_out_move(weir_conn_out(conn), &c->waiting, max) == 0)
            break;
    }
    return c->waiting.failed ? -ENOMEM : 0;
}
