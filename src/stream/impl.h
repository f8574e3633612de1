/*
 * stream/impl.h: a stream as drivers and models use it: a value, and calls that never wait.
 *
 * Not for machines or services (they know no streams). The public calls of weir/stream.h are loops over these.
 * The thread that calls the try functions has SIGPIPE blocked (drive/, model/) or the public wrapper masks it.
 */
#pragma once

#include <weir/stream.h>

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct shm;
struct tunnel;
struct weir_process;

/* A peer's address, kept small: an idle connection holds one. */
struct address {
    uint16_t family; /* AF_INET, AF_INET6, AF_UNIX, AF_UNSPEC: none */
    uint16_t port;   /* host order */
    union {
        uint8_t ip[16]; /* network order; v4 in the first four */
        struct {
            int32_t pid;
            uint32_t uid;
        } unix_peer;
    };
};

/* How one side's descriptor has to be treated so that a try never waits. */
enum fd_kind {
    FD_NONE,     /* this side does not exist */
    FD_SOCKET,   /* recv/sendmsg with MSG_DONTWAIT | MSG_NOSIGNAL */
    FD_NONBLOCK, /* ours, or reopened by us: O_NONBLOCK is set */
    FD_PIPE,     /* ours, and its open file may wait: a try forbids that by RWF_NOWAIT */
    FD_POLLED,   /* someone else's open file: poll first, write at most PIPE_BUF */
    FD_REGULAR,  /* a regular file or block device: always ready, cannot be polled by epoll */
    FD_FIFO, /* FD_NONBLOCK, a named pipe nobody has written to yet: 0 may mean "no writer yet" */
    FD_SHM, /* shared memory: the descriptor is only for waiting, and readable when there may be something to do */
    FD_TUNNEL, /* bytes pass through a machine (tls): descriptors as of FD_SHM */
};

/* How much the kernel's queue holds. */
enum width {
    WIDTH_DEFAULT, /* as the kernel made it: it was not full yet */
    WIDTH_WIDE,    /* as much as we ask for, or it has no width of ours */
    WIDTH_NARROW,  /* a pipe that could not be widened */
};

enum {
    GIVEN_NONE = -1, /* not reopened */
    GIVEN_LENT = -2, /* reopened from one that stays open: closing ours tells nobody */
};

struct stream_near; /* near.h */
struct weir_stream {
    int in, out; /* equal for a socket; -1: no such side, or ended */
    /* enum fd_kind; and of the side's SO_RCVTIMEO, which timed.c has set: 1 + the logarithm of the milliseconds; 0: never */
    uint8_t in_kind : 4, in_wait : 4;
    uint8_t out_kind;
    bool own_in : 1, own_out : 1; /* close them with the stream */
    bool heap : 1;                /* made by weir_open() and the like: weir_close() frees it */
    bool lent : 1;     /* a socket whose O_NONBLOCK is not ours: sendfile and splice could wait */
    bool waits : 1;    /* a socket whose O_NONBLOCK was taken off: they could, too */
    bool standard : 1; /* opened as "-": descriptors 0 and 1 stay open; stream_end() lets go of 1 */
    bool alone : 1;    /* its thread has nothing else to do: a try may look a moment longer (shm) */
    bool tunnelled : 1; /* `tunnel` counts, not `shm` */
    /* enum width, and of spin.c; each byte belongs to the thread of its side, and is none of the bits before it */
    uint8_t : 0;
    uint8_t in_width : 2, in_tries : 6;
    uint8_t out_width;
    uint8_t way; /* of the listener it came by */
    uint16_t spin_us;
    int given_in, given_out; /* N of fd:N that in/out were reopened from: closed with them */
    int timeout_ms;
    struct address peer;
    struct weir_process *child; /* exec:; owned */
    union {
        struct shm *shm;       /* FD_SHM; owned */
        struct tunnel *tunnel; /* FD_TUNNEL; owned */
    };
};

