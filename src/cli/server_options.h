/*
 * cli/server_options.h: the options that all servers have, as one list of rows, and running a service by them.
 */
#pragma once

#include "cli/command.h"
#include "tbl/limits.h"

#include <weir/server.h>

struct server_options {
    struct option_list listen;
    const char *model;
    unsigned workers, max_connections, queue, grace_s;
    bool quiet, verbose;
};

/* Rows for a command whose values are a `struct type` with a `struct server_options` called `member`. */
#define SERVER_OPTION(type, member, field) offsetof(struct type, member.field)
#define SERVER_OPTION_ROWS(type, member)                                                           \
    {.name = "model",                                                                              \
     .letter = 'm',                                                                                \
     .kind = OPTION_TEXT,                                                                          \
     .value = "NAME",                                                                              \
     .help = "who looks after a connection: event (default), or one that `weir models` shows",     \
     .offset = SERVER_OPTION(type, member, model)},                                                \
        {.name = "workers",                                                                        \
         .letter = 'w',                                                                            \
         .kind = OPTION_COUNT,                                                                     \
         .value = "N",                                                                             \
         .help = "event: loops (default: one a core); pool: threads, prefork: processes (8)",      \
         .offset = SERVER_OPTION(type, member, workers),                                           \
         .min = 1,                                                                                 \
         .max = LIMIT_WORKERS},                                                                    \
        {.name = "max-connections",                                                                \
         .kind = OPTION_COUNT,                                                                     \
         .value = "N",                                                                             \
         .help = "of a worker; more wait (default: fork 256, thread 1024, else by open files)",    \
         .offset = SERVER_OPTION(type, member, max_connections),                                   \
         .min = 1,                                                                                 \
         .max = 10000000},                                                                         \
        {.name = "queue",                                                                          \
         .kind = OPTION_COUNT,                                                                     \
         .value = "N",                                                                             \
         .help = "pool: connections that wait for a thread (default 128)",                         \
         .offset = SERVER_OPTION(type, member, queue),                                             \
         .min = 1,                                                                                 \
         .max = LIMIT_POOL_QUEUE},                                                                 \
        {.name = "grace",                                                                          \
         .kind = OPTION_COUNT,                                                                     \
         .value = "SECONDS",                                                                       \
         .help = "how long a stop waits for what is under way (default 10)",                       \
         .offset = SERVER_OPTION(type, member, grace_s),                                           \
         .min = 1,                                                                                 \
         .max = 86400},                                                                            \
        {.name = "quiet",                                                                          \
         .letter = 'q',                                                                            \
         .kind = OPTION_FLAG,                                                                      \
         .help = "say nothing but errors",                                                         \
         .offset = SERVER_OPTION(type, member, quiet)},                                            \
    {                                                                                              \
        .name = "verbose", .letter = 'v', .kind = OPTION_FLAG,                                     \
        .help = "say when workers start and connections end badly",                                \
        .offset = SERVER_OPTION(type, member, verbose)                                             \
    }

#define SERVER_EXITS                                                                               \
    "0  stopped by SIGTERM or SIGINT, everything under way was finished\n"                         \
    "1  could not start, or a worker died while stopping\n"                                        \
    "2  wrong usage\n"                                                                             \
    "3  connections were cut: the grace period was over, or a second signal came"

/* How the service is announced: "weir: WHAT at NAME (event, 2 workers)". */
struct announcement {
    const char *what;
    /* The listener's name as people know it, written into `text`. NULL: as it is. */
    const char *(*show)(const char *listener, char *text, size_t size);
    /* All else that the server says, before it is shown; may be NULL. */
    void (*also)(void *arg, enum weir_report, const char *text);
    void *arg;
    const bool *secure; /* by listener: it speaks TLS; NULL: none does */
};

/* Runs until stopped; the endpoints are `listen` as they are. Returns the exit status. */
int server_options_run(const struct command *, const struct server_options *,
                       const struct weir_service *, const struct option_list *listen,
                       const struct announcement *);
