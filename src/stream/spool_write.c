/* Appending messages, and making them durable as the options say. */
#include "stream/crc32c.h"
#include "stream/spool_folder.h"
#include "stream/spool_writer.h"
#include "stream/wait.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

_Static_assert(WEIR_SPOOL_MESSAGE_MAX == LIMIT_SPOOL_MESSAGE_BYTES, "said in two places");

static bool by_time(const struct weir_spool_writer *w)
{
    return w->options.sync_ms > 0;
}

/* After a failed fdatasync(2) nobody knows what is on the disk, and the next one may say that all is well: so this is the end, and never
 * -ENOSPC, after which one may try again. */
static int sync_now(struct weir_spool_writer *w)
{
    if (w->broken)
        return w->broken;
    if (w->unsynced && fdatasync(w->fd) < 0)
        return w->broken = -EIO;
    w->unsynced = false;
    w->sync_at = 0;
    w->kept = w->number;
    return 0;
}

static int sync_as_due(struct weir_spool_writer *w)
{
    if (w->options.sync_ms == WEIR_SPOOL_NEVER) {
        w->kept = w->number;
        return 0;
    }
    if (!w->unsynced)
        return 0;
    if (!by_time(w))
        return sync_now(w);
    uint64_t now = deadline_now();
    if (w->sync_at == 0)
        w->sync_at = now + WEIR_NS_PER_MS * (unsigned)w->options.sync_ms;
    return now >= w->sync_at ? sync_now(w) : 0;
}

/* Cuts what a failed write left behind the last whole frame. Until that has worked nothing more is written. */
static int mend(struct weir_spool_writer *w)
{
    if (!w->torn)
        return 0;
    if (ftruncate(w->fd, (off_t)w->end) < 0)
        return -errno;
    w->torn = false;
    return 0;
}

/* The old segment is durable before the new one exists: what follows a gap would look like damage. */
static int roll(struct weir_spool_writer *w)
{
    int rc = w->options.sync_ms == WEIR_SPOOL_NEVER ? 0 : sync_now(w);
    if (rc == 0)
        rc = spool_begin(w, w->number);
    if (rc < 0)
        return rc;
    /* What cannot be removed is no reason to refuse a message; it is tried again with the next segment. */
    spool_trim(w);
    return 0;
}

/* What age asks for. The segment that grows ends when its first message is too old, so that it can go one day. */
static int tend_age(struct weir_spool_writer *w)
{
    if (w->trim_at == 0 || deadline_now() < w->trim_at || w->torn)
        return 0;
    return spool_outlived(w) ? roll(w) : spool_trim(w);
}

static bool is_full(const struct weir_spool_writer *w, size_t len)
{
    if (w->end == SPOOL_HEADS_BYTES)
        return false;
    return w->end + SPOOL_FRAME_BYTES + len > w->options.segment_bytes;
}

/* Frames for as many messages as go into this segment and one writev. */
static size_t gather(struct weir_spool_writer *w, const struct weir_bytes *messages, size_t count)
{
    uint64_t offset = w->end;
    size_t n = 0;
    for (; n < count && n < LIMIT_SPOOL_BATCH; n++) {
        size_t len = messages[n].len, size = SPOOL_FRAME_BYTES + len;
        if (len > LIMIT_SPOOL_MESSAGE_BYTES || (n > 0 && offset + size > w->options.segment_bytes))
            break;
        const struct spool_frame frame = {
            .len = (uint32_t)len,
            .index = (uint32_t)(w->number + n - w->head.first),
            .body_crc = crc32c(0, messages[n].at, len),
        };
        spool_frame_put(w->heads[n], &w->head, offset, &frame);
        w->iov[2 * n] = (struct iovec){w->heads[n], SPOOL_FRAME_BYTES};
        w->iov[2 * n + 1] = (struct iovec){(void *)(uintptr_t)messages[n].at, len};
        offset += size;
    }
    return n;
}

