/*
 * world.h: a small server for the tests of both drivers: a thread that runs one service behind an abstract Unix
 * socket, under poll (one connection after the other) or epoll. Client sides are plain blocking descriptors.
 */
#pragma once

#include "drive/loop.h"

#include <pthread.h>

enum kind { KIND_POLL, KIND_EPOLL };

struct world {
    enum kind kind;
    const struct weir_service *service;
    struct weir_listener *listener;
    pthread_t thread;
    unsigned places;
    int stop[2];
    int result;
};

void world_start(struct world *, enum kind, const struct weir_service *);
/* The same behind "unix:" or "shm:". */
void world_start_at(struct world *, enum kind, const struct weir_service *, const char *scheme);
/* epoll with so many places (else 64). */
void world_start_few(struct world *, const struct weir_service *, unsigned places);
/* A connected client of a Unix socket; reads time out after 5 s. */
int world_client(struct world *);
/* Tells it to stop and waits for the end: all connections closed. */
void world_stop(struct world *);
/* CPU time of the server's thread so far. */
double world_cpu_s(struct world *);
