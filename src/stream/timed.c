/*
 * A read that waits, with a time. The kernel keeps that time with the socket (SO_RCVTIMEO), and setting it anew for each wait would cost the
 * system call that is to be saved. So it is a power of two, set again when what is left is less, or four times as much: waits of about the
 * same length use it as it is. A wait that ends with nothing is gone on with by poll(2), to its exact end.
 */
#include "stream/near.h"
#include "tbl/limits.h"

#include <errno.h>
#include <sys/time.h>

_Static_assert(LIMIT_WAIT_LOG < 15, "1 + the logarithm has four bits");

/* false: the kernel would not. */
static bool set_wait(struct weir_stream *s, unsigned log)
{
    uint64_t ms = (uint64_t)1 << log;
    struct timeval time = {.tv_sec = (time_t)(ms / 1000),
                           .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
    if (setsockopt(s->in, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)) < 0)
        return false;
    s->in_wait = (log + 1) & 15u;
    return true;
}

/* Not of 0. */
static unsigned log_of(uint64_t ms)
{
    unsigned log = 63u - (unsigned)__builtin_clzll(ms);
    return log < LIMIT_WAIT_LOG ? log : LIMIT_WAIT_LOG;
}

ssize_t stream_wait_read(struct weir_stream *s, struct stream_near *near, void *buffer, size_t len,
                         uint64_t left_ns)
{
    uint64_t ms = left_ns / WEIR_NS_PER_MS;
    if (ms > 0 && near && near_ready(near, s))
        return near_read(near, s, buffer, len, left_ns);
    if (s->in_kind != FD_SOCKET || !s->waits || ms == 0)
        return -EAGAIN;
    unsigned log = log_of(ms), now = s->in_wait;
    if ((now == 0 || log + 1 < now || log > now) && !set_wait(s, log))
        return -EAGAIN;
    ssize_t n = recv(s->in, buffer, len, 0);
    return n >= 0 ? n : errno == EINTR ? -EAGAIN : -errno;
}
