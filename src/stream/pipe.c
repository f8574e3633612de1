/*
 * pipe:PATH, a named pipe. A reader is open at once and waits for its first writer when it reads; a writer waits for
 * a reader when it opens, as fifo(7) has it, but only until its deadline.
 */
#include "stream/transport.h"
#include "stream/value.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define RETRY_MS 5 /* the kernel has no event for "a reader came" */

static const char *pipe_check(const char *rest, bool for_listening)
{
    (void)for_listening;
    return rest[0] ? NULL : "the path is missing";
}

/* One end, never waiting. -ENXIO: no reader yet, or not a named pipe: the caller has checked that. */
static int open_end(const char *path, int direction, struct weir_stream *out)
{
    struct stat st;
    int fd = open(path, direction | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -errno;
    int rc = fstat(fd, &st) < 0 ? -errno : S_ISFIFO(st.st_mode) ? 0 : -ENOTSUP;
    if (rc < 0) {
        close(fd);
        return rc;
    }
    stream_init_none(out);
    if (direction == O_RDONLY) {
        out->in = fd;
        out->in_kind = FD_FIFO;
        out->own_in = true;
    } else {
        out->out = fd;
        out->out_kind = FD_NONBLOCK;
        out->own_out = true;
    }
    return 0;
}

static int open_writer(const char *path, uint64_t deadline, struct weir_stream *out)
{
    for (;;) {
        int rc = open_end(path, O_WRONLY, out);
        if (rc != -ENXIO)
            return rc;
        /* A Unix socket's path answers ENXIO too, and for ever. */
        struct stat st;
        if (stat(path, &st) == 0 && !S_ISFIFO(st.st_mode))
            return -ENOTSUP;
        rc = wait_ms(RETRY_MS, deadline);
        if (rc < 0)
            return rc;
    }
}

static int pipe_open(const char *rest, unsigned how, uint64_t deadline, struct weir_stream *out)
{
    struct weir_stream in;
    struct weir_stream writer;
    unsigned both = WEIR_READ | WEIR_WRITE;
    if (!(how & both))
        how |= both;
    if (how & WEIR_CREATE && mkfifo(rest, 0666) < 0 && errno != EEXIST)
        return -errno;
    if (!(how & WEIR_WRITE))
        return open_end(rest, O_RDONLY, out);
    if (!(how & WEIR_READ))
        return open_writer(rest, deadline, out);
    int rc = open_end(rest, O_RDONLY, &in);
    if (rc < 0)
        return rc;
    rc = open_writer(rest, deadline, &writer);
    if (rc < 0) {
        stream_done(&in);
        return rc;
    }
    stream_join(out, &in, &writer);
    return 0;
}

const struct transport pipe_transport = {
    .scheme = "pipe",
    .form = "pipe:PATH",
    .example = "pipe:/tmp/queue",
    .one_way = true,
    .check = pipe_check,
    .open = pipe_open,
};
