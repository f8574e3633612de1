/*
 * service/mime.h: the media type of a file by the ending of its name: from a table of our own (tbl/mime.h), and from a file
 * in the manner of /etc/mime.types, read once at the start.
 */
#pragma once

#include <weir/base.h>

/* Rows of a file; only read once it is open. */
struct mime_map;

enum mime_worth {
    MIME_PACKED, /* coded already: pictures, films, archives */
    MIME_UNSURE, /* a neighbour is looked for, nothing is coded on the fly */
    MIME_WORTH,  /* text, and what is like it */
};

/* Lines of "type ending ending ..."; what is malformed or too much is left out. *out is NULL for "off". NULL: /etc/mime.types,
 * if it is there, for endings that our own table does not have; a file named here comes before that table. -errno. */
WEIR_CHECKED int mime_open(const char *file, struct mime_map **out);
void mime_close(struct mime_map *);
/* Never NULL, and lives as long as the map, which may be NULL. `name` may have folders in front. */
const char *mime_type(const struct mime_map *, struct weir_bytes name);
/* How much there is to gain from coding content of that type. Parameters are overlooked. */
enum mime_worth mime_worth(const char *type);
