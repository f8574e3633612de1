#include "alloc.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static long live;
static unsigned long calls, fail_at = ULONG_MAX;
static bool fail_all;

long alloc_live(void)
{
    return live;
}

unsigned long alloc_calls(void)
{
    return calls;
}

void alloc_fail(unsigned long from_now, bool all)
{
    fail_at = calls + from_now;
    fail_all = all;
}

void alloc_heal(void)
{
    fail_at = ULONG_MAX;
    fail_all = false;
}

static bool fails(void)
{
    unsigned long call = calls++;
    if (call != fail_at && !(fail_all && call > fail_at))
        return false;
    errno = ENOMEM;
    return true;
}

static void *counted(void *at)
{
    if (at)
        live++;
    return at;
}

/* What the linker's --wrap calls instead of the C library, and how that calls it. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *at, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *at);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *at, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *string);
char *__wrap_strndup(const char *string, size_t max);
void __wrap_free(void *at);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *at, size_t size)
{
    if (fails())
        return NULL;
    void *moved = __real_realloc(at, size);
    return at ? moved : counted(moved);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : counted(__real_aligned_alloc(alignment, size));
}

char *__wrap_strndup(const char *string, size_t max)
{
    size_t len = strnlen(string, max);
    char *copy = __wrap_malloc(len + 1);
    if (copy) {
        memcpy(copy, string, len);
        copy[len] = '\0';
    }
    return copy;
}

char *__wrap_strdup(const char *string)
{
    return __wrap_strndup(string, strlen(string));
}

void __wrap_free(void *at)
{
    if (at)
        live--;
    __real_free(at);
}
