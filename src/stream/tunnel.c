/* Streams through a machine, as far as streams know of them. */
#include "stream/tunnel.h"

#include "stream/wait.h"

#include <errno.h>

void stream_init_tunnel(struct weir_stream *s, struct tunnel *tunnel)
{
    stream_init_none(s);
    s->in = tunnel->in_set;
    s->out = tunnel->out_set;
    s->in_kind = FD_TUNNEL;
    s->out_kind = FD_TUNNEL;
    s->own_in = s->own_out = true;
    s->peer = tunnel->under->peer;
    s->tunnelled = true;
    s->tunnel = tunnel;
}

int stream_flush(struct weir_stream *s, uint64_t deadline)
{
    if (!s->tunnelled)
        return 0;
    for (;;) {
        int rc = s->tunnel->calls->flush(s->tunnel);
        if (rc != -EAGAIN)
            return rc;
        rc = wait_fd(s->tunnel->out_set, POLLIN, deadline);
        if (rc < 0)
            return rc;
    }
}

const char *stream_why(const struct weir_stream *s)
{
    return s->tunnelled ? s->tunnel->calls->why(s->tunnel) : "";
}
