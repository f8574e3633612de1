#include "stream/spool_position.h"

#include "stream/spool_folder.h"

#include <weir/spool.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RECORD_GAP 4096 /* no disk writes both with one sector */

/* Also what a power failure leaves of a file that never held a record. */
static bool is_empty(const uint8_t *bytes, ssize_t len)
{
    for (ssize_t i = 0; i < len; i++)
        if (bytes[i])
            return false;
    return true;
}

int spool_position_read(int fd, struct spool_position *out)
{
    struct spool_position found = {0};
    bool any = false, empty = true;
    for (int i = 0; i < 2; i++) {
        uint8_t bytes[SPOOL_POSITION_BYTES];
        struct spool_position one;
        ssize_t n = pread(fd, bytes, sizeof(bytes), i * RECORD_GAP);
        if (n < 0)
            return -errno;
        empty &= is_empty(bytes, n);
        if (n < (ssize_t)sizeof(bytes) || !spool_position_get(bytes, &one.place, &one.generation))
            continue;
        if (!any || one.generation > found.generation)
            found = one;
        any = true;
    }
    if (!any)
        return empty ? 0 : -EBADMSG;
    *out = found;
    return 1;
}

int spool_position_write(int fd, struct spool_position *position, const struct spool_place *place,
                         bool durable)
{
    uint8_t bytes[SPOOL_POSITION_BYTES];
    uint64_t generation = position->generation + 1;
    spool_position_put(bytes, place, generation);
    ssize_t n = pwrite(fd, bytes, sizeof(bytes), (off_t)(generation % 2) * RECORD_GAP);
    if (n < 0)
        return -errno;
    if (n < (ssize_t)sizeof(bytes))
        return -ENOSPC;
    if (durable && fdatasync(fd) < 0)
        return -errno;
    *position = (struct spool_position){.place = *place, .generation = generation};
    return 0;
}

static bool name_good(const char *name)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    size_t len = strspn(name, letters);
    return len > 0 && len <= WEIR_SPOOL_NAME_MAX && name[len] == '\0';
}

int spool_position_open(int folder, const char *name)
{
    char file[WEIR_SPOOL_NAME_MAX + 16];
    if (!name_good(name))
        return -EINVAL;
    snprintf(file, sizeof(file), "%s.reader", name);
    int fd = openat(folder, file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd < 0)
        return -errno;
    int rc = spool_lock(fd);
    if (rc < 0)
        close(fd);
    return rc < 0 ? rc : fd;
}
