/* What a bench says in words. Every sentence is made from the figures of this run, and is left out where they do not bear it. */
#include "base/text.h"
#include "load/amount.h"
#include "load/bench.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#define EVEN           0.07 /* models this close together came out even: less is noise */
#define FELL           0.10 /* a drop that is one */
#define LINE_MAX_BYTES 1200

struct teller {
    const struct bench *bench;
    void (*say)(void *arg, const char *text);
    void *arg;
    char line[LINE_MAX_BYTES];
    struct text text;
};

static void begin(struct teller *t)
{
    text_init(&t->text, t->line, sizeof(t->line));
}

static void end(struct teller *t)
{
    if (t->text.len > 0)
        t->say(t->arg, text_end(&t->text));
}

static void __attribute__((format(printf, 2, 3))) add(struct teller *t, const char *format, ...)
{
    char part[400];
    va_list args;
    va_start(args, format);
    vsnprintf(part, sizeof(part), format, args);
    va_end(args);
    text_str(&t->text, part);
}

static const char *clients(unsigned n, char *text)
{
    snprintf(text, AMOUNT_MAX, "%u client%s", n, n == 1 ? "" : "s");
    return text;
}

/* --- figures --- */

static unsigned models_of(const struct teller *t)
{
    return t->bench->options.model_count;
}

static const char *name_of(const struct teller *t, unsigned model)
{
    return t->bench->info[model]->name;
}

static unsigned last_of(const struct teller *t)
{
    return t->bench->options.client_count - 1;
}

static const struct bench_point *peak_of(const struct teller *t, enum bench_kind kind,
                                         unsigned model)
{
    return &t->bench->at[kind][model][bench_peak(t->bench, kind, model)];
}

static const struct bench_point *last_point(const struct teller *t, enum bench_kind kind,
                                            unsigned model)
{
    return &t->bench->at[kind][model][last_of(t)];
}

static unsigned clients_at_peak(const struct teller *t, enum bench_kind kind, unsigned model)
{
    return t->bench->options.clients[bench_peak(t->bench, kind, model)];
}

/* Over all numbers of clients: the geometric mean, so that each counts the same. */
static double score_of(const struct teller *t, enum bench_kind kind, unsigned model)
{
    double sum = 0;
    for (unsigned at = 0; at <= last_of(t); at++) {
        double rate = t->bench->at[kind][model][at].rate;
        if (rate <= 0)
            return 0;
        sum += log(rate);
    }
    return exp(sum / (last_of(t) + 1));
}

/* The model that gave most, or, of those that came out even with it, the one that spent least CPU. `usable` NULL: any. */
static int best_of(const struct teller *t, enum bench_kind kind,
                   bool (*usable)(const struct weir_model_info *))
{
    double most = 0;
    int best = -1;
    for (unsigned m = 0; m < models_of(t); m++)
        if ((!usable || usable(t->bench->info[m])) && score_of(t, kind, m) > most)
            most = score_of(t, kind, m);
    for (unsigned m = 0; most > 0 && m < models_of(t); m++) {
        if ((usable && !usable(t->bench->info[m])) || score_of(t, kind, m) < most * (1 - EVEN))
            continue;
        if (best < 0 || peak_of(t, kind, m)->cpu_us < peak_of(t, kind, (unsigned)best)->cpu_us)
            best = (int)m;
    }
    return best;
}

static int worst_of(const struct teller *t, enum bench_kind kind)
{
    unsigned worst = 0;
    for (unsigned m = 1; m < models_of(t); m++)
        if (score_of(t, kind, m) < score_of(t, kind, worst))
            worst = m;
    return (int)worst;
}

/* --- the sentences --- */

static void tell_suits(struct teller *t)
{
    static const char *const work[] = {[BENCH_SHORT] = "many requests over persistent connections",
                                       [BENCH_NEW] = "many short connections",
                                       [BENCH_SLOW] = "slow answers"};
    int best[BENCH_KINDS];
    bool one = true;
    for (enum bench_kind kind = 0; kind < BENCH_KINDS; kind++) {
        best[kind] = best_of(t, kind, NULL);
        one &= best[kind] >= 0 && best[kind] == best[0];
    }
    begin(t);
    if (one && best[0] >= 0) {
        add(t,
            "What suits: %s. Over all numbers of clients it gave most, or as much for less CPU, in all "
            "three kinds of work.",
            name_of(t, (unsigned)best[0]));
    } else {
        add(t, "What suits depends on the work:");
        for (enum bench_kind kind = 0; kind < BENCH_KINDS; kind++)
            if (best[kind] >= 0)
                add(t, "%s %s for %s", kind ? "," : "", name_of(t, (unsigned)best[kind]),
                    work[kind]);
        add(t, ".");
    }
    end(t);
}

