/*
 * http/exchange.h: the inside of an exchange, for the machines that carry it (h1) and for the code of this layer.
 * Handlers and services use weir/http.h.
 *
 * It lives in one pooled block: the struct, and behind it memory for the handler's state and for text. What does not
 * fit comes from a capped arena. The head's bytes are borrowed from the connection's input; positions in it are 16-bit
 * offsets, so that it can be copied away when the exchange lives on (exchange_keep).
 */
#pragma once

#include "base/arena.h"
#include "base/out.h"
#include "http/fields.h"
#include "tbl/errors.h"
#include "tbl/limits.h"

#include <weir/driver.h>
#include <weir/http.h>

#include <errno.h>

enum http_error {
    HTTP_OK,
#define E(name, status, h2, limit, text) HTTP_##name,
    HTTP_ERRORS(E)
#undef E
};

enum target_form { TARGET_ORIGIN, TARGET_ABSOLUTE, TARGET_AUTHORITY, TARGET_ASTERISK };

/* Moments of an exchange, named after the path of a request: when the head was whole, when it was parsed and its handler was
 * found, when the handler had opened what it answers with, when the head of the answer was queued. */
enum exchange_time { TIME_RECEIVE, TIME_PARSE, TIME_OPEN, TIME_FIRST, EXCHANGE_TIMES };

struct parts; /* http/parts.h */
struct slice {
    uint16_t at, len;
};
struct lines { /* field lines; memory of the exchange */
    char *at;
    uint32_t len, size;
};
struct field {
    struct slice value;
    uint16_t name;
    uint8_t name_len;
    uint8_t id;
};

struct weir_exchange {
    struct weir_ref ref;
    struct weir_driver *driver;
    struct weir_conn *conn; /* NULL once it has ended */
    const struct weir_http *http;
    const struct weir_handler *handler; /* NULL: none was found */
    const void *config;
    void *state;
    struct arena arena;
    uint64_t number; /* of its driver's requests; see weir_request_id() */
    uint64_t started_ns;
    uint64_t deadline_ns;             /* the handler's own; 0: none */
    uint64_t time_ns[EXCHANGE_TIMES]; /* mono_ns; 0: not reached, or not timed */
    const char *limit;                /* what struck first, as its option is called; NULL: none */
    /* Of a machine that carries several at a time: one of them has a wish. Others hear of it by their output(). */
    void (*changed)(struct weir_exchange *);
    void *stream; /* its own */
    const char
        *client; /* his address as text, where a proxy speaks for him; NULL: the peer's own */
    struct weir_bytes user; /* who he is; in memory of this exchange; len 0: nobody asked */
    const void *user_of;    /* ... and who found out */

    /* the request */
    const char *head; /* borrowed: from the connection's input, until exchange_keep() */
    uint64_t length;
    struct slice line, target, path, query, host;
    struct slice protocol; /* of an extended CONNECT */
    uint8_t method;        /* enum weir_method */
    uint8_t form;          /* enum target_form */
    uint8_t minor;         /* HTTP/1.x; 1 too for HTTP/2, which has all that 1.1 has */
    uint8_t field_count;
    uint8_t reroutes;
    bool kept : 1;      /* the head is a copy */
    bool expects : 1;   /* Expect: 100-continue, and nothing was said yet */
    bool https : 1;     /* the target said so itself */
    bool h2 : 1;        /* HTTP/2 carries it */
    bool rewritten : 1; /* path and query are no more those of the target */
    bool restarted : 1;
    bool undecided : 1; /* whether its content is wanted is not known yet */

    /* the reply */
    bool begun : 1, head_sent : 1, body_sent : 1;
    bool lasts : 1;       /* a talk: no deadline but its own */
    bool whole : 1;       /* ... whose answer is all there: the peer is to take it in time */
    bool lasting : 1;     /* over when its last byte has left the queue */
    bool close : 1;       /* the connection ends with it */
    bool close_asked : 1; /* by the client */
    bool chunked : 1, woken : 1, stopped : 1;
    bool reset : 1; /* wished by the handler, with reset_code */
    uint16_t status;
    uint32_t reset_code;
    struct lines lines, trailers;
    uint32_t lines_mark; /* of those set before the handler was looked for */
    const char *block;
    size_t block_len;
    struct weir_ref *block_owner;
    uint64_t reply_len;     /* WEIR_LENGTH_UNKNOWN */
    uint64_t reply_sent;    /* queued so far */
    struct weir_span body;  /* content given whole; len 0: none, or in parts: */
    struct parts *parts;    /* of content that `body` has the beginning of; NULL: not in parts */
    struct weir_out staged; /* content on its way into chunks */

