/* weir load: asks a server for the same thing over and over, and says how long it took. */
#include "cli/commands.h"
#include "cli/terminal.h"
#include "cli/tls_client.h"
#include "load/amount.h"
#include "load/report.h"
#include "tbl/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_ANSWERED = 0, EXIT_NOT = 1, EXIT_SOME = 3 };

struct load_values {
    unsigned connections, depth, threads, rate, requests, timeout_s, echo, frame;
    const char *duration, *warmup, *path, *endpoint, *method, *body, *html;
    struct option_list fields;
    bool fresh, json, quiet;
    struct tls_client_options tls;
};

#define AT(member) offsetof(struct load_values, member)
#define COUNT(option, key, what, member, least, most, text)                                        \
    {                                                                                              \
        .name = option, .letter = key, .kind = OPTION_COUNT, .value = what, .help = text,          \
        .offset = AT(member), .min = least, .max = most                                            \
    }
#define TEXT(option, key, what, member, text)                                                      \
    {                                                                                              \
        .name = option, .letter = key, .kind = OPTION_TEXT, .value = what, .help = text,           \
        .offset = AT(member)                                                                       \
    }
#define FLAG(option, key, member, text)                                                            \
    {                                                                                              \
        .name = option, .letter = key, .kind = OPTION_FLAG, .help = text, .offset = AT(member)     \
    }

static const struct option_row rows[] = {
    COUNT("connections", 'c', "N", connections, 1, LIMIT_LOAD_CONNECTIONS,
          "how many are open at once (64)"),
    TEXT("duration", 'd', "TIME", duration,
         "how long is measured: 10, 500ms, 2m (10 seconds; with --requests until all are done)"),
    COUNT("requests", 'n', "N", requests, 1, 4000000000u,
          "end after so many requests, also failed ones"),
    COUNT("rate", 'r', "N", rate, 1, LIMIT_LOAD_RATE,
          "open loop: requests a second, due whatever the server does; the time of each counts "
          "from when it was due (default: closed loop, each connection asks when it was answered)"),
    COUNT("pipeline", 'p', "N", depth, 1, LIMIT_LOAD_DEPTH,
          "requests on their way on each connection (1)"),
    COUNT("threads", 't', "N", threads, 1, LIMIT_LOAD_THREADS, "of the generator, a core each (1)"),
    TEXT("warm-up", 'w', "TIME", warmup, "ask so long before measuring (0)"),
    FLAG("new", 0, fresh, "a new connection for each request"),
    COUNT("timeout", 0, "SECONDS", timeout_s, 1, 86400,
          "an answer that takes longer is an error (10)"),
    COUNT("echo", 0, "BYTES", echo, 1, LIMIT_LOAD_REQUEST,
          "not HTTP: send blocks of this size, which must come back"),
    COUNT("frame", 0, "BYTES", frame, 1, LIMIT_LOAD_REQUEST,
          "not HTTP: send messages of this size behind their length; each is answered by one"),
    TEXT("path", 0, "PATH", path, "what is asked for where an endpoint is named (/)"),
    TEXT("endpoint", 'e', "ENDPOINT", endpoint, "connect here; the URL only says what to ask for"),
    TEXT("method", 'X', "NAME", method, "of the request (GET)"),
    {.name = "header",
     .letter = 'H',
     .kind = OPTION_LIST,
     .value = "FIELD",
     .help = "'Name: value', sent along; can be given several times",
     .offset = AT(fields)},
    TEXT("body", 0, "TEXT", body, "content of the request"),
    FLAG("json", 'j', json, "the result as JSON"),
    TEXT("html", 0, "FILE", html, "write a page with plots there"),
    FLAG("quiet", 'q', quiet, "show no progress"),
    TLS_TRUST_OPTION_ROWS(load_values, tls),
};

/* --- progress, on a terminal --- */

struct progress {
    uint64_t total_ns;
    uint64_t last_ns, last_answered;
    bool shown;
};

static void show_progress(void *arg, const struct load_progress *p)
{
    struct progress *shown = arg;
    char a[AMOUNT_MAX], b[AMOUNT_MAX], c[AMOUNT_MAX];
    double seconds = (double)(p->elapsed_ns - shown->last_ns) / 1e9;
    double rate = seconds > 0 ? (double)(p->answered - shown->last_answered) / seconds : 0;
    fprintf(stderr, "\r\033[K%.1f s%s   %s requests   %s/s   %s in", (double)p->elapsed_ns / 1e9,
            p->warming ? " (warm-up)" : "", amount_count(a, p->answered), amount_number(b, rate),
            amount_bytes(c, (double)p->bytes));
    if (p->errors)
        fprintf(stderr, "   %s errors", amount_count(a, p->errors));
    fflush(stderr);
    shown->last_ns = p->elapsed_ns;
    shown->last_answered = p->answered;
    shown->shown = true;
}

/* --- results --- */

static int write_html(const char *path, const struct load_report *report)
{
    FILE *f = fopen(path, "we");
    if (f)
        load_report_html(f, report);
    bool failed = !f || ferror(f);
    if ((f && fclose(f) != 0) || failed) {
        complain(&command_load, "cannot write %s: %s", path, strerror(errno));
        return -1;
    }
    return 0;
}

static int show(const struct load_values *values, const struct load_report *report)
{
    const struct load_result *r = report->result;
    if (values->json)
        load_report_json(stdout, report);
    else
        load_report_text(stdout, report);
    if (values->html && write_html(values->html, report) < 0)
        return EXIT_NOT;
    if (r->answered == 0)
        return EXIT_NOT;
    return load_errors(r) + load_refusals(r) + r->overdue > 0 ? EXIT_SOME : EXIT_ANSWERED;
}

