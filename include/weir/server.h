/*
 * weir/server.h: one service on any listeners, under any concurrency model.
 *
 * weir_server_run() opens the listeners, starts a supervisor and its workers, and returns when it was told to stop
 * (SIGTERM, SIGINT). It prints nothing: what there is to say goes to `report`.
 */
#pragma once

#include "protocol.h"

struct weir_driver;
struct weir_helper;

/* What runs on the connections of one endpoint. */
struct weir_way {
    const struct weir_protocol *protocol; /* NULL: the service's own */
    const void *config;
};

/* A process of its own beside the workers, for what one should do for all of them: it is started before them, started again when
 * it dies, and told to stop when they all have ended. */
struct weir_beside {
    const char *what; /* "the process that writes logs" */
    /* Its exit is 0 or an -errno. */
    int (*run)(const struct weir_helper *, void *arg);
    void *arg;
};

/* What is served: a machine, or a plain function over one stream. */
struct weir_service {
    const char *name;                     /* "echo", "http" */
    const struct weir_protocol *protocol; /* a machine, or NULL and: */
    int (*talk)(
        struct weir_stream *client,
        void *
            arg); /* straight-line code; 0 or -errno. Not under `event`. The stream is closed after it. */
    const void *config; /* for protocol->open; borrowed until the server ends; not written to */
    const struct weir_way *
        ways; /* one for each endpoint of weir_server.listen, where they differ (TLS at one of them); NULL: all are alike */
    void *arg;         /* for talk and the two below */
    bool client_first; /* the client speaks first: TCP_DEFER_ACCEPT */
    bool threads;      /* may run in several threads of a process (true for nearly all) */
    unsigned
        companions; /* streams each connection opens beside its own: they need descriptors, too */
    /* Once in each worker process or thread that runs connections, before the first of them: make what the service
     * keeps a thread (caches, log buffer) and leave it in driver->local. 0 or -errno: the worker ends. May be NULL. */
    int (*worker_start)(struct weir_driver *, void *arg);
    void (*worker_end)(struct weir_driver *, void *arg);
    /* Before the driver waits, and at least every second while something is held back: write out what was put off
     * (log lines). Returns when it wants to be called again (mono_ns), 0: not until more work was done. May be NULL. */
    uint64_t (*idle)(struct weir_driver *, void *arg);
    /* In a process that forks another for each connection, before it does: look again at what all of them are to begin with (files
     * of certificates). May be NULL. */
    void (*before_child)(void *before_child_arg, uint64_t mono_ns);
    void *before_child_arg;
    const struct weir_beside
        *beside; /* at most 4, which are told to stop in this order; NULL: none */
    unsigned beside_count;
};

enum weir_report {
    WEIR_REPORT_READY, /* one line a listener: text is its name with the port taken */
    WEIR_REPORT_WARNING, /* something went wrong and was dealt with (a worker died and was started again) */
    WEIR_REPORT_ERROR, /* why weir_server_run() fails */
    WEIR_REPORT_INFO,  /* for --verbose */
};

/* What a helper process is given. SIGUSR1 is blocked there: the server passes on what it is sent. SIGINT and SIGTERM are ignored. */
struct weir_helper {
    int stop; /* hung up: every process that could want something of it has ended. Finish, within 6 seconds, and return */
    /* A line for the server's `report`. */
    void (*say)(const struct weir_helper *, enum weir_report, const char *text);
};

struct weir_server {
    const struct weir_service *service;
    /* Endpoint names; or "-" alone: one conversation over standard input and output. It has no model, and its end is the
     * server's; descriptors 0 and 1 lead to /dev/null afterwards. */
    const char *const *listen;
    size_t listen_count;
    const char *model; /* NULL: "event", or "thread" for a talk function */
    unsigned
        workers; /* pool threads, prefork and event processes; 0: by model (event: a core each; pool and prefork: 8) */
    unsigned
        max_connections; /* children, threads, slots of a worker; 0: by model and the limit of descriptors */
    unsigned queue; /* pool: accepted connections that wait for a thread; 0: 128 */
    unsigned
        grace_s; /* how long a stop waits for what is under way; then exit status WEIR_EXIT_GRACE; 0: 10 */
    void (*report)(void *arg, enum weir_report, const char *text);
    void *report_arg;
};

enum {
    WEIR_EXIT_OK = 0,
    WEIR_EXIT_FAILED = 1, /* a listener could not be opened, no worker stays up ... (reported) */
    WEIR_EXIT_USAGE =
        2, /* unknown model, a name that cannot be used, model and service do not fit (reported) */
    WEIR_EXIT_GRACE = 3, /* the grace period ran out; connections were cut */
};

/* Runs until stopped; returns an exit status. The first SIGTERM or SIGINT stops it: what is queued and under way is
 * answered, for at most grace_s; a second one cuts that short (WEIR_EXIT_GRACE). Takes over SIGTERM, SIGINT, SIGCHLD and
 * SIGUSR1 (blocked, read by signalfd; SIGUSR1 goes to the service's helper, or nowhere) while it runs, reaps every child of
 * this process meanwhile, and raises the limit of open descriptors. All is as before when it returns. */
WEIR_API WEIR_CHECKED int weir_server_run(const struct weir_server *);
/* Checks what was asked for and fills in what was left NULL or 0 (run does the same on a copy), so that it can be shown.
 * WEIR_EXIT_OK, or WEIR_EXIT_USAGE (reported). */
WEIR_API WEIR_CHECKED int weir_server_settle(struct weir_server *);

/* One row a model, for tables and for help. */
struct weir_model_info {
    const char *name;
    const char *who;   /* who looks after a connection */
    const char *place; /* what there is a bounded number of */
    const char *idle;  /* what becomes of an idle persistent connection */
    const char *crash; /* what a crash takes with it */
    const char *cost;  /* what a connection costs */
    bool caches;       /* ready replies live between connections */
    bool talk;         /* can run a talk function */
    unsigned workers;  /* default of --workers; 0: a core each */
    unsigned
        max_connections; /* default of --max-connections; 0: three quarters of the descriptors a process may have */
};
/* The i-th model, NULL past the last. */
WEIR_API const struct weir_model_info *weir_model(unsigned i);
