/*
 * service/file_cache.h: files that were asked for lately, one cache a worker: no locks, bounded in bytes and files. Small
 * ones are ready replies; of larger ones the descriptor stays open, so that an answer needs no name looked up.
 *
 * A name is compared with its file when it is used, at most once a second, an open file at every use: what changes in place
 * would otherwise go out under the fields of what was there before. Names that led nowhere are not kept. What is in use longest
 * ago leaves first; a descriptor nobody asked for in a while is closed, since it keeps a deleted file on the disk.
 */
#pragma once

#include "service/file.h"

#include <stdatomic.h>

#define FILE_CACHE_BUCKETS 4096

/* Descriptors that all caches of a process may keep: threads share one table of them. */
struct file_budget {
    atomic_uint open;
    unsigned max;
};

struct file_ages {
    struct file *oldest, *newest;
    unsigned count;
};

struct file_cache {
    struct file *buckets[FILE_CACHE_BUCKETS];
    struct file_ages ready, open;
    size_t memory;
    struct file_budget *budget; /* borrowed: from who made the cache; NULL: no file is kept open */
};

/* As file_open(), from the cache if it can be. The caller gets a hold of its own. */
WEIR_CHECKED int file_cache_get(struct file_cache *, int root, struct weir_bytes path,
                                struct weir_now, struct file **out);
/* Closes what was not used for LIMIT_FILE_OPEN_MS. Returns when to call it again (mono_ns), 0: there is nothing to close. */
uint64_t file_cache_expire(struct file_cache *, uint64_t now_ns);
/* Lets go of all. The struct may be zeroed memory. */
void file_cache_done(struct file_cache *);
