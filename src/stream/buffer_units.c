/* weir/buffer.h: lines, what ends with a delimiter, messages behind their length. */
#include "stream/buffer.h"
#include "tbl/limits.h"

#define HEAD 4u

/* Where the delimiter begins among `have` bytes, looked for from `from` on; `have`: it is not there. */
static size_t find(const uint8_t *at, size_t have, size_t from, const void *delimiter, size_t len)
{
    if (have - from < len)
        return have;
    const uint8_t *found = len == 1 ? memchr(at + from, *(const uint8_t *)delimiter, have - from)
                                    : memmem(at + from, have - from, delimiter, len);
    return found ? (size_t)(found - at) : have;
}

static int hand_out(struct weir_reader *r, size_t len, struct weir_bytes *out)
{
    *out = (struct weir_bytes){(const char *)r->at, len};
    (void)weir_reader_consume(r, len);
    return 1;
}

/* How many bytes lead up to the end of the delimiter; *scanned of the unread ones were looked at before. 0: the end of file comes
 * first. What is too long is so however it comes in. */
static ssize_t reach(struct weir_reader *r, const void *delimiter, size_t len, size_t *scanned)
{
    for (;;) {
        size_t have = (size_t)(r->end - r->at);
        size_t looked = have < r->bytes_max ? have : r->bytes_max;
        size_t at = find(r->at, looked, *scanned, delimiter, len);
        if (at < looked)
            return (ssize_t)(at + len);
        /* The last bytes may be the delimiter's first. */
        *scanned = looked < len ? 0 : looked - (len - 1);
        if (looked == r->bytes_max)
            return -EMSGSIZE;
        ssize_t now = reader_have(r, have + 1);
        if (now < 0)
            return now;
        if ((size_t)now == have)
            return 0;
    }
}

WEIR_API int weir_reader_until(struct weir_reader *r, const void *delimiter, size_t len,
                               struct weir_bytes *out)
{
    size_t scanned = 0;
    if (len == 0 || len > LIMIT_LINE_DELIMITER)
        return -EINVAL;
    ssize_t n = reach(r, delimiter, len, &scanned);
    if (n < 0)
        return (int)n;
    size_t left = (size_t)(r->end - r->at);
    if (n == 0 && left == 0)
        return 0;
    return hand_out(r, n > 0 ? (size_t)n : left, out);
}

WEIR_API int weir_reader_line(struct weir_reader *r, struct weir_bytes *out)
{
    /* Kept over calls that ended with -ETIMEDOUT: a line that comes byte by byte is looked through once. */
    ssize_t n = reach(r, "\n", 1, &r->scanned);
    if (n < 0)
        return (int)n;
    size_t left = (size_t)(r->end - r->at);
    if (n == 0 && left == 0)
        return 0;
    int rc = hand_out(r, n > 0 ? (size_t)n : left, out);
    out->len -= n > 0;
    return rc;
}

WEIR_API int weir_reader_frame_slowly(struct weir_reader *r, struct weir_bytes *out)
{
    ssize_t have = reader_have(r, HEAD);
    if (have < 0)
        return (int)have;
    if (have < (ssize_t)HEAD)
        return have == 0 ? 0 : -EPROTO;
    const uint8_t *at = r->at;
    size_t len = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | (size_t)at[3];
    if (len > r->bytes_max)
        return -EMSGSIZE;
    have = reader_have(r, HEAD + len);
    if (have < 0)
        return (int)have;
    if ((size_t)have < HEAD + len)
        return -EPROTO;
    (void)weir_reader_consume(r, HEAD);
    return hand_out(r, len, out);
}
