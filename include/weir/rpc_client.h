/*
 * weir/rpc_client.h: gRPC as a client, from straight-line code: a function call over the network.
 *
 *     ProtobufCService *greeter;
 *     if (weir_rpc_client("tcp:localhost:50051", &greeter_rpc, NULL, &greeter) == 0)
 *         greeter__hello(greeter, &request, on_reply, NULL);   // the same stub as for a service in this process
 *
 * There is no thread behind it: everything happens inside these calls. Any number of calls can be under way on one channel, from one
 * thread at a time. It connects again only if it was asked to, and sends nothing twice: a call whose server died ends with
 * WEIR_RPC_UNAVAILABLE at once. After a fork only the process that opened a channel can use it; closing a copy does no harm.
 */
#pragma once

#include "rpc.h"
#include "stream.h"

struct weir_rpc_call;
struct weir_rpc_channel;

struct weir_rpc_options {
    unsigned connect_ms; /* 0: 10,000 */
    unsigned timeout_ms; /* for calls without a time of their own; 0: none */
    size_t receive_max;  /* bytes of a message; 0: 4 MiB */
    size_t send_max;     /* 0: any */
    bool gzip; /* compress what is sent, where that makes it shorter; answers may always be */
    bool
        async; /* stubs return at once; their closures are called by weir_rpc_run() or whichever call waits */
    unsigned spin_us; /* how long a wait looks again before it sleeps; at most 1,000 */
    unsigned
        reconnect_ms; /* 0: never. Else a lost connection is made again by the next call: at once, then after 1 s, 1.6 s ... and
                            * never longer than this; calls meanwhile are WEIR_RPC_UNAVAILABLE */
    unsigned
        ping_ms; /* a server that says nothing while calls wait is asked for a sign of life; 0: after 300,000, which is
                            * what servers of gRPC allow unless told otherwise */
    unsigned silent_ms;    /* ... and counts as dead after this; 0: 20,000 */
    const char *authority; /* the server's name, as :authority; NULL: of the endpoint */
    const struct weir_rpc_entry *metadata; /* with every call; copied */
    size_t metadata_count;
};

/* --- channels: a connection to a server; options may be NULL --- */

/* unix: tcp: shm: exec: fd: ... as weir_open(), with its errors. With reconnect_ms a server need not be there yet. -EINVAL: metadata. */
WEIR_API WEIR_CHECKED int weir_rpc_open(const char *endpoint, const struct weir_rpc_options *,
                                        struct weir_rpc_channel **out);
/* Over a stream that is open both ways (a socketpair to a child); takes it, also on failure. */
WEIR_API WEIR_CHECKED int weir_rpc_over(struct weir_stream *, const struct weir_rpc_options *,
                                        struct weir_rpc_channel **out);
/* Calls under way end, their callbacks included; those that were not freed must still be. What weir_close() returns. NULL is fine. */
WEIR_API int weir_rpc_close(struct weir_rpc_channel *);

/* --- generated stubs --- */

/* A service that runs elsewhere, on a channel of its own, which protobuf_c_service_destroy() closes. A stub calls its closure once: with
 * the reply, or NULL, and then weir_rpc_last() tells why. Errors as weir_rpc_open(). */
WEIR_API WEIR_CHECKED int weir_rpc_client(const char *endpoint, const struct weir_rpc_service *,
                                          const struct weir_rpc_options *, ProtobufCService **out);
/* The same on a channel that is there, for several services; it must be closed after them. -ENOMEM. */
WEIR_API WEIR_CHECKED int weir_rpc_stub(struct weir_rpc_channel *, const struct weir_rpc_service *,
                                        ProtobufCService **out);
/* How the stub's call that ended last did; within a closure, that one. Of a service in this process: OK. Until the next call. */
WEIR_API const struct weir_rpc_status *weir_rpc_last(const ProtobufCService *);
/* The channel under a stub; NULL: it is none of these. */
WEIR_API struct weir_rpc_channel *weir_rpc_channel(const ProtobufCService *);

/* --- one question, one answer --- */

struct weir_rpc_call_options {
    unsigned timeout_ms; /* from now on; it travels; 0: the channel's */
    const struct weir_rpc_entry *metadata;
    size_t metadata_count;
};

/* Asks and waits. Returns a code; WEIR_RPC_OK: *out_reply is freed by protobuf_c_message_free_unpacked(it, NULL). *out_status (may be NULL) is
 * filled in any case, and lent until the next call on this channel. */
WEIR_API int weir_rpc_unary(struct weir_rpc_channel *, const struct weir_rpc_method *,
                            const ProtobufCMessage *request, const struct weir_rpc_call_options *,
                            ProtobufCMessage **out_reply, struct weir_rpc_status *out_status);

