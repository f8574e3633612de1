/*
 * h2/wire.h: the bytes of frames (RFC 9113 sections 4, 6 and 7; RFC 9218 section 7): names, and numbers in and out. No state.
 */
#pragma once

#include <weir/base.h>

#define WIRE_PREFACE     "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define WIRE_PREFACE_LEN 24u
#define WIRE_HEAD        9u     /* of a frame, before its payload */
#define WIRE_WINDOW      65535u /* what every window begins with */
#define WIRE_WINDOW_MAX  0x7fffffff
#define WIRE_ID_MAX      0x7fffffffu

enum wire_type {
    WIRE_DATA,
    WIRE_HEADERS,
    WIRE_PRIORITY,
    WIRE_RST_STREAM,
    WIRE_SETTINGS,
    WIRE_PUSH_PROMISE,
    WIRE_PING,
    WIRE_GOAWAY,
    WIRE_WINDOW_UPDATE,
    WIRE_CONTINUATION,
    WIRE_PRIORITY_UPDATE = 0x10,
};

enum wire_flag {
    WIRE_END_STREAM = 1, /* DATA, HEADERS */
    WIRE_ACK = 1,        /* SETTINGS, PING */
    WIRE_END_HEADERS = 4,
    WIRE_PADDED = 8,
    WIRE_HAS_PRIORITY = 0x20,
};

enum wire_setting {
    WIRE_HEADER_TABLE_SIZE = 1,
    WIRE_ENABLE_PUSH,
    WIRE_MAX_CONCURRENT_STREAMS,
    WIRE_INITIAL_WINDOW_SIZE,
    WIRE_MAX_FRAME_SIZE,
    WIRE_MAX_HEADER_LIST_SIZE,
    WIRE_ENABLE_CONNECT_PROTOCOL = 8,
    WIRE_NO_RFC7540_PRIORITIES,
};

enum wire_error {
    WIRE_NO_ERROR,
    WIRE_PROTOCOL_ERROR,
    WIRE_INTERNAL_ERROR,
    WIRE_FLOW_CONTROL_ERROR,
    WIRE_SETTINGS_TIMEOUT,
    WIRE_STREAM_CLOSED,
    WIRE_FRAME_SIZE_ERROR,
    WIRE_REFUSED_STREAM,
    WIRE_CANCEL,
    WIRE_COMPRESSION_ERROR,
    WIRE_CONNECT_ERROR,
    WIRE_ENHANCE_YOUR_CALM,
    WIRE_INADEQUATE_SECURITY,
    WIRE_HTTP_1_1_REQUIRED,
};

struct frame {
    uint32_t len; /* of the payload */
    uint32_t id;
    uint8_t type, flags;
};

static inline uint32_t wire_get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}
static inline uint32_t wire_get24(const uint8_t *at)
{
    return (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
}
static inline uint32_t wire_get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | wire_get24(at + 1);
}
static inline void wire_put32(uint8_t *to, uint32_t n)
{
    to[0] = (uint8_t)(n >> 24);
    to[1] = (uint8_t)(n >> 16);
    to[2] = (uint8_t)(n >> 8);
    to[3] = (uint8_t)n;
}
static inline struct frame wire_read(const uint8_t *at)
{
    return (struct frame){.len = wire_get24(at),
                          .id = wire_get32(at + 5) & WIRE_ID_MAX, /* the first bit means nothing */
                          .type = at[3],
                          .flags = at[4]};
}
static inline void wire_write(uint8_t *to, size_t len, enum wire_type type, unsigned flags,
                              uint32_t id)
{
    to[0] = (uint8_t)(len >> 16);
    to[1] = (uint8_t)(len >> 8);
    to[2] = (uint8_t)len;
    to[3] = (uint8_t)type;
    to[4] = (uint8_t)flags;
    wire_put32(to + 5, id);
}
/* Of frames that are read whole. PRIORITY is not judged here: it has no meaning any more (RFC 9113 section 5.3.2). */
static inline bool wire_len_valid(const struct frame *f)
{
    switch (f->type) {
    case WIRE_RST_STREAM:
    case WIRE_WINDOW_UPDATE:
        return f->len == 4;
    case WIRE_SETTINGS:
        return f->flags & WIRE_ACK ? f->len == 0 : f->len % 6 == 0;
    case WIRE_PING:
        return f->len == 8;
    case WIRE_GOAWAY:
        return f->len >= 8;
    default:
        return true;
    }
}
