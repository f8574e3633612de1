/*
 * model/crowd.h: an acceptor that gives each connection a place of its own, up to a bound: what fork and thread have in
 * common. They say how a place is started and how it is known that places became free.
 *
 * At the bound nobody is accepted. If somebody waits meanwhile, `busy` is readable, which those who hold places watch:
 * the ones at rest leave.
 */
#pragma once

#include "model/gate.h"

struct crowd {
    struct gate gate;
    unsigned count, max; /* places taken */
    int busy;            /* eventfd, readable: somebody waits for a place */
    int ended;           /* descriptor, readable: places became free */
    bool raised;         /* busy is readable */
    bool holding;        /* `client` was accepted, and no place could be started for it yet */
    struct weir_stream client;
    /* Starts a place for the client: 0; -errno: the client is untouched, try again later. */
    int (*start)(struct crowd *, struct weir_stream *client);
    /* How many places became free since the last call; never waits. */
    unsigned (*reap)(struct crowd *);
};

/* Owns `ended`. Runs until stopped and all places are free. 0 or -errno. */
int crowd_run(struct crowd *, const struct worker *);
