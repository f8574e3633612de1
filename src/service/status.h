/*
 * service/status.h: the figures of a site (service/figures.h) over HTTP, below the path it is mounted at:
 *
 *   PATH          a page a person can watch; figures as text for whoever does not ask for HTML
 *   PATH/metrics  figures as text (Prometheus, exposition format 0.0.4)
 *   PATH/events   one JSON object a second, as server-sent events, for half a minute: then the browser comes again
 *
 * For this machine alone unless told otherwise.
 */
#pragma once

#include "service/figures.h"
#include "service/logs.h"
#include "service/net.h"
#include "tbl/limits.h"

#include <weir/http.h>

struct status {
    const struct figures *figures;
    const struct logs *logs; /* NULL: none */
    size_t prefix_len;       /* of the path it is mounted at */
    bool any;
    struct net allow[LIMIT_STATUS_ALLOW];
    unsigned allow_count;
};

/* "local" (which counts anyhow), "any", an address, or ADDRESS/BITS. -EINVAL; -ENOSPC. */
WEIR_CHECKED int status_allow(struct status *, const char *who);

/* config: struct status. */
extern const struct weir_handler status_handler;

/* status_text.c. false: there was no room for all of it. */
struct text;
bool status_metrics(const struct status *, struct text *);
/* One event, its empty line included. */
bool status_event(const struct status *, struct text *, struct weir_now);
