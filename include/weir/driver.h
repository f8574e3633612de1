/*
 * weir/driver.h: what any driver promises to what it runs.
 *
 * A driver joins streams and machines: it reads, writes and waits. A machine asks it for the world: another
 * connection (a companion: it shares the wait and the thread of the one that asked), a child program, slow work on a helper thread.
 * Every call is made from the driver's own thread.
 */
#pragma once

#include "protocol.h"

struct weir_pool;

/* Slow work. `work` runs on one of a bounded number of helper threads and may touch only the job's own memory;
 * then `done` runs on the driver's thread. Embed it in your own struct, which lives until done() was called: the
 * client may be gone by then, so keep counted references and look. `cancelled` is set when the driver ends first:
 * done() is still called, so that the memory can be freed. */
struct weir_job {
    void (*work)(struct weir_job *);
    void (*done)(struct weir_job *);
    bool cancelled;
    bool waits; /* for its client, say: such jobs have helpers and a queue of their own */
    bool
        shakes; /* it is a step of a handshake: so have these, since whoever comes can ask for them */
    bool
        brief; /* it takes less than a millisecond: where that keeps nobody waiting but clients that shake hands, the
                   driver's own thread may do it, after submit() has returned */
    struct weir_job *next; /* the driver's own */
};

/* A child program whose standard streams are companions of the connection that starts it. */
struct weir_spawn {
    const char *const *argv; /* argv[0] is a path, or looked up in PATH; NULL-ended */
    const char *const *env;  /* NULL-ended; NULL: empty environment */
    const char *dir;         /* working directory; NULL: as it is */
    int dir_fd;              /* the same by a folder's descriptor, which counts; 0: none */
    const struct weir_limit *limits;
    size_t limit_count;
    /* What talks to the child's standard input, output and error; NULL protocol: /dev/null. */
    const struct weir_protocol *protocol[3];
    const void *config[3];
    /* The child ended and was reaped, once, on the driver's thread; status as weir_process_wait() gives it. May be NULL. */
    void (*ended)(void *arg, int status);
    void *arg;
};

enum { WEIR_FILL_MORE = 1, WEIR_FILL_WAIT = 0 };

/* One end of a connection, in numbers. */
enum weir_family { WEIR_FAMILY_NONE, WEIR_FAMILY_IP4, WEIR_FAMILY_IP6, WEIR_FAMILY_UNIX };
struct weir_address {
    uint8_t family; /* enum weir_family */
    uint16_t port;  /* IP4, IP6 */
    uint8_t ip[16]; /* as on the wire; IP4 in the first four */
    uint8_t path
        [108]; /* UNIX: as in sockaddr_un, zeroes behind it; an abstract name begins with one; all zeroes: it has no name */
};

struct weir_driver_ops {
    const char *name;
    /* Drive this stream too, with this machine. Takes the stream over (also on failure: it is closed).
     * NULL: no memory or no place, or a tls: stream, which has a driver already: it is to be dialled. `config` is borrowed until the companion's close(). */
    struct weir_conn *(*adopt)(struct weir_driver *, struct weir_stream *,
                               const struct weir_protocol *, const void *config);
    /* Connect to an endpoint by name and drive it; with tls: the connection runs inside another one. Names are looked up on a helper. The machine's open() is called once
     * connected; a failure comes to its close() as -errno. NULL: no memory. */
    struct weir_conn *(*dial)(struct weir_driver *, const char *endpoint,
                              const struct weir_protocol *, const void *config);
    /* Start a child; its standard input, output and error (those with a protocol) become companions. Returns the
     * child's process id (> 0), or -errno. The child has a process group of its own; the driver reaps it, and kills
     * the group when it ends itself first, and when a place's last connection ended a second ago. out_ends[i] is NULL where no protocol was given. On failure no end is left,
     * and ended() is not called. */
    int (*spawn)(struct weir_driver *, const struct weir_spawn *, struct weir_conn *out_ends[3]);
    /* Hand in a job. -EAGAIN: the queue is full; -ENOMEM; the job was not taken then. */
    int (*submit)(struct weir_driver *, struct weir_job *);
    /* News of a job at work, told by its helper thread: done() of this one is called on the driver's thread, before that of the job.
     * The only call that is made from another thread. May be NULL where jobs are not run by threads. */
    void (*post)(struct weir_driver *, struct weir_job *news);
    /* File bytes for a machine that must transform them: appends up to `max` bytes of the file span to `out`.
     * WEIR_FILL_MORE: `*out_len` bytes were added; WEIR_FILL_WAIT: not in memory, `conn` is woken when they are;
     * -EIO: the file is shorter than the span. */
    int (*fill)(struct weir_driver *, struct weir_conn *, const struct weir_span *file,
                struct weir_out *, size_t max, size_t *out_len);
    /* Give this connection a turn soon. */
    void (*wake)(struct weir_driver *, struct weir_conn *);
    /* `len` unpredictable bytes. 0 or -errno. */
    int (*random)(struct weir_driver *, void *, size_t len);
    /* Who is at the other end, as text ("192.0.2.1", "[2001:db8::1]", "unix:uid=1000"), NUL-terminated, and its port (0: none). */
    int (*peer)(struct weir_driver *, struct weir_conn *, char *text, size_t size,
                unsigned *out_port);
    /* The same of this end. May be NULL. */
    int (*local)(struct weir_driver *, struct weir_conn *, char *text, size_t size,
                 unsigned *out_port);
    /* Has the other end said its last byte, with nothing of it unread? It may be gone, or have closed one direction only. A look
     * for those who do not read now. May be NULL. */
    bool (*peer_ended)(struct weir_driver *, struct weir_conn *);
    /* Both ends in numbers; WEIR_FAMILY_NONE where there are none. May be NULL. */
    void (*ends)(struct weir_driver *, struct weir_conn *, struct weir_address *out_peer,
                 struct weir_address *out_local);
    /* Moves what comes in on one connection out on another, past both machines and within the kernel. `from` is paused and all it
     * was offered was consumed; nothing is queued on `to`. Bytes taken from `from`, 0: none just now; when there can be more, one of the two gets a turn. Bytes
     * that were taken may wait for room: they come first in the next call. -ENODATA: an end or an error, which reading tells; -EPIPE: `to` is
     * told that it broke; -EOPNOTSUPP: not between these two. All three only when nothing waits any more. May be NULL. */
    ssize_t (*move)(struct weir_driver *, struct weir_conn *from, struct weir_conn *to);
    /* mono_ns as it is now, within the turn: for figures, never for deadlines. May be NULL: `now` has to do. */
    uint64_t (*clock)(struct weir_driver *);
};

struct weir_driver {
    const struct weir_driver_ops *ops;
    struct weir_now now;    /* the time of this turn */
    struct weir_pool *pool; /* blocks for output queues */
    uint8_t *hot;           /* the hot receive buffer: one a thread */
    size_t hot_size;
    bool shared;    /* its thread feeds several connections: what takes long is for a helper */
    void *local;    /* what the service keeps a thread (caches, log buffer); NULL if nothing */
    char date[32];  /* of HTTP: the machines write it once a second; zeroed at first */
    int64_t date_s; /* the second it is of */
    unsigned
        shaking; /* connections of a shared driver that shake hands still: TLS machines count themselves */
    /* Of HTTP likewise, for the names of requests: random, once one is asked for; and how many there were. */
    uint64_t request_prefix, request_count;
};
