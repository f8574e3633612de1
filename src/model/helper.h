/*
 * model/helper.h: a process beside the workers that a service asks for (weir_service.beside). It is started first, started again
 * when it dies, and ends last: every worker, and every process a worker forks, holds the writing end of a pipe whose hang-up
 * tells it that nobody is left.
 */
#pragma once

#include "model/restart.h"

#include <weir/server.h>

#include <signal.h>

struct helper {
    const struct weir_beside *row; /* borrowed: from the service */
    pid_t pid;                     /* 0: there is none now */
    struct restart restart;
    uint64_t start_ns; /* none now: start one then; 0: do not */
    int alive[2];
};

/* What the helper's process leaves behind of its parent's, right after the fork: among it every helper's writing end. */
struct helper_origin {
    const sigset_t *mask;
    int news; /* for what it has to say */
    void (*leave)(void *arg);
    void *arg;
};

/* 0 or -errno. */
WEIR_CHECKED int helper_init(struct helper *, const struct weir_beside *);
WEIR_CHECKED int helper_start(struct helper *, const struct helper_origin *);
void helper_signal(const struct helper *, int signal_number);
/* Was it the helper that died? Then it is started again when start_ns has come. */
bool helper_died(struct helper *, pid_t, unsigned *out_delay_ms);
/* All others have ended: it does its last work. true: it has ended; false: it had to be killed. */
bool helper_end(struct helper *, const struct helper_origin *, const struct weir_server *,
                int news);
void helper_done(struct helper *);
