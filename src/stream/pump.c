#include "stream/pump.h"

#include "tbl/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define SPLICE_FLAGS (SPLICE_F_MOVE | SPLICE_F_NONBLOCK)

void pump_init(struct pump *p, struct weir_stream *from, struct weir_stream *to)
{
    *p = (struct pump){.from = from, .to = to, .way = PUMP_CHOOSE, .pipe = {-1, -1}};
}

void pump_done(struct pump *p)
{
    for (int i = 0; i < 2; i++)
        if (p->pipe[i] >= 0)
            close(p->pipe[i]);
    free(p->buffer);
}

void pump_drop(struct pump *p)
{
    p->way = PUMP_DROP;
    p->piped = p->held = 0;
}

static mode_t kind_of(int fd)
{
    struct stat st;
    return fd >= 0 && fstat(fd, &st) == 0 ? st.st_mode & S_IFMT : 0;
}

/* May the kernel move bytes there by itself and never wait? Only where O_NONBLOCK is ours. */
static bool can_splice(const struct weir_stream *s, int kind)
{
    return !s->lent &&
           (kind == FD_SOCKET || kind == FD_NONBLOCK || kind == FD_PIPE || kind == FD_REGULAR);
}

static enum pump_way choose(struct pump *p)
{
    mode_t from = kind_of(p->from->in);
    mode_t to = kind_of(p->to->out);
    if (!can_splice(p->from, p->from->in_kind) || !can_splice(p->to, p->to->out_kind))
        return PUMP_BUFFER;
    stream_forbid_wait_in(p->from);
    stream_forbid_wait_out(p->to);
    if (from == S_IFREG)
        return to == S_IFREG ? PUMP_RANGE : PUMP_FILE;
    if (from == S_IFIFO || to == S_IFIFO)
        return PUMP_SPLICE;
    if (from == S_IFSOCK && pipe2(p->pipe, O_NONBLOCK | O_CLOEXEC) == 0)
        return PUMP_PIPED;
    return PUMP_BUFFER;
}

static enum pump_state broken(struct pump *p, int error, bool reading)
{
    p->error = error;
    p->reading = reading;
    return PUMP_BROKEN;
}

/* The kernel refuses this pair: go on with the way that always works. */
static enum pump_state fall_back(struct pump *p)
{
    p->way = PUMP_BUFFER;
    return PUMP_AGAIN;
}

/* One call did both sides and failed: whose error is it? A pipe and a file that are read hardly fail; a socket does. */
static enum pump_state broken_either(struct pump *p, int error)
{
    bool full = error == ENOSPC || error == EDQUOT || error == EFBIG || error == EPIPE;
    bool read_fails = p->way == PUMP_SPLICE ? p->from->in_kind == FD_SOCKET : error == EIO;
    bool reading = !full && read_fails;
    int waiting = 0;
    /* splice(2) looks for a reader of the pipe first, and only then for bytes. Where their number cannot be asked for (/dev/null),
     * reading will tell. */
    bool asked = ioctl(p->from->in, FIONREAD, &waiting) == 0;
    if (error == EPIPE && !asked)
        return fall_back(p);
    p->unsaid = error == EPIPE && waiting == 0 && stream_unread_out(p->to) == 0;
    return broken(p, !reading && error == ECONNRESET ? -EPIPE : -error, reading);
}

static bool is_refusal(int error)
{
    return error == EINVAL || error == EBADF || error == EXDEV || error == EOPNOTSUPP ||
           error == ENOSYS || error == ETXTBSY || error == EPERM || error == EOVERFLOW;
}

/* Full: it may be made larger, once. */
static enum pump_state full(struct pump *p)
{
    return stream_widen_out(p->to) ? PUMP_AGAIN : PUMP_WRITE;
}

/* Which side made a call of both sides say EAGAIN? */
static enum pump_state blocked(struct pump *p)
{
    struct pollfd in = {.fd = stream_wait_in(p->from), .events = POLLIN};
    return in.fd >= 0 && poll(&in, 1, 0) == 0 ? PUMP_READ : full(p);
}

static ssize_t move_directly(struct pump *p)
{
    switch (p->way) {
    case PUMP_RANGE:
        return copy_file_range(p->from->in, NULL, p->to->out, NULL, LIMIT_MOVE_BYTES * 16, 0);
    case PUMP_FILE:
        return sendfile(p->to->out, p->from->in, NULL, LIMIT_MOVE_BYTES);
    default:
        return splice(p->from->in, NULL, p->to->out, NULL, LIMIT_PIPE_BYTES, SPLICE_FLAGS);
    }
}

