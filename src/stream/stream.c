/* The public calls: a try, and a wait when there was nothing to do. */
#include "stream/shm.h"
#include "stream/sigpipe.h"
#include "stream/tunnel.h"
#include "stream/value.h"
#include "stream/wait.h"
#include "tbl/limits.h"

#include <weir/process.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#define RWF_NO_SIGPIPE 0x100 /* RWF_NOSIGNAL of Linux 6.18; older kernels answer EOPNOTSUPP */

/* May a system call itself wait? Only for ever: it knows no other time. */
static bool may_wait(const struct weir_stream *s, uint8_t kind)
{
    return s->timeout_ms < 0 && (kind == FD_SOCKET || kind == FD_PIPE);
}

/* -EAGAIN here, too: the open file may be O_NONBLOCK for other reasons. */
static ssize_t read_waiting(struct weir_stream *s, void *buffer, size_t len)
{
    for (;;) {
        ssize_t n =
            s->in_kind == FD_SOCKET ? recv(s->in, buffer, len, 0) : read(s->in, buffer, len);
        if (n >= LIMIT_PIPE_DEFAULT)
            stream_widen_in(s);
        if (n >= 0)
            return n;
        if (errno != EINTR)
            return -errno;
    }
}

/* There was nothing. */
static ssize_t read_later(struct weir_stream *s, void *buffer, size_t len)
{
    uint64_t deadline = deadline_in(s->timeout_ms);
    ssize_t n = s->spin_us && s->timeout_ms != 0 ? stream_spin_read(s, buffer, len) : -EAGAIN;
    while (n == -EAGAIN) {
        int rc = wait_fd(s->in, POLLIN, deadline);
        if (rc < 0)
            return rc;
        n = stream_try_read(s, buffer, len);
    }
    return n;
}

WEIR_API ssize_t weir_read(struct weir_stream *s, void *buffer, size_t len)
{
    if (s->in_kind == FD_SHM)
        return shm_read(s->shm, buffer, len, s->timeout_ms);
    ssize_t n = may_wait(s, s->in_kind) && !s->spin_us ? read_waiting(s, buffer, len)
                                                       : stream_try_read(s, buffer, len);
    return n == -EAGAIN ? read_later(s, buffer, len) : n;
}

WEIR_API ssize_t weir_read_full(struct weir_stream *s, void *buffer, size_t len)
{
    size_t have = 0;
    while (have < len) {
        ssize_t n = weir_read(s, (char *)buffer + have, len - have);
        if (n < 0)
            return n;
        if (n == 0)
            break;
        have += (size_t)n;
    }
    return (ssize_t)have;
}

/* Interrupted or failed before the first byte: what try.c says of it. */
static ssize_t send_waiting(struct weir_stream *s, const struct iovec *iov, int count)
{
    struct msghdr message = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)count};
    ssize_t n = count == 1 ? send(s->out, iov->iov_base, iov->iov_len, MSG_NOSIGNAL)
                           : sendmsg(s->out, &message, MSG_NOSIGNAL);
    return n >= 0 ? n : stream_try_writev(s, iov, count, false);
}

/* Only what is not a socket and not a file raises SIGPIPE. */
static ssize_t write_pipe(struct weir_stream *s, const struct iovec *iov, int count, bool wait)
{
    int no_wait = s->out_kind == FD_PIPE && !wait ? RWF_NOWAIT : 0;
    ssize_t n = pwritev2(s->out, iov, count, -1, RWF_NO_SIGPIPE | no_wait);
    if (n >= 0)
        return n;
    if (errno == EAGAIN || errno == EPIPE)
        return -errno;
    /* Not known to this kernel or this kind of file: the plain call says what there is to say. */
    struct sigpipe mask;
    sigpipe_hold(&mask);
    n = wait ? writev(s->out, iov, count) : stream_try_writev(s, iov, count, false);
    if (n < 0 && wait)
        n = errno == EINTR ? -EAGAIN : -errno;
    sigpipe_release(&mask, n == -EPIPE);
    return n;
}

static ssize_t write_polled(struct weir_stream *s, const struct iovec *iov, int count)
{
    struct sigpipe mask;
    sigpipe_hold(&mask);
    ssize_t n = stream_try_writev(s, iov, count, false);
    sigpipe_release(&mask, n == -EPIPE);
    return n;
}

/* A pipe is written to without waiting until it was full once: that is when it is widened. */
static ssize_t write_once(struct weir_stream *s, const struct iovec *iov, int count, bool wait)
{
    switch (s->out_kind) {
    case FD_SOCKET:
        return wait ? send_waiting(s, iov, count) : stream_try_writev(s, iov, count, false);
    case FD_PIPE:
    case FD_NONBLOCK:
        return write_pipe(s, iov, count, wait && s->out_width != WIDTH_DEFAULT);
    case FD_POLLED:
        return write_polled(s, iov, count);
    default:
        return stream_try_writev(s, iov, count, false);
    }
}

ssize_t stream_write_now(struct weir_stream *s, const struct iovec *iov, int count)
{
    return write_once(s, iov, count, false);
}

