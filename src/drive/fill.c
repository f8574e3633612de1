/* File bytes for a machine that must transform them: from memory at once, else by way of a helper. */
#include "drive/core.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define FILL_BYTES (16u * 1024) /* a TLS record's worth */

/* Bytes read from a file, counted: queued by reference. */
struct file_bytes {
    struct weir_ref ref;
    uint8_t data[FILL_BYTES];
};

/* A helper reads the file so that its pages are in memory; the bytes themselves are thrown away. */
struct fill_job {
    struct weir_job job;
    struct slot *slot; /* NULL: the connection is gone */
    struct weir_ref *owner;
    struct weir_driver *driver;
    int fd;
    uint64_t offset;
};

static void file_bytes_drop(struct weir_ref *ref)
{
    free((struct file_bytes *)ref);
}

static void fill_work(struct weir_job *job)
{
    struct fill_job *fill = (struct fill_job *)job;
    char bytes[FILL_BYTES];
    (void)!pread(fill->fd, bytes, sizeof(bytes), (off_t)fill->offset);
}

static void fill_done(struct weir_job *job)
{
    struct fill_job *fill = (struct fill_job *)job;
    if (fill->slot) {
        fill->slot->fill = NULL;
        core_ready((struct core *)fill->driver, fill->slot);
    }
    weir_drop(fill->owner);
    free(fill);
}

void fill_cancel(struct slot *slot)
{
    slot->fill->slot = NULL;
    slot->fill = NULL;
}

static int fill_later(struct weir_driver *driver, struct slot *slot, const struct weir_span *file)
{
    if (slot->ducted)
        return -EBUSY;
    if (slot->fill)
        return WEIR_FILL_WAIT;
    struct fill_job *fill = calloc(1, sizeof(*fill));
    if (!fill)
        return -ENOMEM;
    fill->job.work = fill_work;
    fill->job.done = fill_done;
    fill->slot = slot;
    fill->owner = weir_hold(file->owner);
    fill->driver = driver;
    fill->fd = file->fd;
    fill->offset = file->offset;
    int rc = driver->ops->submit(driver, &fill->job);
    if (rc < 0) {
        weir_drop(fill->owner);
        free(fill);
        return rc;
    }
    slot->fill = fill;
    return WEIR_FILL_WAIT;
}

int core_fill(struct weir_driver *driver, struct weir_conn *conn, const struct weir_span *file,
              struct weir_out *out, size_t max, size_t *out_len)
{
    struct file_bytes *bytes = malloc(sizeof(*bytes));
    if (!bytes)
        return -ENOMEM;
    bytes->ref = (struct weir_ref){.count = 1, .drop = file_bytes_drop};
    size_t len = file->len < max ? file->len : max;
    struct iovec iov = {bytes->data, len < FILL_BYTES ? len : FILL_BYTES};
    ssize_t n = preadv2(file->fd, &iov, 1, (off_t)file->offset, RWF_NOWAIT);
    bool cold = n < 0 && errno == EAGAIN;
    if (cold && fill_later(driver, slot_of(conn), file) == WEIR_FILL_WAIT) {
        weir_drop(&bytes->ref);
        return WEIR_FILL_WAIT;
    }
    /* What no helper takes is read here, and so is a file system's that never says so: tmpfs of old kernels. */
    if (cold || (n < 0 && errno == EOPNOTSUPP))
        n = preadv(file->fd, &iov, 1, (off_t)file->offset);
    int rc = n > 0 ? WEIR_FILL_MORE : -EIO;
    if (n > 0) {
        weir_out_bytes(out, bytes->data, (size_t)n, &bytes->ref);
        *out_len = (size_t)n;
    }
    weir_drop(&bytes->ref);
    return rc;
}
