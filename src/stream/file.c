/* file:PATH. Never makes anybody wait: a reader at its end sees end of file, a writer on a full disk ENOSPC. */
#include "stream/transport.h"
#include "stream/value.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *file_check(const char *rest, bool for_listening)
{
    (void)for_listening;
    return rest[0] ? NULL : "the path is missing";
}

static int file_flags(unsigned how)
{
    int flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK; /* no waiting for a named pipe's other end */
    bool write = how & WEIR_WRITE;
    flags |= !write ? O_RDONLY : how & WEIR_READ ? O_RDWR : O_WRONLY;
    flags |= how & WEIR_CREATE ? O_CREAT : 0;
    flags |= how & WEIR_TRUNCATE ? O_TRUNC : 0;
    flags |= how & WEIR_APPEND ? O_APPEND : 0;
    return flags;
}

static int file_open(const char *rest, unsigned how, uint64_t deadline, struct weir_stream *out)
{
    struct stat st;
    (void)deadline;
    int fd = open(rest, file_flags(how), 0666);
    if (fd < 0)
        return -errno;
    int rc = fstat(fd, &st) < 0 ? -errno : 0;
    if (rc == 0 && S_ISDIR(st.st_mode))
        rc = -EISDIR;
    if (rc == 0 && S_ISFIFO(st.st_mode))
        rc = -ENXIO; /* pipe:PATH knows how to wait for the other end */
    if (rc == 0)
        rc = stream_claim(out, fd, 0, FD_OURS);
    if (rc < 0)
        close(fd);
    return rc;
}

const struct transport file_transport = {
    .scheme = "file",
    .form = "file:PATH",
    .example = "file:/tmp/log.txt",
    .one_way = true,
    .check = file_check,
    .open = file_open,
};
