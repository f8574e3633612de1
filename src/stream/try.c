/* The calls every byte goes through. A socket costs one recv or send; what is rarer is kept out of their way. */
#include "stream/shm.h"
#include "stream/tunnel.h"
#include "tbl/limits.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <unistd.h>

/* Is it certain that the next read or write does not wait? For open files whose O_NONBLOCK is not ours. */
static bool ready_now(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};
    return poll(&p, 1, 0) != 0;
}

/* Until the first writer has come, a named pipe reads as ended. Only after that does poll(2) tell of a hang-up. */
static ssize_t read_fifo(struct weir_stream *s, void *buffer, size_t len)
{
    ssize_t n = read(s->in, buffer, len);
    if (n > 0)
        s->in_kind = FD_NONBLOCK;
    if (n != 0 || len == 0)
        return n;
    struct pollfd p = {.fd = s->in, .events = POLLIN};
    if (poll(&p, 1, 0) > 0 && p.revents & POLLHUP && !(p.revents & POLLIN)) {
        s->in_kind = FD_NONBLOCK;
        return 0;
    }
    errno = EAGAIN;
    return -1;
}

/* Where the open file may wait, the call must not. EOPNOTSUPP: splice(2) was used on it, and the kernel promises nothing any more. */
static ssize_t read_pipe(struct weir_stream *s, void *buffer, size_t len)
{
    struct iovec iov = {buffer, len};
    ssize_t n = preadv2(s->in, &iov, 1, -1, RWF_NOWAIT);
    if (n >= 0 || errno != EOPNOTSUPP)
        return n;
    stream_forbid_wait_in(s);
    return read(s->in, buffer, len);
}

static ssize_t read_once(struct weir_stream *s, void *buffer, size_t len)
{
    switch (s->in_kind) {
    case FD_SOCKET:
        return recv(s->in, buffer, len, MSG_DONTWAIT);
    case FD_PIPE:
        return read_pipe(s, buffer, len);
    case FD_FIFO:
        return read_fifo(s, buffer, len);
    case FD_POLLED:
        if (!ready_now(s->in, POLLIN)) {
            errno = EAGAIN;
            return -1;
        }
        break;
    case FD_NONE:
        errno = EBADF;
        return -1;
    default:
        break;
    }
    return read(s->in, buffer, len);
}

ssize_t stream_try_read(struct weir_stream *s, void *buffer, size_t len)
{
    if (s->in_kind == FD_SHM)
        return shm_try_read(s->shm, buffer, len, s->alone);
    if (s->in_kind == FD_TUNNEL)
        return s->tunnel->calls->read(s->tunnel, buffer, len);
    for (;;) {
        ssize_t n = read_once(s, buffer, len);
        if (n >= LIMIT_PIPE_DEFAULT)
            stream_widen_in(s);
        if (n >= 0)
            return n;
        if (errno != EINTR)
            return -errno;
    }
}

/* A pipe that polls writable takes PIPE_BUF bytes without waiting (pipe(7)). */
static ssize_t write_polled(struct weir_stream *s, const struct iovec *iov, int count)
{
    for (int i = 0; i < count; i++) {
        if (iov[i].iov_len == 0)
            continue;
        if (!ready_now(s->out, POLLOUT)) {
            errno = EAGAIN;
            return -1;
        }
        return write(s->out, iov[i].iov_base,
                     iov[i].iov_len < PIPE_BUF ? iov[i].iov_len : PIPE_BUF);
    }
    return 0;
}

static ssize_t write_pipe(struct weir_stream *s, const struct iovec *iov, int count)
{
    ssize_t n = pwritev2(s->out, iov, count, -1, RWF_NOWAIT);
    if (n >= 0 || errno != EOPNOTSUPP)
        return n;
    stream_forbid_wait_out(s);
    return writev(s->out, iov, count);
}

static ssize_t send_once(int fd, const struct iovec *iov, int count, bool more)
{
    int flags = MSG_DONTWAIT | MSG_NOSIGNAL | (more ? MSG_MORE : 0);
    if (count == 1)
        return send(fd, iov->iov_base, iov->iov_len, flags);
    struct msghdr message = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)count};
    return sendmsg(fd, &message, flags);
}

static ssize_t write_once(struct weir_stream *s, const struct iovec *iov, int count, bool more)
{
    switch (s->out_kind) {
    case FD_SOCKET:
        return send_once(s->out, iov, count, more);
    case FD_PIPE:
        return write_pipe(s, iov, count);
    case FD_POLLED:
        return write_polled(s, iov, count);
    case FD_NONE:
        errno = EBADF;
        return -1;
    default:
        break;
    }
    if (count == 1)
        return write(s->out, iov->iov_base, iov->iov_len);
    return writev(s->out, iov, count);
}

ssize_t stream_try_writev(struct weir_stream *s, const struct iovec *iov, int count, bool more)
{
    if (s->out_kind == FD_SHM)
        return shm_try_writev(s->shm, iov, count, s->alone);
    if (s->out_kind == FD_TUNNEL)
        return s->tunnel->calls->write(s->tunnel, iov, count);
    for (;;) {
        ssize_t n = write_once(s, iov, count, more);
        if (n >= 0)
            return n;
        /* A peer that closed with bytes unread resets the connection: to a writer that is the same news. */
        if (errno == ECONNRESET)
            return -EPIPE;
        if (errno == EAGAIN && stream_widen_out(s))
            continue;
        if (errno != EINTR)
            return -errno;
    }
}

/* Where the kernel cannot or would wait: a piece by way of memory. What was not taken is read again. */
static ssize_t send_copied(struct weir_stream *s, int fd, uint64_t offset, size_t len)
{
    char buffer[16 * 1024];
    ssize_t n;
    do
        n = pread(fd, buffer, len < sizeof(buffer) ? len : sizeof(buffer), (off_t)offset);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return n < 0 ? -errno : 0;
    struct iovec iov = {buffer, (size_t)n};
    return stream_try_writev(s, &iov, 1, (size_t)n < len);
}

ssize_t stream_try_sendfile(struct weir_stream *s, int fd, uint64_t offset, size_t len)
{
    if (s->out_kind == FD_SHM)
        return shm_try_send(s->shm, fd, offset, len);
    stream_forbid_wait_out(s);
    if (s->lent || s->out_kind == FD_POLLED || s->out_kind == FD_TUNNEL)
        return send_copied(s, fd, offset, len);
    for (;;) {
        off_t at = (off_t)offset;
        ssize_t n = sendfile(s->out, fd, &at, len);
        if (n >= 0)
            return n;
        if (errno == EINVAL || errno == ENOSYS)
            return send_copied(s, fd, offset, len);
        if (errno == ECONNRESET)
            return -EPIPE;
        if (errno != EINTR)
            return -errno;
    }
}
