#include "base/text.h"
#include "stream/process_impl.h"
#include "stream/shm.h"
#include "stream/tunnel.h"
#include "stream/value.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

/* A v4 client of a v6 socket is a v4 client. */
static void from_v6(struct address *a, const struct sockaddr_in6 *in6)
{
    a->port = ntohs(in6->sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
        a->family = AF_INET;
        memcpy(a->ip, in6->sin6_addr.s6_addr + 12, 4);
    } else {
        a->family = AF_INET6;
        memcpy(a->ip, &in6->sin6_addr, 16);
    }
}

void address_from(struct address *a, const struct sockaddr *at, socklen_t len)
{
    *a = (struct address){.family = AF_UNSPEC};
    if (len < sizeof(sa_family_t))
        return;
    if (at->sa_family == AF_INET && len >= sizeof(struct sockaddr_in)) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)at;
        a->family = AF_INET;
        a->port = ntohs(in->sin_port);
        memcpy(a->ip, &in->sin_addr, 4);
    } else if (at->sa_family == AF_INET6 && len >= sizeof(struct sockaddr_in6)) {
        from_v6(a, (const struct sockaddr_in6 *)(const void *)at);
    } else if (at->sa_family == AF_UNIX) {
        a->family = AF_UNIX;
    }
}

void address_from_unix(struct address *a, int fd)
{
    struct ucred cred;
    socklen_t len = sizeof(cred);
    *a = (struct address){.family = AF_UNIX, .unix_peer = {.pid = -1, .uid = (uint32_t)-1}};
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0) {
        a->unix_peer.pid = cred.pid;
        a->unix_peer.uid = cred.uid;
    }
}

/* A log wants it for each request; inet_ntop() goes by way of printf, which costs a percent of one. */
static void add_v4(struct text *t, const uint8_t *ip)
{
    for (unsigned i = 0; i < 4; i++) {
        if (i > 0)
            text_char(t, '.');
        text_u64(t, ip[i]);
    }
}

static void add_address(struct text *t, const struct address *a)
{
    char ip[INET6_ADDRSTRLEN];
    switch (a->family) {
    case AF_INET:
        add_v4(t, a->ip);
        break;
    case AF_INET6:
        text_char(t, '[');
        text_str(t, inet_ntop(AF_INET6, a->ip, ip, sizeof(ip)));
        text_char(t, ']');
        break;
    case AF_UNIX:
        text_fmt(t, "unix:uid=%d", (int)a->unix_peer.uid);
        break;
    default:
        text_char(t, '-');
    }
}

unsigned address_text(const struct address *a, char *text, size_t size)
{
    struct text t;
    text_init(&t, text, size);
    add_address(&t, a);
    text_end(&t);
    return a->family == AF_INET || a->family == AF_INET6 ? a->port : 0;
}

static void unix_path_text(const struct sockaddr_un *un, socklen_t len, struct text *t)
{
    size_t path = len - offsetof(struct sockaddr_un, sun_path);
    text_str(t, un->sun_path[0] ? "unix:" : "unix:@");
    if (un->sun_path[0])
        text_add(t, un->sun_path, strnlen(un->sun_path, path));
    else
        text_add(t, un->sun_path + 1, path - 1);
}

static void socket_peer(int fd, struct weir_peer *out)
{
    union {
        struct sockaddr any;
        struct sockaddr_un un;
        struct sockaddr_storage room;
    } at;
    socklen_t len = sizeof(at);
    struct address a = {.family = AF_UNSPEC};
    struct ucred cred;
    socklen_t cred_len = sizeof(cred);
    if (getpeername(fd, &at.any, &len) == 0)
        address_from(&a, &at.any, len);
    if (a.family == AF_UNIX && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &cred_len) == 0) {
        out->pid = cred.pid;
        out->uid = cred.uid;
        out->gid = cred.gid;
        a.unix_peer.uid = cred.uid;
    }
    out->port = address_text(&a, out->text, sizeof(out->text));
    if (a.family == AF_UNIX && len > offsetof(struct sockaddr_un, sun_path)) {
        struct text t;
        text_init(&t, out->text, sizeof(out->text));
        unix_path_text(&at.un, len, &t);
        text_end(&t);
    }
}

static void shm_peer(const struct shm *shm, struct weir_peer *out)
{
    struct text t;
    socket_peer(shm->socket, out);
    /* A socket says who called connect(2) or listen(2); who accepted has said so itself. */
    out->pid = shm->far.pid;
    out->uid = shm->far.uid;
    out->gid = shm->far.gid;
    char name[sizeof(out->text)];
    memcpy(name, out->text, sizeof(name));
    text_init(&t, out->text, sizeof(out->text));
    text_str(&t, "shm");
    text_str(&t, name + strlen("unix"));
    text_end(&t);
}

static const char *kind_text(int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return "-";
    if (S_ISFIFO(st.st_mode))
        return "pipe";
    if (S_ISREG(st.st_mode))
        return "file";
    return S_ISCHR(st.st_mode) ? "device" : "-";
}

WEIR_API int weir_peer(const struct weir_stream *s, struct weir_peer *out)
{
    struct weir_peer peer = {.pid = -1, .uid = (uid_t)-1, .gid = (gid_t)-1};
    struct text t;
    if (s->tunnelled)
        return weir_peer(s->tunnel->under, out);
    int fd = s->in >= 0 ? s->in : s->out;
    if (fd < 0 && !s->child)
        return -EBADF;
    if (s->in_kind == FD_SOCKET || s->out_kind == FD_SOCKET) {
        socket_peer(fd, &peer);
    } else if (s->shm) {
        shm_peer(s->shm, &peer);
    } else {
        text_init(&t, peer.text, sizeof(peer.text));
        text_str(&t, s->child ? "exec:" : kind_text(fd));
        if (s->child) {
            text_str(&t, process_name(s->child));
            peer.pid = weir_process_pid(s->child);
        }
        text_end(&t);
    }
    *out = peer;
    return 0;
}

WEIR_API int weir_tuple(const struct weir_stream *s, char *text, size_t size)
{
    struct sockaddr_storage near;
    struct sockaddr_storage far;
    socklen_t near_len = sizeof(near);
    socklen_t far_len = sizeof(far);
    if (s->tunnelled)
        return weir_tuple(s->tunnel->under, text, size);
    int fd = s->in >= 0 ? s->in : s->out;
    if (getsockname(fd, (struct sockaddr *)&near, &near_len) < 0 ||
        getpeername(fd, (struct sockaddr *)&far, &far_len) < 0)
        return -errno;
    struct address here;
    struct address there;
    address_from(&here, (struct sockaddr *)&near, near_len);
    address_from(&there, (struct sockaddr *)&far, far_len);
    if (here.family != AF_INET && here.family != AF_INET6)
        return -ENOTSOCK;
    char line[160];
    struct text t;
    text_init(&t, line, sizeof(line));
    text_str(&t, "tcp ");
    add_address(&t, &here);
    text_fmt(&t, ":%u -> ", here.port);
    add_address(&t, &there);
    text_fmt(&t, ":%u", there.port);
    text_end(&t);
    if (t.len + 1 > size)
        return -ERANGE;
    memcpy(text, line, t.len + 1);
    return 0;
}
