/* fd:N and "-": descriptors that others gave us. Their O_NONBLOCK is shared with whoever did, and stays as it was found. */
#include "base/bytes.h"
#include "stream/listen.h"
#include "stream/transport.h"
#include "stream/value.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

static const char *fd_check(const char *rest, bool for_listening)
{
    uint64_t number;
    (void)for_listening;
    if (!rest[0])
        return "the descriptor's number is missing";
    if (bytes_u64(bytes_str(rest), &number) < 0 || number > INT_MAX)
        return "this is not a descriptor's number";
    return NULL;
}

static int fd_number(const char *rest)
{
    uint64_t number = 0;
    return bytes_u64(bytes_str(rest), &number) < 0 ? -1 : (int)number;
}

static int fd_open(const char *rest, unsigned how, uint64_t deadline, struct weir_stream *out)
{
    (void)deadline;
    return stream_claim(out, fd_number(rest), how, FD_TAKEN);
}

/* accept(2) has no MSG_DONTWAIT, and a client seen by poll(2) may be gone to another process: a listening socket is made
 * O_NONBLOCK also if it was given to us. */
static int fd_listen(const char *rest, const struct listen_options *options,
                     struct weir_listener *l)
{
    int fd = fd_number(rest);
    int listening = 0;
    socklen_t len = sizeof(listening);
    (void)options;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0)
        return -errno;
    if (!listening)
        return -EINVAL;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return -errno;
    l->fds[0] = fd;
    l->count = 1;
    l->own = false;
    listen_no_delay(fd);
    return listen_name_socket(l, fd);
}

const struct transport fd_transport = {
    .scheme = "fd",
    .form = "fd:N",
    .example = "fd:3",
    .check = fd_check,
    .open = fd_open,
    .listen = fd_listen,
};

static const char *standard_check(const char *rest, bool for_listening)
{
    (void)rest;
    (void)for_listening;
    return NULL;
}

static int standard_open(const char *rest, unsigned how, uint64_t deadline, struct weir_stream *out)
{
    struct weir_stream in;
    struct weir_stream writer;
    bool any = !(how & (WEIR_READ | WEIR_WRITE));
    (void)rest;
    (void)deadline;
    stream_init_none(&in);
    stream_init_none(&writer);
    int rc = any || how & WEIR_READ ? stream_claim(&in, STDIN_FILENO, WEIR_READ, FD_LENT) : 0;
    if (rc == 0 && (any || how & WEIR_WRITE))
        rc = stream_claim(&writer, STDOUT_FILENO, WEIR_WRITE, FD_LENT);
    if (rc < 0) {
        stream_done(&in);
        return rc;
    }
    if (!any && !(how & WEIR_WRITE) && in.in_kind == FD_SOCKET)
        in.out = -1; /* a socket was asked for its reading side only */
    stream_join(out, &in, &writer);
    out->standard = true;
    return 0;
}

const struct transport standard_transport = {
    .scheme = "-",
    .form = "-",
    .example = "-",
    .check = standard_check,
    .open = standard_open,
};
