/*
 * service/coding_sweep.h: keeps the folder of a coding store within its bound, and the world clean of dead ones.
 */
#pragma once

#include <weir/base.h>

#include <stdatomic.h>

#define CODING_NAME_MAX 160
#define CODING_OWN                                                                                 \
    "." /* in front of the names of what is no result: locks, and what is being made */

/* What a result of that size counts for. */
uint64_t coding_sweep_blocks(uint64_t size);
/* Counts what is there; if it is more than `max`, those used longest ago go until a quarter is free. One process at a time:
 * others leave it to that one. */
void coding_sweep(int dir, uint64_t max, atomic_ullong *bytes);
/* Removes every file. */
void coding_sweep_all(int dir);
/* Removes folders below `path` that belong to this user and whose server was killed, but not the youngest: they may be about to
 * be locked. */
void coding_sweep_stale(const char *path, unsigned young_s);
