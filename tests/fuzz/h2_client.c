/*
 * What a stranger says to a client of HTTP/2 and gRPC with three calls under way, whole and cut at random with faults: no crash, no
 * leak, no spin, one close(), every call ends once, and in the same way but for what the end of
 * the connection cuts short. An input that begins with "S" is put behind SETTINGS and the head
 * of an answer, so that the fuzzer need not find those.
 */
#include "drive/sim.h"
#include "rpc/client.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define CALLS 3

struct seen {
    unsigned done, closed;
    int codes[CALLS];
    unsigned messages;
};

struct asked {
    struct rpc_call call; /* first */
    struct seen *seen;
    unsigned index;
};

static void on_message(struct rpc_call *call)
{
    struct asked *asked = (struct asked *)call;
    for (struct rpc_message *m; (m = rpc_call_take(call));) {
        asked->seen->messages++;
        weir_drop(&m->ref);
    }
}

static void on_done(struct rpc_call *call)
{
    struct asked *asked = (struct asked *)call;
    asked->seen->done++;
    asked->seen->codes[asked->index] = call->status.code;
}

static const struct rpc_client_events tell = {.message = on_message, .done = on_done};
static const struct weir_rpc_method method = {.path = "/a.B/C"};

static void ask(struct rpc_client *client, struct asked *asked, struct seen *seen, unsigned i)
{
    struct rpc_message *m;
    *asked = (struct asked){.call = {.method = &method, .tell = &tell}, .seen = seen, .index = i};
    if (rpc_call_begin(client, &asked->call, i == 1 ? 300000 : 0, NULL, 0) < 0 ||
        rpc_message_copy("hi", 2, false, 100, &m) < 0 || rpc_call_send(&asked->call, m) < 0)
        abort();
    if (i < 2)
        rpc_call_half_close(&asked->call);
}

static void say(struct sim_end *end, const uint8_t *bytes, size_t len)
{
    static const char begin[] = "\0\0\0\4\0\0\0\0\0\0\0\x14\1\4\0\0\0\1\x88\x0f\x10\x10"
                                "application/grpc";
    int rc = 0;
    if (len > 0 && bytes[0] == 'S') {
        rc = sim_send(end, begin, sizeof(begin) - 1);
        bytes++;
        len--;
    }
    if (rc < 0 || sim_send(end, bytes, len) < 0)
        abort();
    sim_finish(end);
}

static struct seen play(const struct sim_options *options, const uint8_t *bytes, size_t len)
{
    static const struct rpc_client_options rpc = {
        .receive_max = 65536, .send_max = 65536, .ping_ms = 10000, .silent_ms = 5000};
    struct seen seen = {0};
    struct asked asked[CALLS];
    struct rpc_client client;
    struct sim *sim;
    if (sim_new(options, &sim) < 0 || rpc_client_init(&client, &rpc, "x", NULL, 0) < 0)
        abort();
    struct sim_end *end = sim_connect(sim, &h2_client, &client.h2);
    if (!end || sim_run(sim) < 0)
        abort();
    rpc_client_attach(&client, sim_conn(end));
    for (unsigned i = 0; i < CALLS; i++)
        ask(&client, &asked[i], &seen, i);
    say(end, bytes, len);
    if (sim_run(sim) < 0 || sim_wait(sim, 600 * WEIR_NS_PER_S) < 0)
        abort(); /* it spins */
    if (seen.done != CALLS || sim_closes(end) != 1)
        abort();
    for (unsigned i = 0; i < CALLS; i++)
        rpc_call_done(&asked[i].call);
    sim_free(sim);
    rpc_client_done(&client);
    return seen;
}

/* Where the end of the connection comes with that of a call, in one piece or in two, either may be what the call is told. */
static bool agree(int a, int b)
{
    return a == b || a == WEIR_RPC_UNAVAILABLE || b == WEIR_RPC_UNAVAILABLE;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct sim_options whole = {.cut = SIM_WHOLE};
    struct sim_options cut = {.cut = SIM_RANDOM, .seed = len};
    for (size_t i = 0; i < len; i++)
        cut.seed = cut.seed * 31 + bytes[i];
    struct seen a = play(&whole, bytes, len), b = play(&cut, bytes, len);
    for (unsigned i = 0; i < CALLS; i++)
        if (!agree(a.codes[i], b.codes[i]))
            abort();
    cut.faults = true; /* late bytes may meet a deadline: then only that all of it ends */
    (void)play(&cut, bytes, len);
    return 0;
}
