/*
 * stub/channel.h: the inside of a channel (weir/rpc_client.h): one machine, one stream, and no loop but the call that waits.
 *
 * channel.c opens, closes and connects again; channel_io.c moves bytes; call.c has the calls of a program, unary.c those with one
 * answer, stub.c generated stubs.
 */
#pragma once

#include "base/pool.h"
#include "rpc/client.h"
#include "stream/near.h"

#include <weir/conn.h>
#include <weir/driver.h>
#include <weir/rpc_client.h>

struct weir_rpc_channel {
    struct weir_driver base; /* first */
    struct weir_pool pool;
    struct rpc_client client;
    struct weir_conn *conn;     /* NULL: not connected */
    struct weir_stream *stream; /* owned; NULL likewise */
    struct stream_near near;    /* of it */
    char *endpoint;             /* owned; NULL: a stream was given, and there will be no other */
    struct weir_rpc_options options; /* without what it points to */
    pid_t owner;
    bool readable, writable; /* worth trying */
    bool closing;
    bool busy;      /* a call waits: no other may */
    bool timely;    /* the clock was read just now, or all but that: */
    uint8_t turns;  /* ... so many turns ago */
    int send_error; /* nothing can be sent any more; what the peer has said before is still read */
    uint64_t active_ns; /* bytes moved */
    uint64_t retry_ns;  /* not connected again before */
    unsigned backoff_ms;
    struct weir_rpc_call *lent; /* whose status the program may look at */
    struct weir_rpc_call
        *over; /* ... no more: it goes when there is time, which is before the next wait */
};

/* One call of a program. */
struct weir_rpc_call {
    struct rpc_call call; /* first */
    struct weir_rpc_channel *channel;
    struct weir_rpc_events events;
    void *arg;
    bool async;
    bool telling, unwanted; /* freed from within an event: when that is over */
    struct rpc_message *lent;
};

/* Every public call begins with this. 0, -EPERM, -EDEADLK. */
int channel_enter(struct weir_rpc_channel *);
/* A connection, if there can be one now. Returns how many milliseconds went by in dialling. */
unsigned channel_connect(struct weir_rpc_channel *, int timeout_ms);
/* The connection has ended, or is to. */
int channel_disconnect(struct weir_rpc_channel *);
/* Turns and I/O until enough(). 0; -EAGAIN: the deadline came first. */
int channel_pump(struct weir_rpc_channel *, bool (*enough)(void *), void *arg,
                 uint64_t deadline_ns);
/* Sends what can be sent without waiting. */
void channel_push(struct weir_rpc_channel *);
/* Takes what has come, without waiting. */
void channel_look(struct weir_rpc_channel *);
/* Waits until something may move on a connection there is, or `fd` has bytes or its end: true. */
bool channel_wait_beside(struct weir_rpc_channel *, int fd, uint64_t deadline_ns);
extern const struct weir_driver_ops channel_ops;

/* Begins a call that tells `tell`. As weir_rpc_begin(). */
int call_begin(struct weir_rpc_channel *, const struct weir_rpc_method *,
               const struct weir_rpc_call_options *, const struct rpc_client_events *tell,
               struct weir_rpc_call **out);
int call_send(struct weir_rpc_call *, const ProtobufCMessage *);
void call_free(struct weir_rpc_call *);
/* The only answer of a unary call whose status is OK; NULL: its status says why not from now on. */
ProtobufCMessage *call_reply(struct weir_rpc_call *);
