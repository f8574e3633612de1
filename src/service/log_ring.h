/*
 * service/log_ring.h: bounded queues of whole records in memory that all processes share which are forked later. Many
 * write, one process reads; nobody waits for anybody.
 *
 * A ring has one writer at a time. Who has something to say takes a free ring, puts records in, and lets go of the ring
 * when it is about to wait. A record counts when it lies there whole: of a writer that was killed, what it had said so far is read,
 * half a record is not, and its ring is taken by another. A record that does not fit is counted.
 */
#pragma once

#include <weir/base.h>

#include <sys/uio.h>

struct log_rings;
struct log_ring;

/* What a thread has of the rings. Zeroed: nothing. */
struct log_hand {
    struct log_ring *ring; /* NULL: none now */
    unsigned last;         /* the one it had, tried first */
};

/* `size` of each is a power of two. 0 or -errno. */
WEIR_CHECKED int log_rings_new(unsigned count, size_t size, struct log_rings **out);
void log_rings_free(struct log_rings *); /* NULL is fine */

/* For writers. */
void log_put(struct log_rings *, struct log_hand *, const char *record, size_t len);
/* Before a wait, and at the end. The reader is woken if it sleeps. */
void log_let_go(struct log_rings *, struct log_hand *);
/* Records that were lost in any way; counted for ever. */
void log_count_lost(struct log_rings *, uint64_t records);
uint64_t log_lost(const struct log_rings *);

/* For the reader. */
unsigned log_rings_count(const struct log_rings *);
/* Readable when it should look. */
int log_rings_wake_fd(const struct log_rings *);
/* The next look comes by itself: nobody need wake it, unless a ring fills up. */
void log_awake(struct log_rings *);
/* It will look when it is woken. false: there is something to read already. */
bool log_asleep(struct log_rings *);
/* What lies in the ring, in up to two pieces; how many. */
int log_peek(struct log_rings *, unsigned ring, struct iovec out[2]);
/* So much of it was read. */
void log_took(struct log_rings *, unsigned ring, size_t len);
