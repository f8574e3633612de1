/*
 * service/file.h: a regular file below a root, opened and ready to be an answer: its validators, its field lines, and
 * either its bytes or its descriptor. Counted: queued spans hold it.
 *
 * Names are resolved by openat2(2) from the root's descriptor with RESOLVE_BENEATH: no link, rename or dot leads out.
 */
#pragma once

#include <weir/base.h>

#include <sys/stat.h>

/* What tells that a file is still the one that was looked at. */
struct stamp {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec changed, modified;
};

struct file {
    struct weir_ref ref;
    /* the cache's own (file_cache.c) */
    struct file *chain, *older, *newer;
    uint64_t hash, checked_ns;
    bool used;

    struct stamp stamp;
    bool settled; /* not changed so lately that another change could go unseen */
    int fd;       /* -1: `body` has the bytes */
    const uint8_t *body;
    size_t size;
    int64_t modified_s;
    struct weir_bytes path; /* as asked for, clean */
    const char *name;       /* below the root */
    struct weir_bytes etag;
    struct weir_bytes fields; /* ready lines; those that a 304 repeats come first: */
    size_t fields_304;
    size_t memory; /* bytes of all this */
};

/* The root of a site: 0 and its descriptor, -ENOENT, -ENOTDIR, -EACCES, -ENOSYS (Linux before 5.6). */
WEIR_CHECKED int file_root_open(const char *root, int *out_fd);
/* Files of up to `ready_max` bytes are read into memory. `path` is clean and begins with a slash; one that ends with it means its index.html. The caller has the first hold.
 * -EISDIR: a folder, asked for without its slash; -ENOENT: nothing there, nothing regular, or a link that leads out;
 * -EACCES; -EMFILE, -ENOMEM ... */
WEIR_CHECKED int file_open(int root, struct weir_bytes path, struct weir_now, size_t ready_max,
                           struct file **out);
/* The file behind its descriptor is what it was: not written to, cut, replaced or deleted. */
bool file_unchanged(const struct file *);
/* Its name still means the same, unchanged file. */
bool file_same(const struct file *, int root);
