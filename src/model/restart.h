/*
 * model/restart.h: when a worker that died is started again: at once the first time, then later and later, so that one
 * that cannot live does not eat a core. It reads no clock.
 */
#pragma once

#include <weir/base.h>

struct restart {
    unsigned failures;   /* deaths in a row, none of them after a healthy life */
    uint64_t started_ns; /* when its last start was */
};

void restart_started(struct restart *, uint64_t now_ns);
/* It died: how long to wait before the next start, in milliseconds. */
unsigned restart_died(struct restart *, uint64_t now_ns);
