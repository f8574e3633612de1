/*
 * base/out.h: the inside of the output queue of weir/out.h, for those who own one: connections and tests.
 *
 * A chain of pooled blocks, each with a few spans and room for copied bytes. Blocks never move, so neither do bytes
 * that a driver has gathered. The last block goes back to the pool with the last byte.
 */
#pragma once

#include "base/pool.h"

#include <weir/out.h>

struct out_block;
struct weir_out {
    struct out_block *head;
    struct out_block *tail;
    struct weir_pool *pool; /* borrowed: from the driver */
    uint64_t len;
    uint32_t spans;
    bool failed;
};

void out_init(struct weir_out *, struct weir_pool *);
void out_done(struct weir_out *); /* drops everything */
int out_gather(const struct weir_out *, struct iovec *, int max, const struct weir_span **out_file);
