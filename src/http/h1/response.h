/*
 * http/h1/response.h: the head of an HTTP/1 response (RFC 9112 sections 4 to 6): who reads it, and where its content
 * ends. Strict, as head.h is: what may be read in two ways is refused, or the next answer would begin at the wrong byte.
 */
#pragma once

#include <weir/base.h>

enum response_end {
    RESPONSE_EMPTY,   /* no content */
    RESPONSE_LENGTH,  /* `length` bytes */
    RESPONSE_CHUNKED, /* RFC 9112 section 7.1 */
    RESPONSE_CLOSE,   /* up to the connection's end */
};

struct response {
    uint16_t status;
    uint8_t minor; /* HTTP/1.x */
    uint8_t end;   /* enum response_end */
    bool close;    /* the connection ends with this answer */
    uint64_t length;
};

/* Reads the head of `len` bytes, as head_find() gave it. `head_only`: it answers a HEAD request. 0 or -EPROTO. */
WEIR_CHECKED int response_read(struct response *, const char *bytes, size_t len, bool head_only);
