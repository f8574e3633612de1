/* stream/relay.h: weir_relay() with an end of one's own, for programs that count what went through when they are stopped. */
#pragma once

#include "stream/impl.h"

/* As weir_relay(). `stop`: readable means return -ECANCELED; -1: none. */
int relay_until(struct weir_stream *a, struct weir_stream *b, int idle_ms, int stop,
                struct weir_relay *out) WEIR_CHECKED;
