#include "stream/listen.h"

#include "base/text.h"
#include "stream/shm.h"
#include "stream/transport.h"
#include "stream/value.h"
#include "tbl/limits.h"

#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

void listen_no_delay(int fd)
{
    int on = 1;
    /* Refused on Unix sockets, which need none. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static bool is_loopback(const struct sockaddr *at)
{
    if (at->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)at)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return at->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)at)->sin6_addr);
}

/*
 * Within this machine nothing is lost on the way, so pacing (bbr, where that is the system's default) has nothing to gain,
 * and its timers cost half of the CPU of long answers. Where the kernel does not allow it the default stays.
 */
static void do_not_pace(int fd)
{
    static const char name[] = "cubic";
    setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, sizeof(name) - 1);
}

static int set_options(int fd, int family, unsigned defer_accept_s, bool reuse_port)
{
    int on = 1;
    int seconds = (int)defer_accept_s;
    if (family == AF_UNIX)
        return 0;
    listen_no_delay(fd);
    /* A port whose last connections are in TIME_WAIT is free; one that somebody listens on is not (socket(7)). */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
        return -errno;
    if (reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0)
        return -errno;
    if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
        return -errno;
    if (seconds > 0 && setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof(seconds)) < 0)
        return -errno;
    return 0;
}

int listen_socket(const struct sockaddr *at, socklen_t len, int backlog, unsigned defer_accept_s,
                  bool reuse_port)
{
    int fd = socket(at->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int rc = set_options(fd, at->sa_family, defer_accept_s, reuse_port);
    if (is_loopback(at))
        do_not_pace(fd);
    if (rc == 0 && bind(fd, at, len) < 0)
        rc = -errno;
    /* The kernel takes the smaller of this and net.core.somaxconn. */
    if (rc == 0 && listen(fd, backlog > 0 ? backlog : INT_MAX) < 0)
        rc = -errno;
    if (rc == 0)
        return fd;
    close(fd);
    return rc;
}

int listen_name_socket(struct weir_listener *l, int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_un un;
        struct sockaddr_storage room;
    } at;
    socklen_t len = sizeof(at);
    struct address a;
    char host[64];
    char name[128]; /* "unix:@" and the 108 bytes of unix(7), or a host and a port */
    struct text t;
    if (getsockname(fd, &at.any, &len) < 0)
        return -errno;
    address_from(&a, &at.any, len);
    text_init(&t, name, sizeof(name));
    if (a.family == AF_UNIX) {
        size_t path = len - offsetof(struct sockaddr_un, sun_path);
        bool abstract = path > 0 && !at.un.sun_path[0];
        text_str(&t, abstract ? "unix:@" : "unix:");
        text_add(&t, at.un.sun_path + abstract,
                 abstract ? path - 1 : strnlen(at.un.sun_path, path));
    } else {
        unsigned port = address_text(&a, host, sizeof(host));
        text_fmt(&t, "tcp:%s:%u", host, port);
    }
    l->name = strdup(text_end(&t));
    return l->name ? 0 : -ENOMEM;
}

static void close_sockets(struct weir_listener *l)
{
    for (unsigned i = 0; i < l->count; i++)
        fd_release(l->fds[i]);
    l->count = 0;
    shm_close(l->shm_next);
    l->shm_next = NULL;
}

static void listener_free(struct weir_listener *l)
{
    close_sockets(l);
    if (l->unlink_fd >= 0)
        close(l->unlink_fd);
    free(l->unlink_path);
    free(l->name);
    free(l);
}

static struct weir_listener *listener_new(void)
{
    struct weir_listener *l = calloc(1, sizeof(*l));
    if (!l)
        return NULL;
    l->unlink_fd = -1;
    l->own = true;
    l->owner = getpid();
    return l;
}

int listener_open(const char *endpoint, int backlog, unsigned defer_accept_s,
                  struct weir_listener **out)
{
    const struct transport *row;
    const char *rest;
    int rc = endpoint_parse(endpoint, true, &row, &rest);
    if (rc < 0)
        return rc;
    struct weir_listener *l = listener_new();
    if (!l)
        return -ENOMEM;
    const struct listen_options options = {backlog, defer_accept_s};
    rc = row->listen(rest, &options, l);
    if (rc < 0) {
        listener_free(l);
        return rc;
    }
    *out = l;
    return 0;
}

static int clone_socket(int fd, int backlog, unsigned defer_accept_s)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof(at);
    int on = 1;
    if (getsockname(fd, (struct sockaddr *)&at, &len) < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0)
        return -errno;
    return listen_socket((struct sockaddr *)&at, len, backlog, defer_accept_s, true);
}

