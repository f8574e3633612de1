/* What bench says must follow from the figures: the same sentences for other figures would be claims. */
#include "../base/check.h"
#include "load/bench.h"

#include <stdlib.h>
#include <string.h>

static struct bench *bench;
static char said[8000];

static void say(void *arg, const char *text)
{
    (void)arg;
    strncat(said, text, sizeof(said) - strlen(said) - 1);
    strncat(said, "\n", sizeof(said) - strlen(said) - 1);
}

static unsigned model_number(const char *name)
{
    unsigned i = 0;
    while (strcmp(weir_model(i)->name, name) != 0)
        i++;
    return i;
}

static void make(const char *const *names, unsigned count)
{
    bench = calloc(1, sizeof(*bench));
    said[0] = '\0';
    bench->options = (struct bench_options){
        .model_count = count, .client_count = 3, .clients = {1, 16, 256}, .slow_ms = 10};
    for (unsigned m = 0; m < count; m++) {
        bench->options.models[m] = model_number(names[m]);
        bench->info[m] = weir_model(bench->options.models[m]);
        for (unsigned kind = 0; kind < BENCH_KINDS; kind++)
            for (unsigned at = 0; at < 3; at++)
                bench->at[kind][m][at] = (struct bench_point){.done = true,
                                                              .rate = 1000,
                                                              .p50_ns = 1e6,
                                                              .p99_ns = 2e6,
                                                              .cpu_us = 10,
                                                              .pss = 1 << 20};
    }
}

static void set_rates(enum bench_kind kind, unsigned model, double a, double b, double c)
{
    bench->at[kind][model][0].rate = a;
    bench->at[kind][model][1].rate = b;
    bench->at[kind][model][2].rate = c;
}

static void tell(void)
{
    bench_words(bench, say, NULL);
    free(bench);
}

static void test_best_of_all(void **state)
{
    (void)state;
    static const char *const names[] = {"pool", "event"};
    make(names, 2);
    for (unsigned kind = 0; kind < BENCH_KINDS; kind++)
        set_rates(kind, 1, 1000, 2000, 3000);
    tell();
    assert_non_null(strstr(said, "What suits: event."));
    assert_non_null(strstr(said, "cannot run under event; of the others pool"));
}

/* Even in speed: the one that spends less. */
static void test_cheaper_of_equals(void **state)
{
    (void)state;
    static const char *const names[] = {"pool", "prefork"};
    make(names, 2);
    for (unsigned kind = 0; kind < BENCH_KINDS; kind++)
        for (unsigned at = 0; at < 3; at++)
            bench->at[kind][0][at].cpu_us = 5;
    set_rates(BENCH_SHORT, 1, 1000, 1000, 1040);
    tell();
    assert_non_null(strstr(said, "What suits: pool."));
}

static void test_depends(void **state)
{
    (void)state;
    static const char *const names[] = {"pool", "event"};
    make(names, 2);
    set_rates(BENCH_SHORT, 0, 1000, 5000, 5000);
    set_rates(BENCH_NEW, 1, 1000, 5000, 5000);
    set_rates(BENCH_SLOW, 1, 1000, 5000, 5000);
    tell();
    assert_non_null(strstr(said, "depends on the work: pool for many requests over persistent "
                                 "connections, event for many short connections, event for slow"));
}

static void test_falls_past_its_peak(void **state)
{
    (void)state;
    static const char *const names[] = {"fork", "thread", "pool"};
    make(names, 3);
    set_rates(BENCH_SHORT, 0, 1000, 2000, 1000);
    bench->at[BENCH_SHORT][0][2].pss = (1 << 20) + 255 * 102400;
    tell();
    assert_non_null(strstr(said,
                           "fork makes a process for every client. It was at its best with 16 "
                           "clients, 2,000 a second; past that it fell, to 1,000 with 256 (50 %"));
    assert_non_null(strstr(said, "100 KiB for each further client"));
    assert_non_null(strstr(said, "thread makes a thread for every client. It had not fallen off"));
    assert_non_null(
        strstr(said, "With 256 clients it keeps 100 % of its best, fork 50 %, thread 100 %"));
}

/* The ceiling is spoken of only where it was met. */
static void test_ceiling(void **state)
{
    (void)state;
    static const char *const names[] = {"sequential", "pool", "thread"};
    make(names, 3);
    set_rates(BENCH_SLOW, 0, 99, 99, 98);
    set_rates(BENCH_SLOW, 1, 100, 300, 300);
    tell();
    assert_non_null(strstr(said, "sequential (1 place) can give 100 a second and gave 99"));
    assert_null(strstr(said, "pool (8 places)"));
    assert_null(strstr(said, "thread ("));
}

static void test_one_model(void **state)
{
    (void)state;
    static const char *const names[] = {"event"};
    make(names, 1);
    bench->at[BENCH_NEW][0][1].errors = 7;
    tell();
    assert_null(strstr(said, "What suits"));
    assert_null(strstr(said, "Least"));
    assert_non_null(strstr(said, "event: 7 requests failed in all."));
}

/* Nothing was answered at all: nothing is praised, and nothing is divided by. */
static void test_nothing(void **state)
{
    (void)state;
    static const char *const names[] = {"fork", "pool", "event"};
    make(names, 3);
    memset(bench->at, 0, sizeof(bench->at));
    tell();
    assert_null(strstr(said, "What suits: "));
    assert_null(strstr(said, "nan"));
    assert_null(strstr(said, "inf "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_best_of_all), cmocka_unit_test(test_cheaper_of_equals),
        cmocka_unit_test(test_depends),     cmocka_unit_test(test_falls_past_its_peak),
        cmocka_unit_test(test_ceiling),     cmocka_unit_test(test_one_model),
        cmocka_unit_test(test_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
