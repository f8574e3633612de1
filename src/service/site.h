/*
 * service/site.h: a web site: the files of a folder, programs, logs and figures. It is made once, before any worker, and only read
 * from then on; what workers write to is in service/local.h.
 */
#pragma once

#include "service/account.h"
#include "service/cgi.h"
#include "service/file_cache.h"
#include "service/sites.h"

#include <weir/http.h>
#include <weir/server.h>

struct site;

struct site_options {
    const char *root; /* not used where there are sites */
    struct account_options
        account; /* logs and figures, as account_options_wrong() found them right */
    /* Deadlines and limits; zeroes are defaults. Where only idle_ms is given, content that stops and peers that take
     * nothing get that time too. The calls in it and `arg` are not used. */
    struct weir_http http;
    struct folder_options folder;    /* how the files of the root are served */
    struct file_cache_options cache; /* what a worker keeps of them */
    struct site_mounts {
        const char *const *at;
        size_t count;
    } cgi; /* "PREFIX=FOLDER", as cgi_wrong() found them right; borrowed until site_close() */
    struct cgi_options cgi_options;
    const struct sites_options *sites; /* NULL: one, by what is said above, for every name */
    struct sites_wrong *out_wrong;     /* where there are sites: which of them cannot be opened */
    struct guards_options guards;
};

/* -ENOENT, -ENOTDIR, -EACCES ... of the root or, if that can be opened, of what the options name; -EINVAL: wrong options of the
 * folder (folder_options_wrong() says which); -ENOSYS: Linux before 5.6; -ENOMEM. */
WEIR_CHECKED int site_open(const struct site_options *, struct site **out);
/* Can it code files on the fly? Not without a place to keep what they become. */
bool site_codes(const struct site *);
/* Borrowed: from the site, until site_close(). */
const struct weir_service *site_service(const struct site *);
/* What the server has to say goes to the error log, too; in its own process. */
void site_report(const struct site *, enum weir_report, const char *text);
void site_close(struct site *); /* NULL is fine */
