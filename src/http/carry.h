/*
 * http/carry.h: what every machine that carries exchanges needs to do with them, whichever version of HTTP it speaks: reading a method and
 * the limits of a head, the pace of content, what an answer is made of.
 */
#pragma once

#include "http/exchange.h"

struct text;

/* WEIR_METHOD_OTHER: none we know. */
enum weir_method method_of(struct weir_bytes name);

/* A configured bound, or the usual one; never more than `most`. */
static inline uint32_t http_bounded(unsigned configured, unsigned usual, unsigned most)
{
    if (configured == 0)
        return usual;
    return configured < most ? configured : most;
}
/* A configured time, or the default. */
static inline uint64_t http_ns(unsigned configured_ms, unsigned default_ms)
{
    return (configured_ms ? configured_ms : default_ms) * WEIR_NS_PER_MS;
}
/* Bytes of request content. */
uint64_t http_body_max(const struct weir_http *);
/* When more content is due, so that it is not too slow: at first, and after `len` bytes more of it. 0: it need not be fast. */
uint64_t http_pace_begin(const struct weir_http *, uint64_t now_ns);
uint64_t http_pace_came(const struct weir_http *, uint64_t due_ns, uint64_t now_ns, size_t len);
/* 417 or nothing; sets x->expects. */
enum http_error exchange_read_expect(struct weir_exchange *);

/* "HTTP/1.1 200 OK\r\n"; a status without a row has an empty phrase, and then `buffer` is used. */
#define STATUS_LINE_MAX 64
struct weir_bytes status_line(unsigned status, char buffer[STATUS_LINE_MAX]);
/* "Sun, 06 Nov 1994 08:49:37 GMT" of this turn; a thread writes it once a second. */
struct weir_bytes http_date(struct weir_driver *);
/* The value of Server-Timing; empty: it did not come so far. */
#define TIMING_MAX 96u /* the longest */
void http_timing(struct text *, const struct weir_exchange *);
/* Has the answer any content, if it is to be sent? */
static inline bool exchange_has_content(const struct weir_exchange *x)
{
    return x->method != WEIR_METHOD_HEAD && status_has_content(x->status);
}
/* Does something give() it? Else it was given whole, or there is none. */
static inline bool exchange_gives(const struct weir_exchange *x)
{
    return x->parts || (x->handler && x->handler->give);
}
/* Asks for content once, into `to`, of which x->reply_sent takes note: enum flow, or -errno. Never WEIR_FLOW_MORE without any.
 * WEIR_FLOW_END: all that was promised is there. */
int exchange_give(struct weir_exchange *, struct weir_out *to, size_t room);
