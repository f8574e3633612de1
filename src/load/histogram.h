/*
 * load/histogram.h: how often each length of time was seen. Log-linear: every power of two is cut into 128 equal steps, so a
 * value comes back wrong by 0.4 % at most, from a nanosecond to half an hour, in fixed memory. Two of them add up to what
 * one would have been.
 */
#pragma once

#include <weir/base.h>

#define HISTOGRAM_BITS    7
#define HISTOGRAM_TOP     41 /* 2^41 ns are 37 minutes: longer ones count as that */
#define HISTOGRAM_BUCKETS ((HISTOGRAM_TOP - HISTOGRAM_BITS + 1) << HISTOGRAM_BITS)

struct histogram {
    uint64_t count;
    uint64_t sum;
    uint64_t min, max; /* exact, up to HISTOGRAM_TOP; meaningless while count is 0 */
    uint64_t at[HISTOGRAM_BUCKETS];
};

/* A zeroed one is empty. */
void histogram_add(struct histogram *, uint64_t value, uint64_t times);
void histogram_merge(struct histogram *, const struct histogram *from);
/* The smallest value that at least this part (0 to 1) of all are not above; 0 while it is empty. */
uint64_t histogram_quantile(const struct histogram *, double part);
double histogram_mean(const struct histogram *);
