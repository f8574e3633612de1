/*
 * model/handoff.h: guests on their way between the acceptor and the threads of a pool: a bounded queue to the
 * threads, and a list back. The one place of the pool with a lock.
 *
 * A guest is a connection with its stream, and belongs to whoever took it out last.
 */
#pragma once

#include "base/timers.h"
#include "stream/impl.h"

#include <weir/conn.h>

#include <pthread.h>

struct guest {
    struct weir_stream stream;
    struct weir_conn *conn; /* NULL: new, or a plain function's */
    struct timer timer;     /* parked: its deadline */
    uint64_t deadline_ns;
    struct guest *older, *newer; /* parked: in the order they were */
    struct guest *next;          /* in a queue */
    bool parked;
    bool watched; /* known to the acceptor's epoll */
    bool leave;   /* its place is wanted: it ends after what is under way */
    bool closed;  /* back, and ended */
};

struct handoff {
    pthread_mutex_t lock;
    pthread_cond_t work; /* CLOCK_MONOTONIC */
    struct guest *first, *last;
    unsigned count, max;
    uint64_t taken;     /* how many threads have taken since the beginning */
    struct guest *back; /* the last one first */
    bool over;          /* threads return when the queue is empty */
    bool want_news;     /* the acceptor waits until a guest is taken */
    int bell;           /* eventfd: look at the list back, or at the queue */
};

/* 0 or -errno; handoff_done() in both cases. */
int handoff_init(struct handoff *, unsigned max);
void handoff_done(struct handoff *);

/* --- the acceptor --- */
/* How many more the queue takes. At 0, or where it is `late` for those in it, the bell rings when one is taken. *out_taken: moves as
 * long as threads get free. */
unsigned handoff_room(struct handoff *, bool late, uint64_t *out_taken);
/* There is room. */
void handoff_give(struct handoff *, struct guest *);
/* All that came back, the oldest first, or NULL. Quiets the bell. */
struct guest *handoff_collect(struct handoff *);
void handoff_end(struct handoff *);

/* --- a thread --- */
/* Waits for the next guest, until `until_ns` (0: for ever). NULL: none came in time, or *out_over: none will come. */
struct guest *handoff_take(struct handoff *, uint64_t until_ns, bool *out_over);
void handoff_return(struct handoff *, struct guest *);
