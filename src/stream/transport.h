/*
 * stream/transport.h: one row a scheme. To add a transport: one file, one row in transports.c, one section in
 * weir-streams(7).
 */
#pragma once

#include "stream/impl.h"
#include "stream/wait.h"

struct listen_options {
    int backlog; /* 0: as long as the system allows */
    unsigned defer_accept_s;
};

struct transport {
    const char *scheme;  /* "tcp" */
    const char *form;    /* "tcp:HOST:PORT" */
    const char *example; /* a name that can be used */
    bool one_way;        /* is read or written, not talked with */
    /* What is wrong with what follows the scheme, as a clause; NULL: nothing. Looks at the text only. */
    const char *(*check)(const char *rest, bool for_listening);
    /* `rest` has passed check(). *out is uninitialised memory and stays unused on failure. */
    int (*open)(const char *rest, unsigned how, uint64_t deadline, struct weir_stream *out);
    /* Fills a zeroed listener; on failure listener_open() closes what it holds. NULL: cannot be listened on. */
    int (*listen)(const char *rest, const struct listen_options *, struct weir_listener *out);
};

extern const struct transport file_transport, pipe_transport, unix_transport, tcp_transport,
    shm_transport, exec_transport, fd_transport, standard_transport, tls_transport;

/* The rows, in the order in which help shows them; NULL past the last. */
const struct transport *transport_get(size_t index);

/* Splits a name into its row and what follows scheme, colon and an optional "//". NULL: no such kind. Does not check() it. */
const struct transport *endpoint_split(const char *name, const char **out_rest);
/* The same, and check() has passed: 0 or -EINVAL. */
int endpoint_parse(const char *name, bool for_listening, const struct transport **out,
                   const char **out_rest) WEIR_CHECKED;

/* HOST:PORT in two. Both are NUL-terminated; brackets are gone. Returns as check() does. */
struct host_port {
    char host[256];
    char port[33];
};
const char *host_port_split(const char *text, bool for_listening, struct host_port *out);
