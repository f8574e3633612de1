/*
 * h2/client_impl.h: the inside of a client's connection (h2/client.h), for its three files alone.
 */
#pragma once

#include "h2/client.h"
#include "h2/flood.h"
#include "h2/hpack.h"
#include "tbl/limits_rpc.h"

enum client_phase {
    CLIENT_NONE,     /* open() was not called */
    CLIENT_SETTINGS, /* the peer's first frame is not here yet */
    CLIENT_OPEN,
    CLIENT_OVER, /* finish was called */
};

struct h2_client_list {
    struct h2_request *first, *last;
};

struct h2_client {
    struct weir_conn *conn;
    struct h2_request *first; /* all, the latest first: so are their streams */
    struct call_table table;  /* those that have a stream */
    unsigned count;
    struct h2_client_list waiting, ready;
    struct h2_request *current; /* whose calls run just now; NULL: it has ended meanwhile */
    struct h2_packer packer;
    struct h2_unpacker unpacker;
    struct h2_calm calm;
    struct h2_ended ended;
    struct h2_content data;
    int64_t send_window, recv_window;
    uint32_t recv_taken;
    uint32_t first_window; /* of streams, as the peer set it */
    uint32_t streams_max;  /* at once, likewise */
    uint32_t next_id;
    uint32_t accepted_id; /* by the peer's GOAWAY: later ones were not looked at */
    uint64_t heard_ns;    /* of the peer, or since when somebody waits for it */
    bool pinged;          /* ... and nothing was heard since */
    bool leaving;         /* the peer said so, or we */
    uint8_t unsettled;    /* our SETTINGS that were not acknowledged */
    uint8_t phase;
    int why; /* the connection ends with this; 0: it goes on */
};

static inline struct weir_out *h2_client_out(struct h2_client *c)
{
    return weir_conn_out(c->conn);
}

/* --- client.c --- */
struct h2_request *h2_client_find(const struct h2_client *, uint32_t id);
/* It is over; whoever asked is told. */
void h2_client_close(struct h2_request *, int why, uint32_t code);
/* The same for our reasons: the peer is told `code`. */
void h2_client_reset(struct h2_request *, int why, enum wire_error code);
/* A call of whoever asked has said this. */
void h2_client_check(struct h2_request *, int rc);
/* Ends the connection for the peer's fault; `s`, if any, is where it was seen. */
void h2_client_fail(struct h2_client *, enum wire_error, struct h2_request *s);
/* The peer said GOAWAY. */
void h2_client_left(struct h2_client *, uint32_t last_id);

/* --- client_frames.c --- */
ssize_t h2_client_read(struct h2_client *, const uint8_t *bytes, size_t len);

/* --- h2_client_send.c --- */
void h2_client_hello(struct h2_client *);
/* Opens its stream, or puts it among those that wait. 0 or -errno. */
int h2_client_begin(struct h2_request *, const struct h2_key *, const nghttp2_nv *, size_t count);
/* Opens its stream with the lines of this key. false: they are not known any more, or it has to wait. */
bool h2_client_begin_again(struct h2_request *, const struct h2_key *);
/* It may have content to send. */
void h2_client_ready(struct h2_request *);
/* Out of the list it is in, if any. */
void h2_client_unlist(struct h2_request *);
/* What there is that can go now. 0 or -errno: the connection cannot go on. */
int h2_client_send(struct h2_client *);
