#include "base/pool.h"

#include <weir/out.h>

#include <stdlib.h>

#define POOL_KEPT 64 /* of a pool made for somebody else's driver */

struct pool_item {
    struct pool_item *next;
};

void pool_init(struct weir_pool *pool, unsigned kept_max)
{
    *pool = (struct weir_pool){.kept_max = kept_max};
}

void *pool_take(struct weir_pool *pool)
{
    struct pool_item *item = pool->free;
    if (!item)
        return malloc(POOL_BLOCK_BYTES);
    pool->free = item->next;
    pool->kept--;
    return item;
}

void pool_give(struct weir_pool *pool, void *block)
{
    if (pool->kept >= pool->kept_max) {
        free(block);
        return;
    }
    struct pool_item *item = block;
    item->next = pool->free;
    pool->free = item;
    pool->kept++;
}

void pool_done(struct weir_pool *pool)
{
    while (pool->free) {
        struct pool_item *next = pool->free->next;
        free(pool->free);
        pool->free = next;
    }
    pool->kept = 0;
}

struct weir_pool *weir_pool_new(void)
{
    struct weir_pool *pool = malloc(sizeof(*pool));
    if (pool)
        pool_init(pool, POOL_KEPT);
    return pool;
}

void weir_pool_free(struct weir_pool *pool)
{
    if (pool)
        pool_done(pool);
    free(pool);
}
