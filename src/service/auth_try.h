/*
 * service/auth_try.h: a name and a password that a request came with, what they are compared with, and the numbers that it all counts under.
 * Numbers come of a keyed hash (service/guards.h).
 */
#pragma once

#include "service/auth.h"
#include "service/credentials.h"

/* Lies in the exchange's memory. */
struct
try {
    struct auth *auth;
    struct siphash_128 who; /* user, password and hash */
    /* The client wherever he asks, here, the user, and user and client together. */
    uint64_t from_number, client_number, user_number, pair_number;
    bool known; /* the user is in the file */
    char hash[PASSWORD_HASH_MAX];
    struct credentials said;
};

/* All but `said`, which is there. A user who is not in the file is compared with a hash all the same. */
void auth_try_fill(struct try *, struct auth *, const struct client *, const struct passwords *);
