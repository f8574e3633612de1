/*
 * weir/buffer.h: a buffer on either side of a stream: many small pieces a system call, look-ahead, lines, messages.
 *
 * A writer collects what is put into it. It sends when it is full, when it is flushed, and always before the reader it is tied to
 * (weir_reader_tie) waits: so a request is never left behind while its answer is waited for. A reader hands out spans of its buffer,
 * valid until the next call on it: nothing is copied a second time. Both work on any stream, keep to its time limit, and never
 * seek. Between them and the stream itself, do not mix calls that read, nor calls that write.
 *
 * A reader and a writer may belong to different threads unless they are tied; each of them to one at a time. Before fork(2), flush:
 * what is in a buffer then is in both processes'. Fields are there for the inline functions; programs leave them alone.
 */
#pragma once

#include "stream.h"

#include <errno.h>
#include <string.h>

/* --- writing --- */

struct weir_writer {
    uint8_t *at, *end; /* where the next byte goes, and where it is full */
    uint8_t *unsent;
    uint8_t *buffer;            /* owned */
    struct weir_stream *stream; /* borrowed: until weir_writer_done() */
    int error;                  /* the stream's, for good */
};

/*
 * In the caller's memory; the buffer has 64 KiB. 0 or -ENOMEM.
 *
 * Errors of all calls below: what weir_write() gives. -ETIMEDOUT: nothing of this call was taken and nothing is lost; it can be made
 * again. Any other is final: what was not sent is thrown away, and every later call returns the same error, weir_writer_done(),
 * too. One that was met while a reader waited is told by the next call here.
 */
WEIR_API WEIR_CHECKED int weir_writer_init(struct weir_writer *, struct weir_stream *);
/* Sends what is there. 0 or the error. */
WEIR_API WEIR_CHECKED int weir_writer_flush(struct weir_writer *);
/* Sends what is there and frees the buffer, whatever comes of it; the stream stays open. Half-close it afterwards, not before. */
WEIR_API int weir_writer_done(struct weir_writer *);

/* The pieces behind the inline functions: not to be called. */
WEIR_API WEIR_CHECKED int weir_writer_put_slowly(struct weir_writer *, const void *bytes,
                                                 size_t len);
WEIR_API WEIR_CHECKED int weir_writer_frame_slowly(struct weir_writer *, const void *bytes,
                                                   size_t len);
WEIR_API WEIR_CHECKED int weir_writer_make_room(struct weir_writer *, size_t len);

/* All `len` bytes, behind those before. What is larger than the buffer is sent from where it lies. */
WEIR_CHECKED static inline int weir_writer_put(struct weir_writer *w, const void *bytes, size_t len)
{
    if (len == 0 || len > (size_t)(w->end - w->at))
        return weir_writer_put_slowly(w, bytes, len);
    memcpy(w->at, bytes, len);
    w->at += len;
    return 0;
}

/* Room for at least `len` bytes in one piece at *out_at, to be filled and then committed. Returns how much there is. -EMSGSIZE: more
 * than 64 KiB. */
WEIR_CHECKED static inline ssize_t weir_writer_reserve(struct weir_writer *w, size_t len,
                                                       void **out_at)
{
    if (len > (size_t)(w->end - w->at) || w->error) {
        int rc = weir_writer_make_room(w, len);
        if (rc < 0)
            return rc;
    }
    *out_at = w->at;
    return w->end - w->at;
}

/* The first `len` bytes of what was reserved are part of the stream. 0; -EINVAL: more than there was room. */
static inline int weir_writer_commit(struct weir_writer *w, size_t len)
{
    if (len > (size_t)(w->end - w->at))
        return -EINVAL;
    w->at += len;
    return 0;
}

/* One message behind its length: four bytes, the most significant first, as weir_frame reads them. -EMSGSIZE: more than 64 MiB. */
WEIR_CHECKED static inline int weir_writer_frame(struct weir_writer *w, const void *bytes,
                                                 size_t len)
{
    size_t room = (size_t)(w->end - w->at);
    if (room < 4 || len == 0 || len > room - 4)
        return weir_writer_frame_slowly(w, bytes, len);
    w->at[0] = (uint8_t)(len >> 24);
    w->at[1] = (uint8_t)(len >> 16);
    w->at[2] = (uint8_t)(len >> 8);
    w->at[3] = (uint8_t)len;
    memcpy(w->at + 4, bytes, len);
    w->at += 4 + len;
    return 0;
}

