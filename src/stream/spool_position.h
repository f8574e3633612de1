/*
 * stream/spool_position.h: how far a reader came, in a file of two records that are written in turn, each with a generation and a
 * checksum: whatever happens to the one that is being written, the other one is whole.
 */
#pragma once

#include "stream/spool_format.h"

struct spool_position {
    struct spool_place place;
    uint64_t generation;
};

/* 1: it was there; 0: the file is empty, a new reader; -EBADMSG: neither record is whole. */
int spool_position_read(int fd, struct spool_position *out) WEIR_CHECKED;
/* Writes the other record. */
int spool_position_write(int fd, struct spool_position *, const struct spool_place *,
                         bool durable) WEIR_CHECKED;
/* Opens, or makes, and locks the file of a reader: a descriptor, -EINVAL: the name, -EBUSY. */
int spool_position_open(int folder, const char *name) WEIR_CHECKED;
