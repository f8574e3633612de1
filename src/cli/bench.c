/* weir bench: one service under every concurrency model. */
#include "load/bench.h"

#include "cli/commands.h"
#include "cli/suggest.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "load/amount.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLIENTS_DEFAULT "1,2,4,8,16,32,64,128,256"
#define POINT_DEFAULT   "0.5"
#define SLOW_DEFAULT_MS 10

struct bench_values {
    struct option_list models;
    const char *clients, *seconds, *path, *html;
    unsigned slow_ms;
    bool echo, json, quiet;
};

#define AT(member) offsetof(struct bench_values, member)

static const struct option_row rows[] = {
    {.name = "model",
     .letter = 'm',
     .kind = OPTION_LIST,
     .value = "NAME",
     .help = "measure this one only; can be given several times (default: all of `weir models`)",
     .offset = AT(models)},
    {.name = "clients",
     .letter = 'c',
     .kind = OPTION_TEXT,
     .value = "LIST",
     .help = "numbers of clients at once, rising (" CLIENTS_DEFAULT ")",
     .offset = AT(clients)},
    {.name = "seconds",
     .letter = 's',
     .kind = OPTION_TEXT,
     .value = "TIME",
     .help = "how long each point is measured (" POINT_DEFAULT ")",
     .offset = AT(seconds)},
    {.name = "slow",
     .kind = OPTION_COUNT,
     .value = "MS",
     .help = "how long the slow handler takes for an answer (10)",
     .offset = AT(slow_ms),
     .min = 1,
     .max = 5000},
    {.name = "path",
     .kind = OPTION_TEXT,
     .value = "PATH",
     .help = "which page of the site is asked for (/)",
     .offset = AT(path)},
    {.name = "echo",
     .kind = OPTION_FLAG,
     .help = "not a site: messages of 64 bytes that come back",
     .offset = AT(echo)},
    {.name = "json",
     .letter = 'j',
     .kind = OPTION_FLAG,
     .help = "all points as JSON",
     .offset = AT(json)},
    {.name = "html",
     .kind = OPTION_TEXT,
     .value = "FILE",
     .help = "write a page with plots there",
     .offset = AT(html)},
    {.name = "quiet",
     .letter = 'q',
     .kind = OPTION_FLAG,
     .help = "show no progress",
     .offset = AT(quiet)},
};

/* --- progress --- */

struct progress {
    bool terminal;
    uint64_t point_ns;
};

static void show_progress(void *arg, unsigned number, unsigned total, const char *what)
{
    const struct progress *p = arg;
    /* A tenth of warm-up, and a start and an end. */
    double left_s = (total - number) * ((double)p->point_ns * 1.1e-9 + 0.05);
    if (!p->terminal)
        return;
    fprintf(stderr, "\r\033[K%u of %u: %s (about %.0f s to go)", number + 1, total, what, left_s);
    fflush(stderr);
}

/* --- the result --- */

#define COLUMNS 8
#define CELL    AMOUNT_MAX

static void fill_row(const struct bench *bench, enum bench_kind kind, unsigned model,
                     char row[COLUMNS][CELL])
{
    unsigned last = bench->options.client_count - 1, at = bench_peak(bench, kind, model);
    const struct bench_point *peak = &bench->at[kind][model][at];
    const struct bench_point *end = &bench->at[kind][model][last];
    snprintf(row[0], CELL, "%s", bench->info[model]->name);
    amount_number(row[1], peak->rate);
    amount_count(row[2], bench->options.clients[at]);
    amount_number(row[3], peak->cpu_us);
    amount_number(row[4], end->rate);
    amount_time(row[5], end->p50_ns);
    amount_time(row[6], end->p99_ns);
    if (end->pss)
        amount_bytes(row[7], (double)end->pss);
    else
        snprintf(row[7], CELL, "-");
}

static void print_kind(const struct bench *bench, enum bench_kind kind)
{
    static char rows_text[BENCH_MODELS_MAX][COLUMNS][CELL];
    char title[80], most[CELL];
    unsigned last = bench->options.client_count - 1;
    snprintf(most, sizeof(most), "with %u: /s", bench->options.clients[last]);
    const char *cells[(BENCH_MODELS_MAX + 1) * COLUMNS] = {"model", "best /s", "clients", "CPU µs",
                                                           most,    "p50",     "p99",     "memory"};
    for (unsigned m = 0; m < bench->options.model_count; m++) {
        fill_row(bench, kind, m, rows_text[m]);
        for (unsigned c = 0; c < COLUMNS; c++)
            cells[(m + 1) * COLUMNS + c] = rows_text[m][c];
    }
    printf("%s\n", bench_kind_title(bench, kind, title, sizeof(title)));
    table_print(cells, bench->options.model_count + 1, COLUMNS, terminal_width(STDOUT_FILENO),
                terminal_colour(STDOUT_FILENO));
    putchar('\n');
}

/* Between words. */
static void print_wrapped(void *arg, const char *text)
{
    unsigned width = *(const unsigned *)arg, at = 0;
    while (*text) {
        size_t len = strcspn(text, " ");
        if (at > 0 && at + 1 + len > width) {
            putchar('\n');
            at = 0;
        }
        at += (unsigned)printf("%s%.*s", at > 0 ? " " : "", (int)len, text);
        text += len;
        text += strspn(text, " ");
    }
    puts("\n");
}

