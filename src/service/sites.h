/*
 * service/sites.h: several sites behind one server, found by the name a client asks for: a whole name, a name below one
 * ("*.example.org"), or "default", for all others. Each has its folder, mounts that match whole segments of the path, programs
 * and rules (service/rules.h). Made once, before any worker, and only read from then on.
 */
#pragma once

#include "service/cgi.h"
#include "service/folder.h"
#include "service/guard.h"
#include "service/rules.h"

struct sites;

/* A site, or a mount of one; borrowed until sites_close(). */
struct site_part {
    const char
        *name; /* "example.org www.example.org *.example.org", or "default"; of a mount: "/docs" */
    const char *root;
    struct folder_options folder;
    struct folder_words fields, redirects; /* fields: those said further out before */
    struct folder_words rewrites;          /* of a site only */
    bool security;
    struct folder_words access;      /* those said further in before */
    const char *rate, *auth, *realm; /* NULL, or auth "off": none */
    const char *access_log;          /* of a site only; as the server's, or one of its own */
    struct folder_words cgi;         /* of a site only */
    const struct site_part *mounts;  /* of a site only */
    size_t mount_count;
};

struct sites_options {
    const struct site_part *at;
    size_t count;
};

/* Why they cannot be opened. */
struct sites_wrong {
    const struct site_part *part;
    const char *what; /* the word it is about; NULL: the root of the part */
    char why[500];    /* "": the error says it all */
};

/* What came of looking: for those who explain. */
struct sites_answer {
    size_t site, mount;              /* places in the options; SIZE_MAX: none */
    const struct redirect *redirect; /* NULL: none */
    const struct redirect *rewrite;  /* likewise */
    struct weir_bytes target;        /* ... and where it leads to; in the room */
    const struct rules *rules;       /* whose fields go out; NULL: no site */
    const struct guard *guard;       /* likewise */
    const struct weir_handler *handler;
    const void *config;
};

/* Room for an address that was rewritten. */
struct sites_room {
    char target[4 * LIMIT_FILE_PATH_BYTES], path[LIMIT_FILE_PATH_BYTES];
};

/* 0, or -errno. -EINVAL: a name or rule is wrong, -EEXIST: there twice, -ENOSPC: too many. The options of programs and what guards share are
 * borrowed; places are made if there are any. */
WEIR_CHECKED int sites_open(const struct sites_options *, const struct cgi_options *,
                            struct guards *, struct sites **out, struct sites_wrong *out_wrong);
void sites_close(struct sites *); /* NULL is fine */

/* Who answers for that name and that clean path? The query is only carried along. */
void sites_find(const struct sites *, struct weir_bytes host, struct weir_bytes path,
                struct weir_bytes query, struct sites_room *, struct sites_answer *out);
/* As `route` of weir_http; fields are set. */
const struct weir_handler *sites_route(const struct sites *, struct weir_exchange *,
                                       const void **out_config);
/* As `error_page` of weir_http. */
bool sites_error_page(const struct sites *, struct weir_exchange *, unsigned status);
/* Lines of that site (a place in the options) go to that log (service/logs.h). */
void sites_set_log(struct sites *, size_t site, unsigned log);
unsigned sites_log(const struct sites *, const struct weir_exchange *);
/* Can all of them code files on the fly? */
bool sites_code(const struct sites *);