/* > 0 bytes, 0 end of file, -EAGAIN would wait, -errno. Interrupted calls are repeated. */
ssize_t stream_try_read(struct weir_stream *, void *, size_t);
/* > 0 bytes; -EAGAIN; -EPIPE ... `more`: further bytes follow at once (MSG_MORE on TCP). */
ssize_t stream_try_writev(struct weir_stream *, const struct iovec *, int count, bool more);
/* File bytes into the stream, by sendfile(2), or read and write where the kernel refuses. 0: the file ended early. */
ssize_t stream_try_sendfile(struct weir_stream *, int fd, uint64_t offset, size_t len);
/* weir_write() of several pieces. */
ssize_t stream_write(struct weir_stream *, const struct iovec *, int count);
/* The same, never waiting: a try that raises no SIGPIPE, whatever the thread has done about it. */
ssize_t stream_write_now(struct weir_stream *, const struct iovec *, int count);
/* Where nothing else is waited for: one system call that waits and reads, instead of poll(2) and a try. Waits for a part of the time that is
 * left. `near`: of this stream (near.h); NULL: its bytes are not near. As stream_try_read(); -EAGAIN: nothing came meanwhile, or this stream
 * cannot: wait in another way. */
ssize_t stream_wait_read(struct weir_stream *, struct stream_near *near, void *, size_t,
                         uint64_t left_ns);
/* Looks for bytes again and again, for spin_us. */
ssize_t stream_spin_read(struct weir_stream *, void *, size_t);
/* The queue was found full: makes it larger, once. true: there is more room now. */
bool stream_widen_out(struct weir_stream *);
/* A pipe that is read was full. */
void stream_widen_in(struct weir_stream *);
/* Bytes that a pipe still holds; of other kinds it is not known: 0. */
size_t stream_unread_out(const struct weir_stream *);
/* Before it goes to a program: from now on its socket may wait in a system call, which is cheaper than a try and poll(2). */
void stream_let_wait(struct weir_stream *);
/* Before splice(2) and sendfile(2), which know no flag for it: not any more. */
void stream_forbid_wait_in(struct weir_stream *);
void stream_forbid_wait_out(struct weir_stream *);
/* Half-close now. 0, -EOPNOTSUPP (a file; fd streams that are one-way just close that side). */
int stream_end(struct weir_stream *);
/* Descriptors to wait on; -1: always ready or no such side. */
int stream_wait_in(const struct weir_stream *);
int stream_wait_out(const struct weir_stream *);
/* What poll(2) and epoll(7) tell of stream_wait_out() when there may be room: POLLOUT, or POLLIN (shm). */
short stream_room_event(const struct weir_stream *);
/* What to ask of it for nothing but the news that nobody reads any more, and whether `revents` are that news. */
short stream_gone_event(const struct weir_stream *);
bool stream_is_gone(struct weir_stream *, short revents);
/* Shared memory that is not read just now: is the other end no more? *out_unread: but has left bytes behind. */
bool stream_is_over(struct weir_stream *, bool *out_unread);
/* Takes shared memory's descriptors out of an epoll set, also of a side that has ended: a copy that some child has got would
 * keep them there. Other kinds are left to close(2). */
void stream_unwatch(const struct weir_stream *, int epoll);
/* Closes what it owns; the struct can be used again. Does not wait for a child (kills and reaps it). */
void stream_done(struct weir_stream *);
/* A value over a descriptor. On failure an owned fd is closed. An owned one is made O_NONBLOCK and O_CLOEXEC. */
int stream_init_fd(struct weir_stream *, int fd, bool own);
/* Half-close of the reading side, so that the writer gets EPIPE. false: this kind cannot say so (tcp, a file). */
bool stream_stop(struct weir_stream *);
/* From now on closing looks like a reset to the peer, where the kind has one (tcp). */
void stream_reset(struct weir_stream *);
/* A value with neither side. */
static inline void stream_init_none(struct weir_stream *stream)
{
    *stream = (struct weir_stream){.in = -1,
                                   .out = -1,
                                   .given_in = GIVEN_NONE,
                                   .given_out = GIVEN_NONE,
                                   .timeout_ms = WEIR_FOREVER};
}
/* Moves a value: `to` is uninitialised memory; `from` is left empty. */
void stream_take(struct weir_stream *to, struct weir_stream *from);
/* "192.0.2.1" / "[2001:db8::1]" / "unix:uid=0" / "-". Returns the port, 0: none. */
unsigned address_text(const struct address *, char *text, size_t size);

