/*
 * service/site_names.h: which site a name means: a table of whole names and of what "*." stands before. No memory beside it.
 */
#pragma once

#include "tbl/limits_sites.h"

#include <weir/base.h>

#define SITE_NAME_SLOTS (2 * LIMIT_SITE_NAMES)

struct site_name {
    uint8_t len; /* 0: nobody's */
    bool below;  /* "*.": `at` is what stands behind the star, with its dot */
    uint16_t site;
    char at[LIMIT_SITE_NAME + 1];
};

struct site_names {
    struct site_name *slots; /* SITE_NAME_SLOTS of them */
    unsigned count;
    int other; /* the site of "default"; -1: none */
};

/* "example.org", "*.example.org", "[::1]", "default". 0, -EINVAL: no name, -EEXIST: it is there, -ENOSPC: too many. */
WEIR_CHECKED int site_names_add(struct site_names *, struct weir_bytes name, unsigned site);
/* For a host as it was asked for, its port and a dot at the end do not count; -1: none. The whole name counts first, then the longest below. */
int site_names_find(const struct site_names *, struct weir_bytes host);
