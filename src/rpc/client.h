/*
 * rpc/client.h: calls of gRPC over one connection that runs h2_client, without any I/O and without waiting. What it is told
 * comes as events, from within the machine's turn or from the call that caused it. Whoever owns the connection (stub/) gives the
 * turns.
 *
 * client.c: what all calls share, and their deadlines. client_call.c: one call, both ways. client_request.c: its fields.
 */
#pragma once

#include "h2/client.h"
#include "rpc/wire.h"

#include <weir/base.h>

struct rpc_call;

struct rpc_client_options {
    size_t receive_max, send_max;
    bool gzip;
    bool secure; /* TLS lies under it: "https" */
    unsigned ping_ms, silent_ms;
};

struct rpc_client {
    struct weir_conn *conn; /* NULL: not connected */
    struct h2_client_options h2;
    struct rpc_client_options options;
    const char *authority;      /* owned */
    struct rpc_entries entries; /* with every call, binary ones encoded already */
    struct rpc_call *first;
    unsigned count;
    uint64_t now_ns;  /* of the turn, or of the program's call */
    uint64_t due_ns;  /* no deadline of a call is earlier; 0: none has one */
    uint64_t told;    /* events so far */
    bool lost;        /* calls were begun without a connection */
    unsigned settled; /* how often they were ended */
    const char *lost_why;
};

/* What a call tells. Any may be NULL; each may do anything with calls but wait. */
struct rpc_client_events {
    void (*message)(struct rpc_call *); /* there is one in `in` */
    void (*ready)(struct rpc_call *);   /* `out` has room again */
    void (*done)(struct rpc_call *);    /* its status is known; once, last; it may go now */
};

/* Embedded in what the program's side keeps for a call. */
struct rpc_call {
    struct h2_request request; /* first */
    struct rpc_client *client;
    struct rpc_call *prev, *next;
    const struct weir_rpc_method *method;
    const struct rpc_client_events *tell;
    uint64_t deadline_ns; /* 0: none */
    bool lost;            /* there was no connection for it: rpc_client_settle() ends it */
    unsigned lost_in;     /* ... which of them: those that begin meanwhile wait for the next one */

    struct rpc_queue out;
    bool refused;    /* ready() is owed */
    bool half;       /* no more will be sent */
    bool half_given; /* ... and all of it was */

    struct rpc_deframer frame;
    struct rpc_queue in;
    size_t held; /* content that came and was not acknowledged to the peer */
    struct rpc_entries head, trailers;
    bool plain; /* nobody will ask for those: they are not kept */
    bool grpc, head_known, status_given;
    unsigned http_status;

    bool ended;
    struct weir_rpc_status status;
    char *text;    /* owned; the status points into it */
    void *details; /* owned likewise */

    void *arg; /* of whoever listens to `tell` */
};

/* The options are copied. 0, -EINVAL: metadata; -ENOMEM. */
int rpc_client_init(struct rpc_client *, const struct rpc_client_options *, const char *authority,
                    const struct weir_rpc_entry *, size_t count);
/* All calls end. Those that were not freed stay valid. */
void rpc_client_done(struct rpc_client *);
/* Ends calls that were begun without a connection. true: there were some. */
bool rpc_client_settle(struct rpc_client *);
/* The h2_client of `conn` now carries calls. It was made with &client->h2 as its config. */
static inline void rpc_client_attach(struct rpc_client *client, struct weir_conn *conn)
{
    client->conn = conn;
}

/* Begins one, in memory that is zeroed but for `method` and `tell`. 0, and rpc_call_done() is owed; rpc_client_settle() ends it where the connection takes none. -EINVAL: metadata; -EBUSY;
 * -ENOMEM. */
int rpc_call_begin(struct rpc_client *, struct rpc_call *, unsigned timeout_ms,
                   const struct weir_rpc_entry *, size_t count);
/* Takes the message. 0 or -EPIPE. */
int rpc_call_send(struct rpc_call *, struct rpc_message *);
void rpc_call_half_close(struct rpc_call *);
/* The next whole message, or NULL. The peer gets room for more. */
struct rpc_message *rpc_call_take(struct rpc_call *);
/* Ends it now with a status of ours; the peer is told. `text` is static. */
void rpc_call_fail(struct rpc_call *, int code, const char *text);
/* Ends it if it has not, and lets go of all it holds. */
void rpc_call_done(struct rpc_call *);
/* No room in its queue: the sender waits. */
bool rpc_call_full(const struct rpc_call *);

/* --- between the files --- */
int rpc_request_submit(struct rpc_call *, unsigned timeout_ms, const struct weir_rpc_entry *,
                       size_t count);
void rpc_call_expect(struct rpc_call *, uint64_t deadline_ns);
extern const struct h2_request_calls rpc_request_calls;
