/*
 * proto/frame.h: the length before each message: four bytes, the most significant first.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define FRAME_HEAD 4u

static inline size_t frame_length(const uint8_t head[FRAME_HEAD])
{
    return (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | (size_t)head[3];
}

static inline void frame_put_u32(uint8_t *to, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}
