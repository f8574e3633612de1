#include "base/timers.h"

#include <string.h>

void timers_init(struct timers *t, uint64_t now_ns)
{
    memset(t, 0, sizeof(*t));
    t->tick = now_ns >> TIMERS_TICK_SHIFT;
}

void timers_forget(struct timers *t, struct timer *timer)
{
    if (!timer->at)
        return;
    *timer->at = timer->next;
    if (timer->next)
        timer->next->at = timer->at;
    timer->at = NULL;
    size_t slot = timer->tick % TIMERS_SLOTS;
    if (!t->slots[slot])
        t->used[slot / 64] &= ~(1ull << (slot % 64));
}

void timers_file(struct timers *t, struct timer *timer, uint64_t at_ns)
{
    /* Rounded up: an entry never comes out before its time by less than a tick, only to be filed again. */
    uint64_t tick = (at_ns >> TIMERS_TICK_SHIFT) + 1;
    if (timer->at && timer->tick <= tick)
        return;
    timers_forget(t, timer);
    if (tick < t->tick)
        tick = t->tick;
    if (tick >= t->tick + TIMERS_SLOTS)
        tick = t->tick + TIMERS_SLOTS - 1;
    size_t slot = tick % TIMERS_SLOTS;
    timer->tick = tick;
    timer->next = t->slots[slot];
    timer->at = &t->slots[slot];
    if (timer->next)
        timer->next->at = &timer->next;
    t->slots[slot] = timer;
    t->used[slot / 64] |= 1ull << (slot % 64);
}

/* The first used slot's tick at or after t->tick; UINT64_MAX: none. */
static uint64_t first_used(const struct timers *t)
{
    /* When it starts inside a word, that word is looked at again last: its low bits are the farthest ahead. */
    for (uint64_t ahead = 0; ahead < TIMERS_SLOTS;) {
        size_t slot = (t->tick + ahead) % TIMERS_SLOTS;
        uint64_t word = t->used[slot / 64] >> (slot % 64);
        if (word)
            return t->tick + ahead + (uint64_t)__builtin_ctzll(word);
        ahead += 64 - slot % 64;
    }
    return UINT64_MAX;
}

struct timer *timers_due(struct timers *t, uint64_t now_ns)
{
    uint64_t now = now_ns >> TIMERS_TICK_SHIFT;
    uint64_t tick = first_used(t);
    if (tick > now) {
        t->tick = now > t->tick ? now : t->tick;
        return NULL;
    }
    t->tick = tick;
    struct timer *timer = t->slots[tick % TIMERS_SLOTS];
    timers_forget(t, timer);
    return timer;
}

uint64_t timers_next(const struct timers *t)
{
    uint64_t tick = first_used(t);
    return tick == UINT64_MAX ? 0 : tick << TIMERS_TICK_SHIFT;
}
