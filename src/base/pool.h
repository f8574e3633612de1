/*
 * base/pool.h: memory blocks of one size that are used again and again: one pool a thread, so no locks. Freed
 * blocks are kept up to a bound, so that the usual request allocates nothing.
 */
#pragma once

#include <weir/base.h>

#define POOL_BLOCK_BYTES 4096 /* a page: small answers with their spans fit one */

struct pool_item;
struct weir_pool {
    struct pool_item *free;
    unsigned kept;     /* blocks in `free` */
    unsigned kept_max; /* more than these go back to malloc */
};

void pool_init(struct weir_pool *, unsigned kept_max);
/* POOL_BLOCK_BYTES, not zeroed. NULL: no memory. */
void *pool_take(struct weir_pool *);
/* Gives a block back, also one taken from another pool. */
void pool_give(struct weir_pool *, void *block);
void pool_done(struct weir_pool *);
