/*
 * service/rules.h: what a site does beside answering: addresses that have moved, and fields that all its answers carry.
 * Read once, before any worker, and only looked at from then on.
 */
#pragma once

#include "tbl/limits_sites.h"

#include <weir/http.h>

struct text;

/* "/old=/new", "/old/\*=https://example.org/new/\*" (without the backslashes), "/old=302 /new": the star stands for the rest of the path. */
struct redirect {
    struct weir_bytes from; /* a clean path; up to its slash where there was a star */
    struct weir_bytes to;   /* up to the star */
    unsigned status;        /* of a rewrite 0 */
    bool rest;              /* what is below `from`, too: it goes behind `to` */
};

struct redirects {
    struct redirect at[LIMIT_SITE_REDIRECTS];
    unsigned count;
};

/* "Name: value"; without a value: what was set further out is taken back. */
struct field_rule {
    char name[64];
    const char *value; /* borrowed; "" removes */
};

struct rules {
    struct redirects redirects;
    struct redirects rewrites; /* an address inside this site answers; the client is not told */
    struct field_rule fields[LIMIT_SITE_FIELDS];
    unsigned field_count;
};

/* The texts are borrowed as long as the rules live. 0; -EINVAL: it is not written like that; -ENOSPC; -EEXIST: that path has a redirect. */
WEIR_CHECKED int rules_add_redirect(struct rules *, const char *text);
/* The same within the site, without a status. */
WEIR_CHECKED int rules_add_rewrite(struct rules *, const char *text);
/* One of the same name is replaced: so sites and mounts change what was said before them. */
WEIR_CHECKED int rules_add_field(struct rules *, const char *text);
/* What keeps pages from being misused where browsers can help: nosniff, no frames of others, short referrers, own content only. */
WEIR_CHECKED int rules_add_security(struct rules *);

/* For a clean path, the first that fits; NULL: it has not moved. */
const struct redirect *rules_find(const struct redirects *, struct weir_bytes path);
/* Where to. */
void redirect_target(const struct redirect *, struct weir_bytes path, struct weir_bytes query,
                     struct text *);
/* Sets the fields of an answer that has not begun. `files`: of a file, which is never sniffed and says so itself. */
WEIR_CHECKED int rules_set_fields(const struct rules *, struct weir_exchange *, bool files);

/* Its config is a struct redirect. */
extern const struct weir_handler redirect_handler;
