/*
 * service/cgi_find.h: which program a path means. It is looked for segment by segment, as folders lead to it, and what is left
 * of the path is for the program. Names are resolved by openat2(2) beneath the folder of the mount: no link leads out.
 */
#pragma once

#include "service/cgi.h"

struct program {
    int folder;      /* that it lies in; the caller's to close */
    size_t name_at;  /* its name within the path */
    size_t name_end; /* ... and the program's own path: what follows is PATH_INFO */
};

/* `path` is clean and begins with the mount's prefix. -ENOENT: no program, nothing regular, or a link that leads out; -EACCES:
 * a file that is not executable; -EMFILE, -ENOMEM ... */
WEIR_CHECKED int cgi_find(const struct cgi *, struct weir_bytes path, struct program *out);