static void tell_kind(struct teller *t, enum bench_kind kind)
{
    char title[80], a[AMOUNT_MAX], b[AMOUNT_MAX], c[AMOUNT_MAX], d[AMOUNT_MAX];
    int best = best_of(t, kind, NULL);
    if (best < 0)
        return;
    const struct bench_point *p = peak_of(t, kind, (unsigned)best);
    bench_kind_title(t->bench, kind, title, sizeof(title));
    title[0] = (char)(title[0] >= 'a' ? title[0] - 32 : title[0]);
    begin(t);
    add(t, "%s: %s reached %s answers a second with %s, p99 %s, for %s µs of CPU each.", title,
        name_of(t, (unsigned)best), amount_number(a, p->rate),
        clients(clients_at_peak(t, kind, (unsigned)best), d), amount_time(b, p->p99_ns),
        amount_number(c, p->cpu_us));
    int worst = worst_of(t, kind);
    if (models_of(t) > 1 && worst != best) {
        p = peak_of(t, kind, (unsigned)worst);
        add(t, " Least came from %s: %s a second at its best, for %s µs each.",
            name_of(t, (unsigned)worst), amount_number(a, p->rate), amount_number(c, p->cpu_us));
    }
    end(t);
}

/* How many clients can be looked after at once, where the number is small and known. */
static unsigned places_of(const struct weir_model_info *info)
{
    if (strcmp(info->name, "sequential") == 0 || strcmp(info->name, "fork-wait") == 0)
        return 1;
    return info->max_connections ? 0 : info->workers;
}

/* A slow answer holds a place, so places over seconds is a ceiling; said only where the figures stand at it. */
static void tell_ceiling(struct teller *t)
{
    double slow_s = t->bench->options.slow_ms / 1e3;
    bool any = false;
    char a[AMOUNT_MAX], b[AMOUNT_MAX];
    begin(t);
    for (unsigned m = 0; m < models_of(t); m++) {
        unsigned places = places_of(t->bench->info[m]);
        double most = places / slow_s, seen = peak_of(t, BENCH_SLOW, m)->rate;
        if (!places || seen < most * 0.6 || seen > most * 1.05)
            continue;
        if (!any)
            add(t, "A slow answer holds its place all the while, which is a ceiling:");
        add(t, "%s %s (%u place%s) can give %s a second and gave %s", any ? ";" : "", name_of(t, m),
            places, places == 1 ? "" : "s", amount_number(a, most), amount_number(b, seen));
        any = true;
    }
    if (any)
        add(t, ".");
    end(t);
}

/* Memory that each further client takes, between the fewest and the most. */
static double memory_each(const struct teller *t, enum bench_kind kind, unsigned model)
{
    const struct bench_options *o = &t->bench->options;
    const struct bench_point *first = &t->bench->at[kind][model][0];
    const struct bench_point *last = last_point(t, kind, model);
    unsigned more = o->clients[o->client_count - 1] - o->clients[0];
    if (!first->pss || !last->pss || more == 0)
        return 0;
    return ((double)last->pss - (double)first->pss) / more;
}

/* What is left of the best with the most clients. */
static double kept(const struct teller *t, enum bench_kind kind, unsigned model)
{
    double peak = peak_of(t, kind, model)->rate;
    return peak > 0 ? last_point(t, kind, model)->rate / peak : 0;
}

static void add_throughput(struct teller *t, enum bench_kind kind, unsigned model)
{
    char a[AMOUNT_MAX], b[AMOUNT_MAX], c[AMOUNT_MAX];
    const struct bench_point *peak = peak_of(t, kind, model), *last = last_point(t, kind, model);
    unsigned most = t->bench->options.clients[last_of(t)];
    double part = kept(t, kind, model);
    if (part < 1 - FELL)
        add(t,
            "was at its best with %s, %s a second; past that it fell, to %s with %u (%.0f %% less)",
            clients(clients_at_peak(t, kind, model), c), amount_number(a, peak->rate),
            amount_number(b, last->rate), most, 100 * (1 - part));
    else
        add(t, "had not fallen off with %u clients: %s a second, %.0f %% of its best", most,
            amount_number(b, last->rate), 100 * part);
}

static void add_waiting(struct teller *t, enum bench_kind kind, unsigned model)
{
    char a[AMOUNT_MAX], b[AMOUNT_MAX];
    const struct bench_point *first = &t->bench->at[kind][model][0];
    const struct bench_point *last = last_point(t, kind, model);
    add(t, ". Its p99 went from %s to %s", amount_time(a, first->p99_ns),
        amount_time(b, last->p99_ns));
}

static void add_memory(struct teller *t, enum bench_kind kind, unsigned model)
{
    char a[AMOUNT_MAX], b[AMOUNT_MAX], c[AMOUNT_MAX];
    const struct bench_point *first = &t->bench->at[kind][model][0];
    const struct bench_point *last = last_point(t, kind, model);
    if (!first->pss || !last->pss)
        return;
    double each = memory_each(t, kind, model);
    add(t, ", its memory from %s to %s", amount_bytes(a, (double)first->pss),
        amount_bytes(b, (double)last->pss));
    if (each > 1024)
        add(t, " (%s for each further client)", amount_bytes(c, each));
}

static int find(const struct teller *t, const char *name)
{
    for (unsigned m = 0; m < models_of(t); m++)
        if (strcmp(name_of(t, m), name) == 0)
            return (int)m;
    return -1;
}

