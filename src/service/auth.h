/*
 * service/auth.h: who asks? Basic authentication (RFC 7617) by a file of passwords. Comparing with a hash takes 16 ms and more by intention, so
 * it is done by a helper; who was right is remembered (service/auth_cache.h). Wrong ones are limited by client and by user, and an
 * unknown user costs what a known one does.
 */
#pragma once

#include "service/guards.h"
#include "service/password_file.h"

struct auth {
    struct password_file file;
    const char *name, *realm; /* as the options have them; borrowed */
    char challenge[LIMIT_AUTH_REALM + 40];
    struct guards *guards; /* borrowed: from the site */
};

/* What a thread has under way. Zeroed: nothing. */
struct auth_jobs {
    struct auth_job *first;
    unsigned count;
};

/* NULL: it can be said in a field between quotes; else what is wrong with it. */
const char *auth_realm_wrong(const char *realm);
/* 0 or -errno, with a line for people in `why`. */
WEIR_CHECKED int auth_open(struct auth *, const char *file, const char *realm, struct guards *,
                           char *why, size_t why_size);
void auth_close(struct auth *);
/* NULL: he may go on, and x->user says who he is. Else who answers for now. */
const struct weir_handler *auth_check(struct auth *, struct weir_exchange *, const struct client *,
                                      const void **out_config);
