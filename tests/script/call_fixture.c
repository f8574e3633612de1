#include "call_fixture.h"

#include <weir/call.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELD_MAX  16
#define BIG_BYTES 100000

struct world {
    struct weir_call_options options;
    struct weir_call *held[HELD_MAX];
    unsigned count;
    uint64_t asked; /* id of the last question to the peer; 0: none is open */
    uint8_t big[BIG_BYTES];
};

static bool is(const uint8_t *bytes, size_t len, const char *word)
{
    return len == strlen(word) && memcmp(bytes, word, len) == 0;
}

static int say(struct weir_call *call, const char *text)
{
    return weir_call_reply(call, text, strlen(text));
}

static int hold(struct world *world, struct weir_call *call, bool stubborn)
{
    if (world->count == HELD_MAX)
        return say(call, "full");
    weir_call_set_slot(call, stubborn ? world : NULL);
    world->held[world->count++] = weir_call_hold(call);
    return 0;
}

static int answer_held(struct world *world, struct weir_call *now)
{
    while (world->count > 0) {
        struct weir_call *call = world->held[--world->count];
        int rc = say(call, "held");
        weir_call_drop(call);
        if (rc == -ENOMEM)
            return rc;
    }
    return say(now, "now");
}

static void forget(struct world *world, const struct weir_call *call)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < world->count; i++)
        if (world->held[i] != call)
            world->held[kept++] = world->held[i];
    world->count = kept;
}

static void cancelled(void *arg, struct weir_call *call, int why)
{
    struct world *world = arg;
    (void)why;
    if (weir_call_conn(call) && weir_call_slot(call) == world)
        return;
    forget(world, call);
    weir_call_drop(call);
}

/* A question to the peer on behalf of a request of the peer's. */
static void answered(void *arg, const struct weir_answer *answer)
{
    struct weir_call *call = arg;
    char text[64];
    int len = answer->error == 0
                  ? snprintf(text, sizeof(text), "0 %.*s", answer->len < 32 ? (int)answer->len : 32,
                             answer->bytes ? (const char *)answer->bytes : "")
                  : snprintf(text, sizeof(text), "%s %u %.*s", strerrorname_np(-answer->error),
                             answer->code, answer->len < 32 ? (int)answer->len : 32,
                             answer->bytes ? (const char *)answer->bytes : "");
    (void)weir_call_reply(call, text, (size_t)len);
    weir_call_drop(call);
}

static int ask(struct world *world, struct weir_call *call, const uint8_t *bytes, size_t len,
               unsigned timeout_ms)
{
    struct weir_request request = {
        .bytes = bytes, .len = len, .timeout_ms = timeout_ms, .done = answered, .arg = call};
    int rc = weir_conn_call(weir_call_conn(call), &request, &world->asked);
    if (rc == 0)
        weir_call_set_slot(weir_call_hold(call), world); /* answered() lets go of it */
    return rc == 0 || rc == -ENOMEM ? rc : say(call, strerrorname_np(-rc));
}

static int cancel(struct world *world, struct weir_call *call)
{
    int rc = weir_conn_cancel(weir_call_conn(call), world->asked);
    return say(call, rc == 0 ? "done" : "nothing");
}

static int request(void *arg, struct weir_call *call, const uint8_t *bytes, size_t len)
{
    struct world *world = arg;
    if (len > 0 && bytes[0] == '=')
        return weir_call_reply(call, bytes + 1, len - 1);
    if (len > 0 && bytes[0] == '!')
        return weir_call_fail(call, 7, bytes + 1, len - 1);
    if (len > 0 && (bytes[0] == '?' || bytes[0] == '~'))
        return ask(world, call, bytes + 1, len - 1, bytes[0] == '?' ? 0 : 500);
    if (is(bytes, len, "hold") || is(bytes, len, "keep"))
        return hold(world, call, bytes[0] == 'k');
    if (is(bytes, len, "now"))
        return answer_held(world, call);
    if (is(bytes, len, "drop"))
        return 0;
    if (is(bytes, len, "big"))
        return weir_call_reply(call, world->big, BIG_BYTES);
    if (is(bytes, len, "cancel"))
        return cancel(world, call);
    return is(bytes, len, "end") ? -EBADMSG : say(call, "what?");
}

static int begin(struct weir_call_options options, void **out_world, const void **out_config)
{
    struct world *world = calloc(1, sizeof(*world));
    if (!world)
        return -ENOMEM;
    memset(world->big, '.', sizeof(world->big));
    world->options = options;
    world->options.request = request;
    world->options.cancelled = cancelled;
    world->options.arg = world;
    *out_world = world;
    *out_config = &world->options;
    return 0;
}

int call_fixture_begin(struct sim *sim, void **out_world, const void **out_config)
{
    (void)sim;
    return begin((struct weir_call_options){0}, out_world, out_config);
}

int call_fixture_small(struct sim *sim, void **out_world, const void **out_config)
{
    (void)sim;
    return begin((struct weir_call_options){.requests_max = 2,
                                            .bytes_max = 16,
                                            .idle_ms = 2000,
                                            .ping_ms = 1000,
                                            .silent_ms = 3000},
                 out_world, out_config);
}

/* What it holds of connections that have ended. */
void call_fixture_end(void *arg)
{
    struct world *world = arg;
    while (world->count > 0)
        weir_call_drop(world->held[--world->count]);
    free(world);
}
