/*
 * cli/serve_options.h: all that can be said of a web server, as one table of rows: they are the options of `weir serve`, their help,
 * and the keys of a configuration file (cli/config.h).
 */
#pragma once

#include "cli/cgi_options.h"
#include "cli/file_options.h"
#include "cli/guard_options.h"
#include "cli/http_options.h"
#include "cli/log_options.h"
#include "cli/server_options.h"
#include "cli/tls_options.h"
#include "service/site.h"

#define SERVE_ROWS_MAX 96

struct serve_values {
    struct server_options server;
    struct tls_options tls;
    struct file_options files;
    struct cgi_words cgi;
    struct http_options http;
    struct log_options log;
    struct guard_options guard;
    struct option_list fields, redirects, rewrites;
    const char *config, *root;
    const char *http2;
    bool security;
    unsigned head_s, idle_s, body_s, send_s;
};

/* cli/serve.c */
int serve_run(void *values, int argc, char **argv);

extern const struct option_row serve_rows[];
extern const size_t serve_row_count;
/* NULL: there is none of that name. */
const struct option_row *serve_row(const char *name);
/* Was anything said for that row? */
bool serve_row_set(const struct serve_values *, const struct option_row *);

/* All of the server that is not of one site: limits, deadlines, logs, caches, bounds of programs. 0, or 2 after it said what is wrong. */
int serve_options_read(const struct command *, const struct serve_values *, struct site_options *);
/* What there is to say of one site, or mount; borrows from the values. 0, or 2 likewise. */
int serve_part_read(const struct command *, const struct serve_values *, const char *name,
                    struct site_part *);
