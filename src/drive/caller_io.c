/* A caller's bytes: a driver of one connection that runs only while somebody waits. */
#include "drive/caller.h"
#include "proto/call_wire.h"
#include "stream/sigpipe.h"
#include "stream/wait.h"
#include "tbl/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LATE_STEPS 1000 /* after a deadline: more than a buffer has messages that matter */

/* --- what a machine may ask for: here nothing but a turn, and the next one is near --- */

static struct weir_conn *no_adopt(struct weir_driver *driver, struct weir_stream *stream,
                                  const struct weir_protocol *protocol, const void *config)
{
    (void)driver, (void)protocol, (void)config;
    (void)weir_close(stream);
    return NULL;
}

static struct weir_conn *no_dial(struct weir_driver *driver, const char *endpoint,
                                 const struct weir_protocol *protocol, const void *config)
{
    (void)driver, (void)endpoint, (void)protocol, (void)config;
    return NULL;
}

static int no_spawn(struct weir_driver *driver, const struct weir_spawn *spawn,
                    struct weir_conn *out_ends[3])
{
    (void)driver, (void)spawn, (void)out_ends;
    return -EOPNOTSUPP;
}

static int no_submit(struct weir_driver *driver, struct weir_job *job)
{
    (void)driver, (void)job;
    return -EOPNOTSUPP;
}

static int no_fill(struct weir_driver *driver, struct weir_conn *conn, const struct weir_span *file,
                   struct weir_out *out, size_t max, size_t *out_len)
{
    (void)driver, (void)conn, (void)file, (void)out, (void)max, (void)out_len;
    return -EOPNOTSUPP;
}

static void wake(struct weir_driver *driver, struct weir_conn *conn)
{
    (void)driver, (void)conn;
}

static int no_random(struct weir_driver *driver, void *bytes, size_t len)
{
    (void)driver, (void)bytes, (void)len;
    return -EOPNOTSUPP;
}

static int peer(struct weir_driver *driver, struct weir_conn *conn, char *text, size_t size,
                unsigned *out_port)
{
    (void)conn;
    *out_port = address_text(&((struct weir_caller *)driver)->stream->peer, text, size);
    return 0;
}

const struct weir_driver_ops caller_ops = {
    .name = "caller",
    .adopt = no_adopt,
    .dial = no_dial,
    .spawn = no_spawn,
    .submit = no_submit,
    .fill = no_fill,
    .wake = wake,
    .random = no_random,
    .peer = peer,
};

/* --- in --- */

bool caller_in_buffer(const struct weir_caller *c, const void *at)
{
    const uint8_t *byte = at;
    return c->in && byte >= c->in && byte < c->in + c->in_size;
}

/* How many bytes to offer: a whole message, or what shows that its length is a lie; 0: the rest is to be read first.
 * *out_want: what the buffer must hold for that. */
static size_t first_message(const struct weir_caller *c, size_t *out_want)
{
    size_t have = c->in_len - c->in_at;
    *out_want = LIMIT_HOT_BYTES;
    if (have < FRAME_HEAD)
        return 0;
    size_t message = FRAME_HEAD + frame_length(c->in + c->in_at);
    if (message > CALL_START + LIMIT_CALL_BYTES)
        return have;
    if (message > *out_want)
        *out_want = message;
    return message <= have ? message : 0;
}

/* Nobody looks at what was offered any more when this is called. */
static int make_room(struct weir_caller *c, size_t want)
{
    size_t have = c->in_len - c->in_at;
    if (c->in_size - c->in_at < want || have == 0) {
        if (have > 0)
            memmove(c->in, c->in + c->in_at, have);
        c->in_at = 0;
        c->in_len = have;
    }
    if (c->in_size >= want)
        return 0;
    uint8_t *in = realloc(c->in, want);
    if (!in)
        return -ENOMEM;
    c->in = in;
    c->in_size = want;
    return 0;
}

static void offer(struct weir_caller *c, size_t len)
{
    c->in_at += weir_conn_feed(c->conn, c->in + c->in_at, len);
}

/* What is left of a message that will never be whole comes first: it makes the end an error. */
static void offer_end(struct weir_caller *c, int why)
{
    if (c->in_at < c->in_len)
        offer(c, c->in_len - c->in_at);
    weir_conn_received(c->conn, why);
}

/* What a read has brought. true: something came of it. */
static bool take(struct weir_caller *c, ssize_t n)
{
    if (n == -EAGAIN) {
        c->readable = false;
        if (c->send_error)
            weir_conn_sent(c->conn, c->send_error);
        return c->send_error;
    }
    if (n <= 0) {
        offer_end(c, (int)n);
        return true;
    }
    /* A short read has emptied a socket. What comes of shared memory is found by looking again, not by waiting. */
    if ((size_t)n < c->in_size - c->in_len && c->stream->in_kind == FD_SOCKET && !c->send_error)
        c->readable = false;
    c->in_len += (size_t)n;
    return true;
}

