/*
 * service/sites.h: several sites behind one server, found by the name a client asks for: a whole name, a name below one
 * ("*.example.org"), or "default", for all others. Each has its folder, mounts that match whole segments of the path, programs
 * and rules (service/rules.h). Made once, before any worker, and only read from then on.
 */
#pragma once

#include "service/cgi.h"
#include "service/folder.h"
#include "service/rules.h"

struct sites;

/* A site, or a mount of one; borrowed until sites_close(). */
struct site_part {
    const char
        *name; /* "example.org www.example.org *.example.org", or "default"; of a mount: "/docs" */
    const char *root;
    struct folder_options folder;
    struct folder_words fields, redirects; /* fields: those said further out before */
    bool security;
    struct folder_words cgi;        /* of a site only */
    const struct site_part *mounts; /* of a site only */
    size_t mount_count;
};

struct sites_options {
    const struct site_part *at;
    size_t count;
};

/* What came of looking: for those who explain. */
struct sites_answer {
    size_t site, mount;              /* places in the options; SIZE_MAX: none */
    const struct redirect *redirect; /* NULL: none */
    const struct rules *rules;       /* whose fields go out; NULL: no site */
    const struct weir_handler *handler;
    const void *config;
};

/* 0, or -errno. -EINVAL: a name or rule is wrong, -EEXIST: there twice, -ENOSPC: too many; *out_part is what it was about, out_what
 * the word, NULL: its root. `options` of programs is borrowed; places are made if there are any. */
WEIR_CHECKED int sites_open(const struct sites_options *, const struct cgi_options *,
                            struct sites **out, const struct site_part **out_part,
                            const char **out_what);
void sites_close(struct sites *); /* NULL is fine */

/* Who answers for that name and that clean path? */
void sites_find(const struct sites *, struct weir_bytes host, struct weir_bytes path,
                struct sites_answer *out);
/* As `route` of weir_http; fields are set. */
const struct weir_handler *sites_route(const struct sites *, struct weir_exchange *,
                                       const void **out_config);
/* As `error_page` of weir_http. */
bool sites_error_page(const struct sites *, struct weir_exchange *, unsigned status);
/* Can all of them code files on the fly? */
bool sites_code(const struct sites *);
