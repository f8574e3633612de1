/*
 * weir/call.h: requests and replies over one stream, many under way at once, in both directions: a machine like those of
 * weir/protocols.h, for servers and event loops. Straight-line code that only asks uses weir/caller.h.
 *
 * Each message is a frame (weir_frame) with a small head; weir-call(3) has every byte. A request is answered exactly once: by
 * a reply, by an error of the program's, or, after its caller gave up, by a word that says so. Answers may come in any order.
 *
 * Nothing is sent twice and nothing is connected again. When the peer dies, every call that waits for it ends at once.
 */
#pragma once

#include "protocol.h"

#define WEIR_CALL_NEVER (~0u) /* for a time below: not at all */

/* How a call of ours ended. */
struct weir_answer {
    /* 0: a reply. -EREMOTEIO: the peer answered with an error. -ETIMEDOUT: not in time. -ECANCELED: by us. -ESHUTDOWN: the peer
     * is leaving and has NOT taken the request. Else why the connection ended: -ECONNRESET, -EPIPE, -EPROTO, -ETIMEDOUT ...;
     * whether the peer has carried the request out is not known then. */
    int error;
    uint32_t
        code; /* -EREMOTEIO: the handler's code; 0: nobody answers there, or the handler let go of it unanswered */
    const void
        *bytes; /* the content of a reply or error; borrowed, see where the answer comes from */
    size_t len;
};

/* A request of the peer's. The program may hold it and answer later, from the connection's thread. It may outlive the peer. */
struct weir_call;

/* Called on the connection's thread, never nested; < 0 ends the connection with that reason. None may free the connection. */
struct weir_call_options {
    /* One whole request; the bytes are valid until it returns. Answer it now, or weir_call_hold() it and answer later. NULL: this
     * side takes no requests. */
    int (*request)(void *arg, struct weir_call *, const uint8_t *bytes, size_t len);
    /* Nobody wants the answer of this held request any more: -ECANCELED, -ETIMEDOUT (its deadline passed), or why the connection
     * ended. Once at most, before the last drop. It still holds its place until it is answered or dropped. NULL: nothing. */
    void (*cancelled)(void *arg, struct weir_call *, int why);
    /* Before anything else; may begin calls. NULL: nothing. */
    int (*opened)(void *arg, struct weir_conn *);
    /* weir_conn_call() said -EAGAIN, and now there is room for at least one. NULL: nothing. */
    void (*ready)(void *arg, struct weir_conn *);
    /* Always, once, last, also when opened() failed, or a dial. All calls have ended before. NULL: nothing. */
    void (*closed)(void *arg, struct weir_conn *, int why);
    void *arg;
    unsigned
        requests_max; /* the peer's under way at once, held ones included; it is held back at that; 0: 1,024; at most 65,536 */
    unsigned calls_max; /* our own; 0: 1,024; at most 65,536 */
    size_t bytes_max;   /* content of a message; 0 or more than that: 1 MiB */
    unsigned idle_ms;   /* nothing under way for this long: leave; 0: 600,000 */
    unsigned
        ping_ms; /* calls of ours wait and nothing came for this long: ask for a sign of life; 0: 10,000 */
    unsigned
        silent_ms; /* ... and none came, or nothing of what it is owed was taken: the peer counts as dead; 0: 30,000 */
};

/* Ends it gives to closed() beside the stream's own errors: WEIR_DONE, -ETIMEDOUT (idle, or silent), -EMSGSIZE (a message
 * longer than bytes_max), -EPROTO (the peer broke the protocol, or ended inside a message). struct weir_call_options. */
WEIR_API extern const struct weir_protocol weir_calls;

/* The program's own mark of a connection that runs weir_calls, for what it keeps a connection: set in opened(), freed in closed().
 * NULL at first. */
WEIR_API void weir_calls_set_slot(struct weir_conn *, void *slot);
WEIR_API void *weir_calls_slot(struct weir_conn *);

/* --- answering --- */

/* Each ends the call. 0; -EALREADY: it has ended; -ECANCELED, -ECONNRESET: nobody waits for it any more (it has ended all the
 * same); -EMSGSIZE: longer than the peer takes; -ENOMEM: these two leave it as it was. The bytes are copied. */
WEIR_API int weir_call_reply(struct weir_call *, const void *bytes, size_t len);
/* `code`: 1 or more, the program's own. */
WEIR_API int weir_call_fail(struct weir_call *, uint32_t code, const void *bytes, size_t len);
/* To answer later. Each hold needs its drop; the last one frees it, and if it was not answered the caller is told that (code 0). */
WEIR_API struct weir_call *weir_call_hold(struct weir_call *);
WEIR_API void weir_call_drop(struct weir_call *); /* NULL is fine */
/* The connection it came on (for jobs, companions and time), NULL: it has ended. */
WEIR_API struct weir_conn *weir_call_conn(const struct weir_call *);
/* When its caller gives up, as mono_ns; 0: never. */
WEIR_API uint64_t weir_call_deadline(const struct weir_call *);
/* Nobody wants the answer any more. */
WEIR_API bool weir_call_cancelled(const struct weir_call *);
/* The program's own mark; NULL at first. */
WEIR_API void weir_call_set_slot(struct weir_call *, void *slot);
WEIR_API void *weir_call_slot(const struct weir_call *);

/* --- asking --- */

struct weir_request {
    const void *bytes; /* copied */
    size_t len;
    unsigned timeout_ms; /* from now on; it travels with the request; 0: none */
    /* How it ended: always, once, unless weir_conn_call() failed. The answer and its bytes are valid until it returns. */
    void (*done)(void *arg, const struct weir_answer *);
    void *arg;
};

/* Asks the peer of a connection that runs weir_calls. 0; -EAGAIN: calls_max, or as many as the peer takes, are under way, or
 * much is unsent: ready() will tell; -EMSGSIZE; -EOPNOTSUPP: the peer takes no requests; -ESHUTDOWN: one of both sides is leaving;
 * -ENOTCONN: it has ended; -ENOMEM. *out_id may be NULL. */
WEIR_API WEIR_CHECKED int weir_conn_call(struct weir_conn *, const struct weir_request *,
                                         uint64_t *out_id);
/* Gives up: done() is called with -ECANCELED before this returns; the peer is told. -ENOENT: no such call is under way. */
WEIR_API int weir_conn_cancel(struct weir_conn *, uint64_t id);
