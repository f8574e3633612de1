#include "stream/dial.h"

#include "stream/value.h"
#include "stream/wait.h"
#include "tbl/limits.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

int stream_connect_start(struct weir_stream *s, const struct sockaddr *at, socklen_t len)
{
    int on = 1;
    stream_init_none(s);
    int fd = socket(at->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (at->sa_family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    stream_init_socket(s, fd);
    address_from(&s->peer, at, len);
    if (connect(fd, at, len) == 0) {
        if (at->sa_family == AF_UNIX)
            address_from_unix(&s->peer, fd);
        return 0;
    }
    /* An interrupted connect goes on by itself (connect(2)). */
    int rc = errno == EINTR ? -EINPROGRESS : -errno;
    if (rc != -EINPROGRESS)
        stream_done(s);
    return rc;
}

/* A connection to a free port of our own range can meet itself (RFC 9293 section 3.5, simultaneous open). */
static bool is_own_echo(const struct weir_stream *s)
{
    struct sockaddr_storage near;
    struct sockaddr_storage far;
    socklen_t near_len = sizeof(near);
    socklen_t far_len = sizeof(far);
    memset(&near, 0, sizeof(near));
    memset(&far, 0, sizeof(far));
    return getsockname(s->in, (struct sockaddr *)&near, &near_len) == 0 &&
           getpeername(s->in, (struct sockaddr *)&far, &far_len) == 0 && near_len == far_len &&
           memcmp(&near, &far, near_len) == 0;
}

int stream_connected(struct weir_stream *s)
{
    struct sockaddr_storage at;
    socklen_t at_len = sizeof(at);
    int error = 0;
    socklen_t len = sizeof(error);
    if (getsockopt(s->out, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        return -errno;
    if (error)
        return -error;
    if (getpeername(s->out, (struct sockaddr *)&at, &at_len) < 0)
        return errno == ENOTCONN ? -EINPROGRESS : -errno;
    return is_own_echo(s) ? -ECONNREFUSED : 0;
}

#define ATTEMPTS_MAX (sizeof(((struct address_list *)NULL)->at) / sizeof(struct sockaddr_storage))

struct attempts {
    size_t count;
    struct weir_stream at[ATTEMPTS_MAX];
    struct pollfd fds[ATTEMPTS_MAX];
    int error; /* 0: none failed yet */
};

/* That this machine has no such network says less than what a peer has answered. */
static void note_error(struct attempts *a, int error)
{
    bool weak = error == -ENETUNREACH || error == -EADDRNOTAVAIL || error == -EAFNOSUPPORT;
    if (!weak || a->error == 0)
        a->error = error;
}

static void forget(struct attempts *a, size_t i)
{
    stream_done(&a->at[i]);
    a->count--;
    if (i < a->count) {
        stream_take(&a->at[i], &a->at[a->count]);
        a->fds[i] = a->fds[a->count];
    }
}

/* true: connected at once, and moved to *out. */
static bool begin(struct attempts *a, const struct sockaddr_storage *at, socklen_t len,
                  struct weir_stream *out)
{
    struct weir_stream *s = &a->at[a->count];
    int rc = stream_connect_start(s, (const struct sockaddr *)at, len);
    if (rc == 0) {
        stream_take(out, s);
        return true;
    }
    if (rc == -EINPROGRESS)
        a->fds[a->count++] = (struct pollfd){.fd = s->out, .events = POLLOUT};
    else
        note_error(a, rc);
    return false;
}

/* Looks at the attempts that the wait has marked. true: one is connected, and moved to *out. */
static bool collect(struct attempts *a, bool *out_failed, struct weir_stream *out)
{
    *out_failed = false;
    for (size_t i = a->count; i-- > 0;) {
        int rc = a->fds[i].revents ? stream_connected(&a->at[i]) : -EINPROGRESS;
        if (rc == -EINPROGRESS)
            continue;
        if (rc == 0) {
            stream_take(out, &a->at[i]);
            return true;
        }
        note_error(a, rc);
        forget(a, i);
        *out_failed = true;
    }
    return false;
}

static int race(struct attempts *a, const struct address_list *list, uint64_t deadline,
                struct weir_stream *out)
{
    size_t next = 0;
    uint64_t next_at = 0;
    for (;;) {
        bool failed;
        if (next < list->count && (a->count == 0 || deadline_now() >= next_at)) {
            size_t before = a->count;
            if (begin(a, &list->at[next], list->len[next], out))
                return 0;
            next_at = a->count > before ? deadline_in(LIMIT_DIAL_STAGGER_MS) : 0;
            next++;
            continue;
        }
        if (a->count == 0)
            return a->error ? a->error : -EHOSTUNREACH;
        uint64_t until = next < list->count ? deadline_min(deadline, next_at) : deadline;
        int rc = wait_fds(a->fds, a->count, until);
        if (rc == -ETIMEDOUT && until != deadline)
            continue;
        if (rc < 0)
            return rc;
        if (collect(a, &failed, out))
            return 0;
        if (failed)
            next_at = 0;
    }
}

int dial(const struct address_list *list, uint64_t deadline, struct weir_stream *out)
{
    struct attempts a = {.count = 0};
    int rc = race(&a, list, deadline, out);
    while (a.count > 0)
        forget(&a, a.count - 1);
    return rc;
}
