#include "stream/spool_segment.h"

#include "stream/crc32c.h"
#include "tbl/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void spool_window_init(struct spool_window *w, int fd)
{
    *w = (struct spool_window){.fd = fd};
}

void spool_window_forget(struct spool_window *w)
{
    w->len = 0;
}

void spool_window_done(struct spool_window *w)
{
    free(w->bytes);
    *w = (struct spool_window){.fd = -1};
}

static int window_fit(struct spool_window *w, size_t want)
{
    if (w->bytes && want <= w->size)
        return 0;
    size_t size = want > LIMIT_SPOOL_WINDOW ? want : LIMIT_SPOOL_WINDOW;
    uint8_t *bytes = malloc(size);
    if (!bytes)
        return -ENOMEM;
    free(w->bytes);
    w->bytes = bytes;
    w->size = size;
    return 0;
}

/* Everything anew from `offset` on: bytes that were there at the end of the file may have been cut and replaced. */
static int window_fill(struct spool_window *w, uint64_t offset, size_t want)
{
    w->len = 0;
    w->at = offset;
    int rc = window_fit(w, want);
    while (rc == 0 && w->len < want) {
        ssize_t n = pread(w->fd, w->bytes + w->len, w->size - w->len, (off_t)(offset + w->len));
        if (n > 0)
            w->len += (size_t)n;
        else if (n == 0)
            break;
        else if (errno != EINTR)
            rc = -errno;
    }
    return rc;
}

ssize_t spool_window_see(struct spool_window *w, uint64_t offset, size_t want, const uint8_t **out)
{
    bool inside = w->len > 0 && offset >= w->at && offset - w->at <= w->len;
    if (!inside || w->len - (offset - w->at) < want) {
        int rc = window_fill(w, offset, want);
        if (rc < 0)
            return rc;
    }
    *out = w->bytes + (offset - w->at);
    return (ssize_t)(w->len - (offset - w->at));
}

enum frame { FRAME_NONE, FRAME_SHORT, FRAME_WHOLE, FRAME_BAD_HEAD, FRAME_BAD_BODY };

static int frame_judge(const uint8_t *at, const struct spool_frame *frame,
                       const struct spool_head *head, struct spool_seen *seen)
{
    seen->bytes = at + SPOOL_FRAME_BYTES;
    seen->len = frame->len;
    seen->number = head->first + frame->index;
    seen->next = seen->offset + SPOOL_FRAME_BYTES + frame->len;
    return crc32c(0, seen->bytes, seen->len) == frame->body_crc ? FRAME_WHOLE : FRAME_BAD_BODY;
}

/* The head is read again with the message: the file can have been cut and written anew in between. */
static int frame_look(struct spool_window *w, const struct spool_head *head, uint64_t offset,
                      uint64_t least, struct spool_seen *seen)
{
    size_t want = SPOOL_FRAME_BYTES;
    *seen = (struct spool_seen){.offset = offset};
    for (int tries = 0; tries < 3; tries++) {
        struct spool_frame frame;
        const uint8_t *at;
        ssize_t have = spool_window_see(w, offset, want, &at);
        if (have < 0)
            return (int)have;
        if (have < SPOOL_FRAME_BYTES)
            return have == 0 ? FRAME_NONE : FRAME_SHORT;
        if (!spool_frame_get(at, head, offset, &frame) || head->first + frame.index < least)
            return FRAME_BAD_HEAD;
        if ((size_t)have >= SPOOL_FRAME_BYTES + frame.len)
            return frame_judge(at, &frame, head, seen);
        want = SPOOL_FRAME_BYTES + frame.len;
    }
    return FRAME_SHORT;
}

/* The first whole frame at `from` or behind it: 1; 0: none; -errno. A frame is whole only where it was written, so
 * nothing inside a message can look like one. */
static int frame_find(struct spool_window *w, const struct spool_head *head, uint64_t from,
                      uint64_t least, struct spool_seen *out)
{
    for (uint64_t offset = from;; offset++) {
        struct spool_frame frame;
        const uint8_t *at;
        ssize_t have = spool_window_see(w, offset, SPOOL_FRAME_BYTES, &at);
        if (have < SPOOL_FRAME_BYTES)
            return have < 0 ? (int)have : 0;
        if (!spool_frame_get(at, head, offset, &frame))
            continue;
        int rc = frame_look(w, head, offset, least, out);
        if (rc < 0 || rc == FRAME_WHOLE)
            return rc < 0 ? rc : 1;
    }
}

static int look_end(const struct spool_window *w, int what, struct spool_seen *seen)
{
    struct stat st;
    if (fstat(w->fd, &st) < 0)
        return -errno;
    uint64_t size = (uint64_t)st.st_size;
    seen->next = size > seen->offset ? size : seen->offset;
    return what;
}

/* What is no damage, as the caller knows it. */
static int look_plain(const struct spool_window *w, int frame, struct spool_seen *seen)
{
    if (frame == FRAME_WHOLE)
        return SPOOL_FRAME;
    return look_end(w, frame == FRAME_SHORT ? SPOOL_TORN : SPOOL_END, seen);
}

static bool is_bad(int frame)
{
    return frame == FRAME_BAD_HEAD || frame == FRAME_BAD_BODY;
}

/*
 * Before something is called damaged it is read from the file once more, and once more after a whole frame was found behind it:
 * a writer that opens may have cut a torn tail here and gone on writing, and then the frame at `offset` is whole now.
 */
int spool_look(struct spool_window *w, const struct spool_head *head, uint64_t offset,
               uint64_t least, struct spool_seen *out)
{
    struct spool_seen after;
    int frame = frame_look(w, head, offset, least, out);
    if (is_bad(frame)) {
        spool_window_forget(w);
        frame = frame_look(w, head, offset, least, out);
    }
    if (frame < 0 || !is_bad(frame))
        return frame < 0 ? frame : look_plain(w, frame, out);
    uint64_t from = frame == FRAME_BAD_BODY ? out->next : offset + 1;
    int found = frame_find(w, head, from, least, &after);
    if (found < 0)
        return found;
    spool_window_forget(w);
    frame = frame_look(w, head, offset, least, out);
    if (frame < 0 || !is_bad(frame))
        return frame < 0 ? frame : look_plain(w, frame, out);
    if (!found)
        return look_end(w, SPOOL_SPOILT, out);
    out->next = after.offset;
    out->number = after.number;
    return SPOOL_DAMAGE;
}

int spool_find_end(struct spool_window *w, const struct spool_head *head, struct spool_place *out,
                   struct spool_seen *out_rest)
{
    struct spool_place place = {
        .segment = head->first, .offset = SPOOL_HEADS_BYTES, .number = head->first};
    for (;;) {
        int what = spool_look(w, head, place.offset, place.number, out_rest);
        if (what < 0)
            return what;
        if (what != SPOOL_FRAME && what != SPOOL_DAMAGE) {
            *out = place;
            return what;
        }
        place.offset = out_rest->next;
        place.number = out_rest->number + (what == SPOOL_FRAME ? 1 : 0);
    }
}
