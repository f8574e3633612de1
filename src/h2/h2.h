/*
 * h2/h2.h: one connection of HTTP/2, server side (RFC 9113). Streams are few and live in the memory of their exchanges, so that a request
 * allocates nothing of its own; nghttp2 packs and unpacks field lines (HPACK), all else is here.
 *
 *   h2.c is the protocol: its life, deadlines, leaving     frames.c reads frames       head.c makes an exchange of a head, again.c of one read before
 *   stream.c: streams, content for their handlers          send.c writes answers       owed.c: resets that are put off
 *
 * What a client does in the same way is in block.h, hpack.h and flood.h.
 */
#pragma once

#include "h2/flood.h"
#include "h2/hpack.h"
#include "http/carry.h"

#define H2_URGENCIES 8 /* RFC 9218 section 4.1; 0 goes first */
#define H2_BUCKETS   64

struct h2;

struct h2_list {
    struct h2_stream *first, *last;
};

struct h2_stream {
    struct h2 *h2;
    struct weir_exchange *x; /* held, and this is in its memory */
    struct h2_stream *in_bucket;
    struct h2_stream *next, *prev;             /* of all */
    struct h2_stream *changed;                 /* the next that has a wish */
    struct h2_stream *ready_next, *ready_prev; /* that has content to send */
    struct weir_out inbox;                     /* content that its handler would not take yet */
    uint64_t left;    /* of the length that was told; WEIR_LENGTH_UNKNOWN: none was */
    uint64_t came;    /* content so far */
    uint64_t pace_ns; /* more of it is due; 0: it need not be fast, or is not waited for */
    uint64_t due_ns;
    int64_t send_window;
    int64_t recv_window; /* what the peer may send still */
    uint32_t recv_taken; /* used, and not yet given back to it */
    uint32_t id;
    uint8_t urgency;
    uint8_t waits; /* enum h2_wait */
    bool incremental : 1;
    bool heard : 1;  /* the peer has said its last */
    bool told : 1;   /* ... and the handler knows */
    bool wishes : 1; /* is in the list of changed ones */
    bool ready : 1;  /* is in a list of ready ones */
    bool busy : 1;   /* its handler is being called: no need to be woken */
    bool sleeps : 1; /* it has no more content until it wakes */
    bool given : 1;  /* all content was given, if not sent */
    bool deaf : 1;   /* it wants no content any more: an error is its answer */
};

struct h2_early {
    uint32_t id;
    uint8_t urgency;
    bool incremental;
};

struct h2_owed {
    uint32_t id;
    uint64_t at_ns;
};

struct h2 {
    struct weir_conn *conn;
    const struct weir_http *http;
    uint64_t mark; /* of http->admit */
    struct h2_unpacker unpacker;
    struct h2_packer packer;
    struct h2_again *again; /* owned; NULL: no request was said twice */
    struct h2_stream *all, *changed;
    struct h2_list ready[H2_URGENCIES];
    struct h2_stream *bucket[H2_BUCKETS];
    int64_t send_window, recv_window;
    uint32_t recv_taken;
    uint32_t first_window; /* of streams, as the peer set it */
    uint32_t last_id;      /* of the peer's streams so far */
    uint32_t accepted_id;  /* of those that somebody looked at */
    uint32_t streams, ready_count;
    struct h2_calm calm;
    uint64_t since_ns; /* of opening; of the incomplete frame in hand */
    uint64_t opened_ns;
    uint64_t idle_ns;   /* when it is closed if nothing comes */
    uint64_t due_ns;    /* no stream has an earlier deadline */
    uint64_t goaway_ns; /* the second one is due */
    uint64_t sent_ns;   /* the peer was last seen to take some bytes */
    uint64_t queued, sent_mark;
    uint64_t heard_ns; /* the peer said something */
    struct h2_content data;
    struct h2_ended ended;
    struct h2_early *early; /* LIMIT_H2_STREAMS of them, made for the first; NULL: none was told */
    struct h2_owed owed[LIMIT_H2_OWED]; /* resets that are put off, the first due first */
    uint8_t owed_count;
    uint8_t early_count;
    uint8_t phase; /* enum h2_phase */
    bool opened : 1;
    bool lasting : 1; /* a stream without a deadline was seen */
    bool asked : 1;   /* by PING, and the peer has said nothing since */
    bool admitted : 1;
    bool partial : 1;     /* a frame has begun and is not complete */
    bool peer_leaves : 1; /* it said GOAWAY, or its last byte */
    bool spoilt : 1;      /* a head was packed in part: there can be no other */
    bool blamed : 1;      /* an exchange was ended for the reason that the connection ends for */
};

static inline uint64_t h2_now(const struct h2 *h)
{
    return weir_conn_now(h->conn).mono_ns;
}
static inline struct weir_out *h2_out(struct h2 *h)
{
    return weir_conn_out(h->conn);
}

