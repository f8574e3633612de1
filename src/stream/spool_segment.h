/*
 * stream/spool_segment.h: reads the frames of one segment, and tells a whole one from an unfinished and a damaged one.
 *
 * It reads with pread(2) into memory of its own, never by mapping: a writer may cut the file at any time. It is used by readers,
 * by a writer that opens, and by the check. The file may grow meanwhile.
 */
#pragma once

#include "stream/spool_format.h"

/* Bytes of a file, read ahead. */
struct spool_window {
    int fd; /* borrowed */
    uint8_t *bytes;
    size_t size, len;
    uint64_t at; /* where in the file `bytes` begins */
};

/* Allocates nothing yet. */
void spool_window_init(struct spool_window *, int fd);
/* The next look is into the file. */
void spool_window_forget(struct spool_window *);
/* How many bytes there are at `offset`: at least `want`, or all to the end of the file. -errno. */
ssize_t spool_window_see(struct spool_window *, uint64_t offset, size_t want,
                         const uint8_t **out) WEIR_CHECKED;
void spool_window_done(struct spool_window *);

enum spool_look {
    SPOOL_END,    /* nothing */
    SPOOL_FRAME,  /* a whole one */
    SPOOL_TORN,   /* the file ends within a frame: it is being written, or its writer died */
    SPOOL_SPOILT, /* no whole frame from here to the end of the file, though there is room for one */
    SPOOL_DAMAGE, /* no whole frame here; the next one is at `next` */
};

struct spool_seen {
    uint64_t offset;
    uint64_t next;   /* FRAME: behind it; DAMAGE: the next whole one; else the end of the file */
    uint64_t number; /* of this message; DAMAGE: of the next whole one */
    const uint8_t *bytes; /* FRAME: the message, until the next look */
    size_t len;
};

/* What lies at `offset`, where message `least` or a later one is expected: enum spool_look, or -errno. */
int spool_look(struct spool_window *, const struct spool_head *, uint64_t offset, uint64_t least,
               struct spool_seen *out) WEIR_CHECKED;

/* Passes over everything: where the last whole frame ends, the number after it, and what lies behind it (END, TORN or
 * SPOILT, returned). */
int spool_find_end(struct spool_window *, const struct spool_head *, struct spool_place *out,
                   struct spool_seen *out_rest) WEIR_CHECKED;
