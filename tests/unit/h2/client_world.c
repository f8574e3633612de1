#include "client_world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int on_field(struct h2_request *s, struct weir_bytes name, struct weir_bytes value,
                    bool trailer)
{
    struct asked *a = (struct asked *)s;
    (void)name, (void)value, (void)trailer;
    a->fields++;
    return a->fail;
}

static int on_fields_end(struct h2_request *s, bool trailer)
{
    (void)trailer;
    ((struct asked *)s)->heads++;
    return 0;
}

static int on_data(struct h2_request *s, const uint8_t *bytes, size_t len)
{
    (void)bytes;
    ((struct asked *)s)->content += len;
    return 0;
}

static int on_end(struct h2_request *s)
{
    ((struct asked *)s)->ends++;
    return 0;
}

static size_t on_ready(struct h2_request *s, size_t max, bool *out_last)
{
    const struct asked *a = (struct asked *)s;
    *out_last = a->send <= max;
    return a->send < max ? a->send : max;
}

static void on_give(struct h2_request *s, struct weir_out *out, size_t len)
{
    static const uint8_t zeroes[LIMIT_H2_FRAME];
    ((struct asked *)s)->send -= len;
    weir_out_bytes(out, zeroes, len, NULL);
}

static void on_closed(struct h2_request *s, int why, uint32_t code)
{
    struct asked *a = (struct asked *)s;
    a->closed++;
    a->why = why;
    a->code = code;
}

const struct h2_request_calls calls = {
    .field = on_field,
    .fields_end = on_fields_end,
    .data = on_data,
    .end = on_end,
    .ready = on_ready,
    .give = on_give,
    .closed = on_closed,
};

static void on_leaving(void *arg)
{
    ((struct world *)arg)->left++;
}

static void on_over(void *arg, int why)
{
    (void)arg, (void)why;
}

nghttp2_nv line(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
                        strlen(value), NGHTTP2_NV_FLAG_NONE};
}

int submit(struct world *w, unsigned i, bool body)
{
    const nghttp2_nv nv[] = {line(":method", "POST"), line(":scheme", "http"), line(":path", "/a"),
                             line(":authority", "x")};
    w->asked[i].request.calls = &calls;
    return h2_client_submit(sim_conn(w->end), &w->asked[i].request, NULL, nv, 4, body);
}

void start(struct world *w, enum sim_cut cut, unsigned requests)
{
    const struct sim_options options = {.cut = cut};
    *w = (struct world){.options = {.leaving = on_leaving, .closed = on_over, .arg = w}};
    assert_int_equal(sim_new(&options, &w->sim), 0);
    w->end = sim_connect(w->sim, &h2_client, &w->options);
    assert_int_equal(sim_run(w->sim), 0);
    for (unsigned i = 0; i < requests; i++)
        assert_int_equal(submit(w, i, false), 0);
    assert_int_equal(sim_run(w->sim), 0);
}

void say(struct world *w, const void *bytes, size_t len)
{
    assert_int_equal(sim_send(w->end, bytes, len), 0);
    assert_int_equal(sim_run(w->sim), 0);
}

unsigned sent(const struct world *w, uint8_t type, uint32_t id, const uint8_t **out)
{
    struct weir_bytes all = sim_output(w->end);
    const uint8_t *p = (const uint8_t *)all.at;
    unsigned count = 0;
    for (size_t at = WIRE_PREFACE_LEN; at + WIRE_HEAD <= all.len;) {
        struct frame f = wire_read(p + at);
        if (f.type == type && f.id == id) {
            count++;
            if (out)
                *out = p + at + WIRE_HEAD;
        }
        at += WIRE_HEAD + f.len;
    }
    return count;
}

void stop(struct world *w)
{
    sim_free(w->sim);
    for (unsigned i = 0; i < REQUESTS; i++)
        assert_true(w->asked[i].closed == (w->asked[i].request.calls != NULL));
}

uint32_t goaway_of(const struct world *w)
{
    const uint8_t *payload;
    return sent(w, WIRE_GOAWAY, 0, &payload) > 0 ? wire_get32(payload + 4) : 99;
}

uint32_t reset_of(const struct world *w, uint32_t id)
{
    const uint8_t *payload;
    return sent(w, WIRE_RST_STREAM, id, &payload) == 1 ? wire_get32(payload) : 99;
}
