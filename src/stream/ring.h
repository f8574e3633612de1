/*
 * stream/ring.h: one direction of a shared memory stream: bytes from one writer to one reader in another process, who need
 * not trust each other. No system calls here: those who use it (shm_*.c) wake and wait.
 *
 * Both count bytes from the beginning of time: `head` those published, `tail` those consumed. Each side believes its own
 * count, kept in memory of its own, and checks the other's on every use: it may be anything. A count that cannot be is
 * -EPROTO for good. The bytes lie in memory that is mapped twice in a row, so any piece of up to the whole size is in one piece.
 *
 * Waiting: say so (ring_reader_waits), look again, and only then sleep. The other side publishes, and only then looks who
 * waits. With all four steps in one total order, one of the two sees the other. What is said is taken back by whoever is told
 * to wake: one wake-up for each word.
 */
#pragma once

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define RING_LINE 128 /* caches fetch lines of 64 bytes in pairs */

/* In shared memory. What changes with every message lies apart from what hardly ever does. */
struct ring_shared {
    alignas(RING_LINE) _Atomic uint64_t head;
    alignas(RING_LINE) _Atomic uint32_t ended; /* the writer will write no more */
    _Atomic uint32_t writer_waits;
    alignas(RING_LINE) _Atomic uint64_t tail;
    alignas(RING_LINE) _Atomic uint32_t stopped; /* the reader will read no more */
    _Atomic uint32_t reader_waits;
};

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2,
               "shared between processes");

struct ring_writer {
    struct ring_shared *shared;
    uint8_t *bytes;
    size_t size; /* a power of two */
    uint64_t head;
    uint64_t tail; /* as last seen */
    bool spoiled;
};

struct ring_reader {
    struct ring_shared *shared;
    const uint8_t *bytes;
    size_t size;
    uint64_t tail;
    uint64_t told; /* the tail that the writer knows of */
    uint64_t head; /* as last seen */
    bool spoiled;
};

void ring_writer_init(struct ring_writer *, struct ring_shared *, uint8_t *bytes, size_t size);
void ring_reader_init(struct ring_reader *, struct ring_shared *, const uint8_t *bytes,
                      size_t size);

/* How many bytes can be written at ring_writer_at(). Looks at the reader's count only when it knew of less than `want`.
 * -EPROTO: the other side spoiled it. */
ssize_t ring_room(struct ring_writer *, size_t want);
uint8_t *ring_writer_at(const struct ring_writer *);
/* Hands over `len` bytes, no more than there was room. true: the reader is to be woken. */
bool ring_publish(struct ring_writer *, size_t len);
/* Says that the writer waits for room. To be followed by ring_room(). */
void ring_writer_waits(struct ring_writer *);
/* No more will come. true: the reader is to be woken. */
bool ring_end(struct ring_writer *);
bool ring_is_stopped(const struct ring_writer *);

/* How many bytes can be read at ring_reader_at(). Looks at the writer's count only when it knew of less than `want`. */
ssize_t ring_used(struct ring_reader *, size_t want);
const uint8_t *ring_reader_at(const struct ring_reader *);
/* Gives back `len` bytes, no more than there were. true: the writer is to be woken. It is told of them when all that was known
 * of has been read, or a sixteenth of the ring; one that waits is woken when half is free, not for every byte. */
bool ring_consume(struct ring_reader *, size_t len);
/* Says that the reader waits for bytes. To be followed by ring_used(). true: the writer is to be woken: it waits for more
 * room than half, and this reader for more bytes than are there. */
bool ring_reader_waits(struct ring_reader *);
/* Nobody reads any more. true: the writer is to be woken. */
bool ring_stop(struct ring_reader *);
/* Bytes published before the end are still there: look at ring_used() once more after it. */
bool ring_is_ended(const struct ring_reader *);
