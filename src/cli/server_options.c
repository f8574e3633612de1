#include "cli/server_options.h"

#include <stdio.h>
#include <string.h>

struct announcer {
    const struct command *command;
    const struct server_options *options;
    const struct announcement *announcement;
    const struct weir_server *server; /* settled */
    size_t told;                      /* listeners */
};

/* "event, 2 workers": what there is a number of. */
static const char *how(const struct weir_server *server, char *text, size_t size)
{
    static const struct {
        const char *model, *one, *many;
        bool bound; /* as many as come, up to a bound; else always that many */
    } rows[] = {
        {"event", "worker", "workers", false}, {"prefork", "worker", "workers", false},
        {"pool", "thread", "threads", false},  {"fork", "process", "processes", true},
        {"thread", "thread", "threads", true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (strcmp(rows[i].model, server->model) != 0)
            continue;
        unsigned count = rows[i].bound ? server->max_connections : server->workers;
        snprintf(text, size, "%s, %s%u %s", server->model, rows[i].bound ? "up to " : "", count,
                 count == 1 ? rows[i].one : rows[i].many);
        return text;
    }
    return server->model;
}

/* "http://…" becomes "https://…", "tcp:…" becomes "tls:…". */
static const char *secure_name(const char *name, char *text, size_t size)
{
    static const char *const schemes[][2] = {{"http:", "https:"}, {"tcp:", "tls:"}};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
        size_t len = strlen(schemes[i][0]);
        if (strncmp(name, schemes[i][0], len) == 0) {
            snprintf(text, size, "%s%s", schemes[i][1], name + len);
            return text;
        }
    }
    return name;
}

static void announce(struct announcer *announcer, const char *listener)
{
    char name[300], secure[310], places[80];
    const struct announcement *announcement = announcer->announcement;
    if (announcement->show)
        listener = announcement->show(listener, name, sizeof(name));
    if (announcement->secure && announcement->secure[announcer->told])
        listener = secure_name(listener, secure, sizeof(secure));
    announcer->told++;
    fprintf(stderr, "weir: %s at %s (%s)\n", announcement->what, listener,
            how(announcer->server, places, sizeof(places)));
}

static void report(void *arg, enum weir_report kind, const char *text)
{
    struct announcer *announcer = arg;
    if (announcer->announcement->also && kind != WEIR_REPORT_READY)
        announcer->announcement->also(announcer->announcement->arg, kind, text);
    switch (kind) {
    case WEIR_REPORT_READY:
        if (!announcer->options->quiet)
            announce(announcer, text);
        break;
    case WEIR_REPORT_WARNING:
        if (!announcer->options->quiet)
            complain(announcer->command, "%s", text);
        break;
    case WEIR_REPORT_INFO:
        if (announcer->options->verbose)
            complain(announcer->command, "%s", text);
        break;
    case WEIR_REPORT_ERROR:
        complain(announcer->command, "%s", text);
        break;
    }
}

int server_options_run(const struct command *command, const struct server_options *options,
                       const struct weir_service *service, const struct option_list *listen,
                       const struct announcement *announcement)
{
    struct announcer announcer = {command, options, announcement, NULL, 0};
    struct weir_server server = {.service = service,
                                 .listen = listen->at,
                                 .listen_count = listen->count,
                                 .model = options->model,
                                 .workers = options->workers,
                                 .max_connections = options->max_connections,
                                 .queue = options->queue,
                                 .grace_s = options->grace_s,
                                 .report = report,
                                 .report_arg = &announcer};
    int status = weir_server_settle(&server);
    if (status != WEIR_EXIT_OK)
        return status;
    announcer.server = &server;
    return weir_server_run(&server);
}