int listener_clone(const struct weir_listener *from, int backlog, unsigned defer_accept_s,
                   struct weir_listener **out)
{
    if (!from->own || strncmp(from->name, "tcp:", 4) != 0)
        return -EOPNOTSUPP;
    struct weir_listener *l = listener_new();
    if (!l)
        return -ENOMEM;
    l->name = strdup(from->name);
    int rc = l->name ? 0 : -ENOMEM;
    for (unsigned i = 0; rc == 0 && i < from->count; i++) {
        int fd = clone_socket(from->fds[i], backlog, defer_accept_s);
        if (fd < 0)
            rc = fd;
        else
            l->fds[l->count++] = fd;
    }
    if (rc < 0) {
        listener_free(l);
        return rc;
    }
    *out = l;
    return 0;
}

/* Errors of accept(2) that belong to the connection at the head of the queue, not to the listener. */
static bool client_is_gone(int error)
{
    switch (error) {
    case ECONNABORTED:
    case EPROTO:
    case EPERM: /* a firewall's */
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
    case ETIMEDOUT:
        return true;
    default:
        return false;
    }
}

/* That there is no memory for a client matters only when there is a client. */
static int prepare(struct weir_listener *l, unsigned index)
{
    int rc = shm_new(l->shm_bytes, &l->shm_next);
    struct pollfd p = {.fd = l->fds[index], .events = POLLIN};
    return rc < 0 && poll(&p, 1, 0) == 0 ? -EAGAIN : rc;
}

/* -ECONNABORTED: this client was let go; there may be another. */
static int take_client(struct weir_listener *l, int fd, const struct sockaddr *at, socklen_t len,
                       struct weir_stream *out)
{
    if (l->shm_bytes) {
        struct shm *next = l->shm_next;
        l->shm_next = NULL;
        return shm_accept(next, fd, out) < 0 ? -ECONNABORTED : 0;
    }
    stream_init_socket(out, fd);
    address_from(&out->peer, at, len);
    if (out->peer.family == AF_UNIX)
        address_from_unix(&out->peer, fd);
    return 0;
}

int listener_try_accept(struct weir_listener *l, unsigned index, struct weir_stream *out)
{
    for (int skipped = 0; skipped < LIMIT_ACCEPT_SKIPS;) {
        struct sockaddr_storage at;
        socklen_t len = sizeof(at);
        int rc = l->shm_bytes && !l->shm_next ? prepare(l, index) : 0;
        if (rc < 0)
            return rc;
        int fd = accept4(l->fds[index], (struct sockaddr *)&at, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0 && take_client(l, fd, (struct sockaddr *)&at, len, out) == 0) {
            out->way = l->way;
            return 0;
        }
        if (fd >= 0 || client_is_gone(errno))
            skipped++;
        else if (errno != EINTR)
            return -errno;
    }
    return -EAGAIN;
}

void listener_release(struct weir_listener *l)
{
    close_sockets(l);
}

WEIR_API int weir_listen(const char *endpoint, int backlog, struct weir_listener **out)
{
    return listener_open(endpoint, backlog, 0, out);
}

static int accept_any(struct weir_listener *l, struct weir_stream *out)
{
    for (unsigned i = 0; i < l->count; i++) {
        int rc = listener_try_accept(l, i, out);
        if (rc != -EAGAIN)
            return rc;
    }
    return -EAGAIN;
}

WEIR_API int weir_accept(struct weir_listener *l, int timeout_ms, struct weir_stream **out)
{
    struct pollfd fds[LISTENER_SOCKETS_MAX];
    struct weir_stream s;
    uint64_t deadline = deadline_in(timeout_ms);
    for (;;) {
        int rc = accept_any(l, &s);
        if (rc == 0)
            return stream_to_heap(&s, out);
        if (rc != -EAGAIN)
            return rc;
        for (unsigned i = 0; i < l->count; i++)
            fds[i] = (struct pollfd){.fd = l->fds[i], .events = POLLIN};
        rc = wait_fds(fds, l->count, deadline);
        if (rc < 0)
            return rc;
    }
}

WEIR_API const char *weir_listener_name(const struct weir_listener *l)
{
    return l->name;
}

/* Somebody may have replaced the path since: a file that is not the one we bound stays. */
static bool is_our_path(const struct weir_listener *l)
{
    struct stat ours;
    struct stat there;
    return l->unlink_path && l->owner == getpid() && fstat(l->unlink_fd, &ours) == 0 &&
           lstat(l->unlink_path, &there) == 0 && ours.st_dev == there.st_dev &&
           ours.st_ino == there.st_ino;
}

WEIR_API void weir_listener_close(struct weir_listener *l)
{
    if (!l)
        return;
    if (is_our_path(l))
        unlink(l->unlink_path);
    listener_free(l);
}
