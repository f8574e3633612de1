/*
 * http/h1/body.h: where the content of a request ends (RFC 9112 sections 6 and 7), and taking it out of its chunks.
 */
#pragma once

#include "http/exchange.h"

struct body {
    uint64_t left;  /* of the content, or of the chunk under way */
    uint64_t total; /* content announced so far */
    uint32_t extra; /* bytes of extensions and trailers so far */
    uint8_t step;   /* enum body_step */
};

/* Decides by the fields; sets x->length. */
static inline enum http_error body_open(struct body *, struct weir_exchange *, uint64_t max);
static inline bool body_done(const struct body *);
/* Consumes framing, never content: bytes used, or -(enum http_error). Then up to body->left of what follows is content, of which
 * body_took() says how much was used. Call again until body_done() or nothing moves. */
ssize_t body_frame(struct body *, const char *bytes, size_t len, uint64_t max);
void body_took(struct body *, size_t);

enum body_step {
    BODY_NONE, /* complete */
    BODY_CONTENT,
    BODY_SIZE_FIRST, /* the first digit of a chunk's size */
    BODY_SIZE,
    BODY_SIZE_SPACE, /* white space before a semicolon */
    BODY_EXTENSION,
    BODY_SIZE_LF,
    BODY_CHUNK,
    BODY_CHUNK_CR,
    BODY_CHUNK_LF,
    BODY_TRAILER_FIRST, /* the first byte of a trailer line, or of the empty one */
    BODY_TRAILER_NAME,
    BODY_TRAILER_VALUE,
    BODY_TRAILER_LF,
    BODY_LAST_LF,
};

/* For body_open(): there is a Content-Length or a Transfer-Encoding. */
enum http_error body_framing(struct body *, struct weir_exchange *, uint64_t max);

static inline enum http_error body_open(struct body *body, struct weir_exchange *x, uint64_t max)
{
    *body = (struct body){.step = BODY_NONE};
    if (!x->known[FIELD_CONTENT_LENGTH] && !x->known[FIELD_TRANSFER_ENCODING])
        return HTTP_OK;
    return body_framing(body, x, max);
}

static inline bool body_done(const struct body *body)
{
    return body->step == BODY_NONE;
}
