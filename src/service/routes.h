/*
 * service/routes.h: the table of an application's routes (weir/routes.h): patterns of whole segments, the most particular first. Made
 * once, before any worker, and only read from then on. Mounted folders are in service/route.h.
 */
#pragma once

#include "service/route.h"
#include "tbl/limits_routes.h"

#include <weir/routes.h>

struct routes {
    const struct weir_route *rows[LIMIT_ROUTES]; /* borrowed; in the order they are tried */
    unsigned count;
};

/* 0; -EINVAL: no pattern, or a method that cannot be routed; -EEXIST: another answers the same; -ENOSPC. */
WEIR_CHECKED int routes_add(struct routes *, const struct weir_route *);
/* For a clean, decoded path; HEAD is answered by GET. NULL: nobody; then *out_allowed has the methods (1 << enum weir_method) that path
 * would have an answer for, 0: there is no such path. */
const struct weir_route *routes_find(const struct routes *, enum weir_method,
                                     struct weir_bytes path, unsigned *out_allowed);
/* Where the last request of a worker went: many a client asks for the same again. Zeroed at first. */
struct route_memo {
    uint8_t method, len; /* 0: nothing is remembered */
    char path[126];
    const struct weir_route *row;
};
/* The row of this very path, as it came; NULL: another one was asked for last. */
const struct weir_route *routes_recall(const struct route_memo *, enum weir_method,
                                       struct weir_bytes path);
void routes_remember(struct route_memo *, enum weir_method, struct weir_bytes path,
                     const struct weir_route *);
/* Writes the parameter and a NUL to `text`, which has room for the raw path and that. 0; -ENOENT: there is none of that name; -EINVAL: it
 * has a NUL. */
WEIR_CHECKED int route_parameter(const struct weir_route *, struct weir_bytes raw_path,
                                 const char *name, char *text);
/* "GET, HEAD, OPTIONS" */
#define ROUTES_ALLOW_MAX 80
const char *routes_allow(unsigned allowed, char text[ROUTES_ALLOW_MAX]);
