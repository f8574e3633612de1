/*
 * rpc/server.h: the inside of a server of gRPC: services as handlers of exchanges.
 *
 * server.c: tables and routes. serving.c: one call, as a handler. serving_end.c: how it ends on the wire. serving_api.c: what the function that
 * answers it may ask. serving_helper.c: functions that wait. health.c and reflection.c: the two services that come with it.
 *
 * In a call that a helper thread answers, the queues, the status and `x` are looked at under its lock; everything else is of the
 * connection's thread, or of the helper until it has returned.
 */
#pragma once

#include "rpc/wire.h"
#include "tbl/limits_rpc.h"

#include <weir/driver.h>
#include <weir/rpc_server.h>

#include <pthread.h>

struct rpc_health;

struct served {
    struct weir_rpc_served given;
    struct weir_rpc_server *server;
    char *pattern; /* owned: of its route */
};

struct weir_rpc_server {
    struct weir_rpc_server_options options;
    struct served served[LIMIT_RPC_SERVICES];
    unsigned count;
    unsigned own; /* the last so many are ours: health and reflection */
    struct rpc_health *health;
};

enum serving_kind {
    SERVING_CLOSURE, /* a function of the implementation, on this thread */
    SERVING_REACTOR,
    SERVING_HELPER_CLOSURE, /* the same as the first, on a helper thread */
    SERVING_HELPER,         /* weir_rpc_answer */
};

struct weir_rpc_context {
    struct weir_ref ref; /* the exchange's until stop(), and the function's until it is done */
    struct weir_job job, news;
    const struct served *served;
    const struct weir_rpc_method *method;
    unsigned index; /* of the method in its service */
    const struct weir_rpc_streaming *row;
    enum serving_kind kind;
    struct weir_exchange *x;    /* NULL: it is over */
    struct weir_exchange *held; /* whose request is read, also when it is over */
    uint64_t deadline_ns, tick_ns;
    uint64_t busy_ns; /* a helper was asked for first */

    struct rpc_deframer frame;
    struct rpc_queue in;
    bool in_ended, in_held; /* held: the peer is held back */
    int in_error;
    struct rpc_queue out;
    bool out_refused; /* ready() is owed */

    struct rpc_entries metadata, head, trailers;
    bool metadata_read, gzip, begun;
    ProtobufCMessage *input; /* of a closure: there until it was called */

    int code; /* of weir_rpc_fail() */
    char *message;
    void *details;
    size_t details_len;
    bool finished; /* the function is done: its status is final */
    bool asked;    /* the function was called */
    bool answered; /* ... and its closure */
    bool ended;    /* the status is on its way, or there is nobody to tell it */

    bool told;  /* news are on their way */
    void *slot; /* of the services that come with the server */
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

extern const struct weir_handler
    rpc_handler; /* its config is a route, whose arg is a struct served */

static inline bool serving_on_helper(const struct weir_rpc_context *c)
{
    return c->kind >= SERVING_HELPER_CLOSURE;
}
void serving_lock(struct weir_rpc_context *);
void serving_unlock(struct weir_rpc_context *);

/* --- serving.c --- */
/* The next time of it has changed. */
void serving_arm(struct weir_rpc_context *);
/* --- serving_end.c --- */
/* Ends a call that has nothing to say but its status: as Trailers-Only. */
int serving_refuse(struct weir_exchange *, int code, const char *message);
/* Status and head; then give() has content. 0 or -errno. */
int serving_begin(struct weir_rpc_context *);
/* The fields behind the content. 0 or -errno. */
int serving_trailers(struct weir_rpc_context *);
/* The function is done, or what it does is not wanted any more: begins the answer if it has not, and wakes the exchange. On
 * the connection's thread. */
void serving_finish(struct weir_rpc_context *);
/* A status of ours instead of the function's. `message` is static. With the lock held. */
void serving_set_status(struct weir_rpc_context *, int code, const char *message);
/* --- serving_api.c --- */
/* The closure that implementations are given; `data` is the context. */
void serving_answered(const ProtobufCMessage *reply, void *data);
/* Sets what weir_rpc_context() gives on this thread. */
void serving_enter(struct weir_rpc_context *);
void serving_leave(void);
/* --- serving_helper.c --- */
int serving_helper_start(struct weir_rpc_context *);
/* The connection's thread has something for the function, with the lock held. */
void serving_helper_signal(struct weir_rpc_context *);
/* The function has something for the connection's thread, with the lock held. */
void serving_helper_tell(struct weir_rpc_context *);

/* --- health.c and reflection.c --- */
int health_new(struct weir_rpc_server *);
void health_free(struct rpc_health *);
extern const struct weir_rpc_service health_service, reflection_v1_service,
    reflection_v1alpha_service;
extern const struct weir_rpc_streaming health_methods[2];
extern const struct weir_rpc_reactor reflection_reactor;
