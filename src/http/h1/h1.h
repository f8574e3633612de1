/*
 * http/h1/h1.h: one connection of HTTP/1.1, server side. Small: it is what an idle connection costs. What belongs to a
 * request under way is in the exchange, which comes from the pool and goes back with the answer.
 *
 *   request.c reads heads and content    send.c writes answers    h1.c is the protocol and its deadlines
 */
#pragma once

#include "http/carry.h"
#include "http/h1/body.h"
#include "http/h1/head.h"

enum h1_phase {
    H1_HEAD,  /* between requests, or within a head */
    H1_BODY,  /* the head is read, content comes in; the answer may be under way */
    H1_REPLY, /* the request is read; no input until the answer is complete */
    H1_DRAIN, /* the answer is complete; the rest of the content is thrown away */
    H1_OVER,  /* finish or linger was called */
};

struct h1 {
    struct weir_exchange *exchange; /* held; NULL between requests */
    union {
        uint64_t since_ns; /* H1_HEAD: opening, or the first byte of the head under way */
        uint64_t
            due_ns; /* H1_BODY: more content by then, or it is too slow; 0: it need not be fast */
    };
    uint64_t sent_ns;   /* when the peer was last seen to take some bytes */
    uint32_t sent_mark; /* how many it had taken then */
    uint32_t queued; /* bytes ever queued; both wrap around: they are only compared for equality */
    uint64_t mark;   /* of http->admit */
    struct body body;
    struct head_scan scan;
    uint32_t drained;
    uint8_t phase;       /* enum h1_phase */
    uint8_t empty_lines; /* before the head under way */
    bool opened : 1;
    bool admitted : 1;
    bool succeeded : 1; /* HTTP/2 takes over, or there is no memory for that */
    bool spoken : 1;    /* a byte came in */
    bool partial : 1;   /* a head has begun and is not complete */
    bool paused : 1;
    bool held : 1;  /* the handler did not take all it was given */
    bool steps : 1; /* the deadline is one of those that watch a peer take the answer */
    bool more : 1;  /* the peer has sent on behind this request */
    bool
        blamed : 1; /* an exchange was ended for a reason, and that of the connection is the same */
    bool broken : 1; /* the content was, while an answer that has no use for it is under way */
};

void h1_set_phase(struct h1 *, enum h1_phase);
static inline const struct weir_http *h1_http(const struct weir_conn *conn)
{
    return weir_conn_config(conn);
}
/* That long from now. */
uint64_t h1_after(const struct weir_conn *, unsigned configured_ms, unsigned default_ms);
/* Moves the answer on, and the connection with it when the answer is complete. */
void h1_settle(struct h1 *, struct weir_conn *);
/* Answers with this error and closes; cuts the connection when an answer is under way already. */
void h1_refuse(struct h1 *, struct weir_conn *, enum http_error);
/* As h1_refuse, for what is wrong with content: an answer under way that does not depend on it still goes out. */
void h1_refuse_content(struct h1 *, struct weir_conn *, enum http_error);
/* Ends an exchange under way and the connection with it, whatever is half done; what is queued is still sent. */
void h1_cut(struct h1 *, struct weir_conn *, int why);
void h1_linger(struct h1 *, struct weir_conn *, int why);

/* request.c: input() by phase. */
ssize_t h1_read_head(struct h1 *, struct weir_conn *, const char *bytes, size_t len);
ssize_t h1_read_body(struct h1 *, struct weir_conn *, const char *bytes, size_t len);
ssize_t h1_read_drain(struct h1 *, struct weir_conn *, const char *bytes, size_t len);
/* The exchange's deadline: the handler's own or `ms` from now, whichever is first. */
void h1_arm_exchange(struct h1 *, struct weir_conn *, unsigned ms, unsigned default_ms);
/* The same while content is waited for; `fresh`: it was not until now. */
void h1_arm_content(struct h1 *, struct weir_conn *, bool fresh);
/* A peer that asked first is told that its content is wanted. */
void h1_ask_content(struct h1 *, struct weir_conn *);

/* send.c: queues what there is of the answer. WEIR_FLOW_END: it is complete; WEIR_FLOW_WAIT; -errno: cut. */
int h1_send(struct weir_exchange *, struct weir_out *);
