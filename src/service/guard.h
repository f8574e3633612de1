/*
 * service/guard.h: who may have what a site or one of its mounts answers: addresses, a rate, passwords. Made once, before any worker, and
 * only read from then on.
 */
#pragma once

#include "service/auth.h"
#include "service/guards.h"

struct guard {
    struct access access;
    struct quota rate;     /* every_ns 0: none */
    const char *rate_said; /* borrowed; places that inherit the same words count together */
    struct auth *auth;     /* borrowed: from the sites; NULL: none */
    struct guards *guards; /* borrowed likewise */
};

static inline bool guard_wanted(const struct guard *guard)
{
    return guard->access.count > 0 || guard->rate.every_ns > 0 || guard->auth;
}
/* NULL: he may go on. Else who answers for now. */
const struct weir_handler *guard_check(const struct guard *, struct weir_exchange *,
                                       const void **out_config);
/* An error page with Retry-After; `limit` is what struck. */
int guard_reply_later(struct weir_exchange *, unsigned status, uint64_t wait_ns, const char *limit);
