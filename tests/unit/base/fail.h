/*
 * An allocator that fails on demand: linked with -Wl,--wrap=malloc. fail_after(n) lets n calls succeed and all
 * later ones fail; fail_never() ends that.
 */
#pragma once

#include <limits.h>
#include <stdlib.h>

static unsigned fail_left = UINT_MAX;

void *__real_malloc(size_t len);
void *__wrap_malloc(size_t len);

void *__wrap_malloc(size_t len)
{
    if (fail_left == 0)
        return NULL;
    if (fail_left != UINT_MAX)
        fail_left--;
    return __real_malloc(len);
}

static inline void fail_after(unsigned calls)
{
    fail_left = calls;
}

static inline void fail_never(void)
{
    fail_left = UINT_MAX;
}
