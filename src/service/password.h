/*
 * service/password.h: files of passwords: lines "user:hash", as htpasswd(1) and `weir passwd` write them, with hashes of crypt(5): yescrypt,
 * bcrypt, sha512-crypt. A hash that would take seconds to compare with is refused, and so is one that takes next to nothing.
 *
 * What was read never changes; a changed file is read anew (service/password_file.h).
 */
#pragma once

#include "tbl/limits.h"

#include <weir/base.h>

#include <stdatomic.h>

#define PASSWORD_HASH_MAX 128

struct password_entry {
    struct weir_bytes user;
    const char *hash;
    unsigned line;
};

/* Sorted by user. */
struct passwords {
    _Atomic(unsigned) holds;
    char *text; /* what the entries point to; owned */
    size_t count;
    struct password_entry entries[];
};

/* What is wrong with a hash goes into `why`. 0; -EINVAL. */
WEIR_CHECKED int password_hash_check(struct weir_bytes hash, char *why, size_t why_size);
/* A name that can be in such a file: no colon, no control characters, and not too long. */
bool password_user_valid(struct weir_bytes user);
/* 0; -EINVAL: *out_line is the line, `why` says what is wrong with it; -ENOMEM. The caller has the first hold. */
WEIR_CHECKED int passwords_read(const char *text, size_t len, struct passwords **out,
                                unsigned *out_line, char *why, size_t why_size);
void passwords_drop(struct passwords *); /* NULL is fine */
/* NULL: there is no such user. */
const struct password_entry *passwords_find(const struct passwords *, struct weir_bytes user);
/* Takes milliseconds, and memory of the hash's choice: on a helper thread. How long does not depend on where the two differ. */
bool password_matches(const char *password, const char *hash);
