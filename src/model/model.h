/*
 * model/model.h: a concurrency model, as the supervisor sees it, and what it is given to work with.
 *
 * A model is one function that runs in a worker process: it accepts from the worker's listeners and looks after the
 * connections until `stop` is readable or hung up, answers what is queued, lets what is under way finish, and returns.
 * The supervisor bounds that (--grace), starts a successor when the worker dies, and owns what must survive it.
 */
#pragma once

#include "stream/impl.h"

#include <weir/server.h>

#include <time.h>

struct worker {
    const struct weir_server *server; /* borrowed; settled: nothing is left NULL or 0 */
    const struct weir_service *service;
    struct weir_listener *const
        *listeners; /* borrowed; the model releases their sockets when it has stopped */
    unsigned listener_count;
    unsigned number; /* from 1 */
    int stop;        /* readable or hung up: stop. Never read from */
    int news;        /* news_say() writes here */
};

struct model {
    struct weir_model_info info;
    bool processes; /* --workers counts worker processes; else there is one worker */
    bool reuseport; /* each worker has listeners of its own */
    bool once;      /* no listener; when the worker has ended, so has the server */
    /* 0 after a stop; -errno: it could not start. */
    int (*run)(const struct worker *);
};

/* NULL: no such model. */
const struct model *model_find(const char *name);

int sequential_run(const struct worker *);
int fork_wait_run(const struct worker *);
int fork_run(const struct worker *);
int thread_run(const struct worker *);
int pool_run(const struct worker *);
int prefork_run(const struct worker *);
int event_run(const struct worker *);

static inline uint64_t mono_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * WEIR_NS_PER_S + (uint64_t)now.tv_nsec;
}

/* A timeout for poll(2) until `at_ns`, rounded up; -1 for 0, which is never. */
static inline int wait_ms_until(uint64_t at_ns)
{
    uint64_t now = mono_ns();
    if (!at_ns)
        return -1;
    uint64_t ms = at_ns > now ? (at_ns - now) / WEIR_NS_PER_MS + 1 : 0;
    return ms < 60000 ? (int)ms : 60000;
}
