/*
 * service/file_cache.h: ready replies of small hot files, one cache a worker: no locks, bounded in bytes and files.
 *
 * An entry is compared with its file when it is used, at most once a second; names that led nowhere are not kept. What is
 * in use longest ago leaves first (a second chance for what was used since).
 */
#pragma once

#include "service/file.h"

#define FILE_CACHE_BUCKETS 1024

struct file_cache {
    struct file *buckets[FILE_CACHE_BUCKETS];
    struct file *oldest, *newest;
    size_t memory;
    unsigned count;
};

/* As file_open(), from the cache if it can be. The caller gets a hold of its own. */
WEIR_CHECKED int file_cache_get(struct file_cache *, int root, struct weir_bytes path,
                                struct weir_now, struct file **out);
/* Lets go of all. The struct may be zeroed memory. */
void file_cache_done(struct file_cache *);
