#include "load/histogram.h"

#define VALUE_MAX ((1ull << HISTOGRAM_TOP) - 1)

/* Below 128 each value has its own bucket; above, the top 8 bits choose it. */
static unsigned index_of(uint64_t value)
{
    unsigned top = value ? 63u - (unsigned)__builtin_clzll(value) : 0;
    unsigned shift = top > HISTOGRAM_BITS ? top - HISTOGRAM_BITS : 0;
    return (shift << HISTOGRAM_BITS) + (unsigned)(value >> shift);
}

/* The middle of a bucket. */
static uint64_t value_of(unsigned index)
{
    unsigned shift = index >> HISTOGRAM_BITS;
    shift = shift > 0 ? shift - 1 : 0;
    uint64_t low = (uint64_t)(index - (shift << HISTOGRAM_BITS)) << shift;
    return low + ((1ull << shift) - 1) / 2;
}

void histogram_add(struct histogram *h, uint64_t value, uint64_t times)
{
    if (times == 0)
        return;
    if (value > VALUE_MAX)
        value = VALUE_MAX;
    if (h->count == 0 || value < h->min)
        h->min = value;
    if (value > h->max)
        h->max = value;
    h->count += times;
    h->sum += value * times;
    h->at[index_of(value)] += times;
}

void histogram_merge(struct histogram *h, const struct histogram *from)
{
    if (from->count == 0)
        return;
    if (h->count == 0 || from->min < h->min)
        h->min = from->min;
    if (from->max > h->max)
        h->max = from->max;
    h->count += from->count;
    h->sum += from->sum;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        h->at[i] += from->at[i];
}

/* A bucket's middle may lie outside of what was seen. */
static uint64_t within(const struct histogram *h, uint64_t value)
{
    if (value < h->min)
        return h->min;
    return value > h->max ? h->max : value;
}

uint64_t histogram_quantile(const struct histogram *h, double part)
{
    if (h->count == 0)
        return 0;
    double exact = part * (double)h->count - 1e-6; /* 0.07 of 100 are 7, also in binary */
    uint64_t rank = exact < 1 ? 1 : (uint64_t)exact;
    if ((double)rank < exact)
        rank++;
    if (rank >= h->count)
        return h->max;
    uint64_t seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->at[i];
        if (seen >= rank)
            return within(h, value_of(i));
    }
    return h->max;
}

double histogram_mean(const struct histogram *h)
{
    return h->count ? (double)h->sum / (double)h->count : 0;
}
