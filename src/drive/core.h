/*
 * drive/core.h: what the two real drivers share: slots (a connection with its stream), the queue of connections that
 * want a turn, companions, children, jobs. poll.c and epoll.c add the waiting and nothing else.
 *
 * One thread a core. Slots are freed by the loop alone, never inside a turn.
 */
#pragma once

#include "base/pool.h"
#include "base/timers.h"
#include "stream/impl.h"

#include <weir/conn.h>
#include <weir/driver.h>
#include <weir/server.h>

struct core;
struct dial;
struct duct;
struct fill_job;
struct jobs;
struct tls_clients;
struct weir_process;

struct slot {
    struct weir_conn *conn; /* owned; NULL: `child` is watched */
    struct weir_stream stream;
    struct slot *prev, *next; /* all slots, the one that was active last at the end */
    struct slot *next_ready;
    struct timer timer; /* epoll */
    union {
        struct dial *dial;     /* still connecting */
        struct fill_job *fill; /* a helper reads its file */
        struct child *child;   /* conn is NULL */
        struct duct *duct;     /* ducted: what is on its way past the machines */
    };
    uint8_t want;                    /* enum weir_io of the last turn */
    uint8_t leave;                   /* 1 << enum weir_leave: wished, told with the next turn */
    uint8_t left;                    /* the same: told */
    bool ready : 1;                  /* queued for a turn */
    bool readable : 1, writable : 1; /* worth trying; cleared by -EAGAIN */
    bool hung_up : 1;                /* a short read says nothing about what follows */
    bool watched : 1;
    bool dialling : 1;
    bool companion : 1;
    bool moves_in : 1, moves_out : 1; /* something is to be moved from here, to here */
    bool ducted : 1;
};

struct core {
    struct weir_driver base;
    struct weir_pool pool;
    const struct weir_service *service;        /* borrowed; NULL fields are fine */
    struct jobs *jobs;                         /* NULL until the first job */
    struct weir_job *brief_first, *brief_last; /* to be done on this thread, if it stays alone */
    unsigned brief_count;
    struct tls_clients *tls; /* settings of what was dialled */
    struct slot *first, *last;
    unsigned count;
    unsigned companions;
    unsigned companions_max;
    struct duct *ducts; /* empty ones */
    unsigned duct_count;
    struct slot *ready_first, *ready_last;
    /* Begin and end waiting for a slot's descriptors. 0 or -errno. One that is not watched may have a time to wait for. */
    int (*watch)(struct core *, struct slot *);
    void (*unwatch)(struct core *, struct slot *);
    /* The same for `out` alone, which is about to end while `in` may go on. */
    void (*unwatch_out)(struct core *, struct slot *);
    /* The jobs' descriptor came to be. */
    int (*watch_jobs)(struct core *, int fd);
};

/* Blocks SIGPIPE on this thread, reads the clocks, calls service->worker_start. 0 or -errno. */
int core_init(struct core *, const struct weir_service *, unsigned companions_max);
/* Closes all slots, cancels jobs, worker_end. */
void core_done(struct core *);
void core_read_clocks(struct core *);

/* Takes `stream` and `conn` (NULL: a new one for the service's protocol). NULL: no memory; the stream was closed. */
struct slot *core_add(struct core *, struct weir_stream *stream, struct weir_conn *conn);
/* A companion: has to wait for a turn like any other. */
struct slot *core_add_companion(struct core *, struct weir_stream *stream, struct weir_conn *conn);
void core_close(struct core *, struct slot *);
/* Takes the slot apart without closing: connection and stream are the caller's. */
void core_release(struct core *, struct slot *, struct weir_conn **out_conn,
                  struct weir_stream *out_stream);

void core_ready(struct core *, struct slot *);
/* It was active: it is now the one that has rested least. */
void core_touch(struct core *, struct slot *);
/* Takes the first slot that wants a turn, or NULL. */
struct slot *core_next_ready(struct core *);
/* poll or epoll said something of its descriptors (POLLIN … and EPOLLIN … are the same bits). */
void core_event(struct core *, struct slot *, unsigned events);

/* Asks it to leave, after one more look for a request on its way. Twice the same is once. */
void core_leave(struct core *, struct slot *, enum weir_leave);
/* Waits for this slot alone, and reads. false: nothing came, or this cannot be done so. */
bool core_wait_read(struct core *, struct slot *, struct stream_near *, uint64_t left_ns);
enum step { STEP_WAIT, STEP_AGAIN, STEP_CLOSED };
/* Turns and I/O until nothing moves, it is closed, or others must get their turn. */
enum step core_step(struct core *, struct slot *);
/* When it needs a turn at the latest, 0: never. */
uint64_t slot_deadline(const struct slot *);
/* service->idle, or 0. */
uint64_t core_idle(struct core *);

/* jobs.c */
int jobs_new(struct jobs **out);
int jobs_fd(const struct jobs *);
int jobs_submit(struct jobs *, struct weir_job *);
void jobs_post(struct jobs *, struct weir_job *);
/* Runs done() of what has finished. */
void jobs_collect(struct jobs *);
void jobs_free(struct jobs *);

/* To a helper thread. 0; -EAGAIN, -ENOMEM ... */
int core_lend(struct core *, struct weir_job *);

/* brief.c: what the loop's own thread does while it is alone with clients that shake hands. */
bool brief_take(struct core *, struct weir_job *); /* false: it is for a helper */
void brief_run(struct core *); /* one of them; the rest go to helpers when it is no more alone */
void brief_cancel(struct core *);

/* dial.c: connecting without waiting. */
struct weir_conn *core_dial(struct weir_driver *, const char *endpoint,
                            const struct weir_protocol *, const void *config);
void dial_cancel(struct slot *);
/* One more look at a slot that is dialling. true: it is decided, and the connection wants its turn. */
bool dial_step(struct core *, struct slot *);
uint64_t dial_deadline(const struct slot *);

/* The slot of the outermost connection around this one; NULL: it has none. */
struct slot *slot_of(struct weir_conn *);

/* move.c: bytes past the machines. */
ssize_t core_move(struct weir_driver *, struct weir_conn *from, struct weir_conn *to);
void move_forget(struct core *, struct slot *);
void move_done(struct core *);

/* ends.c: both ends of a stream in numbers. */
void stream_ends(const struct weir_stream *, struct weir_address *out_peer,
                 struct weir_address *out_local);

/* spawn.c: child programs. */
int core_spawn(struct weir_driver *, const struct weir_spawn *, struct weir_conn *out_ends[3]);
bool child_step(struct slot *); /* true: it ended and was reaped; the slot can be closed */
int child_fd(const struct child *);
void child_cancel(struct slot *);

/* fill.c: file bytes for machines that transform them. */
int core_fill(struct weir_driver *, struct weir_conn *, const struct weir_span *, struct weir_out *,
              size_t max, size_t *out_len);
void fill_cancel(struct slot *);
