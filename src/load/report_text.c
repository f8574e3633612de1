#include "base/text.h"
#include "load/amount.h"
#include "load/report.h"

double load_rate(const struct load_result *r)
{
    return r->elapsed_ns ? (double)r->answered * 1e9 / (double)r->elapsed_ns : 0;
}

double load_cores(const struct load_result *r)
{
    return r->elapsed_ns ? (double)r->cpu_ns / (double)r->elapsed_ns : 0;
}

double load_cpu_us(const struct load_result *r)
{
    return r->answered ? (double)r->cpu_ns / 1e3 / (double)r->answered : 0;
}

static void add_number(struct text *t, unsigned n, const char *one)
{
    text_fmt(t, ", %u %s%s", n, one, n == 1 ? "" : "s");
}

void load_report_how(const struct load_report *report, char *text, size_t size)
{
    const struct load_options *o = report->options;
    struct text t;
    char a[AMOUNT_MAX];
    text_init(&t, text, size);
    text_str(&t, amount_time(a, (double)report->result->elapsed_ns));
    add_number(&t, o->connections, "connection");
    if (o->fresh)
        text_str(&t, ", a new one for each request");
    else if (o->depth > 1)
        text_fmt(&t, " with up to %u requests on the way", o->depth);
    add_number(&t, o->threads, "thread");
    if (o->rate)
        text_fmt(&t, ", open loop at %s/s", amount_count(a, o->rate));
    else
        text_str(&t, ", closed loop");
    if (report->result->interrupted)
        text_str(&t, ", interrupted");
    (void)text_end(&t);
}

static void row(FILE *f, const char *name)
{
    fprintf(f, "  %-11s", name);
}

static void print_latency(FILE *f, const struct load_result *r)
{
    static const struct {
        const char *name;
        double part;
    } parts[] = {{"p50", .5}, {"p90", .9}, {"p99", .99}, {"p99.9", .999}, {"max", 1}};
    char a[AMOUNT_MAX];
    row(f, "latency");
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        fprintf(f, "%s%s %s", i ? "   " : "", parts[i].name,
                amount_time(a, (double)histogram_quantile(&r->latency, parts[i].part)));
    fprintf(f, "   mean %s\n", amount_time(a, histogram_mean(&r->latency)));
}

static void print_statuses(FILE *f, const struct load_result *r)
{
    char a[AMOUNT_MAX];
    const char *before = "";
    row(f, "answers");
    for (unsigned i = 1; i < 6; i++) {
        if (r->statuses[i]) {
            fprintf(f, "%s%uxx %s", before, i, amount_count(a, r->statuses[i]));
            before = "   ";
        }
    }
    fputc('\n', f);
}

static void print_errors(FILE *f, const struct load_result *r)
{
    char a[AMOUNT_MAX];
    const char *before = "";
    row(f, "errors");
    for (unsigned i = 0; i < LOAD_ERROR_COUNT; i++) {
        if (r->errors[i]) {
            fprintf(f, "%s%s: %s", before, load_error_texts[i], amount_count(a, r->errors[i]));
            before = "   ";
        }
    }
    fputs(*before ? "\n" : "none\n", f);
}

static void print_unfinished(FILE *f, const struct load_report *report)
{
    const struct load_result *r = report->result;
    bool open_loop = report->options->rate > 0;
    char a[AMOUNT_MAX];
    if (r->unfinished == 0 || (!open_loop && r->answered > 0)) /* always some, in a closed loop */
        return;
    row(f, "unfinished");
    fprintf(f, "%s were %s and not answered when time was up%s\n", amount_count(a, r->unfinished),
            open_loop ? "due" : "asked", open_loop ? " (counted as waiting so long)" : "");
    if (r->overdue == 0)
        return;
    row(f, "");
    fprintf(f, "%s of them since more than %d ms, with no connection free: ",
            amount_count(a, r->overdue), LIMIT_LOAD_OVERDUE_MS);
    fputs("the server is too slow for this --rate, or --connections too few\n", f);
}

static void print_notes(FILE *f, const struct load_report *report)
{
    const struct load_result *r = report->result;
    char a[AMOUNT_MAX];
    if (r->retried) {
        row(f, "retried");
        fprintf(f, "%s asked again: the server had closed the connection\n",
                amount_count(a, r->retried));
    }
    print_unfinished(f, report);
    if (load_cores(r) > 0.95 * report->options->threads)
        fputs("  note: the generator had no time left, the server may have some: "
              "more --threads show it\n",
              f);
}

void load_report_text(FILE *f, const struct load_report *report)
{
    const struct load_result *r = report->result;
    char how[200], a[AMOUNT_MAX], b[AMOUNT_MAX];
    load_report_how(report, how, sizeof(how));
    fprintf(f, "%s\n  %s\n\n", report->name, how);
    row(f, "requests");
    fprintf(f, "%s   %s/s\n", amount_count(a, r->answered), amount_number(b, load_rate(r)));
    print_latency(f, r);
    if (report->options->target->kind == LOAD_HTTP)
        print_statuses(f, r);
    row(f, "bytes");
    double seconds = (double)r->elapsed_ns / 1e9;
    fprintf(f, "in %s (%s/s)", amount_bytes(a, (double)r->bytes_in),
            amount_bytes(b, seconds > 0 ? (double)r->bytes_in / seconds : 0));
    fprintf(f, "   out %s\n", amount_bytes(a, (double)r->bytes_out));
    print_errors(f, r);
    row(f, "generator");
    fprintf(f, "%s µs CPU a request, %.0f %% of a core", amount_number(a, load_cpu_us(r)),
            100 * load_cores(r));
    if (r->late_max_ns)
        fprintf(f, ", late by %s at most", amount_time(a, (double)r->late_max_ns));
    fputc('\n', f);
    print_notes(f, report);
}
