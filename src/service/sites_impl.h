/*
 * service/sites_impl.h: the inside of sites, for service/sites.c and service/sites_guard.c.
 */
#pragma once

#include "service/route.h"
#include "service/site_names.h"
#include "service/sites.h"

/* A folder and its rules: what a site has, and each of its mounts. */
struct part {
    struct folder folder;
    struct rules rules;
    struct guard guard;
};

struct host {
    struct part part;
    struct part *mounts;
    size_t mount_count; /* opened */
    struct route route;
    struct cgi cgi[LIMIT_MOUNTS];
    const struct guard *cgi_guard[LIMIT_MOUNTS];
    size_t cgi_count; /* opened */
    unsigned log;     /* which access log */
};

/* Password files, each once. */
struct auths {
    struct auth auth;
    struct auths *next;
};

struct sites {
    struct site_names names;
    struct host *hosts;
    size_t count; /* opened, or being opened */
    struct cgi_options cgi_options;
    struct places *places;
    struct guards *guards; /* borrowed: from the site */
    struct auths *auths;
};

/* What guards a host, its mounts and its programs: a place below a mount has what that mount has, unless it says otherwise. 0 or -errno. */
WEIR_CHECKED int sites_open_guards(struct sites *, struct host *, const struct site_part *,
                                   struct sites_wrong *out);
void sites_close_guards(struct sites *);
