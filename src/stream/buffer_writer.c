/* weir/buffer.h, writing. */
#include "stream/buffer.h"
#include "tbl/limits.h"

#include <stdlib.h>

WEIR_API int weir_writer_init(struct weir_writer *w, struct weir_stream *stream)
{
    uint8_t *buffer = malloc(LIMIT_BUFFER_BYTES);
    if (!buffer)
        return -ENOMEM;
    *w = (struct weir_writer){.at = buffer,
                              .end = buffer + LIMIT_BUFFER_BYTES,
                              .unsent = buffer,
                              .buffer = buffer,
                              .stream = stream};
    return 0;
}

/* No room from now on: so the inline functions come here, and are told. */
static int fail(struct weir_writer *w, int error)
{
    w->error = error;
    w->at = w->end = w->unsent = w->buffer;
    return error;
}

static void sent(struct weir_writer *w, size_t len)
{
    w->unsent += len;
    if (w->unsent == w->at)
        w->at = w->unsent = w->buffer;
}

bool writer_is_empty(const struct weir_writer *w)
{
    return w->at == w->unsent;
}

void writer_flush_now(struct weir_writer *w)
{
    while (!writer_is_empty(w)) {
        const struct iovec iov = {w->unsent, (size_t)(w->at - w->unsent)};
        ssize_t n = stream_write_now(w->stream, &iov, 1);
        if (n == -EAGAIN)
            return;
        if (n < 0)
            (void)!fail(w, (int)n);
        else
            sent(w, (size_t)n);
    }
}

WEIR_API int weir_writer_flush(struct weir_writer *w)
{
    while (!writer_is_empty(w)) {
        ssize_t n = weir_write(w->stream, w->unsent, (size_t)(w->at - w->unsent));
        if (n < 0)
            return n == -ETIMEDOUT ? (int)n : fail(w, (int)n);
        sent(w, (size_t)n);
    }
    return w->error;
}

WEIR_API int weir_writer_done(struct weir_writer *w)
{
    int rc = weir_writer_flush(w);
    free(w->buffer);
    *w = (struct weir_writer){.error = rc < 0 ? rc : -EBADF};
    return rc;
}

WEIR_API int weir_writer_make_room(struct weir_writer *w, size_t len)
{
    if (w->error)
        return w->error;
    return len > LIMIT_BUFFER_BYTES ? -EMSGSIZE : weir_writer_flush(w);
}

static void copy_in(struct weir_writer *w, const struct iovec *pieces, int count)
{
    for (int i = 0; i < count; i++) {
        if (pieces[i].iov_len > 0)
            memcpy(w->at, pieces[i].iov_base, pieces[i].iov_len);
        w->at += pieces[i].iov_len;
    }
}

static size_t total_of(const struct iovec *pieces, int count)
{
    size_t total = 0;
    for (int i = 0; i < count; i++)
        total += pieces[i].iov_len;
    return total;
}

/* The time was up in the midst of what the caller gave. That it was taken and that it was not can both not be said, unless
 * the rest is kept here. */
static int keep_rest(struct weir_writer *w, const struct iovec *rest, int count, int error)
{
    if (error != -ETIMEDOUT || total_of(rest, count) > LIMIT_BUFFER_BYTES)
        return fail(w, error);
    copy_in(w, rest, count);
    return 0;
}

/* Takes `len` bytes off the front. */
static void advance(struct iovec *pieces, int count, size_t len)
{
    for (int i = 0; i < count && len > 0; i++) {
        size_t part = len < pieces[i].iov_len ? len : pieces[i].iov_len;
        if (part == 0)
            continue; /* it may be NULL */
        pieces[i].iov_base = (char *)pieces[i].iov_base + part;
        pieces[i].iov_len -= part;
        len -= part;
    }
}

/* From where they lie, behind what waits, in as few calls as it takes. */
static int send_directly(struct weir_writer *w, const void *head, size_t head_len,
                         const void *bytes, size_t len)
{
    struct iovec all[3] = {
        {w->unsent, (size_t)(w->at - w->unsent)}, {(void *)head, head_len}, {(void *)bytes, len}};
    const size_t given = head_len + len;
    for (int first = 0; first < 3;) {
        if (all[first].iov_len == 0) {
            first++;
            continue;
        }
        ssize_t n = stream_write(w->stream, all + first, 3 - first);
        if (n < 0 && total_of(all + 1, 2) < given)
            return keep_rest(w, all + 1, 2, (int)n);
        if (n < 0)
            return n == -ETIMEDOUT ? (int)n : fail(w, (int)n);
        size_t waited = (size_t)n < all[0].iov_len ? (size_t)n : all[0].iov_len;
        sent(w, waited);
        advance(all, 3, (size_t)n);
    }
    return 0;
}

/* They do not fit in. */
static int put(struct weir_writer *w, const void *head, size_t head_len, const void *bytes,
               size_t len)
{
    if (w->error)
        return w->error;
    if (len >= LIMIT_BUFFER_DIRECT)
        return send_directly(w, head, head_len, bytes, len);
    int rc = (size_t)(w->end - w->at) < head_len + len ? weir_writer_flush(w) : 0;
    if (rc < 0)
        return rc;
    const struct iovec pieces[2] = {{(void *)head, head_len}, {(void *)bytes, len}};
    copy_in(w, pieces, 2);
    return 0;
}

WEIR_API int weir_writer_put_slowly(struct weir_writer *w, const void *bytes, size_t len)
{
    return put(w, NULL, 0, bytes, len);
}

WEIR_API int weir_writer_frame_slowly(struct weir_writer *w, const void *bytes, size_t len)
{
    const uint8_t head[4] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
                             (uint8_t)len};
    if (len > LIMIT_BUFFER_UNIT_MAX)
        return w->error ? w->error : -EMSGSIZE;
    return put(w, head, sizeof(head), bytes, len);
}
