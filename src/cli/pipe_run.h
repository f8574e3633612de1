/*
 * cli/pipe_run.h: one run of `weir pipe`: what was asked for (pipe.c), and the pipeline until its end (pipe_run.c).
 */
#pragma once

#include "cli/pipe.h"

struct pipe_values {
    const char *meter, *timeout, *grace, *report, *size;
    bool bytes, json, sigpipe_fails, quiet;
};

enum pipe_phase { PIPE_RUNS, PIPE_ASKED, PIPE_KILLED, PIPE_GIVEN_UP };

struct pipe_run {
    const struct pipe_values *values; /* borrowed: from the command line, as are the commands */
    const char *const *commands;
    size_t count;
    struct weir_pipeline_options options;
    enum pipe_show show;
    uint64_t timeout_ns, grace_ns;  /* timeout 0: none */
    struct weir_pipeline *pipeline; /* owned, while it runs; so is `signals`, where they come */
    int signals;
    enum pipe_phase phase;
    uint64_t start_ns, deadline; /* of the phase */
    bool timed_out;
    bool interrupted; /* by a key: the terminal has shown it in the middle of a line */
    int stop_signal;  /* SIGTERM or SIGHUP came; 0: neither */
    struct pipe_live live;
    struct weir_stage stages[LIMIT_PIPELINE_STAGES];
    struct weir_joint joints[LIMIT_PIPELINE_STAGES];
};

/* Columns of a command in a complaint. */
#define PIPE_LABEL 200

/* Starts what `commands`, `count` and `options` say, sees it to its end and tells. Returns the exit status. */
int pipe_run(struct pipe_run *);
