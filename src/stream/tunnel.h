/*
 * stream/tunnel.h: a stream whose bytes pass through a machine on their way to another stream (TLS). What it does comes from a box
 * above, drive/tunnel.c, as a table of calls; here it only is one more kind, FD_TUNNEL.
 *
 * Like shared memory it has descriptors for waiting only, both for POLLIN: `in_set` is readable when a read may have something
 * to do, `out_set` when a write that found no room may have some.
 */
#pragma once

#include "stream/impl.h"

struct tunnel;

struct tunnel_calls {
    /* As stream_try_read() and stream_try_writev(). Bytes that were taken may wait inside: flush() says so. */
    ssize_t (*read)(struct tunnel *, void *, size_t);
    ssize_t (*write)(struct tunnel *, const struct iovec *, int count);
    /* 0: nothing waits inside; -EAGAIN: something does, and out_set tells when to try again; -errno. */
    int (*flush)(struct tunnel *);
    /* Half-close. 0 or -errno. */
    int (*end)(struct tunnel *);
    /* Nobody reads at the other end any more. */
    bool (*gone)(struct tunnel *);
    /* What was wrong with it, in one line; "": nothing, or no more than the error says. */
    const char *(*why)(const struct tunnel *);
    /* Says the end, sends what waits for as long as that (less than 0: a bounded time of its own), frees all. 0, or the error of what
     * could not be sent. */
    int (*close)(struct tunnel *, int timeout_ms);
};

struct tunnel {
    const struct tunnel_calls *calls;
    int in_set, out_set;
    struct weir_stream *under; /* what it goes over; it belongs to the tunnel */
};

/* A value over it: the stream owns the tunnel. */
void stream_init_tunnel(struct weir_stream *, struct tunnel *);
/* Sends what waits inside, until the deadline: 0; -ETIMEDOUT; -errno. Other kinds hold nothing: 0. */
int stream_flush(struct weir_stream *, uint64_t deadline);
/* What was wrong with a stream that failed, in more words than its error; "": there are none. */
const char *stream_why(const struct weir_stream *);

/*
 * Opens what follows "tls:", which has passed its check. `why` (may be NULL): what went wrong, in one line. A box above brings it
 * (drive/tls.c); a program that is linked without it gets -ENOTSUP.
 */
int stream_open_tls(const char *rest, uint64_t deadline, char *why, size_t why_size,
                    struct weir_stream *out) WEIR_CHECKED __attribute__((weak));