static enum pump_state step_direct(struct pump *p)
{
    ssize_t n = move_directly(p);
    if (n > 0) {
        p->bytes += (uint64_t)n;
        if (n >= LIMIT_PIPE_DEFAULT)
            stream_widen_in(p->from);
        return PUMP_AGAIN;
    }
    /* Files made up as they are read (/proc) can look empty to these calls: read(2) has the last word on an end. */
    if (n == 0)
        return p->way == PUMP_SPLICE ? PUMP_END : fall_back(p);
    if (errno == EINTR)
        return PUMP_AGAIN;
    if (errno == EAGAIN)
        return blocked(p);
    return is_refusal(errno) ? fall_back(p) : broken_either(p, errno);
}

/* Empties our pipe into `to`. EAGAIN can only mean that `to` is full. */
static enum pump_state drain_pipe(struct pump *p)
{
    ssize_t n = splice(p->pipe[0], NULL, p->to->out, NULL, p->piped, SPLICE_FLAGS);
    if (n > 0) {
        p->piped -= (size_t)n;
        p->bytes += (uint64_t)n;
        return PUMP_AGAIN;
    }
    if (n == 0)
        return broken(p, -EIO, false);
    if (errno == EINTR)
        return PUMP_AGAIN;
    if (errno == EAGAIN)
        return full(p);
    if (is_refusal(errno))
        return fall_back(p);
    return broken(p, errno == ECONNRESET ? -EPIPE : -errno, false);
}

/* Much comes at once: with room for it, one socket to another takes half the CPU time. It may be full of pieces far smaller than its
 * pages. Only then, as in queue.c. */
static void widen_pipe(struct pump *p, size_t moved)
{
    if (p->wide || moved < LIMIT_PIPE_DEFAULT / 2)
        return;
    p->wide = true;
    fcntl(p->pipe[1], F_SETPIPE_SZ, LIMIT_PIPE_BYTES);
}

static enum pump_state step_piped(struct pump *p)
{
    if (p->piped > 0)
        return drain_pipe(p);
    ssize_t n = splice(p->from->in, NULL, p->pipe[1], NULL, LIMIT_PIPE_BYTES, SPLICE_FLAGS);
    if (n > 0) {
        p->piped = (size_t)n;
        widen_pipe(p, (size_t)n);
        return PUMP_AGAIN;
    }
    if (n == 0)
        return PUMP_END;
    if (errno == EINTR)
        return PUMP_AGAIN;
    if (errno == EAGAIN)
        return PUMP_READ;
    return is_refusal(errno) ? fall_back(p) : broken(p, -errno, true);
}

/* What a pipe still holds after a refusal comes first. */
static ssize_t fill(struct pump *p)
{
    if (p->piped == 0)
        return stream_try_read(p->from, p->buffer, LIMIT_MOVE_BYTES);
    ssize_t n = read(p->pipe[0], p->buffer, LIMIT_MOVE_BYTES);
    if (n < 0)
        return -errno;
    p->piped -= (size_t)n;
    return n;
}

static enum pump_state write_held(struct pump *p)
{
    struct iovec iov = {p->buffer + p->at, p->held};
    ssize_t n = stream_try_writev(p->to, &iov, 1, false);
    if (n == -EAGAIN)
        return PUMP_WRITE;
    if (n < 0)
        return broken(p, (int)n, false);
    p->at += (size_t)n;
    p->held -= (size_t)n;
    p->bytes += (uint64_t)n;
    return PUMP_AGAIN;
}

static enum pump_state step_buffer(struct pump *p)
{
    if (!p->buffer && !(p->buffer = malloc(LIMIT_MOVE_BYTES)))
        return broken(p, -ENOMEM, true);
    if (p->held > 0)
        return write_held(p);
    bool fifo = p->from->in_kind == FD_FIFO;
    ssize_t n = fill(p);
    if (n == -EAGAIN)
        return PUMP_READ;
    if (n < 0)
        return broken(p, (int)n, true);
    if (n == 0)
        return PUMP_END;
    if (p->way == PUMP_DROP)
        return PUMP_AGAIN;
    p->at = 0;
    p->held = (size_t)n;
    enum pump_state state = write_held(p);
    /* The first writer of a named pipe has come: from here on the kernel can do it. */
    if (fifo && p->held == 0 && p->from->in_kind != FD_FIFO)
        p->way = PUMP_CHOOSE;
    return state;
}

static enum pump_state step_once(struct pump *p)
{
    switch (p->way) {
    case PUMP_CHOOSE:
        p->way = choose(p);
        return PUMP_AGAIN;
    case PUMP_RANGE:
    case PUMP_FILE:
    case PUMP_SPLICE:
        return step_direct(p);
    case PUMP_PIPED:
        return step_piped(p);
    default:
        return step_buffer(p);
    }
}

enum pump_state pump_step(struct pump *p)
{
    enum pump_state state = PUMP_AGAIN;
    for (int i = 0; i < LIMIT_MOVE_STEPS && state == PUMP_AGAIN; i++)
        state = step_once(p);
    return state;
}