    uint32_t used;            /* of tail */
    uint8_t known[FIELD_IDS]; /* 1 + index of the first field of that id, 0: none */
    struct field fields[LIMIT_HTTP_FIELDS];
    _Alignas(max_align_t) char tail[];
};
#define EXCHANGE_TAIL (POOL_BLOCK_BYTES - sizeof(struct weir_exchange))

static inline struct weir_bytes exchange_slice(const struct weir_exchange *x, struct slice s)
{
    return (struct weir_bytes){x->head + s.at, s.len};
}

/* NULL: no memory. The caller has the first hold. */
struct weir_exchange *exchange_new(struct weir_conn *, const struct weir_http *);
/* Copies the head: input is about to go. 0 or -ENOMEM. */
int exchange_keep(struct weir_exchange *);
/* The head is text of the exchange's own, at the beginning of `tail` or in its arena. */
void exchange_head_made(struct weir_exchange *, const char *text, size_t len);
/* Finds its handler and starts it; a failure becomes a reply. < 0: too late for that, the connection must be cut. */
int exchange_start(struct weir_exchange *);
size_t exchange_head_end(const struct weir_exchange *); /* of what line and fields point to */
void exchange_dismiss(struct weir_exchange *, int why); /* its handler stops, for good */
/* stop(), ended(), and lets go of the caller's hold. */
void exchange_end(struct weir_exchange *, int why);
/* The value of the first field of that id; at NULL: none. */
struct weir_bytes exchange_field(const struct weir_exchange *, enum field_id);
/* Values of all fields of that id one after the other; start with *at = 0. */
bool exchange_each(const struct weir_exchange *, enum field_id, unsigned *at,
                   struct weir_bytes *out_value);

static inline uint64_t driver_clock(struct weir_driver *driver)
{
    return driver->ops->clock ? driver->ops->clock(driver) : driver->now.mono_ns;
}
static inline void exchange_reached(struct weir_exchange *x, enum exchange_time time)
{
    if (x->http->timed)
        x->time_ns[time] = driver_clock(x->driver);
}
/* May a handler set this field? 0; -EINVAL: bad bytes, or the machine's own; -ENOBUFS. */
int reply_field_check(struct weir_bytes name, struct weir_bytes value);
/* Adds a line of weir's own: name and value are not looked at. 0 or -ENOBUFS. */
int reply_line(struct weir_exchange *, struct lines *, struct weir_bytes name,
               struct weir_bytes value);
/* Takes back what was set of that name so far. */
void reply_field_drop(struct weir_exchange *x, struct weir_bytes name);
/* ... of all names in these lines, which the answer will have itself: what a page or a program says of its own answer counts, and a field
 * that is no list is sent once (RFC 9110 section 5.3). Fields that add up (Vary, Set-Cookie, Link) stay. */
void reply_fields_yield(struct weir_exchange *x, struct weir_bytes lines);
/* page.c: replies with this error's page instead of a reply that has not begun; dismisses the handler, so not within its calls. -EALREADY. */
int exchange_refuse(struct weir_exchange *, enum http_error);
/* The page for a handler's -errno; < 0: the reply had begun, the connection must be cut for this reason. */
int exchange_fail(struct weir_exchange *, int error);
/* Begins an answer of which give() adds all, status line and fields too. The connection ends with it. `status` is for logs.
 * -EOPNOTSUPP: nothing of the kind can be said in HTTP/2. */
static inline int exchange_begin_raw(struct weir_exchange *x, unsigned status)
{
    int rc = x->h2 ? -EOPNOTSUPP : weir_reply_status(x, status);
    if (rc < 0)
        return rc;
    x->close = true;
    x->head_sent = true;
    return weir_reply_begin(x);
}
unsigned http_error_status(enum http_error);
/* The machine is to look at this exchange. */
static inline void exchange_changed(struct weir_exchange *x)
{
    if (x->conn && x->changed)
        x->changed(x);
    else if (x->conn)
        weir_conn_wake(x->conn);
}
/* For the log: the first one stays. */
static inline void exchange_struck(struct weir_exchange *x, const char *limit)
{
    if (!x->limit)
        x->limit = limit;
}
/* 1xx, 204 and 304 end with their head (RFC 9112 section 6.3). */
static inline bool status_has_framing(unsigned status)
{
    return status >= 200 && status != 204 && status != 304;
}
/* Nor has 205 any content, although it says so by a length (RFC 9110 section 15.3.6). */
static inline bool status_has_content(unsigned status)
{
    return status_has_framing(status) && status != 205;
}
