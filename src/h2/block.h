/*
 * h2/block.h: what both sides of HTTP/2 do with whole frames: the pieces of a head (HEADERS and CONTINUATION), the beginning of DATA, frames
 * that are queued, windows. A struct at the most; no connection, no stream.
 */
#pragma once

#include "h2/wire.h"
#include "tbl/limits_h2.h"

#include <weir/out.h>

/* --- in --- */

/* A head in one or several pieces, where they were read. */
struct h2_block {
    struct weir_bytes piece[1 + LIMIT_H2_CONTINUATIONS];
    unsigned count;
    size_t used; /* bytes of all its frames */
};

/* HEADERS at `at`, and the CONTINUATION frames behind it. 0; -EAGAIN: more bytes are needed; > 0: an error of the connection
 * (enum wire_error; WIRE_ENHANCE_YOUR_CALM: too many, or too much). */
int h2_block_read(const struct frame *, const uint8_t *at, size_t len, struct h2_block *out);

/* A DATA frame whose payload comes. */
struct h2_content {
    uint32_t id; /* 0: none */
    uint32_t left;
    uint32_t padding; /* behind it */
    bool ends;        /* END_STREAM */
};

/* Its head, the length of its padding included. Bytes used; 0: more are needed; < 0: minus an error of the connection. */
int h2_content_read(const struct frame *, const uint8_t *at, size_t len, struct h2_content *out);

/* --- out --- */

void h2_put_frame(struct weir_out *, enum wire_type, unsigned flags, uint32_t id,
                  const void *payload, size_t len);
void h2_put_goaway(struct weir_out *, uint32_t last_id, enum wire_error);
/* One with a payload of one number: RST_STREAM, WINDOW_UPDATE. */
void h2_put_number(struct weir_out *, enum wire_type, uint32_t id, uint32_t number);
/* A packed head in as many frames as it needs; `block` has room for a frame's head before it. */
void h2_put_block(struct weir_out *, uint32_t id, uint8_t *block, size_t len, bool ends);
/* One entry of SETTINGS, 6 bytes. */
void h2_put_setting(uint8_t *to, enum wire_setting, uint32_t value);

/* --- windows --- */

/* `len` bytes of what came are used. The window is opened again in halves: one small frame for much content. */
void h2_window_used(struct weir_out *, uint32_t id, size_t len, uint32_t size, uint32_t *taken,
                    int64_t *window);
/* WINDOW_UPDATE. 0, or enum wire_error (RFC 9113 section 6.9). */
enum wire_error h2_window_grow(int64_t *window, uint32_t more);