/*
 * Starts connecting to an endpoint without waiting: for drivers. Names must be numeric for tcp (look up on a helper
 * thread first: address_lookup below). 0: connected; -EINPROGRESS: wait until stream_wait_out() is writable, then
 * ask stream_connected(); -EAGAIN: a Unix listener's queue is full, try later; -errno, and the value is empty.
 */
struct address_list {
    size_t count;
    struct sockaddr_storage at
        [16]; /* in the order of RFC 6724 as getaddrinfo gives it, interleaved by family (RFC 8305) */
    socklen_t len[16];
};
/* Parses "tcp:HOST:PORT" and asks the resolver; may take long. A unix: name is just converted. 0, -EHOSTUNREACH, -EINVAL,
 * -EAGAIN (try later), -ENOMEM. */
int address_lookup(const char *endpoint, bool passive, struct address_list *out);
/* The same for connecting, within a time; 0: only what needs no resolver is answered, else -ETIMEDOUT. */
int address_lookup_until(const char *endpoint, int timeout_ms, struct address_list *out);
int stream_connect_start(struct weir_stream *, const struct sockaddr *, socklen_t);
/* 0: connected; -EINPROGRESS: not yet; else why it failed (stream_done() is the caller's). */
int stream_connected(struct weir_stream *);

/* Listeners as models use them. One listener may have several sockets (a name with several addresses). */
#define LISTENER_SOCKETS_MAX 16
struct weir_listener {
    unsigned count;
    int fds[LISTENER_SOCKETS_MAX]; /* non-blocking, O_CLOEXEC */
    char *name;                    /* with the port taken; owned */
    char *unlink_path; /* a Unix path we bound; removed on close by `owner` only; owned */
    int unlink_fd;     /* O_PATH: that very file, so that its number is not given to another; -1 */
    pid_t owner;
    bool own;    /* false: fd:N given to us (closed all the same, but left where it is bound) */
    uint8_t way; /* which of several; its clients carry it */
    size_t shm_bytes; /* shm: of one ring; else 0 */
    struct shm *
        shm_next; /* made beforehand for the next client, so that want of memory or descriptors leaves it queued */
};
/* As weir_listen(). `defer_accept_s` > 0: TCP_DEFER_ACCEPT (a protocol where the client speaks first). */
int listener_open(const char *endpoint, int backlog, unsigned defer_accept_s,
                  struct weir_listener **out);
/* A second listening socket set on the same addresses by SO_REUSEPORT (tcp only; the first was bound without it, so a port that
 * others hold is an error, and gets it set now). -EOPNOTSUPP for unix and fd. */
int listener_clone(const struct weir_listener *, int backlog, unsigned defer_accept_s,
                   struct weir_listener **out);
/* Accepts from one of its sockets, never waiting: *out is an uninitialised value that becomes a stream (socket
 * non-blocking, O_CLOEXEC, TCP_NODELAY, peer filled in). -EAGAIN nobody; -EMFILE, -ENFILE, -ENOBUFS, -ENOMEM try later;
 * a client that went away meanwhile (ECONNABORTED and the network errors of accept(2)) is skipped. */
int listener_try_accept(struct weir_listener *, unsigned index, struct weir_stream *out);
/* Closes the sockets in this process only (after fork); a Unix path stays. The struct and its name stay too, until
 * weir_listener_close(). */
void listener_release(struct weir_listener *);
