/*
 * stream/spool_writer.h: the writer of a spool, for the three files that are its parts: opening and what a crash left
 * (spool_recover.c), appending and syncing (spool_write.c), beginning and removing segments (spool_retain.c).
 */
#pragma once

#include "stream/spool_format.h"
#include "tbl/limits.h"

#include <weir/spool.h>

#include <sys/uio.h>

struct weir_spool_writer {
    int folder, lock;
    int fd; /* the segment that grows, -1: none yet */
    struct spool_head head;
    struct weir_spool_options options;
    uint64_t end;     /* of the last whole frame in it */
    uint64_t number;  /* of the next message */
    uint64_t kept;    /* all before are acknowledged */
    uint64_t sync_at; /* mono_ns of the next fdatasync by time, 0: nothing to sync */
    uint64_t trim_at; /* mono_ns of the next look for files that are too old, 0: none */
    bool unsynced;
    bool torn;  /* bytes behind `end` could not be cut yet */
    int broken; /* what fdatasync said; for ever */
    struct weir_spool_trouble cut;
    struct iovec iov[2 * LIMIT_SPOOL_BATCH];
    uint8_t heads[LIMIT_SPOOL_BATCH][SPOOL_FRAME_BYTES];
};

/* Begins a segment with the message `first`. On failure everything is as it was. */
int spool_begin(struct weir_spool_writer *, uint64_t first) WEIR_CHECKED;
/* Removes what the options do not want to keep. What could not be removed is looked at again later. */
int spool_trim(struct weir_spool_writer *);
/* The segment that grows has messages older than keep_s, so it should end. */
bool spool_outlived(const struct weir_spool_writer *);
/* The largest number that a reader waits for. */
int spool_readers_most(int folder, uint64_t *out) WEIR_CHECKED;
