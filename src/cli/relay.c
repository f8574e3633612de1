/* weir relay A B: both ways between any two endpoints, until both have ended. */
#include "stream/relay.h"

#include "cli/commands.h"
#include "stream/transport.h"

#include <weir/process.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct relay_values {
    unsigned timeout_s;
    unsigned idle_s;
    bool quiet;
};

static const char listen_prefix[] = "listen:";

struct end {
    const char *name; /* without the prefix */
    bool listens;
    unsigned how;
    struct weir_listener *listener;
    struct weir_stream *stream;
};

static int to_ms(unsigned seconds)
{
    return seconds == 0 ? WEIR_FOREVER : (int)seconds * 1000;
}

/* 0, or the exit status after a complaint. An end that goes one way is read as the first and written as the second. */
static int end_parse(struct end *e, const char *argument, bool first)
{
    char why[512];
    const char *rest;
    size_t prefix = strlen(listen_prefix);
    *e = (struct end){.name = argument};
    if (strncmp(argument, listen_prefix, prefix) == 0) {
        e->listens = true;
        e->name += prefix;
    }
    if (weir_endpoint_check(e->name, e->listens, why, sizeof(why)) < 0)
        return usage_error(&command_relay, "%s", why);
    if (endpoint_split(e->name, &rest)->one_way)
        e->how = first ? WEIR_READ : WEIR_WRITE | WEIR_CREATE | WEIR_TRUNCATE;
    return 0;
}

static int end_listen(struct end *e)
{
    if (!e->listens)
        return 0;
    int rc = weir_listen(e->name, 0, &e->listener);
    if (rc < 0) {
        complain(&command_relay, "cannot listen at %s: %s%s", e->name, strerrordesc_np(-rc),
                 rc == -EADDRINUSE ? "; another program does, choose another name" : "");
        return 1;
    }
    fprintf(stderr, "weir: relay at %s\n", weir_listener_name(e->listener));
    return 0;
}

/* One client is all: once it has come, others are refused. */
static int end_accept(struct end *e)
{
    if (!e->listens)
        return 0;
    int rc = weir_accept(e->listener, WEIR_FOREVER, &e->stream);
    weir_listener_close(e->listener);
    e->listener = NULL;
    if (rc < 0) {
        complain(&command_relay, "cannot accept a client at %s: %s", e->name, strerrordesc_np(-rc));
        return 1;
    }
    return 0;
}

static int end_open(struct end *e, unsigned timeout_s)
{
    if (e->listens)
        return 0;
    int rc = weir_open(e->name, e->how, to_ms(timeout_s), &e->stream);
    if (rc < 0) {
        complain(&command_relay, "cannot open %s: %s%s", e->name, strerrordesc_np(-rc),
                 rc == -ECONNREFUSED ? "; nobody listens there" : "");
        return 1;
    }
    return 0;
}

static int open_ends(struct end ends[2], unsigned timeout_s)
{
    int rc = 0;
    for (int i = 0; i < 2 && rc == 0; i++)
        rc = end_listen(&ends[i]);
    for (int i = 0; i < 2 && rc == 0; i++)
        rc = end_accept(&ends[i]);
    for (int i = 0; i < 2 && rc == 0; i++)
        rc = end_open(&ends[i], timeout_s);
    return rc;
}

/* Only from here on, when nothing else waits: SIGINT and SIGTERM end the relay with its count. */
static int open_stop(sigset_t *before)
{
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    sigprocmask(SIG_BLOCK, &stop, before);
    return signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int relay(struct end ends[2], const struct relay_values *v)
{
    struct weir_relay count = {0};
    struct signalfd_siginfo signal = {0};
    sigset_t before;
    int stop = open_stop(&before);
    int rc = relay_until(ends[0].stream, ends[1].stream, to_ms(v->idle_s), stop, &count);
    int status = rc == 0 ? 0 : 1;
    if (rc == -ECANCELED && read(stop, &signal, sizeof(signal)) == sizeof(signal))
        status = 128 + (int)signal.ssi_signo;
    else if (count.a_error)
        complain(&command_relay, "%s: %s", ends[0].name, strerrordesc_np(-count.a_error));
    else if (count.b_error)
        complain(&command_relay, "%s: %s", ends[1].name, strerrordesc_np(-count.b_error));
    else if (rc < 0)
        complain(&command_relay, "between %s and %s: %s", ends[0].name, ends[1].name,
                 strerrordesc_np(-rc));
    if (!v->quiet)
        fprintf(stderr, "weir relay: a→b %llu bytes, b→a %llu bytes\n",
                (unsigned long long)count.a_to_b, (unsigned long long)count.b_to_a);
    if (stop >= 0)
        close(stop);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return status;
}

/* A child that did not go well is a failure of the relay, unless it was cut off anyway. */
static int close_ends(struct end ends[2], int status)
{
    char text[64];
    for (int i = 0; i < 2; i++) {
        weir_listener_close(ends[i].listener);
        int rc = weir_close(ends[i].stream);
        if (rc == 0 || status != 0)
            continue;
        status = 1;
        if (rc < 0)
            complain(&command_relay, "%s: %s", ends[i].name, strerrordesc_np(-rc));
        else
            complain(&command_relay, "%s %s", ends[i].name,
                     weir_process_status(rc, text, sizeof(text)));
    }
    return status;
}

static int run(void *values, int argc, char **argv)
{
    const struct relay_values *v = values;
    struct end ends[2];
    if (argc != 2)
        return usage_error(&command_relay, "needs two endpoints, A and B");
    for (int i = 0; i < 2; i++) {
        int rc = end_parse(&ends[i], argv[i], i == 0);
        if (rc != 0)
            return rc;
    }
    int status = open_ends(ends, v->timeout_s);
    if (status == 0)
        status = relay(ends, v);
    return close_ends(ends, status);
}

static void defaults(void *values)
{
    struct relay_values *v = values;
    v->timeout_s = 30;
}

static const struct option_row options[] = {
    {"timeout", 't', OPTION_COUNT, "SECONDS",
     "how long opening an endpoint may take; 0: for ever (30)",
     offsetof(struct relay_values, timeout_s), 0, 86400},
    {"idle", 'i', OPTION_COUNT, "SECONDS", "end after so long without a byte; 0: never (0)",
     offsetof(struct relay_values, idle_s), 0, 86400},
    {"quiet", 'q', OPTION_FLAG, NULL, "do not count the bytes on exit",
     offsetof(struct relay_values, quiet), 0, 0},
};

const struct command command_relay = {
    .name = "relay",
    .synopsis = "[options] [listen:]A [listen:]B",
    .summary = "move bytes both ways between two endpoints",
    .examples = "weir relay listen:tcp:127.0.0.1:7000 unix:/run/app.sock\n"
                "weir relay tcp:127.0.0.1:7000 file:/tmp/received\n"
                "weir relay listen:unix:@sort exec:sort\n",
    .exits =
        "0    both directions ended well\n"
        "1    an endpoint could not be opened, or the talk broke, or nothing moved for --idle\n"
        "2    wrong usage\n"
        "130  stopped by SIGINT (143: SIGTERM)\n",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .values_size = sizeof(struct relay_values),
    .defaults = defaults,
    .run = run,
};
