/*
 * service/places.h: how many may do something at once, whichever worker, process or thread they are in: programs that run, passwords
 * that are compared. Each place has the number of the process that took it, so that one which was killed leaves no place behind that
 * nobody can take, and a tag of the client it was taken for.
 */
#pragma once

#include <weir/base.h>

struct places;

/* In memory that all processes share which are forked later. 0 or -ENOMEM. */
WEIR_CHECKED int places_new(unsigned count, struct places **out);
void places_free(struct places *); /* NULL is fine */
/* A place's number, for that client (a keyed hash); -EAGAIN: all are taken, or `share` of them by him. */
WEIR_CHECKED int places_take(struct places *, uint64_t who, unsigned share);
void places_give(struct places *, int place);