static int measure(const struct load_values *values, const char *name, struct load_options *options)
{
    struct load_result *result = calloc(1, sizeof(*result));
    struct progress progress = {.shown = false};
    if (!result) {
        complain(&command_load, "%s", strerror(ENOMEM));
        return EXIT_NOT;
    }
    if (!values->quiet && isatty(STDERR_FILENO)) {
        options->progress = show_progress;
        options->progress_ns = WEIR_NS_PER_S / 2;
        options->arg = &progress;
    }
    int rc = load_run(options, result);
    if (progress.shown)
        fputs("\r\033[K", stderr);
    const struct load_report report = {.name = name, .options = options, .result = result};
    int status = EXIT_NOT;
    if (rc < 0)
        complain(&command_load, "cannot run with %u connections: %s%s", options->connections,
                 strerror(-rc), rc == -EMFILE ? " (raise `ulimit -n`, or ask for fewer)" : "");
    else
        status = show(values, &report);
    load_done(result);
    free(result);
    return status;
}

/* --- what was asked for --- */

static int read_times(const struct load_values *values, struct load_options *options)
{
    const char *duration = values->duration ? values->duration : values->requests ? "24h" : "10";
    const char *warmup = values->warmup ? values->warmup : "0";
    uint64_t most = LIMIT_LOAD_DURATION_S * WEIR_NS_PER_S;
    if (amount_read_time(duration, &options->duration_ns) < 0 || options->duration_ns == 0 ||
        options->duration_ns > most)
        return usage_error(&command_load, "--duration takes a time like 10, 500ms or 2m, not '%s'",
                           duration);
    if (amount_read_time(warmup, &options->warmup_ns) < 0 || options->warmup_ns > most)
        return usage_error(&command_load, "--warm-up takes a time like 1 or 500ms, not '%s'",
                           warmup);
    return 0;
}

static int check(const struct load_values *values)
{
    if (values->echo && values->frame)
        return usage_error(&command_load, "--echo and --frame exclude each other");
    if ((values->echo || values->frame) &&
        (values->path || values->method || values->body || values->fields.count))
        return usage_error(&command_load,
                           "--echo and --frame have no path, method, header or body");
    if (values->fresh && values->depth > 1)
        return usage_error(&command_load,
                           "--new has one request a connection: --pipeline goes without it");
    return 0;
}

static int run_on(const struct load_values *values, const char *name, struct load_target *target)
{
    struct load_options options = {
        .target = target,
        .connections = values->connections,
        .depth = values->depth,
        .threads = values->threads < values->connections ? values->threads : values->connections,
        .rate = values->rate,
        .requests = values->requests,
        .timeout_ms = values->timeout_s * 1000,
        .fresh = values->fresh};
    int status = read_times(values, &options);
    if (status)
        return status;
    char why[LOAD_WHY_MAX];
    tls_client_warn(&command_load, &values->tls);
    if (load_target_find(target, LIMIT_DIAL_MS, why) < 0) {
        complain(&command_load, "cannot open %s: %s", target->secure ? name : target->endpoint,
                 why);
        return EXIT_NOT;
    }
    return measure(values, name, &options);
}

static int run(void *arg, int argc, char **argv)
{
    const struct load_values *values = arg;
    char why[LOAD_WHY_MAX];
    if (argc != 1)
        return usage_error(&command_load,
                           "needs one URL or endpoint, as in: weir load http://127.0.0.1:8080/");
    int status = check(values);
    if (status)
        return status;
    const struct load_words words = {.where = argv[0],
                                     .endpoint = values->endpoint,
                                     .kind = values->echo    ? LOAD_ECHO
                                             : values->frame ? LOAD_FRAME
                                                             : LOAD_HTTP,
                                     .size = values->echo ? values->echo : values->frame,
                                     .path = values->path,
                                     .method = values->method,
                                     .body = values->body,
                                     .fields = values->fields.at,
                                     .field_count = values->fields.count,
                                     .close = values->fresh,
                                     .ca = values->tls.ca,
                                     .insecure = values->tls.insecure};
    struct load_target target;
    int rc = load_target_init(&target, &words, why);
    if (rc == 0)
        status = run_on(values, argv[0], &target);
    else
        status = rc == -EINVAL ? usage_error(&command_load, "%s", why) : EXIT_NOT;
    load_target_done(&target);
    return status;
}

static void defaults(void *arg)
{
    struct load_values *values = arg;
    values->connections = 64;
    values->depth = 1;
    values->threads = 1;
    values->timeout_s = LIMIT_LOAD_TIMEOUT_MS / 1000;
}

const struct command command_load = {
    .name = "load",
    .synopsis = "URL|ENDPOINT [options]",
    .summary = "put load on a server and measure: requests a second, latency, errors",
    .examples =
        "weir load http://127.0.0.1:8080/\n"
        "weir load http://127.0.0.1:8080/index.html --rate 5000 --duration 30 --html load.html\n"
        "weir load https://127.0.0.1:8443/ --new --ca ca.pem\n"
        "weir load unix:/run/app.sock --path /status --connections 8 --json\n"
        "weir load tcp:127.0.0.1:7000 --echo 1024 --pipeline 4 --warm-up 1",
    .exits =
        "0  all requests were answered, but for those on their way when time was up\n"
        "1  it could not connect or start, nothing was answered, or the page could not be written\n"
        "2  wrong usage\n"
        "3  some requests failed, were answered with 4xx or 5xx, or could not be sent at the --rate",
    .options = rows,
    .option_count = sizeof(rows) / sizeof(*rows),
    .values_size = sizeof(struct load_values),
    .defaults = defaults,
    .run = run,
};
