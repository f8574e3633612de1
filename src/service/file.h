/*
 * service/file.h: a representation of a resource, ready to be an answer: its validators, its field lines, and either its bytes or
 * its descriptor. Of a file as it is, of a coded neighbour of it, or of what coding made of it. Counted: queued spans hold it.
 *
 * Names are resolved by openat2(2) from the root's descriptor with RESOLVE_BENEATH: no link, rename or dot leads out.
 */
#pragma once

#include "http/negotiate.h"

#include <weir/base.h>

#include <sys/stat.h>

/* What tells that a file is still the one that was looked at. */
struct stamp {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec changed, modified;
};

struct entry;

struct file {
    struct weir_ref ref;
    /* the cache's own (file_cache.c) */
    struct entry *entry; /* borrowed: while the cache has this file */
    struct file *older, *newer;
    uint64_t used_ns;
    bool used;

    struct stamp stamp;
    enum coding coding;
    bool made; /* by coding: no name below the root leads to it */
    int fd;    /* -1: `body` has the bytes */
    const uint8_t *body;
    size_t size;
    int64_t modified_s;
    struct weir_bytes etag;
    struct weir_bytes fields; /* ready lines; those that a 304 repeats come first: */
    size_t fields_304;
    size_t memory; /* bytes of all this */
};

/* What its field lines say besides. */
struct file_words {
    const char *type;
    const char *cache_control; /* NULL: none */
    bool varies;               /* other codings of it can be had */
    enum coding coding;
    const char *tag;            /* NULL: as it is on the disk; else how it was made of: */
    const struct stamp *source; /* which names it then, in its entity tag */
};

struct stamp stamp_of(const struct stat *);
bool stamp_same(const struct stamp *, const struct stamp *);
/* Not changed so lately that another change could go unseen. */
bool stamp_settled(const struct stamp *, struct weir_now);

/* The root of a site: 0 and its descriptor, -ENOENT, -ENOTDIR, -EACCES, -ENOSYS (Linux before 5.6). */
WEIR_CHECKED int file_root_open(const char *root, int *out_fd);
/* Opens a regular file by its clean name below the root, without a slash in front. -EISDIR: a folder; -ENOENT: nothing there,
 * nothing regular, or a link that leads out; -EACCES; -EMFILE, -ENOMEM ... */
WEIR_CHECKED int file_open(int root, const char *name, int *out_fd, struct stat *out);
/* The same for a folder, to be read. "." is the root. */
WEIR_CHECKED int file_open_folder(int root, const char *name, int *out_fd);
/* What a name means, a link followed as long as it stays below the root. */
WEIR_CHECKED int file_look(int root, const char *name, struct stat *out);
/* Takes the descriptor over (also on failure: it is closed). Files of up to `ready_max` bytes are read into memory. The caller has
 * the first hold. 0 or -ENOMEM. */
WEIR_CHECKED int file_load(int fd, const struct stat *, const struct file_words *, struct weir_now,
                           size_t ready_max, struct file **out);
/* The file behind its descriptor is what it was: not written to, cut, replaced or deleted. */
bool file_unchanged(const struct file *);
/* The name still means the same, unchanged file. */
bool file_same(const struct stamp *, int root, const char *name);
