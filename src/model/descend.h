/*
 * model/descend.h: the processes that were left to us: children of workers that ended before them. The supervisor is their
 * subreaper, so that none outlives a stop that was cut short.
 */
#pragma once

#include <sys/types.h>

#define DESCEND_MAX    256
#define DESCEND_SPARED 4
struct descend {
    pid_t at[DESCEND_MAX]; /* children this process had before */
    unsigned count;
    pid_t spared[DESCEND_SPARED]; /* have work to do when all others are gone; 0: nobody */
    int subreaper_before;
};

void descend_begin(struct descend *);
/* Kills (SIGKILL) every child that this process did not have before; returns how many there were. */
unsigned descend_kill(const struct descend *);
void descend_end(const struct descend *);
