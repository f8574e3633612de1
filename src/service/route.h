/*
 * service/route.h: who answers for which part of a site: mounts, found by whole segments of the path, the longest first.
 * "/api" answers for "/api" and "/api/x", not for "/apis". Made once, before any worker, and only read from then on.
 */
#pragma once

#include "tbl/limits.h"

#include <weir/base.h>

struct weir_handler;

struct mount {
    struct weir_bytes prefix; /* "/cgi-bin"; "" is everything. Borrowed: from whoever mounted it */
    const struct weir_handler *handler;
    const void *config; /* for the handler; borrowed likewise */
};

struct route {
    struct mount mounts[LIMIT_MOUNTS]; /* the longest prefix first */
    unsigned count;
};

/* How a prefix is written: a clean path of at least a slash; a slash at the end is left out. false: it is none. */
bool route_prefix(const char *text, size_t len, struct weir_bytes *out);
/* 0, -EINVAL: no clean path, -EEXIST: that prefix is taken, -ENOSPC: there are LIMIT_MOUNTS. */
WEIR_CHECKED int route_add(struct route *, const char *prefix, size_t len,
                           const struct weir_handler *, const void *config);
/* Who answers for that prefix, which is there, from now on. */
void route_change(struct route *, const char *prefix, size_t len, const struct weir_handler *,
                  const void *config);
/* For a clean path; NULL: nobody. */
const struct mount *route_find(const struct route *, struct weir_bytes path);
