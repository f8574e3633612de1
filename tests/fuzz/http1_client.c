/*
 * Answers of HTTP/1.1 from a stranger to a client that has asked several times, whole and cut at random with faults: no
 * crash, no leak, no spin, one close(), and the same answers and content seen either way.
 */
#include "drive/sim.h"
#include "http/h1/client.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define ASKED   5
#define REQUEST "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

/* All that was said, as a number: content counts byte by byte, however it was cut. */
struct seen {
    uint64_t hash, content;
    unsigned asked, answered, closed;
    int why;
};

static void mix(struct seen *seen, uint64_t value)
{
    seen->hash = (seen->hash ^ value) * 0x100000001b3u;
}

static int ready(void *arg, struct weir_conn *conn)
{
    struct seen *seen = arg;
    /* The second asks for a head only. */
    while (seen->asked < ASKED &&
           http1_ask(conn, REQUEST, strlen(REQUEST), NULL, seen->asked == 1) == 0)
        seen->asked++;
    return 0;
}

static int head(void *arg, struct weir_conn *conn, const struct http1_answer *answer)
{
    struct seen *seen = arg;
    (void)conn;
    for (size_t i = 0; i < answer->head.len; i++)
        mix(seen, (uint8_t)answer->head.at[i]);
    seen->content = 0;
    return 0;
}

static int content(void *arg, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    struct seen *seen = arg;
    (void)conn;
    for (size_t i = 0; i < len; i++)
        mix(seen, bytes[i]);
    seen->content += len;
    return 0;
}

static int answered(void *arg, struct weir_conn *conn, const struct http1_answer *answer)
{
    struct seen *seen = arg;
    (void)conn;
    if (answer->content_len != seen->content || ++seen->answered > ASKED)
        abort();
    mix(seen, answer->response.status);
    return 0;
}

static void closed(void *arg, struct weir_conn *conn, int why)
{
    struct seen *seen = arg;
    (void)conn;
    seen->why = why;
    seen->closed++;
}

static struct seen play(const struct sim_options *options, const uint8_t *bytes, size_t len)
{
    static const struct http1_client_calls calls = {
        .ready = ready, .head = head, .content = content, .answered = answered, .closed = closed};
    struct seen seen = {.hash = 0xcbf29ce484222325u};
    const struct http1_client config = {.calls = &calls, .arg = &seen};
    struct sim *sim;
    if (sim_new(options, &sim) < 0)
        abort();
    struct sim_end *end = sim_connect(sim, &http1_client, &config);
    if (!end || sim_send(end, bytes, len) < 0)
        abort();
    sim_finish(end);
    if (sim_run(sim) < 0 || sim_wait(sim, 600 * WEIR_NS_PER_S) < 0)
        abort(); /* it spins */
    if (seen.closed != 1)
        abort();
    sim_free(sim);
    return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct sim_options whole = {.cut = SIM_WHOLE};
    struct sim_options cut = {.cut = SIM_RANDOM, .faults = true, .seed = len};
    for (size_t i = 0; i < len; i++)
        cut.seed = cut.seed * 31 + bytes[i];
    struct seen a = play(&whole, bytes, len), b = play(&cut, bytes, len);
    if (a.answered != b.answered || a.why != b.why)
        abort();
    if (a.why == WEIR_DONE &&
        a.hash != b.hash) /* a broken answer may have given more or less before it broke */
        abort();
    return 0;
}
