/*
 * stream/near.h: a wait for bytes of a Unix socket that looks for a moment when they are near: what we have sent was read by the peer just now,
 * and it seems to answer at once. Sleeping and being woken by an interrupt costs either side more time, and more of the processor, than that.
 *
 * Whoever waits on one stream alone owns one of these. Zeroed at first; near_done() when the stream goes, or another takes its place.
 */
#pragma once

#include "stream/impl.h"

#include <sys/epoll.h>

enum near_state {
    NEAR_NEW,
    NEAR_OPEN,
    NEAR_NEVER, /* it is no Unix socket, or the kernel would not */
};

/* Whether looks are of any use. Zeroed at first. */
struct near_luck {
    uint8_t misses; /* in a row */
    uint8_t passed; /* occasions without a look since then */
};

struct stream_near {
    uint8_t state;
    struct near_luck luck;
    int epoll;   /* tells of each change, also that the peer has read */
    pid_t owner; /* after a fork the other process has its own */
};

/* Do these events of epoll(7) tell of room alone? */
static inline bool near_is_room(uint32_t events)
{
    return !(events & ~(uint32_t)EPOLLOUT);
}

/* Is this an occasion for a look? Somebody who takes his time is looked for now and then only. */
bool near_may_look(struct near_luck *);
/* What came of it. */
void near_looked(struct near_luck *, bool hit);

/* Can this stream be waited for so? */
bool near_ready(struct stream_near *, const struct weir_stream *);
/* Waits for at most `left_ns`. As stream_try_read(); -EAGAIN: nothing came meanwhile. */
ssize_t near_read(struct stream_near *, struct weir_stream *, void *, size_t, uint64_t left_ns);
void near_done(struct stream_near *);