/* --- reading --- */

struct weir_reader {
    const uint8_t *at, *end; /* unread bytes */
    size_t bytes_max;
    uint8_t *buffer; /* owned */
    size_t size;
    size_t scanned;             /* of the unread bytes: they hold no newline */
    struct weir_stream *stream; /* borrowed: until weir_reader_done() */
    struct weir_writer *writer; /* borrowed: until it is untied */
};

/*
 * In the caller's memory. `bytes_max` bounds what is had in one piece: a line, a message, a look-ahead; at most 64 MiB, 0: 1 MiB. The
 * buffer has 64 KiB and grows to that as bytes come, not because a peer announces them. 0, -ENOMEM, -EINVAL: too much.
 *
 * Errors of all calls below: what weir_read() gives, -ETIMEDOUT among them; nothing is lost by them, and the call can be made again.
 * -EMSGSIZE: longer than bytes_max; what there is can still be peeked. -ENOMEM: the buffer could not grow. An end of file is asked for
 * anew each time: a file may have grown meanwhile.
 */
WEIR_API WEIR_CHECKED int weir_reader_init(struct weir_reader *, struct weir_stream *,
                                           size_t bytes_max);
/* Frees the buffer; bytes in it that were not consumed are lost. The stream stays open. */
WEIR_API void weir_reader_done(struct weir_reader *);
/* From now on the writer is flushed before this reader waits, be it on the same stream or another; while it waits for room to do so, it
 * takes what comes. Both belong to one thread then. NULL: none. */
WEIR_API void weir_reader_tie(struct weir_reader *, struct weir_writer *);

WEIR_API WEIR_CHECKED ssize_t weir_reader_peek_slowly(struct weir_reader *, size_t len,
                                                      const void **out_at);
WEIR_API WEIR_CHECKED int weir_reader_frame_slowly(struct weir_reader *, struct weir_bytes *out);

/* At least `len` bytes at *out_at, waited for; they stay until they are consumed. Returns how many there are: fewer than `len` only
 * when the end comes first, 0 at the end of file. With 0 it is what has been read already, perhaps nothing. */
WEIR_CHECKED static inline ssize_t weir_reader_peek(struct weir_reader *r, size_t len,
                                                    const void **out_at)
{
    if (len > (size_t)(r->end - r->at))
        return weir_reader_peek_slowly(r, len, out_at);
    *out_at = r->at;
    return r->end - r->at;
}

/* Lets go of the first `len` bytes of what was peeked. 0; -EINVAL: more than there were. */
static inline int weir_reader_consume(struct weir_reader *r, size_t len)
{
    if (len > (size_t)(r->end - r->at))
        return -EINVAL;
    r->at += len;
    r->scanned = 0;
    return 0;
}

/* As weir_read(), weir_read_full(): into memory of the caller's, and when the buffer is empty directly. */
WEIR_API WEIR_CHECKED ssize_t weir_reader_read(struct weir_reader *, void *buffer, size_t len);
WEIR_API WEIR_CHECKED ssize_t weir_reader_read_full(struct weir_reader *, void *buffer, size_t len);

/* The next line, without its newline: 1. The last one may have none. 0: end of file. */
WEIR_API WEIR_CHECKED int weir_reader_line(struct weir_reader *, struct weir_bytes *out);
/* Everything up to the delimiter, and that with it: 1. At the end of file what is left, without. 0: nothing is. -EINVAL: the delimiter is
 * empty or longer than 64 bytes. */
WEIR_API WEIR_CHECKED int weir_reader_until(struct weir_reader *, const void *delimiter, size_t len,
                                            struct weir_bytes *out);

/* The next message, without its length: 1. 0: end of file. -EPROTO: the end came within a message. */
WEIR_CHECKED static inline int weir_reader_frame(struct weir_reader *r, struct weir_bytes *out)
{
    const uint8_t *at = r->at;
    size_t have = (size_t)(r->end - at);
    if (have < 4)
        return weir_reader_frame_slowly(r, out);
    size_t len = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | (size_t)at[3];
    if (len > have - 4 || len > r->bytes_max)
        return weir_reader_frame_slowly(r, out);
    *out = (struct weir_bytes){(const char *)at + 4, len};
    r->at = at + 4 + len;
    r->scanned = 0;
    return 1;
}