/* May content be queued? Less than fills the queue: input goes on only while there is room in it, and a peer that takes all it gets would never be
 * heard when it wants no more. */
static inline bool h2_has_room(struct h2 *h)
{
    const struct weir_out *out = h2_out(h);
    return weir_out_space(out) > LIMIT_H2_INPUT_ROOM &&
           out->spans < LIMIT_OUT_SPANS - LIMIT_H2_INPUT_SPANS;
}

/* --- h2.c --- */
/* Ends the connection for the peer's fault: GOAWAY with this code. `limit` goes to the log; NULL: none struck. */
void h2_fail(struct h2 *, enum wire_error, const char *limit);
/* One more of these; true: that was one too many, and the connection has failed. */
bool h2_flooded(struct h2 *, enum h2_flood);
/* Moves the connection's own deadline up to that of a stream. */
void h2_due(struct h2 *, uint64_t at_ns);

/* --- frames.c --- */
ssize_t h2_read(struct h2 *, const uint8_t *bytes, size_t len);

/* --- head.c --- */
/* A head in one or several pieces; the exchange is new. HTTP_OK, what it is to be answered with, or, as -enum wire_error, with what its stream is
 * reset; > H2_HEAD_FATAL: the same for the connection. */
#define H2_HEAD_FATAL 1000
int h2_head_read(struct h2 *, struct weir_exchange *, const struct h2_block *, bool ends,
                 struct h2_early *priority);
/* Trailers of a request, or of a head nobody wants: checked and thrown away. As above, with NULL for the exchange. */
int h2_head_skip(struct h2 *, const struct h2_block *);
/* The value of a Priority field, or of PRIORITY_UPDATE; what it does not say stays as it is (RFC 9218 section 4). */
void h2_priority_read(struct weir_bytes value, struct h2_early *);

/* --- again.c --- */
/* The head of the last request, if this block is that once more. false: it is to be read. */
bool h2_again(const struct h2 *, struct weir_exchange *, const struct h2_block *, bool ends,
              struct h2_early *priority);
/* A head that was read, and nothing is wrong with it. Its text has so many bytes. */
void h2_again_note(struct h2 *, const struct weir_exchange *, size_t text_len,
                   const struct h2_block *, bool ends, const struct h2_early *priority);

/* --- stream.c --- */
struct h2_stream *h2_find(const struct h2 *, uint32_t id);
/* In the memory of its exchange, which it takes over. NULL: no memory. */
struct h2_stream *h2_stream_new(struct h2 *, struct weir_exchange *, uint32_t id, bool ends);
/* Its handler is started, or its error answered. */
void h2_stream_start(struct h2_stream *, enum http_error);
/* Content; and its end. */
void h2_stream_content(struct h2_stream *, const uint8_t *bytes, size_t len);
void h2_stream_heard(struct h2_stream *);
/* What its handler wished meanwhile. */
void h2_stream_settle(struct h2_stream *);
void h2_stream_expire(struct h2_stream *);
/* Ends the exchange, and the stream with it. The peer is told by `code`, unless it is WIRE_NO_ERROR and knows already. */
void h2_stream_end(struct h2_stream *, int why, enum wire_error code);
/* What it waits for now has a deadline. */
void h2_stream_waits(struct h2_stream *, enum h2_wait);
/* Used content makes room for more. */
void h2_give_back(struct h2 *, struct h2_stream *, size_t len);

/* --- send.c --- */
void h2_send_reset(struct h2 *, uint32_t id, uint32_t code);
/* What there is that can go now, in the order of priorities. */
void h2_send_ready(struct h2 *);
bool h2_any_ready(const struct h2 *);
void h2_ready(struct h2_stream *);
void h2_unready(struct h2_stream *);

/* --- early.c --- */
/* A priority for a stream that has not opened. WIRE_NO_ERROR, or why the connection fails: there are too many of them, or there is no memory. */
enum wire_error h2_early_keep(struct h2 *, struct h2_early);
/* What was told of this stream, if anything was. */
void h2_early_take(const struct h2 *, uint32_t id, struct h2_early *);

/* --- silent.c --- */
void h2_heard(struct h2 *); /* something came */
/* When the peer is asked whether it is there, or is given up; 0: never. */
uint64_t h2_silent_ns(const struct h2 *);
/* Asks, if that is due. true: it was asked, and is gone. */
bool h2_is_gone(struct h2 *);

/* --- owed.c --- */
/* The stream has ended with its answer, before its request did: it is reset in a while, unless the peer ends it. */
void h2_owe_reset(struct h2 *, uint32_t id);
void h2_not_owed(struct h2 *, uint32_t id);
uint64_t h2_owed_ns(const struct h2 *); /* when the first is due; 0: none is owed */
void h2_pay_resets(struct h2 *);
