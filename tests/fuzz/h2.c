/*
 * A talk of HTTP/2 from a stranger, whole and cut at random with faults: no crash, no leak, no spin, one close(). The first byte says
 * how it begins: odd: with the preface and SETTINGS of an honest client, so that what follows is read as frames; even: with
 * itself. Its other bits open the windows.
 */
#include "../script/http_fixture.c" /* a target is one file */
#include "h2/wire.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void greet(struct sim_end *end, uint8_t how)
{
    uint8_t frames[2 * WIRE_HEAD + 6 + 4], *at = frames;
    if (!(how & 1))
        return;
    wire_write(at, how & 2 ? 6 : 0, WIRE_SETTINGS, 0, 0);
    at += WIRE_HEAD;
    if (how & 2) { /* large windows, or none for streams */
        at[0] = 0, at[1] = WIRE_INITIAL_WINDOW_SIZE;
        wire_put32(at + 2, how & 4 ? 0 : 1000000);
        at += 6;
    }
    if (how & 8) {
        wire_write(at, 4, WIRE_WINDOW_UPDATE, 0, 0);
        wire_put32(at + WIRE_HEAD, 1000000);
        at += WIRE_HEAD + 4;
    }
    if (sim_send(end, WIRE_PREFACE, WIRE_PREFACE_LEN) < 0 ||
        sim_send(end, frames, (size_t)(at - frames)) < 0)
        abort();
}

static void run(const struct sim_options *options, const struct weir_protocol *protocol,
                const uint8_t *bytes, size_t len)
{
    struct sim *sim;
    void *world;
    const void *config;
    int why;
    if (sim_new(options, &sim) < 0 || http_fixture_clear(sim, &world, &config) < 0)
        abort();
    struct sim_end *end = sim_connect(sim, protocol, config);
    if (!end)
        abort();
    greet(end, bytes[0]);
    if (sim_send(end, bytes + 1, len - 1) < 0)
        abort();
    if (bytes[0] & 16)
        sim_finish(end);
    if (sim_run(sim) < 0 || sim_wait(sim, 20 * WEIR_NS_PER_S) < 0)
        abort();                     /* it spins */
    sim_leave(sim, WEIR_LEAVE_STOP); /* /stream has no end of its own */
    if (sim_wait(sim, 200 * WEIR_NS_PER_S) < 0 || !sim_closed(end, &why))
        abort();
    if (sim_closes(end) != 1)
        abort();
    sim_free(sim);
    http_fixture_end(world);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct sim_options whole = {.cut = SIM_WHOLE};
    struct sim_options cut = {.cut = SIM_RANDOM, .faults = true, .seed = len};
    if (len == 0)
        return 0;
    for (size_t i = 0; i < len; i++)
        cut.seed = cut.seed * 31 + bytes[i];
    run(&whole, &weir_http2, bytes, len);
    run(&cut, bytes[0] & 32 ? &weir_http1 : &weir_http2, bytes, len);
    return 0;
}
