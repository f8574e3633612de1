/*
 * stream/spool_reader.h: a reader of a spool, for the files that are its parts: the calls (spool_read.c) and the way from
 * one segment to the next (spool_move.c).
 */
#pragma once

#include "stream/spool_position.h"
#include "stream/spool_segment.h"
#include "stream/spool_watch.h"

#include <weir/spool.h>

struct weir_spool_reader {
    int folder;
    int fd;          /* of the segment it is in, -1: it is to be opened */
    int position_fd; /* -1: the reader has no name */
    bool skip, durable;
    struct spool_head head;   /* of that segment */
    struct spool_place place; /* of the next message */
    struct spool_position position;
    struct spool_window window;
    struct spool_watch watch;
    uint64_t listed_at; /* mono_ns: the folder had no segment behind this one, 0: not looked yet */
    uint64_t missed;    /* to be told with the next message */
    struct weir_spool_trouble trouble;
};

/* Opens the segment of the place. 1; 0: it cannot be read and is to be skipped; -ENOENT; -EBADMSG; -errno. */
int spool_settle(struct weir_spool_reader *) WEIR_CHECKED;
/* Nothing whole lies at the place: into the next segment, if there is one. 1: look (again); 0: this is the end for now;
 * -EBADMSG; -errno. */
int spool_move(struct weir_spool_reader *) WEIR_CHECKED;
/* Damage from `offset` of the place's segment on: 0 if it is to be skipped, else -EBADMSG. */
int spool_damaged(struct weir_spool_reader *, uint64_t offset, uint64_t end,
                  const char *what) WEIR_CHECKED;
