/*
 * drive/sim_impl.h: the inside of the simulation. Only sim.c (ends and time) and sim_ops.c (what machines ask of a driver)
 * include it.
 */
#pragma once

#include "base/pool.h"
#include "drive/sim.h"
#include "tbl/limits.h"

#define SIM_FD_FIRST 10000 /* above any descriptor of the process: a mistaken system call fails */

struct sim_end {
    struct sim *sim;
    struct sim_end *next;
    const char *name; /* borrowed; NULL: a client */
    struct weir_conn *conn;
    const struct weir_protocol *real;
    struct weir_protocol witness; /* as `real`, but close() is counted */
    uint8_t *input;               /* all the peer sent */
    size_t input_len, input_size, input_at;
    size_t cut; /* index of the next cut */
    uint8_t *output;
    size_t output_len, output_size;
    uint64_t window;
    uint64_t break_at;
    size_t hot_used; /* bytes of the hot buffer that must not be looked at after the turn */
    unsigned want;
    unsigned wake_rounds; /* > 0: a turn after so many rounds */
    unsigned closes;
    int why;
    bool ready;
    bool bound; /* a peer that was dialled, spawned or adopted */
    bool eof, eof_read;
    bool reset, broken;
    bool deaf;
    bool closed_by_reset;
    bool ended, closed;
};

struct sim_child {
    struct sim_child *next;
    const char *argv0; /* borrowed */
    void (*ended)(void *arg, int status);
    void *arg;
    int pid;
};

struct sim_file {
    const uint8_t *bytes;
    size_t len;
    unsigned waited;
};

struct sim {
    struct weir_driver base;
    struct sim_options options;
    struct weir_pool pool;
    uint64_t dice;   /* cuts and faults */
    uint64_t secret; /* random(): not from the seed, so that runs can be compared */
    struct sim_end *ends, **ends_tail;
    unsigned end_count;
    struct sim_child *children;
    struct weir_job *jobs, **jobs_tail;
    unsigned job_count;
    unsigned job_wait; /* rounds until the first job is done */
    struct sim_file files[LIMIT_SIM_FILES];
    unsigned file_count;
    int pid_last;
    int error; /* sticky: the simulation itself failed */
};

extern const struct weir_driver_ops sim_ops;

uint64_t sim_random(uint64_t *state);
/* True once in `n` times, if there are faults at all. */
bool sim_fault(struct sim *, unsigned n);
/* 1 to `max`, small ones more often. */
size_t sim_size(struct sim *, size_t max);
struct sim_end *sim_end_new(struct sim *, const char *name);
/* Makes the connection of an end. false: no memory. */
bool sim_bind(struct sim_end *, const struct weir_protocol *, const void *config);
/* NULL: not one of ours. */
struct sim_file *sim_file_of(struct sim *, int fd);
/* One round passes for jobs. true: there are some. */
bool sim_jobs_round(struct sim *);
void sim_jobs_cancel(struct sim *);