/* A place for every client that comes: fork, thread. */
static void tell_unbounded(struct teller *t, const char *name)
{
    int model = find(t, name);
    if (model < 0 || t->bench->options.client_count < 2)
        return;
    begin(t);
    add(t, "Unbounded: %s makes a %s for every client. It ", name,
        strcmp(name, "fork") == 0 ? "process" : "thread");
    add_throughput(t, BENCH_SHORT, (unsigned)model);
    add_waiting(t, BENCH_SHORT, (unsigned)model);
    add_memory(t, BENCH_SHORT, (unsigned)model);
    add(t, ".");
    end(t);
}

/* Beside the unbounded ones, where there are any. */
static void add_comparison(struct teller *t, unsigned pool)
{
    static const char *const others[] = {"fork", "thread"};
    bool any = false;
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        int model = find(t, others[i]);
        if (model < 0)
            continue;
        if (!any)
            add(t, " With %u clients it keeps %.0f %% of its best",
                t->bench->options.clients[last_of(t)], 100 * kept(t, BENCH_SHORT, pool));
        add(t, ", %s %.0f %%", others[i], 100 * kept(t, BENCH_SHORT, (unsigned)model));
        any = true;
    }
    if (any)
        add(t, ".");
}

static void tell_pool(struct teller *t)
{
    int model = find(t, "pool");
    if (model < 0 || t->bench->options.client_count < 2)
        return;
    begin(t);
    add(t, "Bounded: pool has %u threads however many come. It ", places_of(t->bench->info[model]));
    add_throughput(t, BENCH_SHORT, (unsigned)model);
    add_waiting(t, BENCH_SHORT, (unsigned)model);
    add_memory(t, BENCH_SHORT, (unsigned)model);
    add(t, ".");
    add_comparison(t, (unsigned)model);
    double first = t->bench->at[BENCH_SLOW][model][0].p99_ns;
    double last = last_point(t, BENCH_SLOW, (unsigned)model)->p99_ns;
    char a[AMOUNT_MAX], b[AMOUNT_MAX];
    if (last > 3 * first)
        add(t,
            " Where answers are slow, clients beyond its threads wait in its queue instead of taking "
            "more of the machine: there its p99 went from %s to %s.",
            amount_time(a, first), amount_time(b, last));
    end(t);
}

static bool can_talk(const struct weir_model_info *info)
{
    return info->talk;
}

/* A crash takes with it one connection only. */
static bool isolates(const struct weir_model_info *info)
{
    return strcmp(info->crash, "that connection") == 0;
}

static void tell_exceptions(struct teller *t)
{
    char a[AMOUNT_MAX], b[AMOUNT_MAX];
    int best = best_of(t, BENCH_SHORT, NULL), slow = best_of(t, BENCH_SLOW, NULL);
    int talk = best_of(t, BENCH_SLOW, can_talk), alone = best_of(t, BENCH_SHORT, isolates);
    begin(t);
    if (slow >= 0 && talk >= 0 && !can_talk(t->bench->info[slow]))
        add(t,
            "A handler that is plain blocking code cannot run under %s; of the others %s gave most "
            "where answers are slow, %s a second.",
            name_of(t, (unsigned)slow), name_of(t, (unsigned)talk),
            amount_number(a, peak_of(t, BENCH_SLOW, (unsigned)talk)->rate));
    if (best >= 0 && alone >= 0 && alone != best)
        add(t,
            "%sIf a crash may take no other client with it: %s, at %s µs of CPU a request instead of %s.",
            t->text.len > 0 ? " " : "", name_of(t, (unsigned)alone),
            amount_number(a, peak_of(t, BENCH_SHORT, (unsigned)alone)->cpu_us),
            amount_number(b, peak_of(t, BENCH_SHORT, (unsigned)best)->cpu_us));
    end(t);
}

static void tell_errors(struct teller *t)
{
    char a[AMOUNT_MAX];
    for (unsigned m = 0; m < models_of(t); m++) {
        uint64_t errors = 0;
        for (enum bench_kind kind = 0; kind < BENCH_KINDS; kind++)
            for (unsigned at = 0; at <= last_of(t); at++)
                errors += t->bench->at[kind][m][at].errors;
        if (errors == 0)
            continue;
        begin(t);
        add(t, "%s: %s requests failed in all.", name_of(t, m), amount_count(a, errors));
        end(t);
    }
}

void bench_words(const struct bench *bench, void (*say)(void *arg, const char *text), void *arg)
{
    struct teller teller = {.bench = bench, .say = say, .arg = arg};
    if (models_of(&teller) > 1)
        tell_suits(&teller);
    for (enum bench_kind kind = 0; kind < BENCH_KINDS; kind++)
        tell_kind(&teller, kind);
    tell_ceiling(&teller);
    tell_unbounded(&teller, "fork");
    tell_unbounded(&teller, "thread");
    tell_pool(&teller);
    if (models_of(&teller) > 1)
        tell_exceptions(&teller);
    tell_errors(&teller);
}
