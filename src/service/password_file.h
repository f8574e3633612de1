/*
 * service/password_file.h: a password file that is looked at again while the server runs. What it says counts from one moment to the next;
 * one that cannot be read, or is wrong, changes nothing and is told once.
 *
 * Opened before any worker; from then on any thread may ask for what it says.
 */
#pragma once

#include "service/password.h"

#include <pthread.h>
#include <sys/stat.h>

/* All of such a file; the caller frees it. 0; -EFBIG: more than LIMIT_AUTH_FILE_BYTES; -ENOMEM; -errno of read(2). */
WEIR_CHECKED int password_file_text(int fd, char **out, size_t *out_len);

struct password_file {
    const char *name; /* borrowed */
    pthread_mutex_t lock;
    struct passwords *now;   /* held */
    struct timespec changed; /* of the file that was looked at last, good or bad */
    off_t size;
    ino_t inode;
    _Atomic(uint64_t) next_ns; /* not before */
    _Atomic(uint64_t) *told;   /* shared by all processes: which bad one was told of */
    mode_t mode;
};

/* What there is to say of a file that was changed for the worse. */
struct password_news {
    bool news;
    char text[400];
};

/* 0; -EINVAL and others of the file, with a line for people in `why`. */
WEIR_CHECKED int password_file_open(struct password_file *, const char *name, char *why,
                                    size_t why_size);
void password_file_close(struct password_file *); /* one that was zeroed is fine */
/* What it says now, held: passwords_drop(). Looks at the file once a second at most. */
struct passwords *password_file_get(struct password_file *, uint64_t now_ns,
                                    struct password_news *out);