/* How much of it to write at once: never all that a queue holds, nor more than the kernel carries well. */
static size_t piece_of(const struct weir_stream *s, size_t len)
{
    if (len <= LIMIT_UNIX_PIECE)
        return len;
    if (s->out_kind == FD_SOCKET && s->peer.family == AF_UNIX)
        return len < LIMIT_UNIX_PIECE * 3 / 2 || len > LIMIT_UNIX_WHOLE ? len : LIMIT_UNIX_PIECE;
    if (s->out_kind != FD_PIPE && s->out_kind != FD_NONBLOCK)
        return len;
    size_t most = s->out_width == WIDTH_NARROW ? LIMIT_PIPE_NARROW_PIECE : LIMIT_PIPE_PIECE;
    return len < most ? len : most;
}

/* What was taken goes out before this returns, or when the time is up as soon as anything else is done with the stream. */
static ssize_t write_tunnel(struct weir_stream *s, const struct iovec *iov, int count)
{
    uint64_t deadline = deadline_in(s->timeout_ms);
    ssize_t n = s->tunnel->calls->write(s->tunnel, iov, count);
    while (n == -EAGAIN) {
        int rc = wait_fd(s->out, POLLIN, deadline);
        if (rc < 0)
            return rc;
        n = s->tunnel->calls->write(s->tunnel, iov, count);
    }
    if (n > 0 && s->timeout_ms != 0)
        (void)!stream_flush(s, deadline);
    return n;
}

ssize_t stream_write(struct weir_stream *s, const struct iovec *iov, int count)
{
    if (s->out_kind == FD_TUNNEL)
        return write_tunnel(s, iov, count);
    bool wait = may_wait(s, s->out_kind);
    if (s->out_kind == FD_SHM)
        return shm_write(s->shm, iov->iov_base, iov->iov_len, s->timeout_ms);
    struct iovec piece = {iov->iov_base, count == 1 ? piece_of(s, iov->iov_len) : 0};
    iov = count == 1 ? &piece : iov;
    ssize_t n = write_once(s, iov, count, wait);
    if (n != -EAGAIN)
        return n;
    uint64_t deadline = deadline_in(s->timeout_ms);
    for (;;) {
        if (!stream_widen_out(s)) {
            int rc = wait_fd(s->out, POLLOUT, deadline);
            if (rc < 0)
                return rc;
        }
        n = write_once(s, iov, count, wait);
        if (n != -EAGAIN)
            return n;
    }
}

WEIR_API ssize_t weir_write(struct weir_stream *s, const void *bytes, size_t len)
{
    const struct iovec iov = {(void *)bytes, len};
    return stream_write(s, &iov, 1);
}

WEIR_API int weir_write_all(struct weir_stream *s, const void *bytes, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = weir_write(s, (const char *)bytes + done, len - done);
        if (n < 0)
            return (int)n;
        done += (size_t)n;
    }
    return 0;
}

WEIR_API int weir_end(struct weir_stream *s)
{
    int rc = stream_end(s);
    if (rc == 0)
        (void)!stream_flush(s, deadline_in(s->timeout_ms));
    return rc;
}

WEIR_API int weir_close(struct weir_stream *s)
{
    if (!s)
        return 0;
    int rc = stream_shut(s);
    if (s->child) {
        /* It has seen its input end and its output close. One that does not care is killed when the time is up. */
        rc = weir_process_wait(s->child, s->timeout_ms);
        weir_process_free(s->child);
        s->child = NULL;
    }
    if (s->heap)
        free(s);
    return rc;
}

WEIR_API void weir_set_timeout(struct weir_stream *s, int timeout_ms)
{
    s->timeout_ms = timeout_ms;
}

WEIR_API int weir_read_fd(const struct weir_stream *s)
{
    return s->in;
}

WEIR_API int weir_write_fd(const struct weir_stream *s)
{
    return s->out;
}

WEIR_API int weir_from_fd(int fd, bool own, struct weir_stream **out)
{
    struct weir_stream s;
    int rc = stream_init_fd(&s, fd, own);
    return rc < 0 ? rc : stream_to_heap(&s, out);
}

/* Can a call be told not to wait (Linux 6.4)? Then the open file may, which saves system calls where they should. */
static bool can_be_told(int empty_pipe)
{
    char byte;
    struct iovec iov = {&byte, 1};
    return preadv2(empty_pipe, &iov, 1, -1, RWF_NOWAIT) < 0 && errno == EAGAIN;
}

WEIR_API int weir_pipe(struct weir_stream *out_ends[2])
{
    int fds[2];
    struct weir_stream ends[2];
    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    bool waits = can_be_told(fds[0]);
    for (int i = 0; i < 2; i++) {
        stream_init_none(&ends[i]);
        if (!waits)
            fcntl(fds[i], F_SETFL, O_NONBLOCK);
    }
    ends[0].in = fds[0];
    ends[0].own_in = true;
    ends[0].in_kind = waits ? FD_PIPE : FD_NONBLOCK;
    ends[1].out = fds[1];
    ends[1].own_out = true;
    ends[1].out_kind = ends[0].in_kind;
    return streams_to_heap(ends, out_ends);
}

WEIR_API int weir_pair(struct weir_stream *out_ends[2])
{
    int fds[2];
    struct weir_stream ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0)
        return -errno;
    for (int i = 0; i < 2; i++) {
        stream_init_socket(&ends[i], fds[i]);
        address_from_unix(&ends[i].peer, fds[i]);
    }
    return streams_to_heap(ends, out_ends);
}
