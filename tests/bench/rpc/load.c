/*
 * The client of the benchmark. Prints one JSON object.
 *
 *     rpc_load trip ENDPOINT|pair SPIN_US SECONDS             microseconds a unary round trip, one at a time
 *     rpc_load many ENDPOINT CHANNELS IN_FLIGHT SECONDS       unary calls a second, IN_FLIGHT at a time on each channel
 */
#include "table.h"

#include <weir/rpc_client.h>
#include <weir/stream.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WARM_UP      2000
#define CHANNELS_MAX 64

static uint8_t text[64];
static Weir__Bench__Bytes request = WEIR__BENCH__BYTES__INIT;
static double end_s;
static unsigned long calls;

static double now_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void give_up(const char *what, const char *why)
{
    fprintf(stderr, "rpc_load: %s: %s\n", what, why);
    exit(1);
}

static struct weir_rpc_channel *channel(const char *endpoint, unsigned spin_us)
{
    const struct weir_rpc_options options = {.spin_us = spin_us};
    struct weir_rpc_channel *ch;
    struct weir_stream *stream;
    int rc;
    if (strcmp(endpoint, "pair") ==
        0) { /* the end of weir_pair() that a parent keeps, here from one that is no program of weir's */
        rc = weir_from_fd(3, true, &stream);
        if (rc == 0)
            rc = weir_rpc_over(stream, &options, &ch);
    } else {
        rc = weir_rpc_open(endpoint, &options, &ch);
    }
    if (rc < 0)
        give_up(endpoint, strerror(-rc));
    return ch;
}

static void once(struct weir_rpc_channel *ch)
{
    ProtobufCMessage *reply;
    struct weir_rpc_status status;
    if (weir_rpc_unary(ch, &echo_method, &request.base, NULL, &reply, &status) != WEIR_RPC_OK)
        give_up("unary", status.message);
    protobuf_c_message_free_unpacked(reply, NULL);
}

static int trip(const char *endpoint, unsigned spin_us, double seconds)
{
    struct weir_rpc_channel *ch = channel(endpoint, spin_us);
    for (unsigned i = 0; i < WARM_UP; i++)
        once(ch);
    double begin = now_s(), end;
    do {
        for (unsigned i = 0; i < 50; i++, calls++)
            once(ch);
        end = now_s();
    } while (end - begin < seconds);
    printf("{\"us\": %.3f, \"calls\": %lu}\n", (end - begin) / (double)calls * 1e6, calls);
    weir_rpc_close(ch);
    return 0;
}

static void answered(void *arg, const ProtobufCMessage *reply, const struct weir_rpc_status *status)
{
    if (!reply)
        give_up("unary", status->message);
    calls++;
    if (now_s() < end_s &&
        weir_rpc_start(arg, &echo_method, &request.base, NULL, answered, arg) < 0)
        give_up("start", "cannot");
}

/* The channels take turns: each waits for its next answers, while the server has those of the others. */
static int many(const char *endpoint, unsigned channels, unsigned in_flight, double seconds)
{
    struct weir_rpc_channel *all[CHANNELS_MAX];
    for (unsigned c = 0; c < channels; c++)
        all[c] = channel(endpoint, 0);
    double begin = now_s();
    end_s = begin + seconds;
    for (unsigned c = 0; c < channels; c++)
        for (unsigned i = 0; i < in_flight; i++)
            if (weir_rpc_start(all[c], &echo_method, &request.base, NULL, answered, all[c]) < 0)
                give_up("start", "cannot");
    for (unsigned open = channels; open > 0;) {
        open = 0;
        for (unsigned c = 0; c < channels; c++)
            open += weir_rpc_run(all[c], 20000) == 0;
    }
    double took = now_s() - begin;
    printf("{\"per_s\": %.0f, \"calls\": %lu}\n", (double)calls / took, calls);
    for (unsigned c = 0; c < channels; c++)
        weir_rpc_close(all[c]);
    return 0;
}

int main(int argc, char **argv)
{
    request.bytes = (ProtobufCBinaryData){sizeof(text), text};
    if (argc == 5 && strcmp(argv[1], "trip") == 0)
        return trip(argv[2], (unsigned)atoi(argv[3]), atof(argv[4]));
    if (argc == 6 && strcmp(argv[1], "many") == 0)
        return many(argv[2],
                    (unsigned)atoi(argv[3]) < CHANNELS_MAX ? (unsigned)atoi(argv[3]) : CHANNELS_MAX,
                    (unsigned)atoi(argv[4]), atof(argv[5]));
    return 2;
}
