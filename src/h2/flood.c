/* How much of what is too much: frames that cost and bring nothing are counted against the work that is done. */
#include "h2/h2.h"

static const struct {
    uint32_t max;
    const char *limit; /* as the log has it */
} floods[H2_FLOODS] = {
    [H2_FLOOD_RESETS] = {LIMIT_H2_RESETS, "h2-resets"},
    [H2_FLOOD_REFUSED] = {LIMIT_H2_REFUSED, "h2-refused"},
    [H2_FLOOD_SETTINGS] = {LIMIT_H2_SETTINGS, "h2-settings"},
    [H2_FLOOD_PINGS] = {LIMIT_H2_PINGS, "h2-pings"},
    [H2_FLOOD_EMPTY] = {LIMIT_H2_EMPTY, "h2-empty"},
    [H2_FLOOD_PRIORITY] = {LIMIT_H2_PRIORITY, "h2-priority"},
    [H2_FLOOD_WINDOWS] = {LIMIT_H2_WINDOWS, "h2-windows"},
    [H2_FLOOD_UNKNOWN] = {LIMIT_H2_UNKNOWN, "h2-unknown"},
};

bool h2_flooded(struct h2 *h, enum h2_flood kind)
{
    uint64_t now = h2_now(h);
    if (now - h->calm_ns > LIMIT_H2_CALM_MS * WEIR_NS_PER_MS) {
        h->calm_ns = now;
        h->work = 0;
        for (unsigned i = 0; i < H2_FLOODS; i++)
            h->calm[i] = 0;
    }
    if (++h->calm[kind] <= floods[kind].max || h->calm[kind] - floods[kind].max <= h->work)
        return false;
    h2_fail(h, WIRE_ENHANCE_YOUR_CALM, floods[kind].limit);
    return true;
}
