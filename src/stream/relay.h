/* stream/relay.h: weir_relay() with an end of one's own, for programs that count what went through when they are stopped. */
#pragma once

#include "stream/impl.h"

struct relay_options {
    int idle_ms;
    int stop; /* readable means return -ECANCELED; -1: none */
    uint64_t
        rate; /* bytes a second, each way, on average: what one step moves goes at once; 0: any */
};

/* As weir_relay(). */
int relay_until(struct weir_stream *a, struct weir_stream *b, const struct relay_options *,
                struct weir_relay *out) WEIR_CHECKED;
