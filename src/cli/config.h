/*
 * cli/config.h: a configuration file: the rows of the server as keys, at the top, in a site, in a mount of a site. What is said further
 * out counts further in, unless it is said again there. Syntax by libconfuse; docs/man/weir.conf.5.scd has it for people.
 *
 * All of it happens before any worker, in one thread. What was read never changes.
 */
#pragma once

#include "cli/serve_options.h"
#include "tbl/limits_sites.h"

/* The top, a site, or a mount. */
struct config_level {
    enum option_scope scope;
    const char *title; /* of a site its names, of a mount its path */
    unsigned line;
    struct serve_values values; /* inherited ones included */
    unsigned
        lines[SERVE_ROWS_MAX]; /* by row: where that was said; 0: nowhere, or on the command line */
    struct config_level *inner; /* owned */
    size_t inner_count;
};

struct cfg_t;

struct config {
    const char *name; /* borrowed */
    char *text;
    struct cfg_t *parsed; /* texts of the values are in it */
    struct config_level top;
    struct site_part *parts; /* of all sites, and behind them of all mounts */
    struct sites_options sites;
    struct sites_wrong wrong;
};

/* What is said on the command line counts more than what the top of the file says. 0, or 2 after it said what is wrong, where, and
 * what would be right; 1: the file cannot be read. config_free() in any case. */
int config_read(struct config *, const struct command *, const char *name,
                const struct serve_values *given);
/* The same of text that is there; NUL-terminated. For tests. */
int config_read_text(struct config *, const struct command *, const char *name, const char *text,
                     const struct serve_values *given);
void config_free(struct config *);

/* Fills in all of *out, which borrows from the configuration. 0, or 2 as above. */
int config_options(struct config *, const struct command *, struct site_options *out);
/* All certificates with their keys and OCSP responses: those of the top, then those of the sites that have their own. 0, or 2 as above. */
int config_certs(const struct config *, const struct command *, struct tls_options *out);
/* sites_open() or site_open() said so of what config_options() made. Says it; returns 2. */
int config_cannot_open(const struct config *, const struct command *, int error);

/* cli/config_place.c: "FILE:LINE:COLUMN: ...": the column is that of the word on that line, or the first. */
int config_wrong(const struct config *, const struct command *, unsigned line, const char *word,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The first line from `line` on that has this word; else `line`. */
unsigned config_line_of(const struct config *, unsigned line, const char *word);
/* The first line that has this text, in quotes if it is anywhere, with \" and the like for " there; else 1. */
unsigned config_line_of_text(const struct config *, const char *text);
