/*
 * stream/spool_watch.h: wakes a reader when its segment grows or another one appears, by inotify(7).
 *
 * One watch on the segment and one on the folder for new names: commits of other readers wake nobody.
 */
#pragma once

#include <weir/base.h>

struct spool_watch {
    int fd;         /* -1: none yet; -2: it cannot be had */
    int segment;    /* the watch on it, -1: none */
    bool blind;     /* no watch can be had for the segment: it is looked at from time to time */
    bool there;     /* what was asked for: is there a segment, and ... */
    uint64_t first; /* which one */
};

void spool_watch_init(struct spool_watch *);
bool spool_watch_on(const struct spool_watch *);
/* Sees to it that this segment (`there`: it exists) is watched. What changed before may be unseen: look once more. */
void spool_watch_set(struct spool_watch *, int folder, bool there, uint64_t first);
/* Is it set to this? Also where nothing can be watched. */
bool spool_watch_is(const struct spool_watch *, bool there, uint64_t first);
/* Forgets what has happened so far. true: there may be new names in the folder. */
bool spool_watch_drain(struct spool_watch *);
/* Waits for something to happen, until the deadline, and in any case not for long: 0; -ETIMEDOUT: the deadline passed. */
int spool_watch_wait(struct spool_watch *, uint64_t deadline) WEIR_CHECKED;
void spool_watch_done(struct spool_watch *);
