/*
 * model/listen.h: the supervisor's listeners. It opens them all, keeps them while the server runs, and hands each worker
 * its own: the same to all, or (event) a set a worker on the same addresses. So a successor inherits its
 * predecessor's queue, and no client in it is lost.
 */
#pragma once

#include "model/model.h"

struct listeners {
    unsigned endpoints, workers;
    struct weir_listener *
        *at; /* [workers][endpoints]; shared ones appear again in each row; owned by the first */
};

/* For so many worker processes; `reuseport`: a set each where the transport can. 0, or -errno with one line in `why`. */
int listeners_open(struct listeners *, const struct weir_server *, unsigned workers, bool reuseport,
                   char *why, size_t why_size);
/* The row of a worker, 0 is the first. */
struct weir_listener *const *listeners_of(const struct listeners *, unsigned worker);
/* In a worker, after fork: releases the sockets that are another's alone. */
void listeners_keep(struct listeners *, unsigned worker);
/* In a process that serves nobody, after fork: releases them all. */
void listeners_drop(struct listeners *);
/* In the supervisor; Unix paths are removed. Workers keep their copies of the sockets. */
void listeners_close(struct listeners *);
