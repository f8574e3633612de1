#include "load/amount.h"
#include "load/bench.h"
#include "load/page.h"
#include "load/plot.h"

#include <string.h>
#include <unistd.h>

enum figure { FIGURE_RATE, FIGURE_P99, FIGURE_MEMORY, FIGURE_CPU, FIGURES };

static double figure_of(const struct bench_point *p, enum figure figure)
{
    switch (figure) {
    case FIGURE_RATE:
        return p->rate;
    case FIGURE_P99:
        return p->p99_ns;
    case FIGURE_MEMORY:
        return (double)p->pss;
    default:
        return p->cpu_us;
    }
}

struct curves {
    double x[LIMIT_BENCH_POINTS];
    double y[BENCH_MODELS_MAX][LIMIT_BENCH_POINTS];
    struct plot_series series[BENCH_MODELS_MAX];
    unsigned count;
};

/* Colours stay with the models, whichever of them are measured. */
static void take_curves(const struct bench *bench, enum bench_kind kind, enum figure figure,
                        struct curves *c)
{
    const struct bench_options *o = &bench->options;
    c->count = o->model_count;
    for (unsigned at = 0; at < o->client_count; at++)
        c->x[at] = o->clients[at];
    for (unsigned m = 0; m < o->model_count; m++) {
        for (unsigned at = 0; at < o->client_count; at++)
            c->y[m][at] = figure_of(&bench->at[kind][m][at], figure);
        c->series[m] = (struct plot_series){.name = bench->info[m]->name,
                                            .style = 6 - o->models[m] % 7,
                                            .x = c->x,
                                            .y = c->y[m],
                                            .count = o->client_count};
    }
}

static void write_plot(FILE *f, const struct bench *bench, enum bench_kind kind, enum figure figure)
{
    static const struct {
        const char *title;
        enum plot_unit unit;
        bool far; /* values lie so far apart that equal steps show nothing */
    } figures[] = {[FIGURE_RATE] = {"Answers a second", PLOT_NUMBER, false},
                   [FIGURE_P99] = {"Latency, p99", PLOT_NS, true},
                   [FIGURE_MEMORY] = {"Memory of the server", PLOT_BYTES, false},
                   [FIGURE_CPU] = {"CPU time an answer", PLOT_NS, false}};
    struct curves curves;
    take_curves(bench, kind, figure, &curves);
    if (figure == FIGURE_CPU) /* kept in microseconds */
        for (unsigned m = 0; m < curves.count; m++)
            for (unsigned at = 0; at < bench->options.client_count; at++)
                curves.y[m][at] *= 1e3;
    plot_write(
        f, &(struct plot){
               .title = figures[figure].title,
               .x = {.label = "clients at once",
                     .log = true,
                     .ticks = curves.x,
                     .tick_count = bench->options.client_count},
               .y = {.unit = figures[figure].unit, .log = figures[figure].far, .auto_log = true},
               .series = curves.series,
               .count = curves.count,
               .marks = true});
}

static void cell(FILE *f, const char *text)
{
    page_element(f, "td", text);
}

static void write_row(FILE *f, const struct bench *bench, enum bench_kind kind, unsigned model)
{
    char a[AMOUNT_MAX];
    unsigned last = bench->options.client_count - 1, at = bench_peak(bench, kind, model);
    const struct bench_point *peak = &bench->at[kind][model][at];
    const struct bench_point *end = &bench->at[kind][model][last];
    fputs("<tr>", f);
    cell(f, bench->info[model]->name);
    cell(f, amount_number(a, peak->rate));
    cell(f, amount_count(a, bench->options.clients[at]));
    cell(f, amount_number(a, peak->cpu_us));
    cell(f, amount_number(a, end->rate));
    cell(f, amount_time(a, end->p50_ns));
    cell(f, amount_time(a, end->p99_ns));
    cell(f, end->pss ? amount_bytes(a, (double)end->pss) : "–");
    fputs("</tr>\n", f);
}

static void write_table(FILE *f, const struct bench *bench, enum bench_kind kind)
{
    unsigned most = bench->options.clients[bench->options.client_count - 1];
    fputs("<div class=\"scroll\"><table>\n<thead><tr><th>model<th>most a second<th>with clients"
          "<th>µs CPU each",
          f);
    fprintf(f, "<th>with %u: a second<th>p50<th>p99<th>memory</tr></thead>\n<tbody>\n", most);
    for (unsigned m = 0; m < bench->options.model_count; m++)
        write_row(f, bench, kind, m);
    fputs("</tbody></table></div>\n", f);
}

static void write_kind(FILE *f, const struct bench *bench, enum bench_kind kind)
{
    char title[80];
    struct curves curves;
    bench_kind_title(bench, kind, title, sizeof(title));
    title[0] = (char)(title[0] >= 'a' ? title[0] - 32 : title[0]);
    page_element(f, "h2", title);
    take_curves(bench, kind, FIGURE_RATE, &curves);
    plot_legend(f, curves.series, curves.count);
    fputs("<div class=\"plots\">\n", f);
    for (enum figure figure = 0; figure < FIGURES; figure++)
        write_plot(f, bench, kind, figure);
    fputs("</div>\n", f);
    write_table(f, bench, kind);
}

/* What it is about stands out. */
static void say(void *arg, const char *text)
{
    FILE *f = arg;
    char subject[60];
    size_t len = strcspn(text, ":");
    fputs("<p>", f);
    if (text[len] && len < sizeof(subject) - 1) {
        snprintf(subject, sizeof(subject), "%.*s", (int)len + 1, text);
        page_element(f, "strong", subject);
        text += len + 1;
    }
    page_text(f, text);
    fputs("</p>\n", f);
}

void bench_html(FILE *f, const struct bench *bench)
{
    const struct bench_options *o = &bench->options;
    char intro[400], a[AMOUNT_MAX];
    snprintf(
        intro, sizeof(intro),
        "%s under %u concurrency model%s, %s measured at each point, server and clients on one "
        "machine with %ld cores. The same code answered each time; only who looks after a "
        "connection differs.",
        o->echo   ? "The echo service (messages of 64 bytes)"
        : o->root ? o->root
                  : "A small page",
        o->model_count, o->model_count == 1 ? "" : "s", amount_time(a, (double)o->point_ns),
        sysconf(_SC_NPROCESSORS_ONLN));
    page_begin(f, "Concurrency models, measured", intro);
    bench_words(bench, say, f);
    for (enum bench_kind kind = 0; kind < BENCH_KINDS; kind++)
        write_kind(f, bench, kind);
    page_element(
        f, "p class=\"soft\"",
        "CPU time is user and system time of the server and all its children, without what "
        "its start takes. Memory is proportional (Pss) of all its processes, while under "
        "load. Slow answers are HTTP always: they wait on a timer as they would on another "
        "program.");
    page_end(f);
}
