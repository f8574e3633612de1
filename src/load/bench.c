#include "load/bench.h"

#include "load/bench_server.h"
#include "load/page_service.h"
#include "service/site.h"

#include <weir/protocols.h>

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ECHO_BYTES   64
#define SAMPLE_AT    0.7 /* of a point: memory is looked at then */
#define WARMUP_PART  10  /* a tenth of a point's time */
#define PLACES_SPARE 16
#define AGAIN        4 /* times that a point without an answer is measured again */

struct course {
    struct bench *bench;
    struct site *site;
    struct weir_service echo;
    struct page_service page, slow;
    unsigned number, total;
    char *why;
};

static int __attribute__((format(printf, 3, 4)))
fail(struct course *course, int rc, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(course->why, BENCH_WHY_MAX, format, args);
    va_end(args);
    return rc;
}

/* --- one point --- */

struct sample {
    const struct bench_server *server;
    uint64_t when_ns, pss;
    unsigned looks;
};

/* Where processes come and go, some end between two looks, and their share of what they had in common is missed. */
static void take_sample(void *arg, const struct load_progress *progress)
{
    struct sample *sample = arg;
    if (progress->elapsed_ns < sample->when_ns)
        return;
    for (; sample->looks > 0; sample->looks--) {
        uint64_t pss = bench_server_memory(sample->server);
        sample->pss = pss > sample->pss ? pss : sample->pss;
    }
}

static bool is_http(const struct course *course, enum bench_kind kind)
{
    return kind == BENCH_SLOW || !course->bench->options.echo;
}

static int aim(struct course *course, enum bench_kind kind, const struct bench_server *server,
               struct load_target *target)
{
    char why[LOAD_WHY_MAX];
    bool http = is_http(course, kind);
    const struct load_words words = {.where = server->endpoint,
                                     .kind = http ? LOAD_HTTP : LOAD_FRAME,
                                     .size = ECHO_BYTES,
                                     .path = kind == BENCH_SLOW ? "/" : course->bench->options.path,
                                     .close = kind == BENCH_NEW};
    int rc = load_target_init(target, &words, why);
    if (rc == -EINVAL)
        return fail(course, rc, "%s", why);
    return rc < 0 ? rc : load_target_find(target, LIMIT_DIAL_MS, why);
}

static int put_load(struct course *course, enum bench_kind kind, unsigned clients,
                    uint64_t duration_ns, const struct bench_server *server,
                    struct load_result *result, uint64_t *out_pss)
{
    struct load_target target;
    uint64_t warmup = duration_ns / WARMUP_PART;
    struct sample sample = {.server = server, .looks = kind == BENCH_NEW ? 3 : 1};
    sample.when_ns = warmup + (uint64_t)((double)duration_ns * SAMPLE_AT);
    struct load_options options = {.target = &target,
                                   .connections = clients,
                                   .depth = 1,
                                   .threads = 1,
                                   .warmup_ns = warmup,
                                   .duration_ns = duration_ns,
                                   .timeout_ms = LIMIT_LOAD_TIMEOUT_MS,
                                   .fresh = kind == BENCH_NEW,
                                   .progress = take_sample,
                                   .arg = &sample,
                                   .progress_ns = sample.when_ns};
    int rc = aim(course, kind, server, &target);
    if (rc == 0)
        rc = load_run(&options, result);
    load_target_done(&target);
    *out_pss = sample.pss;
    return rc < 0 ? rc : result->interrupted ? -ECANCELED : 0;
}

static const struct weir_service *service_of(const struct course *course, enum bench_kind kind)
{
    if (kind == BENCH_SLOW)
        return &course->slow.service;
    if (course->bench->options.echo)
        return &course->echo;
    return course->site ? site_service(course->site) : &course->page.service;
}

/* fork and thread are measured without their default bound: past it clients would wait, as they do in the pool. */
static unsigned places_for(const struct bench *bench, unsigned model)
{
    unsigned most = bench->options.clients[bench->options.client_count - 1] + PLACES_SPARE;
    unsigned usual = bench->info[model]->max_connections;
    return usual && most > usual ? most : 0;
}

static int check_answers(struct course *course, const struct load_result *result)
{
    if (load_refusals(result) == 0)
        return 0;
    return fail(
        course, -ENOENT, "%s of %s is answered with an error (%uxx); name a page with --path",
        course->bench->options.path, course->bench->options.root, result->statuses[4] ? 4 : 5);
}

static void note(struct bench_point *point, const struct load_result *result, uint64_t pss)
{
    point->done = true;
    point->rate =
        result->elapsed_ns ? (double)result->answered * 1e9 / (double)result->elapsed_ns : 0;
    point->p50_ns = (double)histogram_quantile(&result->latency, .5);
    point->p99_ns = (double)histogram_quantile(&result->latency, .99);
    point->errors = load_errors(result);
    point->pss = pss;
}

static int measure_for(struct course *course, enum bench_kind kind, unsigned model, unsigned at,
                       uint64_t duration_ns, struct load_result *result)
{
    struct bench *bench = course->bench;
    struct bench_server server;
    struct bench_point *point = &bench->at[kind][model][at];
    uint64_t pss = 0;
    malloc_trim(0); /* a child begins with what this process has */
    int rc = bench_server_start(&server, service_of(course, kind), bench->info[model]->name,
                                places_for(bench, model));
    if (rc < 0)
        return fail(course, rc, "cannot start a server under %s: %s", bench->info[model]->name,
                    strerror(-rc));
    rc = put_load(course, kind, bench->options.clients[at], duration_ns, &server, result, &pss);
    double cpu_us = bench_server_stop(&server) - bench->start_cpu_us[model];
    if (rc == 0)
        rc = check_answers(course, result);
    if (rc == 0) {
        note(point, result, pss);
        if (result->answered_all > 0 && cpu_us > 0)
            point->cpu_us = cpu_us / (double)result->answered_all;
    }
    load_done(result);
    return rc;
}

