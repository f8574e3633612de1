/*
 * weir/stream.h: channels used like a file: files, pipes, sockets, child programs, opened by name.
 *
 * Promises on every stream: bytes arrive whole and in order; a full queue makes the writer wait, an empty one the
 * reader; when the last writer has closed, a reader drains what is left and then sees end of file; when the last
 * reader has closed, a writer gets -EPIPE, never a signal. weir-streams(7) says what each transport adds or changes.
 *
 * All calls return 0 or more on success and a negative errno number on failure; interrupted and short calls are
 * handled here. A stream may be read by one thread while another writes; otherwise one thread at a time.
 */
#pragma once

#include "base.h"

struct weir_stream;
struct weir_listener;

/* How to open. With neither READ nor WRITE: both (a file: read only). */
enum {
    WEIR_READ = 1,
    WEIR_WRITE = 2,
    WEIR_CREATE =
        4, /* file: make it if missing (mode 0666 less umask); pipe: make the named pipe */
    WEIR_TRUNCATE = 8, /* file: empty it first */
    WEIR_APPEND = 16,  /* file: every write goes to the end */
};

#define WEIR_FOREVER (-1) /* a time limit that never passes */

/*
 * Opens an endpoint by name: tcp:HOST:PORT tls:HOST:PORT unix:PATH unix:@NAME shm:PATH shm:@NAME pipe:PATH file:PATH exec:COMMAND fd:N -
 * HOST:PORT.
 * `timeout_ms` bounds the whole of it (each address of a host name is tried as RFC 8305 orders, the next after 250 ms).
 * Errors: -EINVAL the name cannot be used (weir_endpoint_check() says why), -ENOENT, -ECONNREFUSED, -ETIMEDOUT,
 * -EHOSTUNREACH no such host or no address, -ENOTSUP pipe: not a named pipe, -EISDIR, -EACCES (tls: also a certificate that is not what
 * it should be), -EPROTO tls: it speaks something else, -EMFILE, -ENOMEM ... exec: as weir_process_start(). The caller closes *out; fd:N belongs to the stream and is closed with it, 0 and 1 of "-" stay open.
 */
WEIR_API WEIR_CHECKED int weir_open(const char *endpoint, unsigned how, int timeout_ms,
                                    struct weir_stream **out);
/* The same. On failure `why` holds one line, without the endpoint's name: what was wrong and, where there is anything, what to do. */
WEIR_API WEIR_CHECKED int weir_open_why(const char *endpoint, unsigned how, int timeout_ms,
                                        struct weir_stream **out, char *why, size_t why_size);
/* What was wrong with a stream that has failed since, in more words than its error (tls); "": there are none. Until it is closed. */
WEIR_API const char *weir_stream_why(const struct weir_stream *);

/* 0 if the name can be used, else -EINVAL with one line in `why` that says what is wrong and shows a correct name. */
WEIR_API int weir_endpoint_check(const char *endpoint, bool for_listening, char *why,
                                 size_t why_size);

/* An anonymous pipe: ends[0] reads, ends[1] writes. The caller closes both. */
WEIR_API WEIR_CHECKED int weir_pipe(struct weir_stream *out_ends[2]);
/* A pair of connected Unix stream sockets. */
WEIR_API WEIR_CHECKED int weir_pair(struct weir_stream *out_ends[2]);
/* A stream over a descriptor. `own`: it is closed with the stream (also when this call fails), and may be made
 * non-blocking; else it is left as it was found (O_NONBLOCK is shared with whoever gave it to us). */
WEIR_API WEIR_CHECKED int weir_from_fd(int fd, bool own, struct weir_stream **out);

/* Up to `len` bytes: > 0 bytes, 0 end of file, -ETIMEDOUT, -ECONNRESET, -EIO ... Waits while there is nothing. */
WEIR_API WEIR_CHECKED ssize_t weir_read(struct weir_stream *, void *buffer, size_t len);
/* Exactly `len` bytes unless the end comes first: the count is smaller than `len` only at end of file. */
WEIR_API WEIR_CHECKED ssize_t weir_read_full(struct weir_stream *, void *buffer, size_t len);
/* At least one byte; waits while the queue is full. -EPIPE when nobody reads any more, -ENOSPC, -ETIMEDOUT ... */
WEIR_API WEIR_CHECKED ssize_t weir_write(struct weir_stream *, const void *bytes, size_t len);
/* All of it, or the error; how much was sent before an error is not known. */
WEIR_API WEIR_CHECKED int weir_write_all(struct weir_stream *, const void *bytes, size_t len);
/* Half-close: the reader at the other end sees end of file; reading goes on. -EOPNOTSUPP where nature forbids it: a file, a
 * terminal, a pipe that was only lent to the stream. */
