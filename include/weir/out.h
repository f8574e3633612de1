/*
 * weir/out.h: what is to be sent, without saying how.
 *
 * A queue of spans: bytes by reference, bytes copied, or a piece of a file. Machines add to it, drivers send from
 * it (writev, sendfile), an outer machine takes spans over to transform them (TLS). It holds pooled blocks only
 * while something is queued; empty, it owns no memory at all.
 *
 * Failure is sticky: when memory runs out the add is ignored, weir_out_failed() is true from then on, and the
 * connection's turn ends the connection with -ENOMEM. So producers need not check each add.
 */
#pragma once

#include "base.h"

struct iovec;
struct weir_out;
struct weir_pool;

enum weir_span_kind { WEIR_SPAN_BYTES, WEIR_SPAN_FILE };

struct weir_span {
    enum weir_span_kind kind;
    int fd;     /* WEIR_SPAN_FILE: borrowed from owner, which keeps it open */
    size_t len; /* bytes still to be sent, never 0 in a queue */
    union {
        const uint8_t *bytes; /* WEIR_SPAN_BYTES */
        uint64_t offset;      /* WEIR_SPAN_FILE: where in the file */
    };
    struct weir_ref
        *owner; /* held until sent; NULL: static storage, or bytes that the queue copied */
};

/* True while a producer may add one more unit: fewer bytes and spans queued than the bounds. */
WEIR_API bool weir_out_room(const struct weir_out *);
/* How many bytes fit before the bound is reached; 0 when there is no room. */
WEIR_API size_t weir_out_space(const struct weir_out *);
/* Bytes queued and not yet sent, files included. */
WEIR_API uint64_t weir_out_len(const struct weir_out *);
WEIR_API bool weir_out_failed(const struct weir_out *);

/* Copies `len` bytes into the queue. Bytes already queued never move. */
WEIR_API void weir_out_copy(struct weir_out *, const void *bytes, size_t len);
/* A place of at least `len` contiguous bytes (at most WEIR_OUT_RESERVE_MAX) to write into; then say how many were
 * written with weir_out_commit(). NULL when memory ran out. Nothing else may be added in between. */
#define WEIR_OUT_RESERVE_MAX 1024
WEIR_API char *weir_out_reserve(struct weir_out *, size_t len);
WEIR_API void weir_out_commit(struct weir_out *, size_t len);
/* Queues bytes by reference and takes one hold on `owner` of its own (NULL: static storage). */
WEIR_API void weir_out_bytes(struct weir_out *, const void *bytes, size_t len,
                             struct weir_ref *owner);
/* Queues `len` bytes of file `fd` from `offset`; `owner` keeps fd open and is held until they are sent. */
WEIR_API void weir_out_file(struct weir_out *, int fd, uint64_t offset, size_t len,
                            struct weir_ref *owner);
/* Moves the first span, or its first `max` bytes, from one queue to the end of another; returns the bytes moved. */
WEIR_API size_t weir_out_move(struct weir_out *to, struct weir_out *from, size_t max);
/* The first span, or NULL when nothing is queued. Valid until the queue changes. */
WEIR_API const struct weir_span *weir_out_first(const struct weir_out *);
/* Forgets the first `len` bytes and drops owners whose spans are done. */
WEIR_API void weir_out_skip(struct weir_out *, size_t len);

/* For a driver of your own: the blocks its connections' output lies in. One a thread. NULL: no memory. */
WEIR_API struct weir_pool *weir_pool_new(void);
/* After its last connection was freed. NULL is fine. */
WEIR_API void weir_pool_free(struct weir_pool *);
