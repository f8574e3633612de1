/*
 * drive/loop.h: the two drivers, as models call them.
 *
 * poll: one connection and its companions, on the calling thread, until that connection is done (or rests, or must be given back).
 * epoll: every connection of a core, until told to stop.
 * Both block SIGPIPE on the calling thread. Both watch a few descriptors beside the connections.
 */
#pragma once

#include "stream/impl.h"

#include <weir/driver.h>
#include <weir/server.h>

/* Descriptors that tell of the world outside; -1: none. None of them is ever read from by a driver. */
struct watch {
    int stop; /* readable or hung up: shut down (WEIR_LEAVE_STOP to all) */
    /* readable: another client waits for a place (WEIR_LEAVE_BUSY). Confirmed again after `confirm_ms` if > 0, where it may be gone
     * by then: another process has taken it, or a thread has. */
    const int *busy;
    unsigned busy_count;
    unsigned confirm_ms;
};

/* --- poll --- */
struct poll_driver; /* one a thread; can run many connections one after the other */
/* Calls service->worker_start. NULL service fields are fine. -ENOMEM or the service's error. */
int poll_driver_new(const struct weir_service *, struct poll_driver **out);
struct weir_driver *poll_driver_base(struct poll_driver *);
/* To be called before the thread waits for something else than a connection (a client, a queue): lets the service write out
 * what it put off. Returns when to call it again (mono_ns, CLOCK_MONOTONIC), 0: not needed. */
uint64_t poll_driver_idle(struct poll_driver *);
void poll_driver_free(struct poll_driver *); /* worker_end; jobs are cancelled */

enum poll_end {
    POLL_CLOSED, /* the connection ended; the stream was closed */
    POLL_RESTS, /* it is at rest (only if asked for): *out_conn and *out_stream are the caller's now */
};
/* Runs a new connection (conn NULL) or a parked one. Takes *stream. `park`: return POLL_RESTS as soon as it rests
 * after having had something to do. */
enum poll_end poll_drive(struct poll_driver *, struct weir_stream *stream, struct weir_conn *conn,
                         const struct watch *, bool park, struct weir_conn **out_conn,
                         struct weir_stream *out_stream);

/* --- epoll --- */
struct epoll_options {
    const struct weir_service *service;
    struct weir_listener *const
        *listeners; /* accepted from by this loop itself; released (closed) by it when it stops */
    unsigned listener_count;
    unsigned
        max_connections; /* at this many the one that rested longest leaves; none at rest: accept later */
    int stop; /* as in struct watch: accept what is queued, close listeners, leave; return when all have ended */
    bool
        cut; /* at the stop close everything at once instead: a program's own connections (a load generator) */
};
/* Returns 0 when all connections ended after a stop, -errno when the loop cannot start. The supervisor bounds the stop (--grace). */
int epoll_drive(const struct epoll_options *);