/* --- any call, message by message --- */

/* What an asynchronous call is told, by weir_rpc_run() or whichever call waits. They may begin, send, end and cancel calls, and free this
 * one in done(); none may wait (-EDEADLK). Any may be NULL. */
struct weir_rpc_events {
    /* A message has come; it is there until this returns. */
    void (*message)(void *arg, struct weir_rpc_call *, struct weir_bytes);
    /* What weir_rpc_send() had no room for it takes now. */
    void (*ready)(void *arg, struct weir_rpc_call *);
    /* Always, once, last. */
    void (*done)(void *arg, struct weir_rpc_call *, const struct weir_rpc_status *);
};

/* Begins a call; nothing was sent yet. `events` NULL: messages wait to be received. 0, and weir_rpc_free() is owed: a server that is not there is
 * told by the call's status. -EINVAL: metadata; -EBUSY: 65,536 are under way; -ENOMEM; -EPERM: not this process's channel. */
WEIR_API WEIR_CHECKED int weir_rpc_begin(struct weir_rpc_channel *, const struct weir_rpc_method *,
                                         const struct weir_rpc_call_options *,
                                         const struct weir_rpc_events *events, void *arg,
                                         struct weir_rpc_call **out);
/* Sends one message; waits while too many wait to be sent (asynchronous: -EAGAIN, and ready() will tell). 0; -EPIPE: the call has ended, ask for its
 * status; -EMSGSIZE: more than send_max; -EINVAL: not this method's message, or after the end; -ENOMEM. */
WEIR_API WEIR_CHECKED int weir_rpc_send(struct weir_rpc_call *, const ProtobufCMessage *);
/* The same for a message that is serialized already. */
WEIR_API WEIR_CHECKED int weir_rpc_send_bytes(struct weir_rpc_call *, const void *bytes,
                                              size_t len);
/* No more will be sent. 0 or -EPIPE. */
WEIR_API int weir_rpc_end(struct weir_rpc_call *);
/* The next message, waited for. 1; 0: there is none any more, and the status is known; -EAGAIN: not within `timeout_ms` (the call goes on);
 * -EBADMSG: it cannot be unpacked (the call ends); -ENOMEM. */
WEIR_API WEIR_CHECKED int weir_rpc_receive(struct weir_rpc_call *, int timeout_ms,
                                           ProtobufCMessage **out);
/* The same, as it is; there until the next call on this one. */
WEIR_API WEIR_CHECKED int weir_rpc_receive_bytes(struct weir_rpc_call *, int timeout_ms,
                                                 struct weir_bytes *out);
/* Waits for the end; messages that were not received are thrown away. A code, or -EAGAIN. *out (may be NULL) is there until the call is freed. */
WEIR_API WEIR_CHECKED int weir_rpc_finish(struct weir_rpc_call *, int timeout_ms,
                                          const struct weir_rpc_status **out);
/* Ends it with WEIR_RPC_CANCELLED, now; the server is told. Nothing happens to one that has ended. */
WEIR_API void weir_rpc_cancel(struct weir_rpc_call *);
/* Cancels it first if it has not ended, done() included. NULL is fine. */
WEIR_API void weir_rpc_free(struct weir_rpc_call *);

/* The server's metadata: of the beginning, and of the end. Start with *at = 0; false past the last. */
WEIR_API bool weir_rpc_head(const struct weir_rpc_call *, unsigned *at,
                            const struct weir_rpc_entry **out);
WEIR_API bool weir_rpc_trailer(const struct weir_rpc_call *, unsigned *at,
                               const struct weir_rpc_entry **out);
/* Waits until the server's first metadata are there, or the call has ended. 0 or -EAGAIN. */
WEIR_API WEIR_CHECKED int weir_rpc_wait_head(struct weir_rpc_call *, int timeout_ms);

/* --- several at once --- */

/* A unary call that tells its end. `reply` (NULL unless the code is OK) and status are there until done() returns. Nothing is owed; as weir_rpc_begin(),
 * or -EMSGSIZE. */
WEIR_API WEIR_CHECKED int weir_rpc_start(struct weir_rpc_channel *, const struct weir_rpc_method *,
                                         const ProtobufCMessage *request,
                                         const struct weir_rpc_call_options *,
                                         void (*done)(void *arg, const ProtobufCMessage *reply,
                                                      const struct weir_rpc_status *),
                                         void *arg);
/* Lets everything move until an event was told. 0; -EAGAIN: none within `timeout_ms`; -ENOENT: no call is under way; -EDEADLK: from within an event. */
WEIR_API WEIR_CHECKED int weir_rpc_run(struct weir_rpc_channel *, int timeout_ms);
