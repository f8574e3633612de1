/*
 * http/h1/client.h: one connection of HTTP/1.1, client side, as a machine that does no I/O. It sends requests that are given
 * to it as ready bytes, several before the first answer if its user likes, and says what comes back.
 *
 * It is not a pool of connections, follows no redirects and asks nothing again: whoever uses it decides that when a
 * connection has ended. Answers come in the order of the requests (RFC 9112 section 9.3.2).
 */
#pragma once

#include "http/h1/response.h"
#include "tbl/limits.h"

#include <weir/protocol.h>

struct http1_answer {
    struct response response;
    struct weir_bytes head; /* with its empty line; borrowed, for the call of head() alone */
    uint64_t head_len;
    uint64_t content_len; /* bytes of content so far, without their chunks */
};

/* What a program does with answers. Called on the connection's thread, within its turn; < 0 ends it for that reason. */
struct http1_client_calls {
    /* In each turn that has room: http1_ask() may be called. NULL: nothing. */
    int (*ready)(void *arg, struct weir_conn *);
    /* The head of a final answer. NULL: nothing. */
    int (*head)(void *arg, struct weir_conn *, const struct http1_answer *);
    int (*content)(void *arg, struct weir_conn *, const uint8_t *, size_t); /* NULL: thrown away */
    int (*answered)(void *arg, struct weir_conn *, const struct http1_answer *);
    /* Always, once, last. WEIR_DONE: nothing was waiting for an answer; -ECONNRESET: the server closed before it had answered all;
     * -EPROTO: it spoke no proper HTTP, or an answer ended early; -ETIMEDOUT; -EMSGSIZE: a head too long. NULL: nothing. */
    void (*closed)(void *arg, struct weir_conn *, int why);
};

/* The config of http1_client. Zeroes stand for defaults (tbl/limits.h). */
struct http1_client {
    const struct http1_client_calls *calls;
    void *arg;
    unsigned answer_ms; /* silence of a server that owes an answer */
    unsigned idle_ms;   /* without requests */
};

extern const struct weir_protocol http1_client;

/*
 * Queues a whole request, which must stay where it is until it was sent: `owner` is held so long (NULL: static storage).
 * `head_only`: it is a HEAD request. 0; -EAGAIN: the queue is full or LIMIT_HTTP_PIPELINE wait, ask again in ready();
 * -ESHUTDOWN: this connection takes no more. From outside of its turn, follow it with weir_conn_wake().
 */
WEIR_CHECKED int http1_ask(struct weir_conn *, const void *request, size_t len,
                           struct weir_ref *owner, bool head_only);
/* Requests that have no complete answer yet. */
unsigned http1_waiting(struct weir_conn *);
