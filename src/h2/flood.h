/*
 * h2/flood.h: how much of what is too much, and what is still known of streams that have ended. For both sides. No I/O, no clock.
 */
#pragma once

#include "h2/kinds.h"
#include "tbl/limits_h2.h"

#include <weir/base.h>

/* Frames that cost and bring nothing are counted against the work that is done. */
struct h2_calm {
    uint64_t since_ns;
    uint32_t count[H2_FLOODS], work; /* since then */
};

/* One more of these. NULL; or that was one too many: the limit's name, as the log has it. */
const char *h2_calm_count(struct h2_calm *, enum h2_flood, uint64_t now_ns);

/* Streams that have ended. */
struct h2_ended {
    uint32_t ring[LIMIT_H2_RING]; /* the first bit: by us, what still comes is ignored */
    uint8_t at;
};

enum h2_ended_how { H2_ENDED_LONG_AGO, H2_ENDED_WHOLE, H2_ENDED_BY_US };

void h2_ended_add(struct h2_ended *, uint32_t id, bool by_us);
enum h2_ended_how h2_ended_how(const struct h2_ended *, uint32_t id);
