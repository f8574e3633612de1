#include "cli/serve_options.h"

#include "cli/commands.h"

#include <string.h>

#define SECONDS(option, field, text)                                                               \
    {                                                                                              \
        .name = option, .kind = OPTION_COUNT, .value = "SECONDS", .help = text,                    \
        .offset = offsetof(struct serve_values, field), .min = 1, .max = 86400                     \
    }

const struct option_row serve_rows[] = {
    {.name = "config",
     .letter = 'c',
     .kind = OPTION_TEXT,
     .scope = OPTION_COMMAND,
     .value = "FILE",
     .help =
         "sites and all else from a file (weir.conf(5)); what the command line says counts more",
     .offset = offsetof(struct serve_values, config)},
    {.name = "root",
     .kind = OPTION_TEXT,
     .scope = OPTION_MOUNT,
     .value = "DIR",
     .help = "the folder that is served, as DIR without a name",
     .offset = offsetof(struct serve_values, root)},
    {.name = "listen",
     .letter = 'l',
     .kind = OPTION_LIST,
     .value = "WHERE",
     .help =
         "PORT (of this machine alone), HOST:PORT, http://HOST:PORT, https://HOST:PORT (with --cert), "
         "unix:PATH, shm:PATH, fd:N (default 127.0.0.1:8080); can be given several times; or -: one conversation over "
         "standard input and output",
     .offset = offsetof(struct serve_values, server.listen)},
    LOG_OPTION_ROWS(serve_values, log),
    SERVER_OPTION_ROWS(serve_values, server),
    FILE_OPTION_ROWS(serve_values, files),
    {.name = "field",
     .kind = OPTION_LIST,
     .scope = OPTION_MOUNT,
     .merges = OPTION_AFTER,
     .value = "'NAME: VALUE'",
     .help = "a field of all answers; without a value: not that one after all; several times",
     .offset = offsetof(struct serve_values, fields)},
    {.name = "security-fields",
     .kind = OPTION_FLAG,
     .scope = OPTION_MOUNT,
     .help = "fields with which browsers protect a site: own content only, no frames of others",
     .offset = offsetof(struct serve_values, security)},
    {.name = "redirect",
     .kind = OPTION_LIST,
     .scope = OPTION_SITE,
     .value = "FROM=TO",
     .help = "as /old=/new, '/old/*=302 https://example.org/*' (default 301); several times",
     .offset = offsetof(struct serve_values, redirects)},
    {.name = "rewrite",
     .kind = OPTION_LIST,
     .scope = OPTION_SITE,
     .value = "FROM=TO",
     .help = "as '/old/*=/new/*': the address inside the site that answers instead, once; several "
             "times",
     .offset = offsetof(struct serve_values, rewrites)},
    GUARD_OPTION_ROWS(serve_values, guard),
    CGI_OPTION_ROWS(serve_values, cgi),
    SECONDS("head-timeout", head_s, "time for the head of a request (default 10)"),
    SECONDS("idle-timeout", idle_s, "silence between requests (default 30)"),
    SECONDS("body-timeout", body_s, "silence within a request's content (default: as idle)"),
    SECONDS("send-timeout", send_s, "a client that takes nothing (default: as idle)"),
    HTTP_OPTION_ROWS(serve_values, http),
    {.name = "http2",
     .kind = OPTION_TEXT,
     .value = "on|off",
     .help =
         "HTTP/2 too: over TLS by ALPN, in clear text to clients that begin with it (default on)",
     .offset = offsetof(struct serve_values, http2)},
    TLS_OPTION_ROWS(serve_values, tls),
    HTTPS_OPTION_ROWS(serve_values, tls),
};
const size_t serve_row_count = sizeof(serve_rows) / sizeof(serve_rows[0]);
_Static_assert(sizeof(serve_rows) / sizeof(serve_rows[0]) <= SERVE_ROWS_MAX, "rows fit a level");

const struct option_row *serve_row(const char *name)
{
    for (size_t i = 0; i < serve_row_count; i++)
        if (strcmp(serve_rows[i].name, name) == 0)
            return &serve_rows[i];
    return NULL;
}

bool serve_row_set(const struct serve_values *values, const struct option_row *row)
{
    const void *at = (const char *)values + row->offset;
    switch (row->kind) {
    case OPTION_FLAG:
        return *(const bool *)at;
    case OPTION_TEXT:
        return *(const char *const *)at != NULL;
    case OPTION_LIST:
        return ((const struct option_list *)at)->count > 0;
    case OPTION_COUNT:
        return *(const unsigned *)at != 0;
    }
    return false;
}

