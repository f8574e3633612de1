/*
 * service/site.h: a web site: the files of a folder, and an access log. It is made once, before any worker, and only read
 * from then on; what workers write to is in service/local.h.
 */
#pragma once

#include <weir/http.h>

struct site;

struct site_options {
    const char *root;
    const char *access_log; /* NULL or "off"; "-": standard output; else a path, appended to */
    /* Deadlines and limits; zeroes are defaults. Where only idle_ms is given, content that stops and peers that take
     * nothing get that time too. The calls in it and `arg` are not used. */
    struct weir_http http;
};

/* -ENOENT, -ENOTDIR, -EACCES ... of the root or, if that can be opened, of the log; -ENOSYS: Linux before 5.6; -ENOMEM. */
WEIR_CHECKED int site_open(const struct site_options *, struct site **out);
/* Borrowed: from the site, until site_close(). */
const struct weir_service *site_service(const struct site *);
void site_close(struct site *); /* NULL is fine */
