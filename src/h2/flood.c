#include "h2/flood.h"

static const struct {
    uint32_t max;
    const char *limit;
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

const char *h2_calm_count(struct h2_calm *c, enum h2_flood kind, uint64_t now_ns)
{
    if (now_ns - c->since_ns > LIMIT_H2_CALM_MS * WEIR_NS_PER_MS)
        *c = (struct h2_calm){.since_ns = now_ns};
    c->count[kind]++;
    if (c->count[kind] <= floods[kind].max || c->count[kind] - floods[kind].max <= c->work)
        return NULL;
    return floods[kind].limit;
}

#define IGNORED 0x80000000u

void h2_ended_add(struct h2_ended *e, uint32_t id, bool by_us)
{
    e->ring[e->at++ % LIMIT_H2_RING] = id | (by_us ? IGNORED : 0);
}

enum h2_ended_how h2_ended_how(const struct h2_ended *e, uint32_t id)
{
    for (unsigned i = 0; i < LIMIT_H2_RING; i++) {
        if (e->ring[i] == id)
            return H2_ENDED_WHOLE;
        if (e->ring[i] == (id | IGNORED))
            return H2_ENDED_BY_US;
    }
    return H2_ENDED_LONG_AGO;
}
