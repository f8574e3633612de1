/* The figures as text: for Prometheus, and as an event for the page. */
#include "base/text.h"
#include "service/status.h"

static const char *const limits[] = {
#define L(name) name,
    FIGURE_LIMITS(L)
#undef L
};
static const char *const bounds[] = {
#define B(us, text) text,
    FIGURE_BUCKETS(B)
#undef B
};
static const char *const times[] = {
#define H(NAME, text) text,
    FIGURE_TIMES(H)
#undef H
};
static const char *const codes[] = {"other", "2xx", "3xx", "4xx", "5xx"};

static void head(struct text *t, const char *name, const char *kind, const char *help)
{
    text_fmt(t, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

static void plain(struct text *t, const char *name, const char *kind, const char *help,
                  uint64_t value)
{
    head(t, name, kind, help);
    text_fmt(t, "%s %llu\n", name, (unsigned long long)value);
}

static void labelled(struct text *t, const char *name, const char *label, const char *of,
                     uint64_t value)
{
    text_fmt(t, "%s{%s=\"%s\"} %llu\n", name, label, of, (unsigned long long)value);
}

static void add_seconds(struct text *t, uint64_t ns)
{
    text_fmt(t, "%llu.%09llu", (unsigned long long)(ns / WEIR_NS_PER_S),
             (unsigned long long)(ns % WEIR_NS_PER_S));
}

static void histogram(struct text *t, const struct figures_sum *sum, unsigned time,
                      const char *name)
{
    const uint64_t *at = &sum->at[FIGURE_TIME + time * FIGURE_HISTOGRAM];
    char phase[32] = "", comma[34] = "";
    struct text words;
    uint64_t count = 0;
    if (time != FIGURE_TIME_TOTAL) {
        text_init(&words, phase, sizeof(phase));
        text_fmt(&words, "phase=\"%s\"", times[time]);
        text_end(&words);
        text_init(&words, comma, sizeof(comma));
        text_fmt(&words, "%s,", phase);
        text_end(&words);
    }
    for (unsigned i = 0; i < FIGURE_BUCKET_COUNT; i++) {
        count += at[i];
        text_fmt(t, "%s_bucket{%sle=\"%s\"} %llu\n", name, comma,
                 i < FIGURE_BUCKET_MORE ? bounds[i] : "+Inf", (unsigned long long)count);
    }
    text_fmt(t, phase[0] ? "%s_sum{%s} " : "%s_sum%s ", name, phase);
    add_seconds(t, at[FIGURE_BUCKET_COUNT]);
    text_fmt(t, phase[0] ? "\n%s_count{%s} %llu\n" : "\n%s_count%s %llu\n", name, phase,
             (unsigned long long)count);
}

static uint64_t lost_access(const struct status *status)
{
    return status->logs ? logs_lost(status->logs) : 0;
}

static uint64_t lost_errors(const struct status *status)
{
    bool log = status->logs && status->logs->error.rings;
    return log ? log_lost(status->logs->error.rings) : 0;
}

static void add_counters(const struct status *status, struct text *t, const struct figures_sum *sum)
{
    head(t, "weir_requests_total", "counter",
         "Requests that have ended, by class of status; 4xx, too, where no answer began.");
    for (unsigned i = 0; i < sizeof(codes) / sizeof(*codes); i++)
        labelled(t, "weir_requests_total", "code", codes[i], sum->at[FIGURE_CODE_OTHER + i]);
    plain(t, "weir_requests_failed_total", "counter", "Requests whose answer did not go out whole.",
          sum->at[FIGURE_FAILED]);
    plain(t, "weir_content_bytes_total", "counter", "Bytes of content in answers.",
          sum->at[FIGURE_SENT]);
    plain(t, "weir_connections_total", "counter", "Connections that were opened.",
          sum->at[FIGURE_OPENED]);
    plain(t, "weir_connections", "gauge", "Connections that are open.", sum->connections);
    plain(t, "weir_serving_threads", "gauge", "Threads and processes that look after connections.",
          sum->threads);
    head(t, "weir_limits_total", "counter", "Limits that struck, by the name of their option.");
    for (unsigned i = 0; i < FIGURE_LIMIT_COUNT; i++)
        labelled(t, "weir_limits_total", "limit", limits[i], sum->at[FIGURE_LIMIT + i]);
    head(t, "weir_log_lost_total", "counter", "Lines of a log that could not be written.");
    labelled(t, "weir_log_lost_total", "log", "access", lost_access(status));
    labelled(t, "weir_log_lost_total", "log", "error", lost_errors(status));
    head(t, "weir_start_time_seconds", "gauge", "When the server started, since 1970.");
    text_str(t, "weir_start_time_seconds ");
    add_seconds(t, (uint64_t)sum->started_ns);
    text_char(t, '\n');
}

bool status_metrics(const struct status *status, struct text *t)
{
    struct figures_sum sum;
    figures_read(status->figures, &sum);
    add_counters(status, t, &sum);
    head(t, "weir_request_seconds", "histogram",
         "From the first byte of a request to the last of its answer.");
    histogram(t, &sum, FIGURE_TIME_TOTAL, "weir_request_seconds");
    head(t, "weir_request_phase_seconds", "histogram", "The parts of that.");
    for (unsigned i = FIGURE_TIME_TOTAL + 1; i < FIGURE_TIME_COUNT; i++)
        histogram(t, &sum, i, "weir_request_phase_seconds");
    return !t->cut;
}

static void member(struct text *t, const char *name, uint64_t value)
{
    text_fmt(t, ",\"%s\":%llu", name, (unsigned long long)value);
}

bool status_event(const struct status *status, struct text *t, struct weir_now now)
{
    struct figures_sum sum;
    figures_read(status->figures, &sum);
    text_fmt(t, "data: {\"now\":%lld,\"start\":%lld", (long long)(now.wall_ns / 1000000),
             (long long)(sum.started_ns / 1000000));
    text_fmt(t, ",\"code\":{\"0\":%llu", (unsigned long long)sum.at[FIGURE_CODE_OTHER]);
    for (unsigned i = 2; i < 6; i++)
        text_fmt(t, ",\"%u\":%llu", i, (unsigned long long)sum.at[FIGURE_CODE_OTHER + i - 1]);
    text_char(t, '}');
    member(t, "failed", sum.at[FIGURE_FAILED]);
    member(t, "sent", sum.at[FIGURE_SENT]);
    member(t, "opened", sum.at[FIGURE_OPENED]);
    member(t, "connections", sum.connections);
    member(t, "threads", sum.threads);
    text_fmt(t, ",\"lost\":[%llu,%llu],\"limits\":{", (unsigned long long)lost_access(status),
             (unsigned long long)lost_errors(status));
    for (unsigned i = 0; i < FIGURE_LIMIT_COUNT; i++)
        text_fmt(t, "%s\"%s\":%llu", i > 0 ? "," : "", limits[i],
                 (unsigned long long)sum.at[FIGURE_LIMIT + i]);
    text_str(t, "},\"le\":[");
    for (unsigned i = 0; i < FIGURE_BUCKET_MORE; i++)
        text_fmt(t, "%s%s", i > 0 ? "," : "", bounds[i]);
    text_str(t, "],\"total\":[");
    for (unsigned i = 0; i < FIGURE_BUCKET_COUNT; i++)
        text_fmt(t, "%s%llu", i > 0 ? "," : "", (unsigned long long)sum.at[FIGURE_TIME + i]);
    text_str(t, "]}\n\n");
    return !t->cut;
}
