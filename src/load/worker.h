/*
 * load/worker.h: the load of one thread: its clients, each a connection that comes back after it was closed, and what they saw.
 * It runs inside a driver and asks it for connections (adopt); when requests are due is decided here.
 *
 * It reads time by `clock` and connects by `connect`, so that a test can give it both.
 */
#pragma once

#include "http/h1/client.h"
#include "load/load.h"
#include "stream/impl.h"

#include <stdatomic.h>

struct worker;

/* A connection and its successors. */
struct client {
    struct http1_client http; /* the config of its machine */
    struct worker *worker;
    struct weir_conn *conn;     /* NULL: closed */
    struct client *next, *prev; /* in the list it is in; `prev` only among those that rest */
    uint64_t retry_ns;          /* closed: connect again then */
    uint32_t under_way;         /* asked and not answered, also on an earlier connection */
    uint32_t asked;             /* of them, on this connection */
    uint32_t first;             /* where in `since` the oldest is */
    bool answered;              /* this connection has brought an answer */
    bool resting;               /* in the list of those that could ask */
    bool woken;                 /* taken out of it, since a request is due */
    uint64_t *since;            /* [depth], a ring: when the time of each began */
};

/* How one protocol is talked. */
struct talk {
    const struct weir_protocol *protocol;
    /* Queues one request: 0; -EAGAIN: client_fill() again when there is room; -ESHUTDOWN: not on this connection. */
    int (*ask)(struct client *);
};
extern const struct talk talk_http, talk_echo, talk_frame;
extern const struct http1_client_calls talk_http_calls;

struct worker {
    const struct load_options *options; /* borrowed */
    const struct talk *talk;
    struct weir_driver *driver;
    uint64_t (*clock)(const struct worker *);
    /* 0 and *out for adopt(), which may be `value`, filled; -errno: try again later. */
    int (*connect)(struct worker *, struct weir_stream *value, struct weir_stream **out);
    void (*ended)(struct worker *); /* time is up, or all was answered: once */

    struct client *clients; /* [count] */
    uint64_t *since;        /* theirs, in one piece */
    unsigned count, depth;
    struct client *rest_first, *rest_last;   /* connected, with room, and nothing was due */
    struct client *retry_first, *retry_last; /* closed, in the order in which they connect again */
    double step_ns;                          /* between requests that are due; 0: closed loop */
    uint64_t due;                            /* number of the next one: due at from + due * step */
    uint64_t left;                           /* requests that may still begin; UINT64_MAX: any */
    uint64_t under_way;                      /* of all clients */
    uint64_t gone_ns;                        /* nobody listens since; 0: somebody does */
    uint64_t from_ns, measure_ns, end_ns;    /* start, end of warm-up, end */
    bool measuring, over;
    uint64_t cpu_from_ns;

    struct load_result result; /* latency is not used: series has it */
    _Atomic uint64_t live_answered, live_errors, live_bytes; /* read by another thread */
};

/* Memory for its share of what the options say. 0 or -ENOMEM. worker_done() in both cases. */
WEIR_CHECKED int worker_init(struct worker *, const struct load_options *, unsigned index);
void worker_done(struct worker *);
/* On the driver's thread: connects all clients; time begins. */
void worker_start(struct worker *, struct weir_driver *);
/* Looks at the time: requests that are due, connections to be made again, the end. */
void worker_tick(struct worker *);
/* How often that should be. */
uint64_t worker_tick_ns(const struct worker *);
/* Ends it now: connections that close from now on are not made again. */
void worker_end(struct worker *);

/* For machines: asks as much as is due and fits. Called in every turn that has room. 0 or -errno. */
int client_fill(struct client *);
/* One answer is complete. `status` 0: not HTTP. */
void client_answered(struct client *, unsigned status, uint64_t bytes);
void client_closed(struct client *, int why);
