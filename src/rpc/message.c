#include "rpc/wire.h"
#include "tbl/limits_rpc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void message_free(struct weir_ref *ref)
{
    free(ref);
}

struct rpc_message *rpc_message_new(size_t len)
{
    struct rpc_message *m = malloc(sizeof(*m) + RPC_PREFIX + len);
    if (!m)
        return NULL;
    m->ref = (struct weir_ref){1, message_free};
    m->next = NULL;
    m->len = RPC_PREFIX + len;
    m->at = 0;
    return m;
}

static void put_prefix(struct rpc_message *m, bool gzip)
{
    size_t len = m->len - RPC_PREFIX;
    m->bytes[0] = gzip;
    m->bytes[1] = (uint8_t)(len >> 24);
    m->bytes[2] = (uint8_t)(len >> 16);
    m->bytes[3] = (uint8_t)(len >> 8);
    m->bytes[4] = (uint8_t)len;
}

/* A plain message becomes a compressed one, if that is shorter. Takes it. */
static int finish(struct rpc_message *m, bool gzip, struct rpc_message **out)
{
    struct rpc_message *shorter;
    if (gzip) {
        int rc = rpc_gzip(m->bytes + RPC_PREFIX, m->len - RPC_PREFIX, &shorter);
        if (rc == 0) {
            weir_drop(&m->ref);
            put_prefix(shorter, true);
            *out = shorter;
            return 0;
        }
        if (rc != -ENODATA) {
            weir_drop(&m->ref);
            return rc;
        }
    }
    put_prefix(m, false);
    *out = m;
    return 0;
}

int rpc_message_pack(const ProtobufCMessage *content, bool gzip, size_t max,
                     struct rpc_message **out)
{
    size_t len = protobuf_c_message_get_packed_size(content);
    if (len > max || len > UINT32_MAX)
        return -EMSGSIZE;
    struct rpc_message *m = rpc_message_new(len);
    if (!m)
        return -ENOMEM;
    protobuf_c_message_pack(content, m->bytes + RPC_PREFIX);
    return finish(m, gzip, out);
}

int rpc_message_copy(const void *bytes, size_t len, bool gzip, size_t max, struct rpc_message **out)
{
    if (len > max || len > UINT32_MAX)
        return -EMSGSIZE;
    struct rpc_message *m = rpc_message_new(len);
    if (!m)
        return -ENOMEM;
    if (len > 0)
        memcpy(m->bytes + RPC_PREFIX, bytes, len);
    return finish(m, gzip, out);
}

/* --- queues --- */

void rpc_queue_add(struct rpc_queue *q, struct rpc_message *m)
{
    m->next = NULL;
    *(q->last ? &q->last->next : &q->first) = m;
    q->last = m;
    q->len += m->len - m->at;
    q->count++;
}

struct rpc_message *rpc_queue_take(struct rpc_queue *q)
{
    struct rpc_message *m = q->first;
    if (!m)
        return NULL;
    q->first = m->next;
    if (!q->first)
        q->last = NULL;
    q->len -= m->len - m->at;
    q->count--;
    m->next = NULL;
    return m;
}

void rpc_queue_give(struct rpc_queue *q, struct weir_out *out, size_t len)
{
    while (len > 0 && q->first) {
        struct rpc_message *m = q->first;
        size_t n = m->len - m->at < len ? m->len - m->at : len;
        if (n < LIMIT_RPC_COPIED)
            weir_out_copy(out, m->bytes + m->at, n);
        else
            weir_out_bytes(out, m->bytes + m->at, n, &m->ref);
        m->at += n;
        q->len -= n;
        len -= n;
        if (m->at == m->len)
            weir_drop(&rpc_queue_take(q)->ref);
    }
}

void rpc_queue_done(struct rpc_queue *q)
{
    for (struct rpc_message *m; (m = rpc_queue_take(q));)
        weir_drop(&m->ref);
}

/* --- what arrives --- */

static int begin(struct rpc_deframer *d)
{
    const uint8_t *p = d->prefix;
    d->want = (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | p[4];
    if (p[0] > 1)
        return -EPROTO;
    if (p[0] == 1 && !d->gzip)
        return -EOPNOTSUPP;
    if (d->want > d->max)
        return -EMSGSIZE;
    d->size = d->want < LIMIT_RPC_FIRST_BYTES ? d->want : LIMIT_RPC_FIRST_BYTES;
    d->part = rpc_message_new(d->size);
    if (!d->part)
        return -ENOMEM;
    d->part->len = 0;
    return 0;
}

static int make_room(struct rpc_deframer *d, size_t more)
{
    size_t size = d->size;
    while (size < d->part->len + more)
        size = 2 * size < d->want ? 2 * size : d->want;
    if (size == d->size)
        return 0;
    struct rpc_message *larger = realloc(d->part, sizeof(*larger) + RPC_PREFIX + size);
    if (!larger)
        return -ENOMEM;
    d->part = larger;
    d->size = size;
    return 0;
}

static int finish_part(struct rpc_deframer *d, struct rpc_message **out)
{
    struct rpc_message *m = d->part;
    d->part = NULL;
    d->prefix_len = 0;
    if (d->prefix[0] == 0) {
        *out = m;
        return 0;
    }
    int rc = rpc_gunzip(m->bytes, m->len, d->max, out);
    weir_drop(&m->ref);
    return rc;
}

ssize_t rpc_deframe(struct rpc_deframer *d, const uint8_t *bytes, size_t len,
                    struct rpc_message **out)
{
    size_t used = 0;
    *out = NULL;
    if (d->prefix_len < RPC_PREFIX) {
        while (used < len && d->prefix_len < RPC_PREFIX)
            d->prefix[d->prefix_len++] = bytes[used++];
        int rc = d->prefix_len == RPC_PREFIX ? begin(d) : 0;
        if (rc < 0 || d->prefix_len < RPC_PREFIX)
            return rc < 0 ? rc : (ssize_t)used;
    }
    size_t n = d->want - d->part->len;
    n = n < len - used ? n : len - used;
    int rc = make_room(d, n);
    if (rc < 0)
        return rc;
    if (n > 0)
        memcpy(d->part->bytes + d->part->len, bytes + used, n);
    d->part->len += n;
    if (d->part->len == d->want)
        rc = finish_part(d, out);
    return rc < 0 ? rc : (ssize_t)(used + n);
}

bool rpc_deframer_clean(const struct rpc_deframer *d)
{
    return d->prefix_len == 0;
}

void rpc_deframer_done(struct rpc_deframer *d)
{
    if (d->part)
        weir_drop(&d->part->ref);
    d->part = NULL;
}
