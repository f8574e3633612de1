/* Standard output of weir spool read and follow: waiting for who reads it ends with a signal. */
#include "cli/spool.h"
#include "stream/impl.h"
#include "stream/wait.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>

/* 0: there may be room; -ECANCELED: a signal. */
static int wait_for_room(const struct spool_out *o)
{
    struct pollfd fds[2] = {
        {.fd = stream_wait_out(o->stream), .events = stream_room_event(o->stream)},
        {.fd = o->signals, .events = POLLIN}};
    int rc = wait_fds(fds, 2, DEADLINE_NEVER);
    return rc < 0 ? rc : fds[1].revents ? -ECANCELED : 0;
}

/* Called by stdio, where less than `len` is a failure. */
static ssize_t put(void *cookie, const char *bytes, size_t len)
{
    struct spool_out *o = cookie;
    size_t done = 0;
    while (done < len && o->error == 0) {
        struct iovec iov = {(char *)bytes + done, len - done};
        ssize_t n = stream_try_writev(o->stream, &iov, 1, false);
        if (n >= 0)
            done += (size_t)n;
        else
            o->error = n == -EAGAIN ? wait_for_room(o) : (int)n;
    }
    return (ssize_t)done;
}

int spool_out_open(struct spool_out *o, int signals, size_t buffer)
{
    const cookie_io_functions_t calls = {.write = put};
    *o = (struct spool_out){.signals = signals};
    o->error = weir_open("-", WEIR_WRITE, WEIR_FOREVER, &o->stream);
    if (o->error < 0)
        return o->error;
    o->file = fopencookie(o, "w", calls);
    if (!o->file || setvbuf(o->file, NULL, _IOFBF, buffer) != 0)
        o->error = -ENOMEM;
    return o->error;
}

int spool_out_flush(struct spool_out *o)
{
    int rc = fflush(o->file);
    return rc != 0 && o->error == 0 ? -EIO : o->error;
}

void spool_out_close(struct spool_out *o)
{
    if (o->file)
        fclose(o->file);
    (void)weir_close(o->stream);
}
