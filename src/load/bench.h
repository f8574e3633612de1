/*
 * load/bench.h: one service under every concurrency model, with more and more clients: what each model gives and costs.
 *
 * Each point is a server of its own, started as a child and stopped again, so that its CPU time and memory are its own.
 */
#pragma once

#include "load/load.h"

#include <weir/server.h>

#include <stdio.h>

#define BENCH_MODELS_MAX 16

enum bench_kind {
    BENCH_SHORT, /* persistent connections, answers at once */
    BENCH_NEW,   /* a new connection for each request */
    BENCH_SLOW,  /* answers that take slow_ms, as if another program had to be asked */
    BENCH_KINDS
};

struct bench_point {
    bool done;
    double rate; /* answers a second */
    double p50_ns, p99_ns;
    double cpu_us; /* of the server's whole tree, a request */
    uint64_t pss;  /* bytes of memory of the whole tree; 0: could not be read */
    uint64_t errors;
};

struct bench_options {
    const char *root;                               /* the site; NULL: a small page */
    const char *path;                               /* what is asked for */
    bool echo;                                      /* messages that come back, instead of a site */
    unsigned models[BENCH_MODELS_MAX], model_count; /* weir_model() of each */
    unsigned clients[LIMIT_BENCH_POINTS], client_count;
    uint64_t point_ns; /* how long each point is measured */
    unsigned slow_ms;
    /* Before each point. `number` from 0; `total` in all. NULL: nothing. */
    void (*progress)(void *arg, unsigned number, unsigned total, const char *what);
    void *arg;
};

struct bench {
    struct bench_options options;
    const struct weir_model_info *info[BENCH_MODELS_MAX];
    double start_cpu_us[BENCH_MODELS_MAX]; /* of a server that is started and stopped */
    struct bench_point at[BENCH_KINDS][BENCH_MODELS_MAX][LIMIT_BENCH_POINTS];
};

#define BENCH_WHY_MAX 512
/* Fills `at`. 0; -ECANCELED: a signal; -errno with one line in `why`. Call it in a process without threads. */
WEIR_CHECKED int bench_run(struct bench *, const struct bench_options *, char why[BENCH_WHY_MAX]);

/* "persistent connections", for headings. */
const char *bench_kind_title(const struct bench *, enum bench_kind, char *text, size_t size);
/* The number of clients (its index) with which a model gave most. */
unsigned bench_peak(const struct bench *, enum bench_kind, unsigned model);
/* What the figures say: one paragraph a call. */
void bench_words(const struct bench *, void (*say)(void *arg, const char *text), void *arg);
void bench_json(FILE *, const struct bench *);
void bench_html(FILE *, const struct bench *);
