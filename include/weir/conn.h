/*
 * weir/conn.h: the seam, as a driver sees it. A connection is a value; a turn makes it quiescent; the driver then
 * does the I/O it asks for. Use this to run weir's machines in an event loop of your own.
 *
 *     for (;;) {
 *         unsigned want = weir_conn_turn(conn);               // the driver's `now` was set before
 *         if (want & WEIR_IO_CLOSE) { weir_conn_free(conn); close(fd); break; }
 *         if (want & WEIR_IO_WRITE) { weir_conn_gather(...); writev(...); weir_conn_sent(conn, n); }
 *         if (want & WEIR_IO_READ)  { room = weir_conn_room(conn); read(...); weir_conn_received(conn, n); }
 *     }
 *
 * Nothing here blocks, reads a clock, or touches a descriptor.
 */
#pragma once

#include "protocol.h"

#include <sys/uio.h>

enum weir_io {
    WEIR_IO_READ = 1,  /* wants input */
    WEIR_IO_WRITE = 2, /* has output */
    WEIR_IO_END = 4,   /* output is all sent: half-close now, then call weir_conn_ended() */
    WEIR_IO_CLOSE = 8, /* done: free it, close the stream; no other bit is set */
};

/* A connection that will run `protocol`; open() is called by the first turn. NULL: no memory. `config` is borrowed
 * until it is freed. `driver` outlives it. */
WEIR_API struct weir_conn *weir_conn_new(struct weir_driver *, const struct weir_protocol *,
                                         const void *config);
/* A connection inside another one (`outer`'s machine feeds it and takes its output). Wakes, deadlines, pauses, leaves and
 * finishes of it climb to the outermost. The outer machine frees it in its close(). */
WEIR_API struct weir_conn *weir_conn_new_inner(struct weir_conn *outer,
                                               const struct weir_protocol *, const void *config);
/* Calls the machine's close() if it was not yet (why: what finish said, else -ECONNABORTED) and frees all. NULL is fine. */
WEIR_API void weir_conn_free(struct weir_conn *);

/* Runs the machine until nothing more can happen without I/O or time; bounded. Returns enum weir_io bits. */
WEIR_API unsigned weir_conn_turn(struct weir_conn *);
/* Where to read into: at least one byte while WEIR_IO_READ is wanted. Valid until the next call on this driver. */
WEIR_API struct iovec weir_conn_room(struct weir_conn *);
/* The result of that read: > 0 bytes, 0 end of file, -errno (not -EAGAIN). A turn must follow. */
WEIR_API void weir_conn_received(struct weir_conn *, ssize_t n_or_errno);
/* Offers bytes that lie elsewhere (an outer machine, a test); returns how many were taken. A turn must follow. */
WEIR_API size_t weir_conn_feed(struct weir_conn *, const uint8_t *bytes, size_t len);
/* Fills up to `max` iovecs with the byte spans at the head of the queue. *out_file is the file span that follows
 * them (or comes first: then 0 is returned), else NULL. */
WEIR_API int weir_conn_gather(struct weir_conn *, struct iovec *, int max,
                              const struct weir_span **out_file);
/* The result of sending: bytes sent, or -errno. A turn must follow. */
WEIR_API void weir_conn_sent(struct weir_conn *, ssize_t n_or_errno);
WEIR_API void weir_conn_ended(struct weir_conn *);
/* When it must have a turn at the latest (mono_ns; its own and, until it is closing, its inner connections'), 0: never. */
WEIR_API uint64_t weir_conn_deadline(const struct weir_conn *);
WEIR_API void weir_conn_leave(struct weir_conn *, enum weir_leave);
/* At rest, with nothing unread or unsent, and so are those inside it: it may be parked or moved to another thread and driver. */
WEIR_API bool weir_conn_resting(const struct weir_conn *);
WEIR_API void weir_conn_move(struct weir_conn *, struct weir_driver *to);
/* The connection this one runs inside, NULL: it is the outermost. */
WEIR_API struct weir_conn *weir_conn_outer(const struct weir_conn *);
/* The one inside it that was made last; NULL: there is none. */
WEIR_API struct weir_conn *weir_conn_inner(const struct weir_conn *);
/* The driver's own mark (its slot for this connection). */
WEIR_API void weir_conn_set_slot(struct weir_conn *, void *slot);
WEIR_API void *weir_conn_slot(const struct weir_conn *);
/* The reason of the end so far; WEIR_DONE when there is none. */
WEIR_API int weir_conn_why(const struct weir_conn *);
/* Closing is to look like a reset (weir_conn_reset()). */
WEIR_API bool weir_conn_is_reset(const struct weir_conn *);
/* Closing is at once (weir_conn_abort(), or the stream broke): what was queued is not sent. */
WEIR_API bool weir_conn_is_broken(const struct weir_conn *);
/* Its machine is patient (weir/protocol.h): a hang-up need not be told while it does not read. */
WEIR_API bool weir_conn_patient(const struct weir_conn *);
