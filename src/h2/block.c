#include "h2/block.h"

#include <errno.h>

/* --- in --- */

/* The CONTINUATION frame that has to be at `at`. As h2_block_read(). */
static int read_more(const struct frame *f, const uint8_t *at, size_t len, struct h2_block *block,
                     size_t *total, bool *out_ends)
{
    if (len < WIRE_HEAD)
        return -EAGAIN;
    struct frame next = wire_read(at);
    if (next.type != WIRE_CONTINUATION || next.id != f->id)
        return WIRE_PROTOCOL_ERROR;
    if (next.len > LIMIT_H2_FRAME)
        return WIRE_FRAME_SIZE_ERROR;
    *total += next.len;
    if (*total > LIMIT_H2_BLOCK || block->count > LIMIT_H2_CONTINUATIONS)
        return WIRE_ENHANCE_YOUR_CALM;
    if (len < WIRE_HEAD + next.len)
        return -EAGAIN;
    block->piece[block->count++] = (struct weir_bytes){(const char *)at + WIRE_HEAD, next.len};
    block->used += WIRE_HEAD + next.len;
    *out_ends = next.flags & WIRE_END_HEADERS;
    return 0;
}

int h2_block_read(const struct frame *f, const uint8_t *at, size_t len, struct h2_block *out)
{
    size_t skip = (f->flags & WIRE_PADDED ? 1u : 0u) + (f->flags & WIRE_HAS_PRIORITY ? 5u : 0u);
    size_t padding = f->flags & WIRE_PADDED && f->len > 0 ? at[WIRE_HEAD] : 0;
    if (skip + padding > f->len)
        return skip > f->len ? WIRE_FRAME_SIZE_ERROR : WIRE_PROTOCOL_ERROR;
    size_t total = f->len - skip - padding;
    bool ends = f->flags & WIRE_END_HEADERS;
    out->piece[0] = (struct weir_bytes){(const char *)at + WIRE_HEAD + skip, total};
    out->count = 1;
    out->used = WIRE_HEAD + f->len;
    while (!ends) {
        int rc = read_more(f, at + out->used, len - out->used, out, &total, &ends);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int h2_content_read(const struct frame *f, const uint8_t *at, size_t len, struct h2_content *out)
{
    bool padded = f->flags & WIRE_PADDED;
    if (f->len < padded)
        return -WIRE_PROTOCOL_ERROR;
    if (len < WIRE_HEAD + padded)
        return 0;
    uint32_t padding = padded ? at[WIRE_HEAD] : 0;
    if (f->id == 0 || padding + padded > f->len)
        return -WIRE_PROTOCOL_ERROR;
    *out = (struct h2_content){.id = f->id,
                               .left = f->len - padding - padded,
                               .padding = padding,
                               .ends = f->flags & WIRE_END_STREAM};
    return (int)WIRE_HEAD + padded;
}

/* --- out --- */

void h2_put_frame(struct weir_out *out, enum wire_type type, unsigned flags, uint32_t id,
                  const void *payload, size_t len)
{
    uint8_t head[WIRE_HEAD];
    wire_write(head, len, type, flags, id);
    weir_out_copy(out, head, sizeof(head));
    if (len > 0)
        weir_out_copy(out, payload, len);
}

void h2_put_goaway(struct weir_out *out, uint32_t last_id, enum wire_error code)
{
    uint8_t payload[8];
    wire_put32(payload, last_id);
    wire_put32(payload + 4, code);
    h2_put_frame(out, WIRE_GOAWAY, 0, 0, payload, sizeof(payload));
}

void h2_put_number(struct weir_out *out, enum wire_type type, uint32_t id, uint32_t number)
{
    uint8_t payload[4];
    wire_put32(payload, number);
    h2_put_frame(out, type, 0, id, payload, sizeof(payload));
}

void h2_put_block(struct weir_out *out, uint32_t id, uint8_t *block, size_t len, bool ends)
{
    size_t n = len < LIMIT_H2_FRAME_HEADS ? len : LIMIT_H2_FRAME_HEADS;
    unsigned flags = (ends ? WIRE_END_STREAM : 0u) | (n == len ? WIRE_END_HEADERS : 0u);
    wire_write(block - WIRE_HEAD, n, WIRE_HEADERS, flags, id);
    weir_out_copy(out, block - WIRE_HEAD, WIRE_HEAD + n);
    while (n < len) {
        block += n;
        len -= n;
        n = len < LIMIT_H2_FRAME_HEADS ? len : LIMIT_H2_FRAME_HEADS;
        h2_put_frame(out, WIRE_CONTINUATION, n == len ? WIRE_END_HEADERS : 0, id, block, n);
    }
}

void h2_put_setting(uint8_t *to, enum wire_setting id, uint32_t value)
{
    to[0] = 0;
    to[1] = (uint8_t)id;
    wire_put32(to + 2, value);
}

/* --- windows --- */

void h2_window_used(struct weir_out *out, uint32_t id, size_t len, uint32_t size, uint32_t *taken,
                    int64_t *window)
{
    *taken += (uint32_t)len;
    if (*taken < size / 2)
        return;
    h2_put_number(out, WIRE_WINDOW_UPDATE, id, *taken);
    *window += *taken;
    *taken = 0;
}

enum wire_error h2_window_grow(int64_t *window, uint32_t more)
{
    if (more == 0)
        return WIRE_PROTOCOL_ERROR;
    *window += more;
    return *window > WIRE_WINDOW_MAX ? WIRE_FLOW_CONTROL_ERROR : WIRE_NO_ERROR;
}
