/*
 * cli/passwd_file.h: a password file as `weir passwd` changes it: read, and replaced in one step, with the folder it lies in locked from the
 * one to the other, so that changes made at once do not undo each other. The folder, because it stays the same when a file in it is
 * replaced, and is there before the file is. Links stay: what they lead to is replaced.
 *
 * Each function complains by itself, and returns 0 or the exit status.
 */
#pragma once

#include "service/password.h"

#include <limits.h>
#include <sys/stat.h>

struct passwd_file {
    const char *name;    /* as it was said; borrowed */
    char path[PATH_MAX]; /* where links lead from there */
    const char *base;    /* its name within its folder; in `path` */
    int folder;          /* -1: it is only read */
    bool made;           /* there was none */
    struct stat at;
    char *text;
    size_t len;
    struct passwords *passwords; /* of the text */
};

/* To look at; it must be there. */
WEIR_CHECKED int passwd_file_read(struct passwd_file *, const char *name);
/* To change; one that is not there has no users. `locked`: with the lock, until it is closed; without, it shows what would go wrong. */
WEIR_CHECKED int passwd_file_open(struct passwd_file *, const char *name, bool locked);
/* `hash` is the user's from now on; NULL: he is in it no more. Of one that is locked. */
WEIR_CHECKED int passwd_file_set(const struct passwd_file *, const char *user, const char *hash);
void passwd_file_close(struct passwd_file *); /* also when it could not be opened */
