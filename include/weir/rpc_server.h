/*
 * weir/rpc_server.h: gRPC as a server: services of protobuf-c as routes (weir/routes.h), beside files on the same port.
 *
 *     struct weir_rpc_served served = {&greeter_service, .implementation = &greeter.base};
 *     struct weir_route routes[8];
 *     weir_rpc_serve(&served, 1, NULL, &server);
 *     weir_routes_open(routes, weir_rpc_routes(server, routes, 8), NULL, &service, NULL);
 *
 * An implementation is what protobuf-c makes of the functions of a service, and is called the same way by a program that has it in
 * its own process. By default its functions run on the connection's thread and must not wait; they call their closure at once, or
 * later from that thread. With `blocking` they run on helper threads (16 a driver, 64 calls more may wait for one), under every model,
 * may wait as they like, and call the closure before they return. Methods that stream have a row each, of either kind.
 */
#pragma once

#include "routes.h"
#include "rpc.h"

struct weir_rpc_context;
struct weir_rpc_server;

/* A method that may wait: reads and writes messages (weir_rpc_read(), weir_rpc_write()) on a helper thread. Returns the call's code; after
 * weir_rpc_fail() the one that was given there. */
typedef int weir_rpc_answer(struct weir_rpc_context *, void *arg);

/* A method that must not wait, on the connection's thread. Any may be NULL. It ends by weir_rpc_done(), from any of them or later. No message comes
 * while weir_rpc_write() has no room: the client is held back. */
struct weir_rpc_reactor {
    void (*begun)(struct weir_rpc_context *, void *arg);
    /* There until this returns. */
    void (*message)(struct weir_rpc_context *, void *arg, const ProtobufCMessage *);
    void (*bytes)(struct weir_rpc_context *, void *arg, struct weir_bytes); /* instead of it */
    void (*ended)(struct weir_rpc_context *, void *arg); /* the client sends no more */
    void (*ready)(struct weir_rpc_context *, void *arg); /* weir_rpc_write() had no room, and has */
    void (*tick)(struct weir_rpc_context *, void *arg);  /* weir_rpc_tick() */
    void (*leave)(struct weir_rpc_context *, void *arg); /* the server stops: end soon */
    /* Always, once, last: done, given up by the client, or late. The context is gone afterwards. */
    void (*over)(struct weir_rpc_context *, void *arg);
};

struct weir_rpc_streaming {
    const char *method; /* its name, as in the .proto file */
    weir_rpc_answer *answer;
    const struct weir_rpc_reactor *reactor; /* instead of it */
    void *arg;
};

/* One service. All of it is borrowed until the server is closed. */
struct weir_rpc_served {
    const struct weir_rpc_service *service;
    ProtobufCService
        *implementation; /* of methods that do not stream; NULL: there are rows for all */
    bool blocking;       /* its functions may wait */
    const struct weir_rpc_streaming *methods;
    unsigned method_count;
};

struct weir_rpc_server_options {
    size_t receive_max; /* bytes of a message; 0: 4 MiB */
    bool gzip;      /* compress answers for clients that take it, where that makes them shorter */
    bool no_health; /* without grpc.health.v1.Health */
    bool no_reflection; /* without grpc.reflection.v1 and v1alpha */
};

/* `options` may be NULL. -EINVAL: no implementation, or a row for a method that is not there; -EEXIST: a service twice; -ENOSPC: more than 64;
 * -ENOMEM. */
WEIR_API WEIR_CHECKED int weir_rpc_serve(const struct weir_rpc_served *, size_t count,
                                         const struct weir_rpc_server_options *,
                                         struct weir_rpc_server **out);
/* Its rows, for weir_routes_open(): one a service, health and reflection included. Returns how many there are, also if more than `max`. */
WEIR_API size_t weir_rpc_routes(const struct weir_rpc_server *, struct weir_route *out, size_t max);
/* After the service of its routes was closed. NULL is fine. */
WEIR_API void weir_rpc_server_close(struct weir_rpc_server *);
/* Answers what comes over one stream until the peer has ended, on the thread that asked for it: in a child, or for a socketpair. Takes the stream. Looks
 * again for `spin_us` before it sleeps. 0; -EINVAL, -ENOSPC: routes; -ENOMEM. Blocks SIGPIPE on this thread meanwhile. */
WEIR_API WEIR_CHECKED int weir_rpc_serve_stream(struct weir_rpc_server *, struct weir_stream *,
                                                unsigned spin_us);
/* What health checking says of a service, in all processes of the server; "" is the server as a whole. Serving until told otherwise; those who watch are
 * told within a second. -ENOENT. */
WEIR_API int weir_rpc_set_health(struct weir_rpc_server *, const char *service, bool serving);

/* --- a call under way, from the function that answers it --- */

/* The call whose function runs on this thread; NULL: it was called in its own process. A function that calls its closure later keeps it until then. */
WEIR_API struct weir_rpc_context *weir_rpc_context(void);

/* Metadata of the client; start with *at = 0; false past the last. */
WEIR_API bool weir_rpc_metadata(struct weir_rpc_context *, unsigned *at,
                                const struct weir_rpc_entry **out);
/* Sent with the first message, or at the end. 0; -EINVAL; -EALREADY: too late; -ENOBUFS: too much; -ENOMEM. */
WEIR_API int weir_rpc_add_head(struct weir_rpc_context *, const struct weir_rpc_entry *);
WEIR_API int weir_rpc_add_trailer(struct weir_rpc_context *, const struct weir_rpc_entry *);
/* Until the client's deadline, at least 0; -1: there is none. */
WEIR_API int64_t weir_rpc_time_left_ms(const struct weir_rpc_context *);
/* Nobody waits for the answer any more: the client gave up, or its deadline has passed. */
WEIR_API bool weir_rpc_cancelled(struct weir_rpc_context *);
/* What the call ends with if its closure is given NULL, or its answer() returns. `message` and `details` are copied. 0; -ENOMEM. */
WEIR_API int weir_rpc_fail(struct weir_rpc_context *, int code, const char *message,
                           struct weir_bytes details);

/* Blocking: the next message, waited for. 1, freed by protobuf_c_message_free_unpacked(it, NULL); 0: the client sends no more; -EPIPE: it has given
 * up; -EBADMSG, -EMSGSIZE: what came is none this server takes; -ENOMEM. */
WEIR_API WEIR_CHECKED int weir_rpc_read(struct weir_rpc_context *, ProtobufCMessage **out);
/* Sends one. Blocking: waits while the client is slow. Reactor: -EAGAIN, and ready() will tell. 0; -EPIPE: given up, or done; -EMSGSIZE; -ENOMEM. */
WEIR_API WEIR_CHECKED int weir_rpc_write(struct weir_rpc_context *, const ProtobufCMessage *);
WEIR_API WEIR_CHECKED int weir_rpc_write_bytes(struct weir_rpc_context *, const void *bytes,
                                               size_t len);
/* Reactor: the end. The code is WEIR_RPC_OK, or that of weir_rpc_fail() before. Nothing more may be written. */
WEIR_API void weir_rpc_done(struct weir_rpc_context *);
/* Reactor: tick() is called at that time (mono_ns of weir/driver.h), once; 0: not. */
WEIR_API void weir_rpc_tick(struct weir_rpc_context *, uint64_t mono_ns);
/* The exchange under it, for its driver, connection and peer; NULL: the client has gone. Not from a helper thread. */
WEIR_API struct weir_exchange *weir_rpc_exchange(struct weir_rpc_context *);
