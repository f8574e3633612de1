#include "stream/pump.h"
#include "stream/sigpipe.h"
#include "stream/tunnel.h"
#include "stream/wait.h"

#include <errno.h>

static int wait_for_pump(struct pump *p, enum pump_state state)
{
    bool in = state == PUMP_READ;
    const struct weir_stream *s = in ? p->from : p->to;
    int rc = wait_fd(in ? s->in : s->out, in ? POLLIN : stream_room_event(s),
                     deadline_in(s->timeout_ms));
    if (rc < 0)
        p->reading = in;
    return rc;
}

static int copy(struct pump *p)
{
    for (;;) {
        enum pump_state state = pump_step(p);
        if (state == PUMP_END)
            return stream_flush(p->to, deadline_in(p->to->timeout_ms));
        if (state == PUMP_BROKEN)
            return p->error;
        int rc = state == PUMP_AGAIN ? 0 : wait_for_pump(p, state);
        if (rc < 0)
            return rc;
    }
}

WEIR_API int weir_copy(struct weir_stream *from, struct weir_stream *to, uint64_t *out_bytes,
                       bool *out_reading)
{
    struct pump p;
    struct sigpipe mask;
    pump_init(&p, from, to);
    sigpipe_hold(&mask);
    int rc = copy(&p);
    sigpipe_release(&mask, true); /* it can have met one and gone on */
    if (out_bytes)
        *out_bytes = p.bytes;
    if (out_reading)
        *out_reading = p.reading;
    pump_done(&p);
    return rc;
}
