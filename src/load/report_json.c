#include "load/page.h"
#include "load/report.h"

static double us(uint64_t ns)
{
    return (double)ns / 1e3;
}

static void write_latency(FILE *f, const struct histogram *h)
{
    fprintf(f,
            "{\"min\": %.1f, \"mean\": %.1f, \"p50\": %.1f, \"p90\": %.1f, \"p99\": %.1f, "
            "\"p99.9\": %.1f, \"max\": %.1f}",
            us(h->count ? h->min : 0), histogram_mean(h) / 1e3, us(histogram_quantile(h, .5)),
            us(histogram_quantile(h, .9)), us(histogram_quantile(h, .99)),
            us(histogram_quantile(h, .999)), us(histogram_quantile(h, 1)));
}

static void write_options(FILE *f, const struct load_report *report)
{
    static const char *const kinds[] = {
        [LOAD_HTTP] = "http", [LOAD_ECHO] = "echo", [LOAD_FRAME] = "frame"};
    const struct load_options *o = report->options;
    fputs("{\"target\": ", f);
    json_text(f, report->name);
    fprintf(f, ", \"kind\": \"%s\", \"connections\": %u, \"pipeline\": %u, \"threads\": %u",
            kinds[o->target->kind], o->connections, o->depth, o->threads);
    fprintf(f, ", \"new_connections\": %s, \"rate\": ", o->fresh ? "true" : "false");
    if (o->rate)
        fprintf(f, "%llu", (unsigned long long)o->rate);
    else
        fputs("null", f);
    fprintf(f, ",\n \"interrupted\": %s", report->result->interrupted ? "true" : "false");
}

static void write_counts(FILE *f, const struct load_result *r)
{
    fprintf(f, ",\n \"seconds\": %.6f, \"requests\": %llu, \"per_second\": %.1f",
            (double)r->elapsed_ns / 1e9, (unsigned long long)r->answered, load_rate(r));
    fprintf(f, ", \"bytes_in\": %llu, \"bytes_out\": %llu", (unsigned long long)r->bytes_in,
            (unsigned long long)r->bytes_out);
    fprintf(f,
            ",\n \"connects\": %llu, \"retried\": %llu, \"unfinished\": %llu, "
            "\"overdue\": %llu",
            (unsigned long long)r->connects, (unsigned long long)r->retried,
            (unsigned long long)r->unfinished, (unsigned long long)r->overdue);
    fputs(",\n \"statuses\": {", f);
    for (unsigned i = 1; i < 6; i++)
        fprintf(f, "%s\"%uxx\": %llu", i > 1 ? ", " : "", i, (unsigned long long)r->statuses[i]);
    fputs("},\n \"errors\": {", f);
    for (unsigned i = 0; i < LOAD_ERROR_COUNT; i++)
        fprintf(f, "%s\"%s\": %llu", i ? ", " : "", load_error_names[i],
                (unsigned long long)r->errors[i]);
    fputc('}', f);
}

static void write_slices(FILE *f, const struct series *s)
{
    fputs(",\n \"slices\": [", f);
    for (unsigned i = 0; i <= s->last; i++) {
        const struct slice *slice = &s->at[i];
        fprintf(f,
                "%s\n  {\"from_s\": %.3f, \"requests\": %llu, \"errors\": %llu, \"p50_us\": %.1f, "
                "\"p99_us\": %.1f, \"max_us\": %.1f}",
                i ? "," : "", (double)(i * s->slice_ns) / 1e9,
                (unsigned long long)slice->latency.count, (unsigned long long)slice->errors,
                us(histogram_quantile(&slice->latency, .5)),
                us(histogram_quantile(&slice->latency, .99)),
                us(histogram_quantile(&slice->latency, 1)));
    }
    fputs("]", f);
}

void load_report_json(FILE *f, const struct load_report *report)
{
    const struct load_result *r = report->result;
    write_options(f, report);
    write_counts(f, r);
    fputs(",\n \"latency_us\": ", f);
    write_latency(f, &r->latency);
    fprintf(f, ",\n \"generator\": {\"cpu_us_per_request\": %.3f, \"cores\": %.3f, ",
            load_cpu_us(r), load_cores(r));
    fprintf(f, "\"late_max_us\": %.1f}", us(r->late_max_ns));
    if (r->series)
        write_slices(f, r->series);
    fputs("}\n", f);
}
