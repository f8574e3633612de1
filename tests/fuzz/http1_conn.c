/*
 * A talk of HTTP/1.1 from a stranger, whole and cut at random with faults: no crash, no leak, no spin, one close(). The
 * answers are compared where they cannot depend on time: 100 Continue is left out when content came with the head, and
 * the answer of a job when the content that follows is refused before the job is done.
 */
#include "../script/http_fixture.c" /* a target is one file */

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

struct run {
    struct sim *sim;
    struct sim_end *end;
    void *world;
};

static void run_open(struct run *run, const struct sim_options *options, const uint8_t *bytes,
                     size_t len)
{
    const void *config;
    int why;
    if (sim_new(options, &run->sim) < 0 || http_fixture_begin(run->sim, &run->world, &config) < 0)
        abort();
    run->end = sim_connect(run->sim, &weir_http1, config);
    if (!run->end || sim_send(run->end, bytes, len) < 0)
        abort();
    sim_finish(run->end);
    if (sim_run(run->sim) < 0 || sim_wait(run->sim, 20 * WEIR_NS_PER_S) < 0)
        abort();                          /* it spins */
    sim_leave(run->sim, WEIR_LEAVE_STOP); /* /stream has no end of its own */
    if (sim_wait(run->sim, 100 * WEIR_NS_PER_S) < 0 || !sim_closed(run->end, &why))
        abort();
    if (sim_closes(run->end) != 1)
        abort();
}

static void run_close(struct run *run)
{
    sim_free(run->sim);
    http_fixture_end(run->world);
}

static bool says(struct weir_bytes output, const char *words)
{
    return output.len > 0 && memmem(output.at, output.len, words, strlen(words));
}

/* Both outputs can be right. */
static bool depend_on_time(struct weir_bytes x, struct weir_bytes y)
{
    return says(x, "100 Continue") || says(y, "100 Continue") ||
           says(x, "\r\nslow\n") != says(y, "\r\nslow\n");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct sim_options whole = {.cut = SIM_WHOLE};
    struct sim_options cut = {.cut = SIM_RANDOM, .faults = true, .seed = len};
    for (size_t i = 0; i < len; i++)
        cut.seed = cut.seed * 31 + bytes[i];
    struct run a, b;
    run_open(&a, &whole, bytes, len);
    run_open(&b, &cut, bytes, len);
    struct weir_bytes x = sim_output(a.end), y = sim_output(b.end);
    if (!depend_on_time(x, y) && (x.len != y.len || (x.len > 0 && memcmp(x.at, y.at, x.len) != 0)))
        abort();
    run_close(&a);
    run_close(&b);
    return 0;
}
