#include "load/series.h"

#include <stdlib.h>
#include <string.h>

struct series *series_new(uint64_t slice_ns)
{
    struct series *series = calloc(1, sizeof(*series));
    if (series)
        series->slice_ns = series->end_ns = slice_ns ? slice_ns : 1;
    return series;
}

void series_begin(struct series *series, uint64_t now_ns)
{
    series->from_ns = now_ns;
    series->end_ns = now_ns + series->slice_ns;
}

static void add(struct slice *to, const struct slice *from)
{
    histogram_merge(&to->latency, &from->latency);
    to->errors += from->errors;
}

static void halve(struct series *series)
{
    for (unsigned i = 0; i < LIMIT_LOAD_SLICES / 2; i++) {
        if (i > 0)
            memcpy(&series->at[i], &series->at[2 * i], sizeof(struct slice));
        add(&series->at[i], &series->at[2 * i + 1]);
    }
    memset(&series->at[LIMIT_LOAD_SLICES / 2], 0, LIMIT_LOAD_SLICES / 2 * sizeof(struct slice));
    series->slice_ns *= 2;
    series->last /= 2;
    series->end_ns = series->from_ns + (series->last + 1) * series->slice_ns;
}

struct slice *series_at(struct series *series, uint64_t now_ns)
{
    while (now_ns >= series->end_ns) {
        if (series->last + 1 == LIMIT_LOAD_SLICES) {
            halve(series);
        } else {
            series->last++;
            series->end_ns += series->slice_ns;
        }
    }
    return &series->at[series->last];
}

void series_merge(struct series *series, struct series *from)
{
    while (series->slice_ns < from->slice_ns)
        halve(series);
    while (from->slice_ns < series->slice_ns)
        halve(from);
    for (unsigned i = 0; i <= from->last; i++)
        add(&series->at[i], &from->at[i]);
    if (from->last > series->last)
        series->last = from->last;
}

void series_total(const struct series *series, struct histogram *out)
{
    for (unsigned i = 0; i <= series->last; i++)
        histogram_merge(out, &series->at[i].latency);
}
