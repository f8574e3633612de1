/* weir serve: a web site. */
#include "cli/cgi_options.h"
#include "cli/commands.h"
#include "cli/file_options.h"
#include "cli/http_options.h"
#include "cli/server_options.h"
#include "service/site.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LISTEN_DEFAULT "tcp:127.0.0.1:8080"
#define NAME_MAX_BYTES 300

struct serve_values {
    struct server_options server;
    struct file_options files;
    struct cgi_words cgi;
    struct http_options http;
    const char *access_log;
    unsigned head_s, idle_s, body_s, send_s;
};

#define SECONDS(option, field, text)                                                               \
    {                                                                                              \
        .name = option, .kind = OPTION_COUNT, .value = "SECONDS", .help = text,                    \
        .offset = offsetof(struct serve_values, field), .min = 1, .max = 86400                     \
    }

static const struct option_row rows[] = {
    {.name = "listen",
     .letter = 'l',
     .kind = OPTION_LIST,
     .value = "WHERE",
     .help =
         "PORT (of this machine alone), HOST:PORT, http://HOST:PORT, unix:PATH, shm:PATH, "
         "fd:N (default 127.0.0.1:8080); can be given several times; or -: one conversation over "
         "standard input and output",
     .offset = offsetof(struct serve_values, server.listen)},
    {.name = "access-log",
     .letter = 'a',
     .kind = OPTION_TEXT,
     .value = "FILE",
     .help = "a line for each request goes to this file, - for standard output, or off (default)",
     .offset = offsetof(struct serve_values, access_log)},
    SERVER_OPTION_ROWS(serve_values, server),
    FILE_OPTION_ROWS(serve_values, files),
    CGI_OPTION_ROWS(serve_values, cgi),
    SECONDS("head-timeout", head_s, "time for the head of a request (default 10)"),
    SECONDS("idle-timeout", idle_s, "silence between requests (default 30)"),
    SECONDS("body-timeout", body_s, "silence within a request's content (default: as idle)"),
    SECONDS("send-timeout", send_s, "a client that takes nothing (default: as idle)"),
    HTTP_OPTION_ROWS(serve_values, http),
};

static bool is_number(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == '\0';
}

/* Where web people say http://HOST[:PORT]/, streams say tcp:HOST:PORT. Other names are as they are. */
static const char *endpoint_of(const char *name, char *text, size_t size)
{
    if (is_number(name)) {
        snprintf(text, size, "tcp:127.0.0.1:%s", name);
        return text;
    }
    if (strncasecmp(name, "http://", 7) != 0)
        return name;
    const char *host = name + 7;
    int len = (int)strcspn(host, "/");
    const char *bracket = memchr(host, ']', (size_t)len);
    const char *colon = memchr(bracket ? bracket : host, ':', (size_t)len);
    bool port = colon && colon < host + len;
    snprintf(text, size, "tcp:%.*s%s", len, host, port ? "" : ":80");
    return text;
}

/* And back. */
static const char *show(const char *listener, char *text, size_t size)
{
    if (strncmp(listener, "tcp:", 4) != 0)
        return listener;
    snprintf(text, size, "http://%s/", listener + 4);
    return text;
}

static bool opens(const char *name, int flags)
{
    int fd = open(name, flags | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* The root's fault, or else that of a file that was named. */
static int cannot_open(const struct site_options *options, int error)
{
    const struct folder_options *folder = &options->folder;
    bool root = opens(options->root, O_PATH | O_DIRECTORY);
    if (root && folder->coding_cache &&
        (error == EPERM || !opens(folder->coding_cache, O_DIRECTORY)))
        complain(&command_serve, "cannot keep coded files in %s: %s", folder->coding_cache,
                 error == EPERM ? "it must belong to this user, and nobody else may write to it"
                                : strerror(error));
    else if (root && folder->mime_types && strcmp(folder->mime_types, "off") != 0 &&
             !opens(folder->mime_types, O_RDONLY))
        complain(&command_serve, "cannot read the types in %s: %s (name a file, or off)",
                 folder->mime_types, strerror(error));
    else if (error == ENOSYS)
        complain(&command_serve, "cannot serve %s: Linux 5.6 or later is needed (openat2)",
                 options->root);
    else if (root && options->access_log && error != ENOMEM)
        complain(&command_serve,
                 "cannot write the access log %s: %s (name a file that may be written, -, or off)",
                 options->access_log, strerror(error));
    else
        complain(&command_serve, "cannot serve %s: %s (name a folder that may be read)",
                 options->root, strerror(error));
    return 1;
}

static int serve(const struct serve_values *values, const struct site_options *options,
                 const struct option_list *listen)
{
    char what[NAME_MAX_BYTES];
    struct site *site;
    int rc = site_open(options, &site);
    if (rc < 0)
        return cannot_open(options, -rc);
    if (!site_codes(site) && !values->files.neighbours && !values->server.quiet &&
        !(values->files.coding && strcmp(values->files.coding, "off") == 0))
        complain(&command_serve,
                 "no folder for coded files can be made in /tmp or $TMPDIR: nothing "
                 "is coded on the fly (name one with --coding-cache)");
    snprintf(what, sizeof(what), "serving %s", options->root);
    const struct announcement announcement = {.what = what, .show = show};
    int status = server_options_run(&command_serve, &values->server, site_service(site), listen,
                                    &announcement);
    site_close(site);
    return status;
}

/* Lines of a log between answers would be taken for answers. */
static bool log_among_answers(const struct serve_values *values)
{
    const struct option_list *listen = &values->server.listen;
    return values->access_log && strcmp(values->access_log, "-") == 0 && listen->count == 1 &&
           strcmp(listen->at[0], "-") == 0;
}

static int run(void *arg, int argc, char **argv)
{
    const struct serve_values *values = arg;
    const struct option_list *given = &values->server.listen;
    char names[OPTION_LIST_MAX][NAME_MAX_BYTES];
    struct option_list listen = {.at = {LISTEN_DEFAULT}, .count = given->count ? given->count : 1};
    if (argc > 1)
        return usage_error(&command_serve, "one folder only, not also '%s'", argv[1]);
    if (log_among_answers(values))
        return usage_error(&command_serve, "--listen - talks over standard output: --access-log "
                                           "needs a file, or off");
    for (size_t i = 0; i < given->count; i++) {
        if (strncasecmp(given->at[i], "https:", 6) == 0)
            return usage_error(&command_serve, "%s: TLS is not there yet; write http://HOST:PORT",
                               given->at[i]);
        listen.at[i] = endpoint_of(given->at[i], names[i], sizeof(names[i]));
    }
    struct site_options options = {.root = argc > 0 ? argv[0] : ".",
                                   .access_log = values->access_log,
                                   .http = {.head_ms = values->head_s * 1000,
                                            .idle_ms = values->idle_s * 1000,
                                            .body_ms = values->body_s * 1000,
                                            .send_ms = values->send_s * 1000}};
    int status = file_options_read(&command_serve, &values->files, &options.folder, &options.cache);
    if (status == 0 && values->cgi.mounts.count > 0)
        status = cgi_options_read(&command_serve, &values->cgi, &options);
    if (status == 0)
        status = http_options_read(&command_serve, &values->http, &options.http);
    return status ? status : serve(values, &options, &listen);
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
        "weir serve site --cgi /cgi-bin=/srv/cgi --cgi-max 8",
    .exits = SERVER_EXITS,
    .options = rows,
    .option_count = sizeof(rows) / sizeof(*rows),
    .values_size = sizeof(struct serve_values),
    .run = run,
};
