#include "stream/value.h"

#include "stream/shm.h"
#include "stream/tunnel.h"
#include "stream/wait.h"

#include <weir/process.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int fd_release(int fd)
{
    if (fd > STDERR_FILENO)
        return close(fd) < 0 && errno != EINTR ? -errno : 0;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return -errno;
    int rc = dup2(null, fd) < 0 ? -errno : 0;
    if (null != fd)
        close(null);
    return rc;
}

bool fd_is_open(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && !(flags & O_PATH);
}

void stream_init_socket(struct weir_stream *s, int fd)
{
    stream_init_none(s);
    s->in = s->out = fd;
    s->in_kind = FD_SOCKET;
    s->out_kind = FD_SOCKET;
    s->own_in = s->own_out = true;
}

static int claim_socket(struct weir_stream *s, int fd, enum fd_claim claim)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof(at);
    stream_init_socket(s, fd);
    s->own_in = s->own_out = claim != FD_LENT;
    s->lent = claim != FD_OURS;
    if (getpeername(fd, (struct sockaddr *)&at, &len) == 0)
        address_from(&s->peer, (struct sockaddr *)&at, len);
    if (s->peer.family == AF_UNIX)
        address_from_unix(&s->peer, fd);
    return 0;
}

/* /dev/null and the like have no poll operation: always ready, and refused by epoll. */
static bool can_be_polled(int fd)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0)
        return true;
    struct epoll_event event = {.events = 0};
    bool can = epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 || errno != EPERM;
    close(epoll);
    return can;
}

/* What a descriptor leads to, as far as it matters here. */
struct nature {
    bool regular; /* always ready */
    bool reopens; /* opening it again leads to the same pipe or terminal */
};

/* A pseudo-terminal's master must not be opened again: that makes a new one (pts(4)). */
static struct nature nature_of(int fd, const struct stat *st)
{
    bool device = S_ISCHR(st->st_mode);
    bool master = device && major(st->st_rdev) == 5 && minor(st->st_rdev) == 2;
    return (struct nature){
        .regular = S_ISREG(st->st_mode) || S_ISBLK(st->st_mode) || S_ISDIR(st->st_mode) ||
                   (device && !can_be_polled(fd)),
        .reopens = S_ISFIFO(st->st_mode) || (device && !master && isatty(fd)),
    };
}

