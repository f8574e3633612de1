/*
 * service/headcount.h: how many connections each client has, counted for all workers together, in memory that all processes share which
 * are forked later. Lock-free. A slot belongs to one client in one process; of a process that was killed, slots are taken back when their
 * client would be refused, or when room is needed.
 *
 * Where the slots that a client can be in are full of others, it is not counted: nobody is locked out by how many others there are.
 */
#pragma once

#include "tbl/limits.h"

#include <weir/base.h>

struct headcount;

WEIR_CHECKED int headcount_new(struct headcount **out); /* 0 or -ENOMEM */
void headcount_free(struct headcount *);                /* NULL is fine */
/* One more connection of that client (a keyed hash), unless it has `max`. Workers that look at the same moment may let one more in each. */
bool headcount_enter(struct headcount *, uint64_t who, unsigned max);
/* In the process that entered. */
void headcount_leave(struct headcount *, uint64_t who);
