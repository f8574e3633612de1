/* weir/buffer.h, reading: bytes in one piece, waited for without leaving unsent what the other side waits for. */
#include "stream/buffer.h"
#include "stream/shm.h"
#include "stream/wait.h"
#include "tbl/limits.h"

#include <stdlib.h>

WEIR_API int weir_reader_init(struct weir_reader *r, struct weir_stream *stream, size_t bytes_max)
{
    if (bytes_max > LIMIT_BUFFER_UNIT_MAX)
        return -EINVAL;
    uint8_t *buffer = malloc(LIMIT_BUFFER_BYTES);
    if (!buffer)
        return -ENOMEM;
    *r = (struct weir_reader){.at = buffer,
                              .end = buffer,
                              .bytes_max = bytes_max ? bytes_max : LIMIT_BUFFER_UNIT,
                              .buffer = buffer,
                              .size = LIMIT_BUFFER_BYTES,
                              .stream = stream};
    return 0;
}

WEIR_API void weir_reader_done(struct weir_reader *r)
{
    free(r->buffer);
    *r = (struct weir_reader){.stream = NULL};
}

WEIR_API void weir_reader_tie(struct weir_reader *r, struct weir_writer *writer)
{
    r->writer = writer;
}

/* Room for what the writer has, or bytes for us, whichever comes first: two peers that both have much to say and nobody to listen
 * would otherwise wait for each other. */
static int wait_for_either(struct weir_reader *r, uint64_t deadline)
{
    const struct weir_stream *to = r->writer->stream;
    struct pollfd fds[2] = {{.fd = stream_wait_in(r->stream), .events = POLLIN},
                            {.fd = stream_wait_out(to), .events = stream_room_event(to)}};
    int rc = wait_fds(fds, 2, deadline);
    return rc < 0 ? rc : 0;
}

/* What is there now. Shared memory is only looked at: a try would say that we wait, and have the peer ring for the answer. */
static ssize_t look(struct weir_stream *s, void *buffer, size_t len)
{
    if (s->in_kind == FD_SHM && ring_used(&s->shm->in, 1) == 0 && !ring_is_ended(&s->shm->in))
        return -EAGAIN;
    return stream_try_read(s, buffer, len);
}

/* As weir_read(), but what is tied goes out before it waits. */
static ssize_t read_tied(struct weir_reader *r, void *buffer, size_t len)
{
    uint64_t deadline = deadline_in(r->stream->timeout_ms);
    ssize_t n = look(r->stream, buffer, len);
    while (n == -EAGAIN) {
        writer_flush_now(r->writer);
        if (writer_is_empty(r->writer))
            return weir_read(r->stream, buffer, len);
        n = stream_try_read(r->stream, buffer, len);
        if (n != -EAGAIN)
            break;
        int rc = wait_for_either(r, deadline);
        if (rc < 0)
            return rc;
    }
    return n;
}

static ssize_t read_more(struct weir_reader *r, void *buffer, size_t len)
{
    if (r->writer && !writer_is_empty(r->writer))
        return read_tied(r, buffer, len);
    return weir_read(r->stream, buffer, len);
}

static void move_to_front(struct weir_reader *r)
{
    size_t have = (size_t)(r->end - r->at);
    if (have > 0)
        memmove(r->buffer, r->at, have);
    r->at = r->buffer;
    r->end = r->buffer + have;
}

/* Twice as large, but only when it is full: what a peer only announces costs nothing. The head of a message comes on top. */
static int grow(struct weir_reader *r)
{
    size_t most = r->bytes_max + 4;
    size_t size = 2 * r->size < most ? 2 * r->size : most;
    size_t have = (size_t)(r->end - r->at);
    uint8_t *buffer = realloc(r->buffer, size);
    if (!buffer)
        return -ENOMEM;
    r->buffer = buffer;
    r->size = size;
    r->at = buffer;
    r->end = buffer + have;
    return 0;
}

/* So that `len` bytes from the first unread one can lie in one piece, as far as the buffer goes, and a read is worth its while: moving is
 * cheap when it moves no more than was consumed since. */
static int make_room(struct weir_reader *r, size_t len)
{
    size_t have = (size_t)(r->end - r->at);
    size_t gone = (size_t)(r->at - r->buffer);
    size_t behind = r->size - gone - have;
    if (gone > 0 && (have == 0 || gone + len > r->size || (behind < r->size / 2 && have <= gone)))
        move_to_front(r);
    return have == r->size ? grow(r) : 0;
}

ssize_t reader_have(struct weir_reader *r, size_t len)
{
    size_t have;
    while ((have = (size_t)(r->end - r->at)) < len) {
        int rc = make_room(r, len);
        if (rc < 0)
            return rc;
        uint8_t *room = r->buffer + (r->end - r->buffer);
        ssize_t n = read_more(r, room, r->size - (size_t)(room - r->buffer));
        if (n < 0)
            return n;
        if (n == 0)
            break;
        r->end += n;
    }
    return (ssize_t)have;
}

WEIR_API ssize_t weir_reader_peek_slowly(struct weir_reader *r, size_t len, const void **out_at)
{
    if (len > r->bytes_max)
        return -EMSGSIZE;
    ssize_t have = reader_have(r, len);
    if (have >= 0)
        *out_at = r->at;
    return have;
}

WEIR_API ssize_t weir_reader_read(struct weir_reader *r, void *buffer, size_t len)
{
    if (r->at == r->end && len >= LIMIT_BUFFER_DIRECT)
        return read_more(r, buffer, len);
    ssize_t have = reader_have(r, len > 0);
    if (have <= 0 || len == 0)
        return len == 0 ? 0 : have;
    size_t n = (size_t)have < len ? (size_t)have : len;
    memcpy(buffer, r->at, n);
    (void)weir_reader_consume(r, n);
    return (ssize_t)n;
}

WEIR_API ssize_t weir_reader_read_full(struct weir_reader *r, void *buffer, size_t len)
{
    size_t have = 0;
    while (have < len) {
        ssize_t n = weir_reader_read(r, (char *)buffer + have, len - have);
        if (n < 0)
            return n;
        if (n == 0)
            break;
        have += (size_t)n;
    }
    return (ssize_t)have;
}
