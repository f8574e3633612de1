/* The public calls: a try, and a wait when there was nothing to do. */
#include "stream/shm.h"
#include "stream/sigpipe.h"
#include "stream/value.h"
#include "stream/wait.h"

#include <weir/process.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define RWF_NO_SIGPIPE 0x100 /* RWF_NOSIGNAL of Linux 6.18; older kernels answer EOPNOTSUPP */

WEIR_API ssize_t weir_read(struct weir_stream *s, void *buffer, size_t len)
{
    if (s->in_kind == FD_SHM)
        return shm_read(s->shm, buffer, len, s->timeout_ms);
    for (;;) {
        ssize_t n = stream_try_read(s, buffer, len);
        if (n != -EAGAIN)
            return n;
        int rc = wait_fd(s->in, POLLIN, deadline_in(s->timeout_ms));
        if (rc < 0)
            return rc;
    }
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

/* One try that raises no SIGPIPE. Only what is not a socket and not a file can. */
static ssize_t write_quietly(struct weir_stream *s, const struct iovec *iov)
{
    if (s->out_kind == FD_SOCKET || s->out_kind == FD_REGULAR)
        return stream_try_writev(s, iov, 1, false);
    if (s->out_kind == FD_NONBLOCK) {
        ssize_t n = pwritev2(s->out, iov, 1, -1, RWF_NO_SIGPIPE);
        if (n >= 0)
            return n;
        if (errno == EAGAIN || errno == EPIPE)
            return -errno;
        /* Not known to this kernel or this kind of file: the plain call says what there is to say. */
    }
    struct sigpipe mask;
    sigpipe_hold(&mask);
    ssize_t n = stream_try_writev(s, iov, 1, false);
    sigpipe_release(&mask, n == -EPIPE);
    return n;
}

WEIR_API ssize_t weir_write(struct weir_stream *s, const void *bytes, size_t len)
{
    struct iovec iov = {(void *)bytes, len};
    if (s->out_kind == FD_SHM)
        return shm_write(s->shm, bytes, len, s->timeout_ms);
    for (;;) {
        ssize_t n = write_quietly(s, &iov);
        if (n != -EAGAIN)
            return n;
        int rc = wait_fd(s->out, POLLOUT, deadline_in(s->timeout_ms));
        if (rc < 0)
            return rc;
    }
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
    return stream_end(s);
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

WEIR_API int weir_pipe(struct weir_stream *out_ends[2])
{
    int fds[2];
    struct weir_stream ends[2];
    if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) < 0)
        return -errno;
    stream_init_none(&ends[0]);
    stream_init_none(&ends[1]);
    ends[0].in = fds[0];
    ends[0].in_kind = FD_NONBLOCK;
    ends[0].own_in = true;
    ends[1].out = fds[1];
    ends[1].out_kind = FD_NONBLOCK;
    ends[1].own_out = true;
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