/* All of it, or the error; *out_written counts either way. */
static int write_all(int fd, struct iovec *iov, int count, uint64_t offset, uint64_t *out_written)
{
    uint64_t written = 0;
    int rc = 0;
    while (count > 0 && rc == 0) {
        ssize_t n = pwritev(fd, iov, count, (off_t)(offset + written));
        if (n < 0 && errno != EINTR)
            rc = -errno;
        if (n == 0)
            rc = -EIO; /* there is always something to write */
        size_t left = n > 0 ? (size_t)n : 0;
        written += left;
        while (count > 0 && left >= iov->iov_len) {
            left -= iov->iov_len;
            iov++;
            count--;
        }
        if (count > 0) {
            iov->iov_base = (uint8_t *)iov->iov_base + left;
            iov->iov_len -= left;
        }
    }
    *out_written = written;
    return rc;
}

/* Counts the whole frames in what was written: readers may have seen them already, so they stay. */
static size_t account(struct weir_spool_writer *w, const struct weir_bytes *messages, size_t count,
                      uint64_t written)
{
    size_t n = 0;
    for (; n < count && written >= SPOOL_FRAME_BYTES + messages[n].len; n++) {
        written -= SPOOL_FRAME_BYTES + messages[n].len;
        w->end += SPOOL_FRAME_BYTES + messages[n].len;
    }
    w->number += n;
    w->unsynced |= n > 0;
    w->torn = written > 0;
    return n;
}

/* One write into one segment: how many messages, at least one, or -errno. */
static ssize_t append_some(struct weir_spool_writer *w, const struct weir_bytes *messages,
                           size_t count)
{
    uint64_t written;
    if (w->broken)
        return w->broken;
    if (messages[0].len > LIMIT_SPOOL_MESSAGE_BYTES)
        return -EMSGSIZE;
    int rc = mend(w);
    if (rc == 0 && is_full(w, messages[0].len))
        rc = roll(w);
    if (rc < 0)
        return rc;
    size_t n = gather(w, messages, count);
    rc = write_all(w->fd, w->iov, 2 * (int)n, w->end, &written);
    size_t done = account(w, messages, n, written);
    if (rc == 0)
        return (ssize_t)done;
    (void)mend(w);
    return done > 0 ? (ssize_t)done : rc;
}

WEIR_API ssize_t weir_spool_append_many(struct weir_spool_writer *w,
                                        const struct weir_bytes *messages, size_t count)
{
    size_t done = 0;
    ssize_t n = 0;
    while (done < count && n >= 0) {
        n = append_some(w, messages + done, count - done);
        done += n > 0 ? (size_t)n : 0;
    }
    if (done == 0)
        return n;
    int rc = sync_as_due(w);
    if (rc < 0)
        return rc;
    /* The messages are there: what goes wrong now comes with the next one. */
    (void)tend_age(w);
    return (ssize_t)done;
}

WEIR_API int weir_spool_append(struct weir_spool_writer *w, const void *bytes, size_t len)
{
    const struct weir_bytes message = {bytes, len};
    ssize_t n = weir_spool_append_many(w, &message, 1);
    return n < 0 ? (int)n : 0;
}

WEIR_API int weir_spool_sync(struct weir_spool_writer *w)
{
    /* With NEVER, segments that are full already, and the folder, were not synced either. */
    if (w->options.sync_ms == WEIR_SPOOL_NEVER && !w->broken && syncfs(w->folder) < 0)
        return w->broken = -EIO;
    return sync_now(w);
}

WEIR_API int weir_spool_tend(struct weir_spool_writer *w)
{
    int rc = by_time(w) ? sync_as_due(w) : 0;
    return rc < 0 ? rc : tend_age(w);
}

WEIR_API int weir_spool_due_ms(const struct weir_spool_writer *w)
{
    uint64_t at = w->sync_at;
    if (w->trim_at > 0 && (at == 0 || w->trim_at < at))
        at = w->trim_at;
    return at == 0 ? -1 : deadline_left_ms(at);
}

WEIR_API uint64_t weir_spool_number(const struct weir_spool_writer *w)
{
    return w->number;
}

WEIR_API uint64_t weir_spool_kept(const struct weir_spool_writer *w)
{
    return w->kept;
}

WEIR_API int weir_spool_writer_close(struct weir_spool_writer *w)
{
    if (!w)
        return 0;
    int rc = w->fd >= 0 && w->options.sync_ms != WEIR_SPOOL_NEVER ? sync_now(w) : 0;
    int fds[] = {w->fd, w->folder, w->lock}; /* the lock last: then everything else is done */
    for (int i = 0; i < 3; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    free(w);
    return rc;
}
