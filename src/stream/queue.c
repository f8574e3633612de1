/*
 * The kernel's queues: how much they hold, and whether a call on them may wait.
 *
 * A pipe holds 64 KiB until it is made larger. Whoever writes just that much at a time takes turns with its reader instead of
 * working beside it, which costs two thirds of the throughput. It is widened when it was full, not before: what a user's pipes hold is
 * counted together (pipe(7), pipe-user-pages-soft), and when that is used up every new one gets two pages.
 */
#include "stream/impl.h"
#include "tbl/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

/* As much as is allowed: the system has a limit for one pipe, and one for all of a user. A terminal has no size. */
static uint8_t widen_pipe(int fd)
{
    int now = fcntl(fd, F_GETPIPE_SZ);
    if (now < 0)
        return WIDTH_WIDE;
    for (int size = LIMIT_PIPE_BYTES; size > now; size /= 2)
        if (fcntl(fd, F_SETPIPE_SZ, size) >= 0)
            return WIDTH_WIDE;
    return now > LIMIT_PIPE_DEFAULT ? WIDTH_WIDE : WIDTH_NARROW;
}

/* Only the sender's buffer counts; what is asked for is cut to net.core.wmem_max, and counted twice (socket(7)). */
static void widen_unix(int fd)
{
    int bytes = 0;
    socklen_t len = sizeof(bytes);
    if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, &len) < 0 || bytes / 2 >= LIMIT_UNIX_BYTES)
        return;
    bytes = LIMIT_UNIX_BYTES;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

bool stream_widen_out(struct weir_stream *s)
{
    if (s->out_width != WIDTH_DEFAULT)
        return false;
    s->out_width = WIDTH_WIDE;
    if (!s->own_out)
        return false;
    if (s->out_kind == FD_SOCKET && s->peer.family == AF_UNIX && !s->lent) {
        widen_unix(s->out);
        return true;
    }
    if (s->out_kind != FD_PIPE && s->out_kind != FD_NONBLOCK)
        return false;
    s->out_width = widen_pipe(s->out);
    return s->out_width == WIDTH_WIDE;
}

void stream_widen_in(struct weir_stream *s)
{
    if (s->in_width != WIDTH_DEFAULT)
        return;
    s->in_width = WIDTH_WIDE;
    if (s->own_in && (s->in_kind == FD_PIPE || s->in_kind == FD_NONBLOCK))
        s->in_width = widen_pipe(s->in) & 3u; /* it has two bits */
}

size_t stream_unread_out(const struct weir_stream *s)
{
    int bytes = 0;
    bool pipe = s->out_kind == FD_PIPE || s->out_kind == FD_NONBLOCK;
    if (!pipe || fcntl(s->out, F_GETPIPE_SZ) < 0 || ioctl(s->out, FIONREAD, &bytes) < 0)
        return 0;
    return (size_t)bytes;
}

void stream_let_wait(struct weir_stream *s)
{
    int off = 0;
    if (s->in_kind != FD_SOCKET || s->in != s->out || s->lent || s->waits)
        return;
    s->waits = ioctl(s->in, FIONBIO, &off) == 0;
    /* A call that waits does not tell of a full queue. */
    if (s->waits)
        (void)!stream_widen_out(s);
}

/* It stays so: another thread may be in such a call as well. A call that was to wait and did not is followed by poll(2). */
static void forbid_wait(int fd)
{
    int on = 1;
    ioctl(fd, FIONBIO, &on);
}

void stream_forbid_wait_in(struct weir_stream *s)
{
    if (s->in_kind == FD_PIPE) {
        forbid_wait(s->in);
        s->in_kind = FD_NONBLOCK;
    } else if (s->in_kind == FD_SOCKET && s->waits) {
        forbid_wait(s->in);
    }
}

void stream_forbid_wait_out(struct weir_stream *s)
{
    if (s->out_kind == FD_PIPE) {
        forbid_wait(s->out);
        s->out_kind = FD_NONBLOCK;
    } else if (s->out_kind == FD_SOCKET && s->waits) {
        forbid_wait(s->out);
    }
}
