/*
 * weir/base.h: the few plain things every other header uses.
 *
 * Nothing here does I/O, reads a clock or keeps global state. Time is a number that is given, never read.
 * Functions that can fail return a negative errno number (-ENOMEM, -EPIPE ...) and 0 or more on success.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WEIR_API     __attribute__((visibility("default")))
#define WEIR_CHECKED __attribute__((warn_unused_result))

/* Bytes that someone else owns. `at` may be NULL when `len` is 0; not NUL-terminated. */
struct weir_bytes {
    const char *at;
    size_t len;
};

/* The time of one turn: mono_ns never goes back (deadlines), wall_ns is since 1970 (dates, logs). */
struct weir_now {
    uint64_t mono_ns;
    int64_t wall_ns;
};

/* How a program ended: an exit status of 0 to 255, or this and the number of the signal that killed it. */
#define WEIR_SIGNALLED 256

/* A resource of a child program (getrlimit(2)) is lowered to this, never raised. */
struct weir_limit {
    int resource; /* RLIMIT_... */
    uint64_t max;
};

#define WEIR_NS_PER_MS 1000000ull
#define WEIR_NS_PER_S  1000000000ull

/*
 * A counted owner of memory or of a descriptor. `drop` frees it when the count reaches 0. The count is not
 * atomic: an object belongs to one thread at a time. Embed it in your own struct.
 */
struct weir_ref {
    unsigned count;
    void (*drop)(struct weir_ref *);
};

static inline struct weir_ref *weir_hold(struct weir_ref *ref)
{
    if (ref)
        ref->count++;
    return ref;
}

static inline void weir_drop(struct weir_ref *ref)
{
    if (ref && --ref->count == 0)
        ref->drop(ref);
}
