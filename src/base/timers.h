/*
 * base/timers.h: a timer wheel with coarse ticks, for very many deadlines that are nearly always moved or
 * forgotten before they pass (Varghese and Lauck, 1987). It reads no clock.
 *
 * It is lazy: an entry says when to look again, its owner knows the true deadline. Moving a deadline later costs
 * nothing (the owner is asked when the tick comes and files itself again); only moving it earlier than filed does.
 */
#pragma once

#include <weir/base.h>

#define TIMERS_TICK_SHIFT 25 /* 2^25 ns: a tick is 33.6 ms, fine enough for deadlines in seconds */
#define TIMERS_SLOTS      1024 /* 34 s; what lies further ahead is filed again once on the way */

struct timer {
    struct timer *next, **at; /* at NULL: not filed */
    uint64_t tick;
};

struct timers {
    uint64_t tick;                    /* all slots before this one have been looked at */
    uint64_t used[TIMERS_SLOTS / 64]; /* which slots hold an entry */
    struct timer *slots[TIMERS_SLOTS];
};

void timers_init(struct timers *, uint64_t now_ns);
/* Sees to it that the timer comes out of timers_due() at or up to a tick after `at_ns`, or earlier. */
void timers_file(struct timers *, struct timer *, uint64_t at_ns);
void timers_forget(struct timers *, struct timer *);
/* Takes one entry whose tick has passed, or NULL. Call until NULL; the caller files it again if it is too early. */
struct timer *timers_due(struct timers *, uint64_t now_ns);
/* When timers_due() can have something next, 0: never. */
uint64_t timers_next(const struct timers *);
