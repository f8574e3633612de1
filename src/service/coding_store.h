/*
 * service/coding_store.h: what files became by coding, as files of a folder of the server's own that all its workers share, so
 * that a file is coded once. Bounded in bytes: what was not used for longest leaves first.
 *
 * A result appears whole, by rename, under a name that says which file it was made of (inode, size, times) and how; so it is
 * never out of date. An empty one says that coding does not pay. Helpers write; finding one costs a loop one open.
 *
 * The locks are those of the file system, on files beside the results: they go with whoever dies, and only helpers take them.
 */
#pragma once

#include "service/coder.h"
#include "service/file.h"

#include <stdatomic.h>

struct coding_store {
    int dir; /* -1: nothing is kept, nothing is coded on the fly */
    char *
        path; /* of a folder of our own, to be removed at the end; NULL: it is the user's and stays */
    pid_t maker;          /* who removes it */
    uint64_t max;         /* bytes, counted in blocks */
    atomic_ullong *bytes; /* shared by all processes: what is there, counted anew by each sweep */
};

struct coding_key {
    struct stamp stamp; /* of the file */
    enum coding coding;
    int level;
};

/* `dir` NULL: a folder of our own (mode 0700) below $RUNTIME_DIRECTORY, $XDG_RUNTIME_DIR, $TMPDIR or /tmp, the first that can be
 * written. Also removes what servers that were killed have left there. -errno; -EPERM: others may write to `dir`. */
WEIR_CHECKED int coding_store_open(struct coding_store *, const char *dir, uint64_t max);
/* Removes a folder of our own, in the process that made it. The struct may be zeroed, with dir -1. */
void coding_store_close(struct coding_store *);
/* 0 and its descriptor; -ENOENT: not coded yet; -EFBIG: coding does not pay. */
WEIR_CHECKED int coding_store_find(const struct coding_store *, const struct coding_key *,
                                   int *out_fd);
/* On a helper: codes `from`, unless it is there by now. 0: a result (which may be that it does not pay) can be found; -ESTALE: the
 * file changed; -EAGAIN: all places are taken, or another codes the same file and takes long; -ENOSPC ... */
WEIR_CHECKED int coding_store_make(const struct coding_store *, const struct coding_key *,
                                   int from);
