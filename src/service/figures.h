/*
 * service/figures.h: counters and histograms of a site, in memory that all its processes share which are forked later.
 *
 * A thread that serves takes a slot of its own and is the only one that writes to it; when it ends, the next one goes on adding there,
 * so that nothing has to be moved, and what a worker that was killed had counted stays. Where all slots are taken, one is shared.
 */
#pragma once

#include "tbl/figures.h"

#include <weir/base.h>

#include <stdatomic.h>

enum figure_bucket {
#define B(us, text) FIGURE_BUCKET_##us,
    FIGURE_BUCKETS(B)
#undef B
        FIGURE_BUCKET_MORE,
    FIGURE_BUCKET_COUNT
};
#define FIGURE_HISTOGRAM (FIGURE_BUCKET_COUNT + 1) /* behind the buckets: the sum, in ns */

enum figure_time {
#define H(NAME, text) FIGURE_TIME_##NAME,
    FIGURE_TIMES(H)
#undef H
        FIGURE_TIME_COUNT
};

enum {
#define L(name) +1
    FIGURE_LIMIT_COUNT = 0 FIGURE_LIMITS(L)
#undef L
};

enum figure {
#define F(NAME) FIGURE_##NAME,
    FIGURES(F)
#undef F
        FIGURE_LIMIT,
    FIGURE_TIME = FIGURE_LIMIT + FIGURE_LIMIT_COUNT,
    FIGURE_COUNT = FIGURE_TIME + FIGURE_TIME_COUNT * FIGURE_HISTOGRAM
};

struct figures;
struct figures_slot;

/* What a thread has. Zeroed: it counts nothing. */
struct figures_hand {
    struct figures_slot *slot;
    bool shared;
};

/* One exchange that has ended. */
struct figures_request {
    unsigned status;
    bool failed;
    uint64_t sent;
    const char *limit;              /* NULL: none struck */
    uint64_t ns[FIGURE_TIME_COUNT]; /* UINT64_MAX: was not reached */
};

/* All slots together. */
struct figures_sum {
    uint64_t at[FIGURE_COUNT];
    uint64_t connections; /* open now */
    unsigned threads;     /* that serve now */
    int64_t started_ns;   /* wall clock */
};

WEIR_CHECKED int figures_new(struct figures **out); /* 0 or -ENOMEM */
void figures_free(struct figures *);                /* NULL is fine */
void figures_open(struct figures *, struct figures_hand *);
void figures_close(struct figures_hand *);
void figures_request(struct figures_hand *, const struct figures_request *);
void figures_connection(struct figures_hand *, bool opened);
void figures_read(const struct figures *, struct figures_sum *out);
