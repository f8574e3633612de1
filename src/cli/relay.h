/*
 * cli/relay.h: the two ways of `weir relay`: one conversation between two ends (relay_pair.c), and many clients of one target
 * (relay_serve.c, with relay_count.c and relay_live.c).
 */
#pragma once

#include "cli/server_options.h"
#include "cli/tls_client.h"
#include "cli/tls_options.h"

#include <weir/protocols.h>

#define RELAY_UNSET UINT_MAX /* a number that was not given */

struct relay_values {
    struct server_options server;
    struct tls_options tls;          /* of tls: listeners */
    struct tls_client_options trust; /* of tls: targets */
    unsigned connect_s, idle_s;      /* RELAY_UNSET */
    bool proxy_v2, json;
    const char *rate_text, *rate_total_text;
    uint64_t rate, rate_total; /* bytes a second; 0: any */
};

/* Exit statuses; what was wrong was said. */
int relay_pair(const struct relay_values *, char **ends);
int relay_serve(const struct relay_values *, char **targets, size_t target_count);

/* --- relay_count.c: what all workers count, in memory that they share --- */
struct relay_table;

struct relay_sums {
    uint64_t connections, open, errors, to_target, to_client;
};

/* Before the workers start. `writers`: threads or processes that count at the same time. NULL: no memory. */
struct relay_table *relay_table_new(unsigned writers);
void relay_table_free(struct relay_table *);
/* A place to count in for the calling thread; NULL: none is left. */
struct weir_relay_counts *relay_table_claim(struct relay_table *);
/* The thread ends; what it counted stays. */
void relay_table_release(struct weir_relay_counts *);
struct weir_relay_rate *relay_table_rate(struct relay_table *);
void relay_table_sum(const struct relay_table *, struct relay_sums *out);

/* --- relay_live.c: what it came to, for people and programs --- */
/* A process that redraws one line a second on standard error, until relay_live_stop(). -1: there is none. */
struct relay_live {
    int process;
    int alive; /* a pipe's end: it ends when this is closed everywhere */
};
struct relay_live relay_live_start(const struct relay_table *);
void relay_live_stop(struct relay_live *);
/* To standard error: "weir relay: 12 connections, ...". */
void relay_say_sums(const struct relay_sums *);
/* To standard output: one object. */
void relay_json(const struct relay_sums *, uint64_t ns);
