/*
 * Looking again for bytes before sleeping (weir_set_spin). First without pause: a peer on another core answers within two
 * microseconds, or ten where the answer is work (a call). Then giving the processor away between looks: a peer on the same
 * core can only answer then. If that took long, somebody else did run there, and the next time it begins sooner.
 */
#include "stream/impl.h"
#include "stream/wait.h"
#include "tbl/limits.h"

#include <errno.h>
#include <sched.h>

/* Gives the processor away once. The time after it. */
static uint64_t yield(struct weir_stream *s, uint64_t before)
{
    sched_yield();
    uint64_t after = deadline_now();
    bool ours = after - before < LIMIT_SPIN_SWITCH_NS;
    if (!ours)
        s->in_tries /= 2;
    else if (s->in_tries < LIMIT_SPIN_TRIES)
        s->in_tries++;
    return after;
}

ssize_t stream_spin_read(struct weir_stream *s, void *buffer, size_t len)
{
    for (unsigned i = 0; i < s->in_tries * LIMIT_SPIN_LOOKS; i++) {
        ssize_t n = stream_try_read(s, buffer, len);
        if (n != -EAGAIN)
            return n;
    }
    uint64_t now = deadline_now();
    uint64_t end = now + s->spin_us * 1000u;
    ssize_t n = -EAGAIN;
    while (n == -EAGAIN && now < end) {
        now = yield(s, now);
        n = stream_try_read(s, buffer, len);
    }
    return n;
}

WEIR_API void weir_set_spin(struct weir_stream *s, unsigned us)
{
    s->spin_us = (uint16_t)(us < LIMIT_SPIN_US ? us : LIMIT_SPIN_US);
    s->in_tries = LIMIT_SPIN_TRIES;
    /* Looks are cheaper on an open file that does not wait anyway. */
    if (s->spin_us && s->in_kind == FD_PIPE)
        stream_forbid_wait_in(s);
}
