#include "base/out.h"

#include "tbl/limits.h"

#include <assert.h>
#include <string.h>
#include <sys/uio.h>

#define BLOCK_SPANS 12

/* Spans [first, count) are queued; data[0, used) holds what was copied. */
struct out_block {
    struct out_block *next;
    uint16_t first;
    uint16_t count;
    uint32_t used;
    struct weir_span spans[BLOCK_SPANS];
    uint8_t data[];
};

#define BLOCK_DATA (POOL_BLOCK_BYTES - sizeof(struct out_block))
_Static_assert(WEIR_OUT_RESERVE_MAX <= BLOCK_DATA, "a reservation fits an empty block");

void out_init(struct weir_out *out, struct weir_pool *pool)
{
    *out = (struct weir_out){.pool = pool};
}

bool weir_out_room(const struct weir_out *out)
{
    return out->len < LIMIT_OUT_BYTES && out->spans < LIMIT_OUT_SPANS && !out->failed;
}

size_t weir_out_space(const struct weir_out *out)
{
    return weir_out_room(out) ? LIMIT_OUT_BYTES - (size_t)out->len : 0;
}

uint64_t weir_out_len(const struct weir_out *out)
{
    return out->len;
}

bool weir_out_failed(const struct weir_out *out)
{
    return out->failed;
}

static struct out_block *add_block(struct weir_out *out)
{
    struct out_block *block = out->failed ? NULL : pool_take(out->pool);
    if (!block) {
        out->failed = true;
        return NULL;
    }
    block->next = NULL;
    block->first = 0;
    block->count = 0;
    block->used = 0;
    if (out->tail)
        out->tail->next = block;
    else
        out->head = block;
    out->tail = block;
    return block;
}

/* The tail, or a new block if the tail has no free span or fewer than `bytes` of room. */
static struct out_block *tail_with(struct weir_out *out, size_t bytes)
{
    struct out_block *tail = out->tail;
    if (tail && !out->failed && tail->count < BLOCK_SPANS && BLOCK_DATA - tail->used >= bytes)
        return tail;
    return add_block(out);
}

static void add_span(struct weir_out *out, struct out_block *block, struct weir_span span)
{
    block->spans[block->count++] = span;
    out->spans++;
    out->len += span.len;
}

/* Bytes at the end of `block`'s data become queued: the last span grows if it ends there. */
static void add_copied(struct weir_out *out, struct out_block *block, size_t len)
{
    uint8_t *at = block->data + block->used;
    block->used += (uint32_t)len;
    if (block->count > block->first) {
        struct weir_span *last = &block->spans[block->count - 1];
        if (last->kind == WEIR_SPAN_BYTES && !last->owner && last->bytes + last->len == at) {
            last->len += len;
            out->len += len;
            return;
        }
    }
    add_span(out, block, (struct weir_span){.kind = WEIR_SPAN_BYTES, .len = len, .bytes = at});
}

void weir_out_copy(struct weir_out *out, const void *bytes, size_t len)
{
    const uint8_t *from = bytes;
    while (len > 0) {
        struct out_block *block = tail_with(out, 1);
        if (!block)
            return;
        size_t n = BLOCK_DATA - block->used;
        n = len < n ? len : n;
        memcpy(block->data + block->used, from, n);
        add_copied(out, block, n);
        from += n;
        len -= n;
    }
}

char *weir_out_reserve(struct weir_out *out, size_t len)
{
    assert(len <= WEIR_OUT_RESERVE_MAX);
    struct out_block *block = tail_with(out, len);
    return block ? (char *)block->data + block->used : NULL;
}

void weir_out_commit(struct weir_out *out, size_t len)
{
    assert(out->tail && len <= BLOCK_DATA - out->tail->used);
    if (len > 0)
        add_copied(out, out->tail, len);
}

void weir_out_bytes(struct weir_out *out, const void *bytes, size_t len, struct weir_ref *owner)
{
    struct out_block *block = len > 0 ? tail_with(out, 0) : NULL;
    if (block)
        add_span(
            out, block,
            (struct weir_span){
                .kind = WEIR_SPAN_BYTES, .len = len, .bytes = bytes, .owner = weir_hold(owner)});
}

void weir_out_file(struct weir_out *out, int fd, uint64_t offset, size_t len,
                   struct weir_ref *owner)
{
    struct out_block *block = len > 0 ? tail_with(out, 0) : NULL;
    if (block)
        add_span(out, block,
                 (struct weir_span){.kind = WEIR_SPAN_FILE,
                                    .fd = fd,
                                    .len = len,
                                    .offset = offset,
                                    .owner = weir_hold(owner)});
}

const struct weir_span *weir_out_first(const struct weir_out *out)
{
    for (struct out_block *block = out->head; block; block = block->next)
        if (block->first < block->count)
            return &block->spans[block->first];
    return NULL;
}

/* Frees blocks at the head that hold no span any more. A block that was only reserved in goes too. */
static void trim(struct weir_out *out)
{
    while (out->head && out->head->first == out->head->count) {
        struct out_block *next = out->head->next;
        pool_give(out->pool, out->head);
        out->head = next;
    }
    if (!out->head)
        out->tail = NULL;
}

void weir_out_skip(struct weir_out *out, size_t len)
{
    assert(len <= out->len);
    while (len > 0) {
        struct out_block *block = out->head;
        if (block->first == block->count) {
            trim(out);
            continue;
        }
        struct weir_span *span = &block->spans[block->first];
        size_t n = len < span->len ? len : span->len;
        span->len -= n;
        if (span->kind == WEIR_SPAN_FILE)
            span->offset += n;
        else
            span->bytes += n;
        out->len -= n;
        len -= n;
        if (span->len == 0) {
            block->first++;
            out->spans--;
            weir_drop(span->owner);
        }
    }
    trim(out);
}

static bool lies_in_block(const struct out_block *block, const uint8_t *bytes)
{
    return bytes >= block->data && bytes < block->data + BLOCK_DATA;
}

size_t weir_out_move(struct weir_out *to, struct weir_out *from, size_t max)
{
    trim(from);
    const struct weir_span *span = weir_out_first(from);
    if (!span || max == 0)
        return 0;
    size_t n = span->len < max ? span->len : max;
    if (span->kind == WEIR_SPAN_FILE)
        weir_out_file(to, span->fd, span->offset, n, span->owner);
    else if (!span->owner && lies_in_block(from->head, span->bytes))
        weir_out_copy(to, span->bytes, n); /* its block goes back to the pool with this span */
    else
        weir_out_bytes(to, span->bytes, n, span->owner);
    weir_out_skip(from, n);
    return n;
}

int out_gather(const struct weir_out *out, struct iovec *iov, int max,
               const struct weir_span **out_file)
{
    int n = 0;
    *out_file = NULL;
    for (const struct out_block *block = out->head; block; block = block->next) {
        for (unsigned i = block->first; i < block->count; i++) {
            const struct weir_span *span = &block->spans[i];
            if (span->kind == WEIR_SPAN_FILE) {
                *out_file = span;
                return n;
            }
            if (n == max)
                return n;
            iov[n++] = (struct iovec){(void *)(uintptr_t)span->bytes, span->len};
        }
    }
    return n;
}

void out_done(struct weir_out *out)
{
    weir_out_skip(out, (size_t)out->len);
    trim(out);
}
