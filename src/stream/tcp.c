/* tcp:HOST:PORT. */
#include "stream/dial.h"
#include "stream/listen.h"
#include "stream/lookup.h"
#include "stream/value.h"
#include "tbl/limits.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *tcp_check(const char *rest, bool for_listening)
{
    struct host_port hp;
    return host_port_split(rest, for_listening, &hp);
}

static int tcp_open(const char *rest, unsigned how, uint64_t deadline, struct weir_stream *out)
{
    struct host_port hp;
    struct address_list list;
    (void)how;
    if (host_port_split(rest, false, &hp))
        return -EINVAL;
    int rc = lookup_until(&hp, deadline, &list);
    if (rc == -EAGAIN)
        return -EHOSTUNREACH; /* the name server does not answer: "try again" would be misread as "would wait" */
    return rc < 0 ? rc : dial(&list, deadline, out);
}

static void set_port(struct sockaddr_storage *at, unsigned port)
{
    if (at->ss_family == AF_INET)
        ((struct sockaddr_in *)at)->sin_port = htons((uint16_t)port);
    else
        ((struct sockaddr_in6 *)at)->sin6_port = htons((uint16_t)port);
}

static unsigned port_of(const struct sockaddr_storage *at)
{
    struct address a;
    address_from(&a, (const struct sockaddr *)at, sizeof(*at));
    return a.port;
}

static unsigned port_taken(int fd)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof(at);
    return getsockname(fd, (struct sockaddr *)&at, &len) < 0 ? 0 : port_of(&at);
}

/* An address of the name that this machine does not have, while it may have another. */
static bool is_elsewhere(int error)
{
    return error == -EADDRNOTAVAIL || error == -EAFNOSUPPORT;
}

/* One socket an address, all with one port; what is open stays in *l, also on failure. */
static int bind_all(const struct address_list *list, const struct listen_options *options,
                    struct weir_listener *l)
{
    unsigned port = 0;
    int error = -EADDRNOTAVAIL;
    for (size_t i = 0; i < list->count && l->count < LISTENER_SOCKETS_MAX; i++) {
        struct sockaddr_storage at = list->at[i];
        if (port > 0)
            set_port(&at, port);
        int fd = listen_socket((struct sockaddr *)&at, list->len[i], options->backlog,
                               options->defer_accept_s, false);
        if (fd < 0) {
            error = fd;
            if (is_elsewhere(fd))
                continue;
            return fd;
        }
        l->fds[l->count++] = fd;
        if (port == 0)
            port = port_taken(fd);
    }
    return l->count > 0 ? 0 : error;
}

static int name_listener(const char *host, struct weir_listener *l)
{
    char name[sizeof("tcp:[]:65535") + LIMIT_HOST_BYTES];
    bool v6 = strchr(host, ':') != NULL;
    snprintf(name, sizeof(name), v6 ? "tcp:[%s]:%u" : "tcp:%s:%u", host, port_taken(l->fds[0]));
    l->name = strdup(name);
    return l->name ? 0 : -ENOMEM;
}

static int tcp_listen(const char *rest, const struct listen_options *options,
                      struct weir_listener *l)
{
    struct host_port hp;
    struct address_list list;
    if (host_port_split(rest, true, &hp))
        return -EINVAL;
    int rc = lookup(&hp, true, &list);
    if (rc < 0)
        return rc;
    bool any_port = port_of(&list.at[0]) == 0;
    rc = bind_all(&list, options, l);
    /* The port that was free on the first address may be taken on the next: another one, then. */
    for (int tries = 1; rc == -EADDRINUSE && any_port && tries < LIMIT_PORT_TRIES; tries++) {
        listener_release(l);
        rc = bind_all(&list, options, l);
    }
    return rc < 0 ? rc : name_listener(hp.host, l);
}

void stream_reset(struct weir_stream *s)
{
    const struct linger at_once = {.l_onoff = 1};
    if (s->in_kind == FD_SOCKET && (s->peer.family == AF_INET || s->peer.family == AF_INET6))
        setsockopt(s->in, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

const struct transport tcp_transport = {
    .scheme = "tcp",
    .form = "tcp:HOST:PORT",
    .example = "tcp:127.0.0.1:7000",
    .check = tcp_check,
    .open = tcp_open,
    .listen = tcp_listen,
};
