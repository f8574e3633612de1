#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BLOCK 2048 /* fits a usual request's copied head and its fields */

struct arena_block {
    struct arena_block *next;
    size_t size;
    alignas(max_align_t) char data[];
};

void arena_init(struct arena *a, size_t max)
{
    *a = (struct arena){.max = max};
}

static int arena_grow(struct arena *a, size_t len)
{
    size_t size = len > ARENA_BLOCK ? len : ARENA_BLOCK;
    if (size > a->max - a->total)
        size = len;
    if (size > a->max - a->total)
        return -1;
    struct arena_block *block = malloc(sizeof(*block) + size);
    if (!block)
        return -1;
    block->size = size;
    block->next = a->blocks;
    a->blocks = block;
    a->used_in_block = 0;
    a->total += size;
    return 0;
}

void *arena_take(struct arena *a, size_t len)
{
    if (len > a->max)
        return NULL;
    len = (len + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (!a->blocks || len > a->blocks->size - a->used_in_block)
        if (arena_grow(a, len) < 0)
            return NULL;
    void *at = a->blocks->data + a->used_in_block;
    a->used_in_block += len;
    return at;
}

char *arena_copy(struct arena *a, const void *bytes, size_t len)
{
    if (len >= a->max)
        return NULL;
    char *copy = arena_take(a, len + 1);
    if (!copy)
        return NULL;
    if (len > 0)
        memcpy(copy, bytes, len);
    copy[len] = '\0';
    return copy;
}

void arena_done(struct arena *a)
{
    while (a->blocks) {
        struct arena_block *next = a->blocks->next;
        free(a->blocks);
        a->blocks = next;
    }
    a->total = 0;
    a->used_in_block = 0;
}