/* An open file of our own on the same pipe or terminal, so that O_NONBLOCK is ours to set. */
static int reopen(int fd, int direction)
{
    char path[40];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return open(path, direction | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static enum fd_kind claim_side(int fd, int direction, enum fd_claim claim, struct nature nature,
                               int *out_fd)
{
    *out_fd = fd;
    if (nature.regular)
        return FD_REGULAR;
    if (claim == FD_OURS)
        return FD_NONBLOCK;
    int again = nature.reopens ? reopen(fd, direction) : -1;
    if (again < 0)
        return FD_POLLED;
    *out_fd = again;
    return FD_NONBLOCK;
}

static void claim_in(struct weir_stream *s, int fd, enum fd_claim claim, struct nature nature)
{
    s->in_kind = claim_side(fd, O_RDONLY, claim, nature, &s->in) & 15u; /* it has four bits */
    s->own_in = claim != FD_LENT || s->in != fd;
    s->given_in = s->in == fd ? GIVEN_NONE : claim == FD_TAKEN ? fd : GIVEN_LENT;
}

static void claim_out(struct weir_stream *s, int fd, enum fd_claim claim, struct nature nature)
{
    s->out_kind = (uint8_t)claim_side(fd, O_WRONLY, claim, nature, &s->out);
    s->own_out = claim != FD_LENT || s->out != fd;
    s->given_out = s->out == fd ? GIVEN_NONE : claim == FD_TAKEN ? fd : GIVEN_LENT;
}

int stream_claim(struct weir_stream *s, int fd, unsigned how, enum fd_claim claim)
{
    struct stat st;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (flags & O_PATH) /* see fd_is_open() */
        return -EBADF;
    if (claim != FD_LENT && fd > STDERR_FILENO && fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return -errno;
    if (claim == FD_OURS && !S_ISREG(st.st_mode) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return -errno;
    if (S_ISSOCK(st.st_mode))
        return claim_socket(s, fd, claim);

    int mode = flags & O_ACCMODE;
    bool can_read = mode != O_WRONLY;
    bool can_write = mode != O_RDONLY;
    bool any = !(how & (WEIR_READ | WEIR_WRITE));
    if ((how & WEIR_READ && !can_read) || (how & WEIR_WRITE && !can_write))
        return -EBADF;
    struct nature nature = nature_of(fd, &st);
    stream_init_none(s);
    if (can_read && (any || how & WEIR_READ))
        claim_in(s, fd, claim, nature);
    if (can_write && (any || how & WEIR_WRITE))
        claim_out(s, fd, claim, nature);
    return 0;
}

int stream_init_fd(struct weir_stream *s, int fd, bool own)
{
    int rc = stream_claim(s, fd, 0, own ? FD_OURS : FD_LENT);
    if (rc < 0 && own && fd >= 0)
        fd_release(fd);
    return rc;
}

void stream_join(struct weir_stream *s, struct weir_stream *in, struct weir_stream *out)
{
    stream_take(s, in);
    s->out = out->out;
    s->out_kind = out->out_kind;
    s->own_out = out->own_out;
    s->out_width = out->out_width;
    s->given_out = out->given_out;
    s->lent |= out->lent;
    stream_init_none(out);
}

void stream_take(struct weir_stream *to, struct weir_stream *from)
{
    bool heap = from->heap;
    *to = *from;
    to->heap = false;
    stream_init_none(from);
    from->heap = heap;
}

int stream_to_heap(struct weir_stream *s, struct weir_stream **out)
{
    struct weir_stream *heap = malloc(sizeof(*heap));
    if (!heap) {
        stream_done(s);
        return -ENOMEM;
    }
    stream_take(heap, s);
    heap->heap = true;
    stream_let_wait(heap);
    *out = heap;
    return 0;
}

int streams_to_heap(struct weir_stream ends[2], struct weir_stream *out_ends[2])
{
    struct weir_stream *first;
    int rc = stream_to_heap(&ends[0], &first);
    if (rc < 0) {
        stream_done(&ends[1]);
        return rc;
    }
    rc = stream_to_heap(&ends[1], &out_ends[1]);
    if (rc < 0) {
        stream_done(first);
        free(first);
        return rc;
    }
    out_ends[0] = first;
    return 0;
}

/* Shared memory and a tunnel belong to both sides: they go with the stream. */
static bool is_shared(uint8_t kind)
{
    return kind == FD_SHM || kind == FD_TUNNEL;
}

static int shut_in(struct weir_stream *s)
{
    int rc = 0;
    if (s->in >= 0 && s->own_in && s->in != s->out && !is_shared(s->in_kind))
        rc = fd_release(s->in);
    if (s->own_in && s->given_in >= 0 && s->given_in != s->given_out)
        fd_release(s->given_in);
    s->in = -1;
    s->given_in = GIVEN_NONE;
    s->in_kind = FD_NONE;
    return rc;
}

static int shut_out(struct weir_stream *s)
{
    int rc = 0;
    if (s->out >= 0 && s->own_out && s->out != s->in && !is_shared(s->out_kind))
        rc = fd_release(s->out);
    if (s->own_out && s->given_out >= 0 && s->given_out != s->given_in)
        fd_release(s->given_out);
    s->out = -1;
    s->given_out = GIVEN_NONE;
    s->out_kind = FD_NONE;
    return rc;
}

int stream_end(struct weir_stream *s)
{
    switch (s->out_kind) {
    case FD_NONE:
        return 0;
    case FD_REGULAR:
        return -EOPNOTSUPP;
    case FD_SOCKET:
        /* ENOTCONN: the peer has reset it; it has seen an end already. */
        if (shutdown(s->out, SHUT_WR) < 0 && errno != ENOTCONN)
            return -errno;
        /* Reading may have been stopped before: then this closes the socket. */
        return shut_out(s);
    case FD_SHM:
        shm_end(s->shm);
        return shut_out(s);
    case FD_TUNNEL: {
        int error = s->tunnel->calls->end(s->tunnel);
        shut_out(s);
        return error;
    }
    default:
        break;
    }
    /* One open file for both directions, a terminal, cannot be closed for one; a lent one is not ours to close. */
    bool lent = !s->own_out || s->given_out == GIVEN_LENT;
    bool both = s->out == s->in || (s->given_out >= 0 && s->given_out == s->given_in);
    if (both || (lent && !s->standard))
        return -EOPNOTSUPP;
    int rc = shut_out(s);
    return s->standard ? fd_release(STDOUT_FILENO) : rc;
}

bool stream_stop(struct weir_stream *s)
{
    if (s->in_kind == FD_SOCKET && s->peer.family == AF_UNIX)
        return shutdown(s->in, SHUT_RD) == 0;
    if (s->in_kind == FD_SHM) {
        shm_stop(s->shm);
        shut_in(s);
        return true;
    }
    bool pipe = s->in_kind == FD_NONBLOCK || s->in_kind == FD_FIFO || s->in_kind == FD_POLLED ||
                s->in_kind == FD_PIPE;
    if (!pipe || !s->own_in || s->in == s->out)
        return false;
    shut_in(s);
    return true;
}

int stream_shut(struct weir_stream *s)
{
    int in = shut_in(s);
    int out = shut_out(s);
    int over = 0;
    if (s->tunnelled)
        over = s->tunnel->calls->close(s->tunnel, s->timeout_ms);
    else
        shm_close(s->shm);
    s->tunnelled = false;
    s->shm = NULL;
    return over < 0 ? over : out < 0 ? out : in;
}

void stream_done(struct weir_stream *s)
{
    s->timeout_ms = 0; /* of a tunnel: what cannot be sent at once is not */
    stream_shut(s);
    if (s->child)
        weir_process_free(s->child);
    bool heap = s->heap;
    stream_init_none(s);
    s->heap = heap;
}

int stream_wait_in(const struct weir_stream *s)
{
    return s->in_kind == FD_REGULAR ? -1 : s->in;
}

int stream_wait_out(const struct weir_stream *s)
{
    return s->out_kind == FD_REGULAR ? -1 : s->out;
}

short stream_room_event(const struct weir_stream *s)
{
    return is_shared(s->out_kind) ? POLLIN : POLLOUT;
}

short stream_gone_event(const struct weir_stream *s)
{
    return is_shared(s->out_kind) ? POLLIN : 0;
}

bool stream_is_gone(struct weir_stream *s, short revents)
{
    if (s->out_kind == FD_SHM)
        return revents && shm_is_broken(s->shm);
    if (s->out_kind == FD_TUNNEL)
        return revents && s->tunnel->calls->gone(s->tunnel);
    return revents & (POLLERR | POLLHUP);
}

bool stream_is_over(struct weir_stream *s, bool *out_unread)
{
    return shm_is_over(s->shm, out_unread);
}

void stream_unwatch(const struct weir_stream *s, int epoll)
{
    if (!s->shm || s->tunnelled)
        return;
    epoll_ctl(epoll, EPOLL_CTL_DEL, s->shm->in_set, NULL);
    epoll_ctl(epoll, EPOLL_CTL_DEL, s->shm->out_set, NULL);
}