static int write_html(const char *path, const struct bench *bench)
{
    FILE *f = fopen(path, "we");
    if (f)
        bench_html(f, bench);
    bool failed = !f || ferror(f);
    if ((f && fclose(f) != 0) || failed) {
        complain(&command_bench, "cannot write %s: %s", path, strerror(errno));
        return 1;
    }
    return 0;
}

static int show(const struct bench_values *values, const struct bench *bench)
{
    unsigned width = terminal_width(STDOUT_FILENO);
    if (values->json) {
        bench_json(stdout, bench);
    } else {
        for (enum bench_kind kind = 0; kind < BENCH_KINDS; kind++)
            print_kind(bench, kind);
        bench_words(bench, print_wrapped, &width);
    }
    return values->html ? write_html(values->html, bench) : 0;
}

/* --- what was asked for --- */

static int add_model(struct bench_options *options, const char *name)
{
    const struct weir_model_info *info;
    struct suggest suggest = {.word = name};
    for (unsigned i = 0; (info = weir_model(i)); i++) {
        suggest_see(&suggest, info->name);
        if (strcmp(info->name, name) != 0)
            continue;
        for (unsigned k = 0; k < options->model_count; k++)
            if (options->models[k] == i)
                return 0;
        options->models[options->model_count++] = i;
        return 0;
    }
    return usage_error(&command_bench, "no model is called '%s'%s%s%s (`weir models` shows them)",
                       name, suggest.best ? "; did you mean '" : "",
                       suggest.best ? suggest.best : "", suggest.best ? "'?" : "");
}

static int read_models(const struct bench_values *values, struct bench_options *options)
{
    for (size_t i = 0; i < values->models.count; i++) {
        int status = add_model(options, values->models.at[i]);
        if (status)
            return status;
    }
    for (unsigned i = 0; values->models.count == 0 && weir_model(i) && i < BENCH_MODELS_MAX; i++)
        options->models[options->model_count++] = i;
    return 0;
}

static int read_options(const struct bench_values *values, struct bench_options *options)
{
    const char *clients = values->clients ? values->clients : CLIENTS_DEFAULT;
    const char *seconds = values->seconds ? values->seconds : POINT_DEFAULT;
    int count =
        amount_read_list(clients, LIMIT_BENCH_CLIENTS, options->clients, LIMIT_BENCH_POINTS);
    if (count < 0)
        return usage_error(
            &command_bench,
            "--clients takes up to %d rising numbers up to %d, as in 1,8,64, not '%s'",
            LIMIT_BENCH_POINTS, LIMIT_BENCH_CLIENTS, clients);
    options->client_count = (unsigned)count;
    if (amount_read_time(seconds, &options->point_ns) < 0 ||
        options->point_ns < 20 * WEIR_NS_PER_MS || options->point_ns > 600 * WEIR_NS_PER_S)
        return usage_error(&command_bench, "--seconds takes a time from 20ms to 600, not '%s'",
                           seconds);
    return read_models(values, options);
}

static int measure(const struct bench_values *values, struct bench_options *options)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    struct progress progress = {.terminal = !values->quiet && isatty(STDERR_FILENO),
                                .point_ns = options->point_ns};
    char why[BENCH_WHY_MAX];
    int status = 1;
    options->progress = show_progress;
    options->arg = &progress;
    int rc = bench ? bench_run(bench, options, why) : -ENOMEM;
    if (progress.terminal)
        fputs("\r\033[K", stderr);
    if (rc == 0)
        status = show(values, bench);
    else if (rc == -ECANCELED)
        complain(&command_bench, "interrupted");
    else
        complain(&command_bench, "%s", bench ? why : strerror(ENOMEM));
    free(bench);
    return status;
}

static int run(void *arg, int argc, char **argv)
{
    const struct bench_values *values = arg;
    if (argc > 1)
        return usage_error(&command_bench, "one folder only, not also '%s'", argv[1]);
    if (argc == 1 && values->echo)
        return usage_error(&command_bench, "--echo goes without a folder");
    if (values->path && (values->echo || argc == 0))
        return usage_error(&command_bench, "--path goes with a folder");
    struct bench_options options = {.root = argc == 1 ? argv[0] : NULL,
                                    .path = values->path ? values->path : "/",
                                    .echo = values->echo,
                                    .slow_ms = values->slow_ms};
    int status = read_options(values, &options);
    return status ? status : measure(values, &options);
}

static void defaults(void *arg)
{
    struct bench_values *values = arg;
    values->slow_ms = SLOW_DEFAULT_MS;
}

const struct command command_bench = {
    .name = "bench",
    .synopsis = "[DIR] [options]",
    .summary = "run your site, or echo, under every concurrency model, and say which suits",
    .examples = "weir bench ~/site --html models.html\n"
                "weir bench --echo --model event --model pool --clients 1,16,256\n"
                "weir bench ~/site --path /index.html --seconds 2 --json > models.json",
    .exits =
        "0  measured\n"
        "1  a server could not be started or asked, the page could not be written, or a signal came\n"
        "2  wrong usage",
    .options = rows,
    .option_count = sizeof(rows) / sizeof(*rows),
    .values_size = sizeof(struct bench_values),
    .defaults = defaults,
    .run = run,
};
