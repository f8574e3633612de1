/*
 * tests/fuzz/proto.h: plays one input to a machine twice, whole and cut at random with faults, and compares what it
 * answered and how it ended. A difference aborts, as the fuzzer expects.
 */
#pragma once

#include "drive/sim.h"

#include <weir/protocols.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static inline struct sim *fuzz_play(const struct weir_protocol *protocol, const void *config,
                                    const struct sim_options *options, const uint8_t *bytes,
                                    size_t len, struct sim_end **out_end)
{
    struct sim *sim;
    if (sim_new(options, &sim) < 0)
        abort();
    struct sim_end *end = sim_connect(sim, protocol, config);
    if (!end || sim_send(end, bytes, len) < 0)
        abort();
    sim_finish(end);
    if (sim_run(sim) < 0 || sim_wait(sim, 600 * WEIR_NS_PER_S) < 0)
        abort(); /* it spins */
    *out_end = end;
    return sim;
}

static inline void fuzz_protocol(const struct weir_protocol *protocol, const void *config,
                                 const uint8_t *bytes, size_t len)
{
    struct sim_options whole = {.cut = SIM_WHOLE};
    struct sim_options cut = {.cut = SIM_RANDOM, .faults = true, .seed = len};
    struct sim_end *a, *b;
    int why_a = 0, why_b = 0;
    for (size_t i = 0; i < len; i++)
        cut.seed = cut.seed * 31 + bytes[i];
    struct sim *one = fuzz_play(protocol, config, &whole, bytes, len, &a);
    struct sim *two = fuzz_play(protocol, config, &cut, bytes, len, &b);
    struct weir_bytes out_a = sim_output(a), out_b = sim_output(b);
    if (!sim_closed(a, &why_a) || !sim_closed(b, &why_b) || why_a != why_b)
        abort();
    if (sim_closes(a) != 1 || sim_closes(b) != 1)
        abort();
    if (out_a.len != out_b.len || (out_a.len > 0 && memcmp(out_a.at, out_b.at, out_a.len) != 0))
        abort();
    sim_free(one);
    sim_free(two);
}
