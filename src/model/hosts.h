/*
 * model/hosts.h: the threads of a pool. Each takes a guest from the queue, looks after it while there is work for it, and
 * gives it back: closed, or at rest.
 */
#pragma once

#include "model/handoff.h"
#include "model/model.h"

#include <semaphore.h>
#include <stdatomic.h>

struct host;

struct hosts {
    const struct worker *worker; /* borrowed */
    struct handoff handoff;
    int busy;             /* eventfd, readable: whoever rests leaves */
    int leave;            /* eventfd, always readable: for guests whose place is wanted */
    atomic_bool stopping; /* connections at rest end instead of coming back */
    struct host *at;
    unsigned count;
    sem_t ready; /* one has started, or could not */
};

/* 0, or -errno if not one thread could be started; fewer than wanted are reported. hosts_end() in both cases. */
int hosts_start(struct hosts *, const struct worker *);
/* Waits for all threads; the queue is empty. */
void hosts_end(struct hosts *);
