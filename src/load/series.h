/*
 * load/series.h: a run cut into equal slices of time, each with its histogram, in fixed memory however long the run: when
 * the slices are used up, pairs become one and each is twice as long from then on.
 */
#pragma once

#include "load/histogram.h"
#include "tbl/limits.h"

struct slice {
    struct histogram latency;
    uint64_t errors;
};

struct series {
    uint64_t from_ns;
    uint64_t slice_ns;
    uint64_t end_ns; /* of the slice that was used last */
    unsigned last;
    struct slice at[LIMIT_LOAD_SLICES];
};

/* NULL: no memory. free() it. `slice_ns` is how long slices are at first. */
struct series *series_new(uint64_t slice_ns);
void series_begin(struct series *, uint64_t now_ns);
/* The slice of now. Times never go back. */
struct slice *series_at(struct series *, uint64_t now_ns);
/* Adds one that began at about the same time. */
void series_merge(struct series *, struct series *from);
/* All slices as one. `out` is zeroed or has others in it. */
void series_total(const struct series *, struct histogram *out);
