/* Passing descriptors over a Unix socket (unix(7), SCM_RIGHTS). They travel with the first byte they were sent with. */
#include "stream/impl.h"
#include "stream/wait.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define FDS_BYTES (WEIR_FDS_MAX * sizeof(int))

union control {
    char room[CMSG_SPACE(FDS_BYTES)];
    struct cmsghdr align;
};

static ssize_t send_waiting(struct weir_stream *s, const struct msghdr *message)
{
    for (;;) {
        ssize_t n = sendmsg(s->out, message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n >= 0)
            return n;
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            return -errno;
        int rc = wait_fd(s->out, POLLOUT, deadline_in(s->timeout_ms));
        if (rc < 0)
            return rc;
    }
}

WEIR_API int weir_send_fds(struct weir_stream *s, const void *bytes, size_t len, const int *fds,
                           unsigned count)
{
    if (len == 0 || count > WEIR_FDS_MAX)
        return -EINVAL;
    if (s->out_kind != FD_SOCKET || s->peer.family != AF_UNIX)
        return -EOPNOTSUPP;
    union control control = {{0}};
    struct iovec iov = {(void *)bytes, len};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
    if (count > 0) {
        control.align.cmsg_level = SOL_SOCKET;
        control.align.cmsg_type = SCM_RIGHTS;
        control.align.cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(&control.align), fds, count * sizeof(int));
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    }
    ssize_t n = send_waiting(s, &message);
    if (n < 0)
        return (int)n;
    return weir_write_all(s, (const char *)bytes + n, len - (size_t)n);
}

/* How many descriptors the message brought, all in one piece (the kernel joins no two). */
static unsigned received_fds(struct msghdr *message, int fds[WEIR_FDS_MAX])
{
    struct cmsghdr *c = CMSG_FIRSTHDR(message);
    if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
        return 0;
    size_t bytes = c->cmsg_len - CMSG_LEN(0);
    if (bytes > FDS_BYTES)
        bytes = FDS_BYTES;
    memcpy(fds, CMSG_DATA(c), bytes);
    return (unsigned)(bytes / sizeof(int));
}

static ssize_t recv_waiting(struct weir_stream *s, struct msghdr *message)
{
    for (;;) {
        ssize_t n = recvmsg(s->in, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n >= 0)
            return n;
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            return -errno;
        int rc = wait_fd(s->in, POLLIN, deadline_in(s->timeout_ms));
        if (rc < 0)
            return rc;
    }
}

WEIR_API ssize_t weir_recv_fds(struct weir_stream *s, void *buffer, size_t len, int *out_fds,
                               unsigned max, unsigned *out_count)
{
    int fds[WEIR_FDS_MAX];
    union control control = {{0}};
    struct iovec iov = {buffer, len};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    if (len == 0)
        return -EINVAL;
    if (s->in_kind != FD_SOCKET)
        return -EOPNOTSUPP;
    ssize_t n = recv_waiting(s, &message);
    if (n < 0)
        return n;
    unsigned count = received_fds(&message, fds);
    bool cut = message.msg_flags & MSG_CTRUNC;
    if (count > max || cut) {
        for (unsigned i = 0; i < count; i++)
            close(fds[i]);
        /* Cut short although they would have fitted: this process has no room for descriptors left. */
        return cut && count < WEIR_FDS_MAX ? -EMFILE : -EMSGSIZE;
    }
    memcpy(out_fds, fds, count * sizeof(int));
    *out_count = count;
    return n;
}
