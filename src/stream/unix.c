/* unix:PATH and unix:@NAME (abstract: no file, gone with its last holder). */
#include "stream/unix.h"

#include "stream/listen.h"
#include "stream/transport.h"
#include "stream/value.h"
#include "tbl/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define PATH_BYTES (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)

static const char *unix_check(const char *rest, bool for_listening)
{
    _Static_assert(PATH_BYTES == 107, "the message below says so");
    (void)for_listening;
    if (!rest[0])
        return "the path is missing";
    if (rest[0] == '@' && !rest[1])
        return "the name after @ is missing";
    if (strlen(rest) > PATH_BYTES)
        return "the path is longer than the 107 bytes a Unix socket can have";
    return NULL;
}

socklen_t unix_address(const char *rest, struct sockaddr_un *out)
{
    size_t len = strlen(rest);
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (len > PATH_BYTES)
        return 0;
    memcpy(out->sun_path, rest, len);
    if (rest[0] == '@') {
        out->sun_path[0] = '\0';
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    }
    return sizeof(*out);
}

/* The listener's queue is full. poll(2) does not tell of room in it, but a connect that waits does, and keeps to
 * SO_SNDTIMEO (unix(7), socket(7)). */
static int connect_waiting(const struct sockaddr_un *un, socklen_t len, uint64_t deadline,
                           struct weir_stream *out)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int rc = -EINTR;
    while (rc == -EINTR) {
        int left = deadline_left_ms(deadline);
        struct timeval limit = {left / 1000, left % 1000 * 1000};
        if (left == 0) {
            rc = -ETIMEDOUT;
            break;
        }
        if (left > 0)
            setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
        rc = connect(fd, (const struct sockaddr *)un, len) < 0 ? -errno : 0;
    }
    if (rc == 0)
        rc = stream_claim(out, fd, 0, FD_OURS);
    if (rc < 0)
        close(fd);
    return rc == -EAGAIN ? -ETIMEDOUT : rc;
}

static int unix_open(const char *rest, unsigned how, uint64_t deadline, struct weir_stream *out)
{
    struct sockaddr_un un;
    socklen_t len = unix_address(rest, &un);
    (void)how;
    int rc = stream_connect_start(out, (struct sockaddr *)&un, len);
    return rc == -EAGAIN ? connect_waiting(&un, len, deadline, out) : rc;
}

/* Two programs that find the same stale path at once must not remove each other's: they take turns by a lock on its folder.
 * Returns a descriptor to close, or -1 where that cannot be had; then the risk is taken. */
static int lock_folder(const char *path)
{
    char folder[PATH_BYTES + 1];
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;
    memcpy(folder, path, len);
    folder[len] = '\0';
    int fd = open(!slash ? "." : len == 0 ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    uint64_t deadline = deadline_in(LIMIT_BIND_LOCK_MS);
    while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
        if ((errno != EWOULDBLOCK && errno != EINTR) || wait_ms(10, deadline) < 0)
            break;
    return fd;
}

/* Left behind by a program that died: a socket that refuses connections. */
static bool is_stale(const char *path, const struct sockaddr_un *un, socklen_t len)
{
    struct stat st;
    struct weir_stream s;
    if (lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode))
        return false;
    int rc = stream_connect_start(&s, (const struct sockaddr *)un, len);
    if (rc == 0)
        stream_done(&s);
    return rc == -ECONNREFUSED;
}

static int bind_path(const char *path, const struct sockaddr_un *un, socklen_t len, int backlog)
{
    const struct sockaddr *at = (const struct sockaddr *)un;
    int lock = lock_folder(path);
    int fd = listen_socket(at, len, backlog, 0, false);
    if (fd == -EADDRINUSE && is_stale(path, un, len) && unlink(path) == 0)
        fd = listen_socket(at, len, backlog, 0, false);
    if (lock >= 0)
        close(lock);
    return fd;
}

static int remember_path(struct weir_listener *l, const char *path)
{
    l->unlink_fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (l->unlink_fd < 0)
        return -errno;
    l->unlink_path = strdup(path);
    return l->unlink_path ? 0 : -ENOMEM;
}

static int unix_listen(const char *rest, const struct listen_options *options,
                       struct weir_listener *l)
{
    struct sockaddr_un un;
    socklen_t len = unix_address(rest, &un);
    bool abstract = rest[0] == '@';
    int fd = abstract ? listen_socket((struct sockaddr *)&un, len, options->backlog, 0, false)
                      : bind_path(rest, &un, len, options->backlog);
    if (fd < 0)
        return fd;
    l->fds[l->count++] = fd;
    int rc = abstract ? 0 : remember_path(l, rest);
    if (rc < 0)
        unlink(rest);
    return rc < 0 ? rc : listen_name_socket(l, fd);
}

const struct transport unix_transport = {
    .scheme = "unix",
    .form = "unix:PATH or unix:@NAME",
    .example = "unix:/tmp/weir.sock",
    .check = unix_check,
    .open = unix_open,
    .listen = unix_listen,
};
