/*
 * service/quota.h: how often somebody may do something, counted for all workers together: a table in memory that all processes share
 * which are forked later. Lock-free; no slot is anybody's, so a worker that dies leaves nothing behind.
 *
 * Somebody is a number out of a keyed hash (base/siphash.h). The table has one size. A number can be in one of a few slots; when others
 * have them all, the one that has used least is forgotten, and starts anew: so nobody is locked out by how many others there are, and one who
 * uses much is the last to be forgotten.
 *
 * The rule is that of a virtual schedule (GCRA, ITU-T I.371): a slot holds the moment by which what was done is worn off.
 */
#pragma once

#include "tbl/limits.h"

#include <weir/base.h>

struct quotas;

/* One in so much time, and so many at once; zeroed: no rule. */
struct quota {
    uint64_t every_ns;
    uint32_t burst;
};

/* "10/s", "100/m burst 20", "5/h"; without a burst it is what comes in a second, at least 1. 0 or -EINVAL. */
WEIR_CHECKED int quota_read(struct weir_bytes text, struct quota *out);

WEIR_CHECKED int quotas_new(struct quotas **out); /* 0 or -ENOMEM */
void quotas_free(struct quotas *);                /* NULL is fine */

/* Does it once. 0; else it was not done, and may be in so many nanoseconds. */
uint64_t quota_take(struct quotas *, const struct quota *, uint64_t who, uint64_t now_ns);
/* For what counts only when it is over: may it be tried? Answers as quota_take(). Then it counts; however many were
 * tried meanwhile, no more than one beyond what is allowed is owed. */
uint64_t quota_wait(struct quotas *, const struct quota *, uint64_t who, uint64_t now_ns);
void quota_add(struct quotas *, const struct quota *, uint64_t who, uint64_t now_ns);
/* What was taken or added did not count after all. */
void quota_give(struct quotas *, const struct quota *, uint64_t who, uint64_t now_ns);
/* Remembers somebody for a time, and: is he remembered? In the same slots, where he is the last to be forgotten. While there is more than half of
 * the time left it is only looked at, so it can be called each time. */
void quota_note(struct quotas *, uint64_t who, uint64_t now_ns, uint64_t for_ns);
bool quota_noted(struct quotas *, uint64_t who, uint64_t now_ns);
