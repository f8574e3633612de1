#include "load/bench.h"
#include "load/page.h"

#include <unistd.h>

static void write_point(FILE *f, const struct bench *bench, enum bench_kind kind, unsigned model,
                        unsigned at)
{
    static const char *const kinds[] = {
        [BENCH_SHORT] = "persistent", [BENCH_NEW] = "new", [BENCH_SLOW] = "slow"};
    const struct bench_point *p = &bench->at[kind][model][at];
    fprintf(f, "  {\"work\": \"%s\", \"model\": \"%s\", \"clients\": %u, \"per_second\": %.1f",
            kinds[kind], bench->info[model]->name, bench->options.clients[at], p->rate);
    fprintf(f, ", \"p50_us\": %.1f, \"p99_us\": %.1f, \"cpu_us_per_request\": %.2f",
            p->p50_ns / 1e3, p->p99_ns / 1e3, p->cpu_us);
    fprintf(f, ", \"memory_bytes\": %llu, \"errors\": %llu}", (unsigned long long)p->pss,
            (unsigned long long)p->errors);
}

struct words {
    FILE *f;
    bool more;
};

static void write_words(void *arg, const char *text)
{
    struct words *words = arg;
    fputs(words->more ? ",\n  " : "\n  ", words->f);
    json_text(words->f, text);
    words->more = true;
}

void bench_json(FILE *f, const struct bench *bench)
{
    const struct bench_options *o = &bench->options;
    const char *before = "\n";
    fputs("{\"service\": ", f);
    json_text(f, o->echo ? "echo" : o->root ? o->root : "page");
    fprintf(f, ", \"seconds_a_point\": %.3f, \"slow_ms\": %u, \"cores\": %ld,\n \"points\": [",
            (double)o->point_ns / 1e9, o->slow_ms, sysconf(_SC_NPROCESSORS_ONLN));
    for (enum bench_kind kind = 0; kind < BENCH_KINDS; kind++) {
        for (unsigned model = 0; model < o->model_count; model++) {
            for (unsigned at = 0; at < o->client_count; at++) {
                fputs(before, f);
                write_point(f, bench, kind, model, at);
                before = ",\n";
            }
        }
    }
    struct words words = {.f = f};
    fputs("],\n \"words\": [", f);
    bench_words(bench, write_words, &words);
    fputs("]}\n", f);
}
