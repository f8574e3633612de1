/*
 * base/arena.h: one capped arena for memory that dies together (an exchange). Blocks are freed by arena_done().
 */
#pragma once

#include <weir/base.h>

struct arena_block;
struct arena {
    struct arena_block *blocks;
    size_t used_in_block;
    size_t total; /* bytes of all blocks */
    size_t max;   /* never more than this in all */
};

/* Allocates nothing yet. */
void arena_init(struct arena *, size_t max);
/* Aligned for any type, not zeroed. NULL: the arena is full, or no memory. */
void *arena_take(struct arena *, size_t len);
/* A NUL-terminated copy. NULL as above. */
char *arena_copy(struct arena *, const void *bytes, size_t len);
void arena_done(struct arena *);