static bool read_some(struct weir_caller *c)
{
    size_t want, whole = first_message(c, &want);
    if (whole > 0) {
        offer(c, whole);
        return true;
    }
    if (!c->readable)
        return false;
    int rc = make_room(c, want);
    return take(c, rc < 0 ? rc
                          : stream_try_read(c->stream, c->in + c->in_len, c->in_size - c->in_len));
}

/* Sleeps in the read itself, where that is possible. No whole message is there. */
static bool wait_read(struct weir_caller *c, uint64_t deadline_ns)
{
    size_t want;
    uint64_t now = c->base.now.mono_ns, left = deadline_ns > now ? deadline_ns - now : 0;
    (void)first_message(c, &want);
    int rc = make_room(c, want);
    return take(c, rc < 0 ? rc
                          : stream_wait_read(c->stream, &c->near, c->in + c->in_len,
                                             c->in_size - c->in_len, left));
}

/* --- out --- */

/* Sockets and shared memory raise no signal. */
static ssize_t send_quietly(struct weir_caller *c, const struct iovec *iov, int count)
{
    struct sigpipe mask;
    if (c->stream->out_kind == FD_SOCKET || c->stream->out_kind == FD_SHM)
        return stream_try_writev(c->stream, iov, count, false);
    sigpipe_hold(&mask);
    ssize_t n = stream_try_writev(c->stream, iov, count, false);
    sigpipe_release(&mask, n == -EPIPE);
    return n;
}

static bool write_some(struct weir_caller *c)
{
    struct iovec iov[LIMIT_OUT_SPANS];
    const struct weir_span *file;
    int count = weir_conn_gather(c->conn, iov, LIMIT_OUT_SPANS, &file);
    ssize_t n = send_quietly(c, iov, count);
    if (n == -EAGAIN) {
        c->writable = false;
        return false;
    }
    if (n < 0) {
        c->send_error = (int)n;
        c->readable = true;
        return true;
    }
    weir_conn_sent(c->conn, n);
    /* An answer to it is not there yet: one wait, instead of a try and a wait. Shared memory is worth a longer look. */
    c->readable = c->stream->in_kind == FD_SHM;
    return true;
}

/* --- the loop --- */

static void end(struct weir_caller *c)
{
    weir_conn_free(c->conn);
    c->conn = NULL;
}

/* > 0: something can be tried; 0: time has passed; -errno. */
static int wait(struct weir_caller *c, unsigned want, uint64_t deadline_ns)
{
    struct pollfd fds[2];
    uint64_t own = weir_conn_deadline(c->conn);
    bool in = want & WEIR_IO_READ, out = want & WEIR_IO_WRITE;
    deadline_ns = own ? deadline_min(own, deadline_ns) : deadline_ns;
    if (in && !out && wait_read(c, deadline_ns))
        return 1;
    fds[0] = (struct pollfd){.fd = in ? stream_wait_in(c->stream) : -1, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = out ? stream_wait_out(c->stream) : -1,
                             .events = stream_room_event(c->stream)};
    int rc = wait_fds(fds, out ? 2 : 1, deadline_ns);
    if (rc <= 0)
        return rc == -ETIMEDOUT ? 0 : rc;
    c->readable |= in && fds[0].revents;
    c->writable |= out && fds[1].revents;
    return rc;
}

static bool move(struct weir_caller *c, unsigned want)
{
    if ((want & WEIR_IO_WRITE) && c->writable && !c->send_error)
        return write_some(c);
    if (want & WEIR_IO_READ)
        return read_some(c);
    if (c->send_error)
        weir_conn_sent(c->conn, c->send_error);
    return c->send_error;
}

int caller_pump(struct weir_caller *c, bool (*enough)(const struct weir_caller *),
                uint64_t deadline_ns)
{
    bool looked = false;
    unsigned late = 0;
    while (c->conn) {
        c->base.now.mono_ns = deadline_now();
        unsigned want = weir_conn_turn(c->conn);
        if (want & WEIR_IO_CLOSE) {
            end(c);
            return 0;
        }
        if (enough(c))
            return 0;
        bool moved = move(c, want);
        /* What has come by now is looked at, but a peer that never stops must not outlast the deadline. */
        if (c->base.now.mono_ns >= deadline_ns && (moved ? ++late > LATE_STEPS : looked))
            return -EAGAIN;
        if (moved)
            continue;
        looked = true;
        int rc = wait(c, want, deadline_ns);
        if (rc < 0)
            return rc;
    }
    return 0;
}