int serve_options_read(const struct command *command, const struct serve_values *values,
                       struct site_options *out)
{
    struct cgi_words cgi = values->cgi;
    out->http = (struct weir_http){.head_ms = values->head_s * 1000,
                                   .idle_ms = values->idle_s * 1000,
                                   .body_ms = values->body_s * 1000,
                                   .send_ms = values->send_s * 1000};
    bool off = values->http2 && strcmp(values->http2, "off") == 0;
    if (values->http2 && !off && strcmp(values->http2, "on") != 0)
        return usage_error(command, "--http2 is on or off, not '%s'", values->http2);
    out->http.http2 = off ? NULL : &weir_http2;
    int status = file_options_read(command, &values->files, &out->folder, &out->cache);
    if (status == 0) {
        if (out->sites)
            cgi.mounts.count = 0; /* each site says so itself */
        status = cgi_options_read(command, &cgi, out);
    }
    if (status == 0)
        status = http_options_read(command, &values->http, &out->http);
    if (status == 0)
        status = log_options_read(command, &values->log, &out->account);
    if (status == 0)
        status = guard_options_shared(command, &values->guard, &out->guards);
    if (status == 0 && !out->sites)
        out->guards.limits = false;
    if (status == 0 && !out->sites)
        out->cgi = (struct site_mounts){values->cgi.mounts.at, values->cgi.mounts.count};
    return status;
}

static int check_rules(const struct command *command, const struct serve_values *values)
{
    static struct rules rules; /* too large for a stack, and only read here */
    rules.redirects.count = rules.rewrites.count = rules.field_count = 0;
    for (size_t i = 0; i < values->redirects.count; i++)
        if (rules_add_redirect(&rules, values->redirects.at[i]) < 0)
            return usage_error(command,
                               "--redirect is FROM=TO, each FROM once, as in /old=/new or "
                               "'/old/*=302 https://example.org/*', not '%s'",
                               values->redirects.at[i]);
    for (size_t i = 0; i < values->rewrites.count; i++)
        if (rules_add_rewrite(&rules, values->rewrites.at[i]) < 0)
            return usage_error(command,
                               "--rewrite is FROM=TO within the site, each FROM once, as in "
                               "'/old/*=/new/*', not '%s'",
                               values->rewrites.at[i]);
    for (size_t i = 0; i < values->fields.count; i++)
        if (rules_add_field(&rules, values->fields.at[i]) < 0)
            return usage_error(command,
                               "--field is 'NAME: VALUE', and none that says how the answer is "
                               "sent, not '%s'",
                               values->fields.at[i]);
    return 0;
}

int serve_part_read(const struct command *command, const struct serve_values *values,
                    const char *name, struct site_part *out)
{
    struct file_cache_options cache;
    struct site_options options = {.root = values->root ? values->root : "."};
    struct cgi_words cgi = {.mounts = values->cgi.mounts};
    struct folder_options folder;
    int status = check_rules(command, values);
    if (status == 0 && values->log.access && strcmp(values->log.access, "|") == 0)
        return usage_error(command, "--access-log needs a command behind its |, as "
                                    "'|rotatelogs ...', not '|'");
    if (status == 0)
        status = file_options_read(command, &values->files, &folder, &cache);
    if (status == 0)
        status = cgi_options_read(command, &cgi, &options);
    if (status != 0)
        return status;
    *out = (struct site_part){
        .name = name,
        .root = options.root,
        .folder = folder,
        .fields = {values->fields.at, values->fields.count},
        .redirects = {values->redirects.at, values->redirects.count},
        .rewrites = {values->rewrites.at, values->rewrites.count},
        .security = values->security,
        .access_log = values->log.access,
        .cgi = {values->cgi.mounts.at, values->cgi.mounts.count},
    };
    return guard_options_read(command, &values->guard, out);
}

const struct command command_serve = {
    .name = "serve",
    .synopsis = "[DIR] [options]",
    .summary = "a web site: the files of a folder (this one, if none is named) over HTTP",
    .examples =
        "weir serve\n"
        "weir serve /srv/site --listen 0.0.0.0:80 --access-log /var/log/weir.log\n"
        "weir serve site --listen 8081 --model pool --workers 16 --access-log -\n"
        "weir serve dist --fallback /index.html --cache-control '/assets/*=max-age=31536000'\n"
        "weir serve ~/Downloads --listing\n"
        "weir serve site --status /status --access-log access.log --log-format json\n"
        "weir serve site --cgi /cgi-bin=/srv/cgi --cgi-max 8\n"
        "weir serve --config /etc/weir/sites.conf",
    .exits = SERVER_EXITS,
    .options = serve_rows,
    .option_count = sizeof(serve_rows) / sizeof(serve_rows[0]),
    .values_size = sizeof(struct serve_values),
    .run = serve_run,
};
