/*
 * stream/spool_folder.h: the files of a spool's folder: NUMBER.seg, NAME.reader and lock.
 */
#pragma once

#include "stream/spool_format.h"

#define SPOOL_NAME_BYTES 32 /* of a segment's file name */

/* The segments' first numbers, in order. */
struct spool_list {
    uint64_t *at;
    size_t count, room;
};

/* No segment is left out that others lie behind, while a writer adds and removes some; the newest may not be seen yet. -EOVERFLOW, -ENOMEM. */
int spool_list(int folder, struct spool_list *out) WEIR_CHECKED;
void spool_list_free(struct spool_list *);
/* The first segment that begins behind `first`; false: there is none. */
bool spool_list_after(const struct spool_list *, uint64_t first, uint64_t *out);
bool spool_list_has(const struct spool_list *, uint64_t first);

const char *spool_segment_name(uint64_t first, char name[SPOOL_NAME_BYTES]);
/* A descriptor, or -errno. */
int spool_segment_open(int folder, uint64_t first, int flags) WEIR_CHECKED;
/* Makes the file with its head under its name at once, or not at all. `durable`: also after a power failure. */
int spool_segment_create(int folder, const struct spool_head *, bool durable) WEIR_CHECKED;
/* 0 with at least one good copy (*out_spoilt: the other one is not); -EBADMSG: none. */
int spool_segment_head(int fd, uint64_t first, struct spool_head *out,
                       bool *out_spoilt) WEIR_CHECKED;

/* For this open file, until it is closed by all who have it. -EBUSY. */
int spool_lock(int fd) WEIR_CHECKED;
/* Opens, locks and signs the writer's lock: a descriptor, or -EBUSY. */
int spool_lock_writer(int folder) WEIR_CHECKED;
/* The process that wrote its number into the lock of that folder; 0: not known. */
pid_t spool_lock_holder(const char *folder);

/* Calls `visit` with each reader's name and file, until it returns something else than 0. */
int spool_readers(int folder, int (*visit)(void *arg, const char *name, int fd),
                  void *arg) WEIR_CHECKED;
