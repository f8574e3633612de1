/*
 * h2/client.h: the client side of HTTP/2 (RFC 9113) as a machine: many requests under way on one connection, with flow control that follows
 * the reader, keep-alive, and bounds to what a server may say. nghttp2 packs and unpacks field lines (hpack.h), all else is here.
 *
 *   client.c is the machine: its life, its requests     client_frames.c reads frames     client_send.c writes them
 *
 * Whoever asks embeds a struct h2_request in what it keeps for a request. All calls come from the connection's thread. They may
 * submit, resume, reset and drop streams; none may free the connection. Nothing is sent twice and nothing is connected again.
 */
#pragma once

#include "h2/key.h"
#include "proto/call_table.h"

#include <weir/protocol.h>

#include <nghttp2/nghttp2.h>

struct h2_client;
struct h2_request;
struct h2_waiting;

/* What becomes of one request. < 0 resets its stream, and closed() tells that reason then: not for one that was dropped meanwhile. */
struct h2_request_calls {
    /* A field of the response's head (":status" first) or, after it, of its trailers. Interim heads (1xx) are read past. */
    int (*field)(struct h2_request *, struct weir_bytes name, struct weir_bytes value,
                 bool trailer);
    /* All fields of the head, or of the trailers, have come. */
    int (*fields_end)(struct h2_request *, bool trailer);
    /* Content. The peer gets room for more when h2_request_consumed() says so. */
    int (*data)(struct h2_request *, const uint8_t *, size_t);
    /* The response is whole. */
    int (*end)(struct h2_request *);
    /* How many bytes of content can be sent now, at most `max`; *out_last: and no more after them. 0: none until resumed. */
    size_t (*ready)(struct h2_request *, size_t max, bool *out_last);
    /* Queue just as many. */
    void (*give)(struct h2_request *, struct weir_out *, size_t len);
    /* Once, last, unless it was dropped: WEIR_DONE: both sides have ended; -ESHUTDOWN: the peer is leaving or has refused it, and has NOT
     * looked at it; -ECANCELED: it was reset with `code` (enum nghttp2_error_code); else why the connection ended, or a call failed. */
    void (*closed)(struct h2_request *, int why, uint32_t code);
};

struct h2_request {
    struct call_entry entry; /* first: it has a stream, and is found by that */
    const struct h2_request_calls *calls;
    struct h2_client *client; /* NULL: not under way */
    struct h2_request *prev, *next;
    struct h2_request *list_prev,
        *list_next; /* among those that wait for their stream, or have content to send */
    struct h2_waiting *waiting; /* owned: it has no stream yet */
    size_t fields_bytes;        /* of the response, so far */
    size_t unread;              /* content that came and was not consumed */
    uint64_t left; /* content that was promised and has not come; UINT64_MAX: nobody said */
    int64_t send_window, recv_window;
    uint32_t recv_taken;
    uint32_t id; /* 0: none yet */
    int why;     /* a call failed: closed() is told this */
    bool body;   /* it has content */
    bool ready;  /* is in the list of those with content */
    bool given;  /* our last frame is out */
    bool head_done;
    bool heard; /* the peer's last frame has come */
};

struct h2_client_options {
    void (*opened)(void *arg, struct weir_conn *); /* may be NULL */
    /* The peer is leaving: nothing new is taken. May be NULL. */
    void (*leaving)(void *arg);
    void (*closed)(void *arg, int why); /* once, last, also if it never opened */
    /* When expire() wants to be called (mono_ns), 0: never; asked after whatever may have changed it. May be NULL. */
    uint64_t (*due)(void *arg);
    void (*expire)(void *arg);
    void *arg;
    unsigned
        ping_ms; /* requests wait and nothing came for this long: ask for a sign of life; 0: never */
    unsigned silent_ms; /* ... and after that none came for this long: the peer counts as dead */
};

extern const struct weir_protocol h2_client; /* struct h2_client_options */

/* Begins a request; where the peer takes no more at once, it waits for its turn. `key`: what its fields are made of, if others will have the
 * same (key.h); NULL: they are its own. `body` false: it has no content. Not for HEAD, whose answers promise
 * content that does not come. 0; -ESHUTDOWN: the peer is leaving; -EMSGSIZE: more fields than LIMIT_H2_CLIENT_ASKED; -ENOTCONN; -ENOMEM. */
int h2_client_submit(struct weir_conn *, struct h2_request *, const struct h2_key *,
                     const nghttp2_nv *, size_t count, bool body);
/* The same with the fields of an earlier one that had this key. -EAGAIN: they are not known any more, or it has to wait: nothing was begun. */
int h2_client_submit_again(struct weir_conn *, struct h2_request *, const struct h2_key *,
                           bool body);
/* due() has changed. */
void h2_client_arm(struct weir_conn *);
/* Nothing new is taken: the peer leaves, or the connection has ended. */
bool h2_client_leaving(const struct weir_conn *);
/* Requests under way. */
unsigned h2_client_count(const struct weir_conn *);
/* Says that ready() has something again. */
void h2_request_resume(struct h2_request *);
/* Gives the peer room for so much more content on this stream. */
void h2_request_consumed(struct h2_request *, size_t len);
/* Lets go of it: none of its calls is called any more. What is under way still is reset with this code. */
void h2_request_drop(struct h2_request *, uint32_t code);
