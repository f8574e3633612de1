#include "http/h1/body.h"

#include "base/bytes.h"

/* Transfer-Encoding must come down to one "chunked", the last of all. */
static enum http_error check_coding(const struct weir_exchange *x)
{
    struct weir_bytes value, coding;
    bool chunked = false, unknown = false;
    for (unsigned at = 0; exchange_each(x, FIELD_TRANSFER_ENCODING, &at, &value);) {
        while (bytes_next(&value, &coding)) {
            if (chunked)
                return HTTP_CODING;
            if (bytes_same(coding, BYTES("chunked")))
                chunked = true;
            else
                unknown = true;
        }
    }
    if (!chunked) /* RFC 9112 section 6.3 item 4 goes before the 501 of section 6.1 */
        return HTTP_CODING;
    return unknown ? HTTP_UNKNOWN_CODING : HTTP_OK;
}

enum http_error body_framing(struct body *body, struct weir_exchange *x, uint64_t max)
{
    struct weir_bytes value;
    unsigned at = 0;
    if (x->known[FIELD_TRANSFER_ENCODING]) {
        /* RFC 9112 section 6.1: smuggling begins where two readers choose differently. */
        if (x->known[FIELD_CONTENT_LENGTH] || x->minor == 0)
            return HTTP_FRAMING;
        x->length = WEIR_LENGTH_UNKNOWN;
        body->step = BODY_SIZE_FIRST;
        return check_coding(x);
    }
    if (!exchange_each(x, FIELD_CONTENT_LENGTH, &at, &value) || bytes_u64(value, &body->left) < 0 ||
        body->left == WEIR_LENGTH_UNKNOWN || exchange_each(x, FIELD_CONTENT_LENGTH, &at, &value))
        return HTTP_LENGTH;
    if (body->left > max)
        return HTTP_CONTENT_TOO_LARGE;
    body->total = body->left;
    x->length = body->left;
    if (body->left > 0)
        body->step = BODY_CONTENT;
    return HTTP_OK;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static enum http_error to(struct body *body, bool fits, enum body_step next)
{
    body->step = (uint8_t)next;
    return fits ? HTTP_OK : HTTP_CHUNK;
}

/* A byte within a chunk's first line. */
static enum http_error size_byte(struct body *body, char c, uint64_t max)
{
    int digit = hex(c);
    if (digit >= 0 && body->step <= BODY_SIZE) {
        if (body->left > max)
            return HTTP_CONTENT_TOO_LARGE; /* long before the shift could overflow */
        if (body->step == BODY_SIZE && body->left == 0 && ++body->extra > LIMIT_HTTP_CHUNK_EXTRA)
            return HTTP_CHUNK_EXTRA; /* zeros in front */
        body->left = body->left << 4 | (unsigned)digit;
        return to(body, true, BODY_SIZE);
    }
    if (body->step == BODY_SIZE_FIRST)
        return HTTP_CHUNK;
    if (c == ';')
        return to(body, true, BODY_EXTENSION);
    if (c == '\r')
        return to(body, body->step != BODY_SIZE_SPACE, BODY_SIZE_LF);
    return to(body, c == ' ' || c == '\t', BODY_SIZE_SPACE);
}

static enum http_error size_end(struct body *body, char c, uint64_t max)
{
    if (c != '\n')
        return HTTP_CHUNK;
    if (body->left > max - body->total)
        return HTTP_CONTENT_TOO_LARGE;
    body->total += body->left;
    return to(body, true, body->left > 0 ? BODY_CHUNK : BODY_TRAILER_FIRST);
}

/* Trailers are read as strictly as fields, and thrown away. */
static enum http_error trailer_byte(struct body *body, char c)
{
    switch (body->step) {
    case BODY_TRAILER_FIRST:
        if (c == '\r')
            return to(body, true, BODY_LAST_LF);
        return to(body, byte_is(c, BYTE_TOKEN), BODY_TRAILER_NAME);
    case BODY_TRAILER_NAME:
        if (c == ':')
            return to(body, true, BODY_TRAILER_VALUE);
        return to(body, byte_is(c, BYTE_TOKEN), BODY_TRAILER_NAME);
    case BODY_TRAILER_VALUE:
        if (c == '\r')
            return to(body, true, BODY_TRAILER_LF);
        return to(body, byte_is(c, BYTE_VALUE), BODY_TRAILER_VALUE);
    case BODY_TRAILER_LF:
        return to(body, c == '\n', BODY_TRAILER_FIRST);
    default:
        return to(body, c == '\n', BODY_NONE);
    }
}

static enum http_error frame_byte(struct body *body, char c, uint64_t max)
{
    switch (body->step) {
    case BODY_SIZE_FIRST:
    case BODY_SIZE:
    case BODY_SIZE_SPACE:
        return size_byte(body, c, max);
    case BODY_EXTENSION:
        if (c == '\r')
            return to(body, true, BODY_SIZE_LF);
        return to(body, byte_is(c, BYTE_VALUE), BODY_EXTENSION);
    case BODY_SIZE_LF:
        return size_end(body, c, max);
    case BODY_CHUNK_CR:
        return to(body, c == '\r', BODY_CHUNK_LF);
    case BODY_CHUNK_LF:
        return to(body, c == '\n', BODY_SIZE_FIRST);
    default:
        return trailer_byte(body, c);
    }
}

static bool counts(enum body_step step)
{
    return step == BODY_SIZE_SPACE || step == BODY_EXTENSION || step >= BODY_TRAILER_FIRST;
}

ssize_t body_frame(struct body *body, const char *bytes, size_t len, uint64_t max)
{
    size_t at = 0;
    while (at < len && body->step > BODY_CONTENT && body->step != BODY_CHUNK) {
        if (counts(body->step) && ++body->extra > LIMIT_HTTP_CHUNK_EXTRA)
            return -HTTP_CHUNK_EXTRA;
        enum http_error error = frame_byte(body, bytes[at++], max);
        if (error)
            return -(ssize_t)error;
    }
    return (ssize_t)at;
}

void body_took(struct body *body, size_t len)
{
    body->left -= len;
    if (body->left == 0)
        body->step = body->step == BODY_CHUNK ? BODY_CHUNK_CR : BODY_NONE;
}
