/*
 * load/bench_server.h: a server as a child process of one's own, for a while: where it listens, what memory it takes, and
 * what CPU time it took in the end.
 */
#pragma once

#include <weir/server.h>

struct bench_server {
    pid_t pid; /* the supervisor */
    int pidfd;
    char endpoint[64]; /* "tcp:127.0.0.1:43117" */
};

/* On a free port. 0; -ETIMEDOUT, -EPROTO: it did not come up, and is gone. */
WEIR_CHECKED int bench_server_start(struct bench_server *, const struct weir_service *,
                                    const char *model, unsigned max_connections);
/* Proportional memory (Pss) of its whole tree, in bytes; 0: could not be read. */
uint64_t bench_server_memory(const struct bench_server *);
/* Stops it. User and system time of the whole tree, ended children included, in microseconds. */
double bench_server_stop(struct bench_server *);
