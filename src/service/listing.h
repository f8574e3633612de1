/*
 * service/listing.h: what lies in a folder, as a page for people or as JSON. A helper reads the folder and writes the page, so
 * that a large one holds nobody up.
 */
#pragma once

#include "service/folder.h"

#include <weir/http.h>

enum listing_sort { LISTING_NAME, LISTING_SIZE, LISTING_TIME, LISTING_SORTS };

struct listing_row {
    char *name;
    bool folder;
    uint64_t size;
    int64_t modified_s;
};

struct listing {
    struct weir_bytes path;     /* of the folder below the root, clean, with slashes at both ends */
    struct weir_bytes url_path; /* ... in its site: the mount's prefix, then `path`; not escaped */
    struct listing_row *rows;
    size_t count, room;
    bool cut; /* there is more than is listed */
    enum listing_sort sort;
    bool descending;
};

/* Replies later. `path` is below the folder's root, clean, and ends with a slash. -ENOENT: no such folder; -EAGAIN, -ENOMEM, -EACCES ... */
WEIR_CHECKED int listing_begin(struct weir_exchange *, const struct folder *,
                               struct weir_bytes path);

/* listing_read.c: fills in the rows, sorted: what would be served, nothing hidden. Takes the descriptor. 0 or -ENOMEM. */
WEIR_CHECKED int listing_read(struct listing *, const struct folder *, int fd);
void listing_done(struct listing *);
/* listing_page.c: the page; the caller frees it. NULL: no memory. */
char *listing_html(const struct listing *, size_t *out_len);
char *listing_json(const struct listing *, size_t *out_len);
extern const char listing_policy
    []; /* the Content-Security-Policy for its HTML: its own style, and nothing else */
