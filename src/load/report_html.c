#include "load/amount.h"
#include "load/page.h"
#include "load/plot.h"
#include "load/report.h"

#include <math.h>

#define CURVE_POINTS 60

/* One value a slice. */
struct curves {
    double at[LIMIT_LOAD_SLICES];
    double rate[LIMIT_LOAD_SLICES], p50[LIMIT_LOAD_SLICES], p99[LIMIT_LOAD_SLICES];
    double worst[LIMIT_LOAD_SLICES], errors[LIMIT_LOAD_SLICES];
    unsigned count;
};

/* The last slice is as long as the run happened to last in it: a sliver says nothing. */
static void take_curves(const struct load_result *r, struct curves *c)
{
    const struct series *s = r->series;
    double whole = (double)s->slice_ns / 1e9;
    c->count = 0;
    for (unsigned i = 0; i <= s->last; i++) {
        const struct slice *slice = &s->at[i];
        double length = (double)r->elapsed_ns / 1e9 - i * whole;
        if (i > 0 && length < whole / 4)
            break;
        length = length < whole ? length : whole;
        c->at[c->count] = (i + .5) * whole;
        c->rate[c->count] = length > 0 ? (double)slice->latency.count / length : 0;
        c->errors[c->count] = length > 0 ? (double)slice->errors / length : 0;
        c->p50[c->count] = (double)histogram_quantile(&slice->latency, .5);
        c->p99[c->count] = (double)histogram_quantile(&slice->latency, .99);
        c->worst[c->count++] = (double)histogram_quantile(&slice->latency, 1);
    }
}

static void write_rate(FILE *f, const struct load_result *r, const struct curves *c)
{
    const struct plot_series series[] = {
        {.name = "answered", .style = 0, .x = c->at, .y = c->rate, .count = c->count},
        {.name = "errors", .style = 4, .x = c->at, .y = c->errors, .count = c->count}};
    unsigned count = load_errors(r) ? 2 : 1;
    plot_write(f, &(struct plot){.title = "Answers a second, over the run",
                                 .x = {.label = "seconds", .unit = PLOT_NUMBER},
                                 .y = {.unit = PLOT_NUMBER},
                                 .series = series,
                                 .count = count,
                                 .legend = count > 1});
}

static void write_latency(FILE *f, const struct curves *c)
{
    const struct plot_series series[] = {
        {.name = "worst", .style = 4, .x = c->at, .y = c->worst, .count = c->count},
        {.name = "p99", .style = 3, .x = c->at, .y = c->p99, .count = c->count},
        {.name = "p50", .style = 0, .x = c->at, .y = c->p50, .count = c->count}};
    plot_write(f, &(struct plot){.title = "Latency, over the run",
                                 .x = {.label = "seconds", .unit = PLOT_NUMBER},
                                 .y = {.unit = PLOT_NS, .log = true},
                                 .series = series,
                                 .count = 3,
                                 .legend = true});
}

/* From the fastest to the slowest, in even steps of nines: what one in ten, a hundred, a thousand waits. */
static void write_tail(FILE *f, const struct histogram *h)
{
    double x[CURVE_POINTS], y[CURVE_POINTS];
    double nines = log10(h->count > 10 ? (double)h->count : 10);
    nines = nines < 6 ? nines : 6;
    for (unsigned i = 0; i < CURVE_POINTS; i++) {
        x[i] = pow(10, nines * i / (CURVE_POINTS - 1));
        y[i] = (double)histogram_quantile(h, 1 - 1 / x[i]);
    }
    const struct plot_series series = {.name = "latency", .x = x, .y = y, .count = CURVE_POINTS};
    plot_write(f, &(struct plot){.title = "Latency, from the fastest to the slowest",
                                 .x = {.label = "share of requests at least as fast",
                                       .unit = PLOT_NINES,
                                       .log = true},
                                 .y = {.unit = PLOT_NS, .auto_log = true},
                                 .series = &series,
                                 .count = 1});
}

static void fact(FILE *f, const char *name, const char *value)
{
    fputs("<div>", f);
    page_element(f, "dt", name);
    page_element(f, "dd", value);
    fputs("</div>\n", f);
}

static void write_facts(FILE *f, const struct load_result *r)
{
    char a[AMOUNT_MAX];
    fputs("<dl class=\"facts\">\n", f);
    fact(f, "answers a second", amount_number(a, load_rate(r)));
    fact(f, "answered", amount_count(a, r->answered));
    fact(f, "p50", amount_time(a, (double)histogram_quantile(&r->latency, .5)));
    fact(f, "p99", amount_time(a, (double)histogram_quantile(&r->latency, .99)));
    fact(f, "p99.9", amount_time(a, (double)histogram_quantile(&r->latency, .999)));
    fact(f, "worst", amount_time(a, (double)histogram_quantile(&r->latency, 1)));
    fact(f, "received", amount_bytes(a, (double)r->bytes_in));
    fact(f, "errors", amount_count(a, load_errors(r)));
    fputs("</dl>\n", f);
}

static void table_row(FILE *f, const char *name, uint64_t count)
{
    char a[AMOUNT_MAX];
    fputs("<tr>", f);
    page_element(f, "td", name);
    page_element(f, "td", amount_count(a, count));
    fputs("</tr>\n", f);
}

static void write_counts(FILE *f, const struct load_result *r)
{
    fputs("<h2>Counted</h2>\n<div class=\"scroll\"><table>\n", f);
    for (unsigned i = 1; i < 6; i++) {
        char name[] = "answers 0xx";
        name[8] = (char)('0' + i);
        if (r->statuses[i])
            table_row(f, name, r->statuses[i]);
    }
    for (unsigned i = 0; i < LOAD_ERROR_COUNT; i++)
        if (r->errors[i])
            table_row(f, load_error_texts[i], r->errors[i]);
    table_row(f, "connections begun", r->connects);
    table_row(f, "asked again on a new connection", r->retried);
    table_row(f, "not answered when time was up", r->unfinished);
    if (r->overdue)
        table_row(f, "of them due for long, with no connection free", r->overdue);
    fputs("</table></div>\n", f);
}

static void write_generator(FILE *f, const struct load_report *report)
{
    char text[300], a[AMOUNT_MAX];
    const struct load_result *r = report->result;
    snprintf(text, sizeof(text),
             "The generator spent %s µs of CPU time on each answer, %.0f %% of a core in all%s.",
             amount_number(a, load_cpu_us(r)), 100 * load_cores(r),
             load_cores(r) > 0.95 * report->options->threads
                 ? ": it had no time left, so the server may be faster than this shows"
                 : "");
    page_element(f, "p class=\"soft\"", text);
    if (report->options->rate)
        page_element(
            f, "p class=\"soft\"",
            "Requests were due at a fixed rate, and the time of each counts from when it was "
            "due, so waiting for a slow server is part of its latency.");
}

void load_report_html(FILE *f, const struct load_report *report)
{
    const struct load_result *r = report->result;
    struct curves curves = {.count = 0};
    char title[300], how[200];
    snprintf(title, sizeof(title), "Load on %s", report->name);
    load_report_how(report, how, sizeof(how));
    if (r->series)
        take_curves(r, &curves);
    page_begin(f, title, how);
    write_facts(f, r);
    fputs("<div class=\"plots\">\n", f);
    write_rate(f, r, &curves);
    write_latency(f, &curves);
    write_tail(f, &r->latency);
    fputs("</div>\n", f);
    write_counts(f, r);
    write_generator(f, report);
    page_end(f);
}
