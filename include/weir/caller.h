/*
 * weir/caller.h: calls from straight-line code: a program without a loop asks a peer that runs weir_calls (weir/call.h), over
 * any stream. Any number of calls can wait on one connection, from one thread.
 *
 * There is no thread behind it: everything happens inside these calls, the answer to a sign of life included. It never connects
 * again and sends nothing twice. After a fork only the process that made a caller can use it: the others' copies say -EPERM, and
 * closing one there does no harm. One thread at a time.
 */
#pragma once

#include "call.h"
#include "stream.h"

struct weir_caller;

struct weir_caller_options {
    unsigned calls_max; /* as in struct weir_call_options: what is 0 means the default there */
    size_t bytes_max;
    unsigned ping_ms;
    unsigned silent_ms;
};

/* Opens an endpoint (weir_open(), with its errors) and calls over it. `options` may be NULL; it is copied. */
WEIR_API WEIR_CHECKED int weir_caller_open(const char *endpoint, const struct weir_caller_options *,
                                           int timeout_ms, struct weir_caller **out);
/* Over a stream that is open both ways; takes it (also on failure: it is closed). -EINVAL: it goes one way only; -ENOMEM. */
WEIR_API WEIR_CHECKED int weir_caller_new(struct weir_stream *, const struct weir_caller_options *,
                                          struct weir_caller **out);
/* Calls under way end; the peer is not told of each. Closes the stream: returns what weir_close() does (exec: the child's status;
 * one that does not end within 5 s is killed). NULL is fine. */
WEIR_API int weir_caller_close(struct weir_caller *);

/*
 * Asks and waits for the answer. 0: *answer is the reply. -EREMOTEIO: it is the peer's error. -ETIMEDOUT: not within `timeout_ms`
 * (it travels with the request; WEIR_FOREVER: no limit). -ESHUTDOWN: the peer is leaving and has not taken the request.
 * -ENOTCONN: the connection had ended before, -EMSGSIZE, -EOPNOTSUPP, -ENOMEM, -EPERM: it was not sent. Else why the connection ended:
 * whether the peer has carried it out is not known then.
 *
 * The content of the answer lies where it was received and stays there until the next call on this caller.
 */
WEIR_API WEIR_CHECKED int weir_call(struct weir_caller *, const void *bytes, size_t len,
                                    int timeout_ms, struct weir_answer *out);

/* Begins a call. Requests are gathered and sent together: at the next call that waits, or once 64 KiB have come together. Waits only
 * where as many calls are under way as the peer takes. 0, or why it was not: as above, or -EBUSY: 65,536 have
 * begun and were not waited for. */
WEIR_API WEIR_CHECKED int weir_caller_start(struct weir_caller *, const void *bytes, size_t len,
                                            int timeout_ms, uint64_t *out_id);
/* Waits for this one. Returns how it ended, as weir_call() does; -EAGAIN: it has not within `timeout_ms`, and goes on;
 * -ENOENT: no such call, or it was waited for already. Answers to others that come meanwhile are copied aside, 64 MiB of them:
 * one that finds no room ends with -ENOBUFS. */
WEIR_API WEIR_CHECKED int weir_caller_wait(struct weir_caller *, uint64_t id, int timeout_ms,
                                           struct weir_answer *out);
/* Waits for whichever ends next: 0, and *out_id and out->error say which and how. -EAGAIN; -ENOENT: none is under way. */
WEIR_API WEIR_CHECKED int weir_caller_next(struct weir_caller *, int timeout_ms, uint64_t *out_id,
                                           struct weir_answer *out);
/* Gives up, and tells the peer. Nothing is to be waited for then. -ENOENT. */
WEIR_API int weir_caller_cancel(struct weir_caller *, uint64_t id);
/* Sends what is gathered. 0; -EAGAIN: not all within `timeout_ms`; -ENOTCONN. */
WEIR_API WEIR_CHECKED int weir_caller_flush(struct weir_caller *, int timeout_ms);

/* The other side, for a child, a thread or a talk function: answers what comes over this stream until the peer has ended. Takes it.
 * 0, or why the connection ended. Blocks SIGPIPE on this thread meanwhile. */
WEIR_API WEIR_CHECKED int weir_call_serve(struct weir_stream *, const struct weir_call_options *);