WEIR_API WEIR_CHECKED int weir_end(struct weir_stream *);
/* Closes and frees. For exec: waits for the child, whose status comes as weir_process_wait() gives it (0: it went well).
 * Else 0, or the error a late write was told (-EIO, -ENOSPC). NULL is fine. */
WEIR_API int weir_close(struct weir_stream *);

/* Bounds each single wait in read, write and close. WEIR_FOREVER (as files do) until it is set. */
WEIR_API void weir_set_timeout(struct weir_stream *, int timeout_ms);
/* How long a read looks again before it sleeps, in microseconds (at most 1,000; 0 until it is set). What comes within that time is
 * there at once, and without the 25 us a wake-up across cores costs; the processor has nothing else meanwhile. Shared memory
 * judges for itself and ignores this. */
WEIR_API void weir_set_spin(struct weir_stream *, unsigned us);
/* The descriptors, to poll or to hand to a child (weir_process_start() makes them wait there, as programs expect);
 * borrowed. -1 when this side does not exist or was closed. shm, tls: only to wait on, both for POLLIN, after a call that had
 * nothing to do (-ETIMEDOUT with a timeout of 0). */
WEIR_API int weir_read_fd(const struct weir_stream *);
WEIR_API int weir_write_fd(const struct weir_stream *);

/* Who is at the other end. */
struct weir_peer {
    char text[128]; /* "192.0.2.1", "[2001:db8::1]", "unix:/run/x", "pipe", "file", "exec:CMD" */
    unsigned port;  /* tcp; else 0 */
    pid_t pid;      /* unix, socketpair, exec; else -1 */
    uid_t uid;      /* unix, socketpair; else (uid_t)-1 */
    gid_t gid;
};
WEIR_API WEIR_CHECKED int weir_peer(const struct weir_stream *, struct weir_peer *out);
/* The 5-tuple as text: "tcp 127.0.0.1:40312 -> 127.0.0.1:8080" (this side first). -ENOTSOCK where there is none. */
WEIR_API WEIR_CHECKED int weir_tuple(const struct weir_stream *, char *text, size_t size);

/* Passes descriptors over a Unix socket together with at least one byte (unix(7), SCM_RIGHTS). At most WEIR_FDS_MAX. */
#define WEIR_FDS_MAX 16
WEIR_API WEIR_CHECKED int weir_send_fds(struct weir_stream *, const void *bytes, size_t len,
                                        const int *fds, unsigned count);
/* Receives bytes and descriptors (O_CLOEXEC; the caller closes them). Returns the bytes, 0 at end of file. -EMSGSIZE: more
 * descriptors came than `max`: all were closed. */
WEIR_API WEIR_CHECKED ssize_t weir_recv_fds(struct weir_stream *, void *buffer, size_t len,
                                            int *out_fds, unsigned max, unsigned *out_count);

/* Waits for clients. tcp: (port 0 takes a free one, the same for all addresses of a name), unix: (a stale path is
 * replaced only if connecting to it is refused; the path is removed on close by the process that listened), fd:N
 * (an already listening socket), shm: (as unix:; "?size=1M" behind the path is the size of each direction). -EADDRINUSE, -EACCES, -EINVAL, ... `backlog` 0: as long as the system allows. */
WEIR_API WEIR_CHECKED int weir_listen(const char *endpoint, int backlog,
                                      struct weir_listener **out);
/* -ETIMEDOUT when nobody came in time; -EMFILE and -ENFILE leave the client in the queue. */
WEIR_API WEIR_CHECKED int weir_accept(struct weir_listener *, int timeout_ms,
                                      struct weir_stream **out);
/* The endpoint's name with the port that was taken: "tcp:127.0.0.1:43117". Valid until it is closed. */
WEIR_API const char *weir_listener_name(const struct weir_listener *);
WEIR_API void weir_listener_close(struct weir_listener *);

/* Copies from one stream to another until end of file; *out_bytes counts, also on failure (NULL: not asked). Uses splice(2), sendfile(2) or
 * copy_file_range(2) where the pair can. 0, or the first error of either side (which: *out_reading true: the reading side). */
WEIR_API WEIR_CHECKED int weir_copy(struct weir_stream *from, struct weir_stream *to,
                                    uint64_t *out_bytes, bool *out_reading);
/* Both directions at once until both have ended; half-closes are passed on. idle_ms bounds the time without a byte.
 * 0: both ended; -ETIMEDOUT: silence; else the first error. Where nobody reads any more, the writer behind the relay is told if its
 * kind has a word for that (not tcp), and the other direction goes on. *out is filled in any case. */
struct weir_relay {
    uint64_t a_to_b, b_to_a; /* bytes */
    int a_error, b_error;    /* what ended reading or writing on that side: 0 or -errno */
};
WEIR_API WEIR_CHECKED int weir_relay(struct weir_stream *a, struct weir_stream *b, int idle_ms,
                                     struct weir_relay *out);
