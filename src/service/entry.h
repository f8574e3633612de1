/*
 * service/entry.h: the inside of struct entry, for file_cache.c alone.
 */
#pragma once

#include "service/file_cache.h"
#include "tbl/limits.h"

#define ENTRY_NAME_MAX                                                                             \
    (LIMIT_FILE_PATH_BYTES + 16) /* a name with an index and a neighbour's ending */

/* Errors as file_open(). The caller has the first hold, and entry->fd is open. */
WEIR_CHECKED int entry_new(const struct folder *, struct weir_bytes path, struct weir_now,
                           struct entry **out);
/* The name of the file as it is, or of its neighbour; in `name` unless that is the entry's own. */
const char *entry_name(const struct entry *, enum coding, char name[ENTRY_NAME_MAX]);
/* Opens it. -ESTALE: it is not what it was any more. */
WEIR_CHECKED int entry_open(const struct entry *, enum coding, int *out_fd, struct stat *out);
/* Coded neighbours that are there now, as bits. */
uint8_t entry_neighbours(const struct entry *);
