/*
 * proto/call_wire.h: the head of each message of weir_calls, behind the length of its frame. Sixteen bytes, numbers with the
 * most significant byte first:
 *
 *     kind (1)  version (1)  zero (2)  value (4)  id (8)  content (the rest of the frame)
 */
#pragma once

#include "proto/frame.h"

#include <errno.h>
#include <stdbool.h>

#define CALL_HEAD    16u
#define CALL_VERSION 1u
#define CALL_START   (FRAME_HEAD + CALL_HEAD) /* where the content begins */

enum call_kind {
    CALL_HELLO,     /* first: value: requests taken at once, 0: none; id: bytes of content taken */
    CALL_REQUEST,   /* id: 1, 2, 3 ...; value: milliseconds until its caller gives up, 0: never */
    CALL_REPLY,     /* id: of the request */
    CALL_ERROR,     /* likewise; value: the program's code, 0: nobody answered */
    CALL_CANCEL,    /* its caller has given up */
    CALL_CANCELLED, /* the answer to a request that was cancelled or came too late */
    CALL_PING,      /* id: any number */
    CALL_PONG,      /* ... and back */
    CALL_LEAVE, /* id: the last request that was taken; none will be from now on, and none sent */
    CALL_KINDS
};

struct call_head {
    uint32_t kind;
    uint32_t value;
    uint64_t id;
};

static inline void call_head_put(uint8_t to[CALL_START], struct call_head head, size_t content)
{
    frame_put_u32(to, (uint32_t)(CALL_HEAD + content));
    frame_put_u32(to + 4, head.kind << 24 | CALL_VERSION << 16);
    frame_put_u32(to + 8, head.value);
    frame_put_u32(to + 12, (uint32_t)(head.id >> 32));
    frame_put_u32(to + 16, (uint32_t)head.id);
}

static inline bool call_has_content(uint32_t kind)
{
    return kind == CALL_REQUEST || kind == CALL_REPLY || kind == CALL_ERROR;
}

static inline bool call_has_value(uint32_t kind)
{
    return kind == CALL_HELLO || kind == CALL_REQUEST || kind == CALL_ERROR;
}

/* From the bytes behind the length. 0, or -EPROTO: what must be zero is not, or nobody sends such a kind. */
static inline int call_head_get(const uint8_t from[CALL_HEAD], size_t content,
                                struct call_head *out)
{
    size_t first = frame_length(from);
    struct call_head head = {
        .kind = (uint32_t)(first >> 24),
        .value = (uint32_t)frame_length(from + 4),
        .id = (uint64_t)frame_length(from + 8) << 32 | frame_length(from + 12),
    };
    if ((first & 0xffffff) != CALL_VERSION << 16 || head.kind >= CALL_KINDS)
        return -EPROTO;
    if ((content > 0 && !call_has_content(head.kind)) ||
        (head.value > 0 && !call_has_value(head.kind)))
        return -EPROTO;
    *out = head;
    return 0;
}
