/*
 * Requests and replies from a stranger, whole and cut at random with faults: no crash, no leak, no spin, one close(), and the
 * same answers. The first byte chooses the options.
 */
#include "../script/call_fixture.c" /* a target is one file */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

struct run {
    struct sim *sim;
    struct sim_end *end;
    void *world;
    int why;
};

static void run_open(struct run *run, const struct sim_options *options, const uint8_t *bytes,
                     size_t len)
{
    const void *config;
    int (*fixture)(struct sim *, void **, const void **) =
        bytes[0] & 1 ? call_fixture_small : call_fixture_begin;
    if (sim_new(options, &run->sim) < 0 || fixture(run->sim, &run->world, &config) < 0)
        abort();
    run->end = sim_connect(run->sim, &weir_calls, config);
    if (!run->end || sim_send(run->end, bytes + 1, len - 1) < 0)
        abort();
    if (bytes[0] & 2)
        sim_finish(run->end);
    if (sim_run(run->sim) < 0 || sim_wait(run->sim, 60 * WEIR_NS_PER_S) < 0)
        abort(); /* it spins */
    sim_reset(run->end);
    if (sim_run(run->sim) < 0 || sim_wait(run->sim, 20 * WEIR_NS_PER_S) < 0)
        abort();
    if (!sim_closed(run->end, &run->why) || sim_closes(run->end) != 1)
        abort();
}

static void run_close(struct run *run)
{
    sim_free(run->sim);
    call_fixture_end(run->world);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct sim_options whole = {.cut = SIM_WHOLE};
    struct sim_options cut = {.cut = SIM_RANDOM, .faults = true, .seed = len};
    if (len == 0)
        return 0;
    for (size_t i = 0; i < len; i++)
        cut.seed = cut.seed * 31 + bytes[i];
    struct run a, b;
    run_open(&a, &whole, bytes, len);
    run_open(&b, &cut, bytes, len);
    struct weir_bytes x = sim_output(a.end), y = sim_output(b.end);
    /* With much unsent, what may be asked of the peer depends on what it has read by then. */
    bool timed = x.len > 60000 || y.len > 60000;
    if (!timed && (a.why != b.why || x.len != y.len || memcmp(x.at, y.at, x.len) != 0))
        abort();
    run_close(&a);
    run_close(&b);
    return 0;
}