/* On a busy machine a short time may pass without one answer: then once more, for longer. */
static int measure(struct course *course, enum bench_kind kind, unsigned model, unsigned at,
                   struct load_result *result)
{
    const struct bench_point *point = &course->bench->at[kind][model][at];
    uint64_t duration_ns = course->bench->options.point_ns;
    int rc = measure_for(course, kind, model, at, duration_ns, result);
    for (unsigned i = 0; i < AGAIN && rc == 0 && point->rate == 0 && point->errors == 0; i++) {
        duration_ns *= 2;
        rc = measure_for(course, kind, model, at, duration_ns, result);
    }
    return rc;
}

/* --- all of them --- */

/* What a server costs that serves nobody. */
static int measure_start(struct course *course, unsigned model)
{
    struct bench *bench = course->bench;
    struct bench_server server;
    int rc =
        bench_server_start(&server, service_of(course, BENCH_SLOW), bench->info[model]->name, 0);
    if (rc < 0)
        return fail(course, rc, "cannot start a server under %s: %s", bench->info[model]->name,
                    strerror(-rc));
    bench->start_cpu_us[model] = bench_server_stop(&server);
    return 0;
}

static void show_progress(struct course *course, enum bench_kind kind, unsigned model, unsigned at)
{
    const struct bench_options *o = &course->bench->options;
    char what[160], title[80];
    snprintf(what, sizeof(what), "%s, %s, %u client%s", course->bench->info[model]->name,
             bench_kind_title(course->bench, kind, title, sizeof(title)), o->clients[at],
             o->clients[at] == 1 ? "" : "s");
    if (o->progress)
        o->progress(o->arg, course->number, course->total, what);
    course->number++;
}

static int run_all(struct course *course, struct load_result *result)
{
    const struct bench_options *o = &course->bench->options;
    int rc = 0;
    course->total = BENCH_KINDS * o->model_count * o->client_count;
    for (unsigned model = 0; rc == 0 && model < o->model_count; model++)
        rc = measure_start(course, model);
    for (enum bench_kind kind = 0; kind < BENCH_KINDS; kind++) {
        for (unsigned model = 0; model < o->model_count; model++) {
            for (unsigned at = 0; rc == 0 && at < o->client_count; at++) {
                show_progress(course, kind, model, at);
                rc = measure(course, kind, model, at, result);
            }
        }
    }
    return rc;
}

/* A signal that comes between two points waits for the next one's load, or for the end. */
static void hold_signals(sigset_t *set, sigset_t *before)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, set, before);
}

static bool signal_came(const sigset_t *set)
{
    bool came = false;
    while (sigtimedwait(set, NULL, &(struct timespec){0}) > 0)
        came = true;
    return came;
}

static int run_held(struct course *course, struct load_result *result)
{
    sigset_t set, before;
    hold_signals(&set, &before);
    int rc = run_all(course, result);
    if (signal_came(&set) && rc == 0)
        rc = -ECANCELED;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

static int open_services(struct course *course)
{
    const struct bench_options *o = &course->bench->options;
    page_service_init(&course->page, 0);
    page_service_init(&course->slow, o->slow_ms);
    course->echo = (struct weir_service){
        .name = "frame", .protocol = &weir_frame, .client_first = true, .threads = true};
    if (!o->root)
        return 0;
    int rc = site_open(&(struct site_options){.root = o->root}, &course->site);
    return rc < 0 ? fail(course, rc, "cannot serve %s: %s", o->root, strerror(-rc)) : 0;
}

int bench_run(struct bench *bench, const struct bench_options *options, char why[BENCH_WHY_MAX])
{
    struct course course = {.bench = bench, .why = why};
    struct load_result *result = calloc(1, sizeof(*result));
    *why = '\0';
    mallopt(M_MMAP_THRESHOLD, 64 * 1024); /* what load_run() used is given back to the system */
    bench->options = *options;
    for (unsigned i = 0; i < options->model_count; i++)
        bench->info[i] = weir_model(options->models[i]);
    int rc = result ? open_services(&course) : -ENOMEM;
    if (rc == 0)
        rc = run_held(&course, result);
    if (rc < 0 && !*why)
        fail(&course, rc, "cannot measure: %s", strerror(-rc));
    site_close(course.site);
    free(result);
    return rc;
}

const char *bench_kind_title(const struct bench *bench, enum bench_kind kind, char *text,
                             size_t size)
{
    if (kind == BENCH_SLOW)
        snprintf(text, size, "answers that take %u ms", bench->options.slow_ms);
    else
        snprintf(text, size, "%s",
                 kind == BENCH_NEW ? "a new connection for each request"
                                   : "persistent connections");
    return text;
}

unsigned bench_peak(const struct bench *bench, enum bench_kind kind, unsigned model)
{
    unsigned best = 0;
    for (unsigned i = 1; i < bench->options.client_count; i++)
        if (bench->at[kind][model][i].rate > bench->at[kind][model][best].rate)
            best = i;
    return best;
}
