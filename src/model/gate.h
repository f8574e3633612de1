/*
 * model/gate.h: where clients come in: a worker's listening sockets and its order to stop, in one wait.
 *
 * At a stop the queue is accepted to its end before the sockets close: one after the other at first, so that workers who
 * share a queue share the work; after LIMIT_DRAIN_MS all that is left at once, or new clients would keep it open for ever.
 * Out of descriptors or memory it accepts later; nobody is turned away.
 */
#pragma once

#include "drive/loop.h"
#include "model/model.h"

#include <sys/epoll.h>

struct gate_socket {
    struct weir_listener *listener;
    unsigned index;
};

struct gate {
    const struct worker *worker; /* borrowed */
    int epoll;
    struct gate_socket *sockets;
    int *fds; /* the same sockets' descriptors, for struct watch */
    unsigned count;
    unsigned next;     /* where accepting goes on, so that no socket is preferred */
    bool stopping;     /* the stop was seen */
    bool shut;         /* the sockets are closed */
    bool muted;        /* the model does not want to hear of clients now */
    bool listening;    /* the sockets are in `epoll` */
    bool knock;        /* the last gate_wait() found somebody waiting, or it is time to try again */
    uint64_t retry_ns; /* out of descriptors: not before this; 0: at any time */
    uint64_t idle_ns;  /* gate_next: time for the service to write out what it put off */
    uint64_t quiet_ns; /* stopping: if nobody came until then, the sockets close */
    uint64_t drain_ns; /* stopping: take the rest of the queue at once after this */
    struct weir_stream *kept; /* accepted at a stop, not yet served; LIMIT_DRAIN_KEPT */
    unsigned kept_count, kept_at;
};

/* 0 or -errno; the model then leaves `gate` to gate_done(). */
int gate_init(struct gate *, const struct worker *);
void gate_done(struct gate *);
/* In a child after fork: closes this copy; `keep_sockets`: all but the listening sockets in `fds`. */
void gate_abandon(struct gate *, bool keep_sockets);

/* Takes a client if one is there: 0; -EAGAIN: not now; -ESHUTDOWN: stopped, and the queue is empty. */
int gate_try(struct gate *, struct weir_stream *out);
/* No memory for a client, or the like: try again after LIMIT_ACCEPT_RETRY_MS. */
void gate_later(struct gate *);
/* Wait for this descriptor too; its events come out of gate_wait() with `tag`. 0 or -errno. */
int gate_add(struct gate *, int fd, uint32_t events, void *tag);
/* Whether clients that wait are worth waking up for. */
void gate_mute(struct gate *, bool muted);
/* Until a client knocks, the stop comes, or an added descriptor is ready: returns how many of those are in `events`. */
int gate_wait(struct gate *, struct epoll_event *events, int max, int timeout_ms);
/* For models that serve one at a time: waits for the next client. 0 or -ESHUTDOWN. `driver` may be NULL. */
int gate_next(struct gate *, struct poll_driver *driver, struct weir_stream *out);
/* Leave when another client waits here (`confirm_ms` as in struct watch), or at the stop. */
struct watch gate_watch(const struct gate *, unsigned confirm_ms);
