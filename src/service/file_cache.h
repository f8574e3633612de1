/*
 * service/file_cache.h: what was asked for lately, one cache a worker: no locks, bounded in bytes and files. An entry is what
 * a path names; with it are its representations that were used, one a coding: small ones are ready replies, of larger ones the
 * descriptor stays open, so that an answer needs no name looked up.
 *
 * A name is compared with its file when it is used, at most once a second, an open file at every use: what changes in place
 * would otherwise go out under the fields of what was there before. Names that led nowhere are not kept. What is in use longest
 * ago leaves first; a descriptor nobody asked for in a while is closed, since it keeps a deleted file on the disk.
 */
#pragma once

#include "service/folder.h"

#include <stdatomic.h>

#define FILE_CACHE_BUCKETS 4096

/* Descriptors that all caches of a process may keep: threads share one table of them. */
struct file_budget {
    atomic_uint open;
    unsigned max;
};

/* Zeroes are defaults. */
struct file_cache_options {
    uint64_t ready_bytes; /* all ready replies of a worker */
    uint64_t ready_max;   /* the largest file that becomes one */
    unsigned ready_files; /* how many */
    unsigned open_files;  /* larger files that stay open; of a process */
};

/* What a path names. Counted; the cache holds those that have a representation in it. */
struct entry {
    struct weir_ref ref;
    struct entry *chain;
    uint64_t hash, checked_ns;
    uint64_t looked_ns; /* for neighbours */
    uint64_t later_ns;  /* nothing is coded before */
    const struct folder *folder;
    struct stamp stamp;
    struct stat st;
    int fd;       /* just opened; -1: used, or closed */
    bool settled; /* may be kept */
    bool kept;
    bool varies;    /* there are or may be other codings of it */
    uint8_t beside; /* codings that lie beside it, as bits */
    uint8_t made;   /* codings that can be made of it */
    const char *type, *cache_control;
    struct weir_bytes path; /* as asked for, clean */
    const char *name;       /* below the root */
    struct file *as[CODINGS];
    size_t memory;
};

struct file_ages {
    struct file *oldest, *newest;
    unsigned count;
};

struct file_cache {
    struct entry *buckets[FILE_CACHE_BUCKETS];
    struct file_ages ready, open;
    size_t memory;
    struct file_cache_options options; /* without zeroes */
    struct file_budget *budget; /* borrowed: from who made the cache; NULL: no file is kept open */
};

/* Sets what was left zero. */
void file_cache_defaults(struct file_cache_options *);
/* What a clean path names, looked at lately enough; one that ends with a slash means its index.html. The caller gets a hold of
 * its own. Errors as file_open(). */
WEIR_CHECKED int file_cache_find(struct file_cache *, const struct folder *, struct weir_bytes path,
                                 struct weir_now, struct entry **out);
/* The coding to answer with: the one the client likes best, of those what lies there before what would have to be made, of
 * those the one the server prefers. `without`: not these, as bits. -1: none will do. */
int entry_pick(const struct entry *, struct accept, unsigned without);
/* That representation; the caller gets a hold of its own. -ENOENT: it has to be coded first; -EFBIG: it cannot be had; -ESTALE:
 * the entry is out of date and was let go of, find it again; -ENOMEM ... */
WEIR_CHECKED int file_cache_load(struct file_cache *, struct entry *, enum coding, struct weir_now,
                                 struct file **out);
/* The plain file, to be coded: -ESTALE as above. */
WEIR_CHECKED int file_cache_source(struct file_cache *, struct entry *, int *out_fd);
/* Closes what was not used for LIMIT_FILE_OPEN_MS. Returns when to call it again (mono_ns), 0: there is nothing to close. */
uint64_t file_cache_expire(struct file_cache *, uint64_t now_ns);
/* Lets go of all. The struct may be zeroed memory. */
void file_cache_done(struct file_cache *);
