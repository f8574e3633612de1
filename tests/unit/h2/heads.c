/* Heads and trailers of answers, many on one connection: what was packed for one goes out for another only if that says the same. */
#include "drive/sim.h"
#include "h2/hpack.h"

#include <weir/http.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A path says its answer: "/S F L T" without the spaces, a digit each: status, field, length, trailer. */
static int start(struct weir_exchange *x)
{
    static const unsigned statuses[] = {200, 203, 404};
    const char *path = weir_request_path(x).at;
    char field[] = {path[2], '\0'}, trailer[] = {path[4], '\0'};
    int rc = weir_reply_status(x, statuses[path[1] - '0']);
    if (rc == 0)
        rc = weir_reply_field(x, "X-Field", field);
    if (rc == 0 && path[4] != '0')
        rc = weir_reply_trailer(x, "X-Trailer", trailer);
    return rc < 0 ? rc : weir_reply_bytes(x, "123456789", (size_t)(path[3] - '0'), NULL);
}

static const struct weir_handler handler = {.name = "test", .start = start};

static const struct weir_handler *route(const struct weir_http *http, struct weir_exchange *x,
                                        const void **out_config)
{
    (void)http, (void)x;
    *out_config = NULL;
    return &handler;
}

static void ask(struct sim_end *end, uint32_t id, const char path[6])
{
    uint8_t frame[WIRE_HEAD + 12] = {0}, *at = frame + WIRE_HEAD;
    *at++ = 0x82; /* RFC 7541, appendix A: GET, http */
    *at++ = 0x86;
    *at++ = 0x01, *at++ = 1, *at++ = 'x'; /* :authority */
    *at++ = 0x04, *at++ = 5;
    memcpy(at, path, 5);
    wire_write(frame, sizeof(frame) - WIRE_HEAD, WIRE_HEADERS, WIRE_END_STREAM | WIRE_END_HEADERS,
               id);
    assert_int_equal(sim_send(end, frame, sizeof(frame)), 0);
}

struct heard {
    size_t at; /* of all output, so far */
    struct h2_unpacker unpacker;
    char text[512];
};

static void hear_line(void *arg, struct weir_bytes name, struct weir_bytes value, bool valid)
{
    struct heard *h = arg;
    size_t len = strlen(h->text);
    assert_true(valid);
    if (name.len != 4 || memcmp(name.at, "date", 4) != 0)
        snprintf(h->text + len, sizeof(h->text) - len, "%.*s=%.*s ", (int)name.len, name.at,
                 (int)value.len, value.at);
}

/* Heads of what was sent since; between them content as its length. */
static const char *hear(struct heard *h, const struct sim_end *end)
{
    struct weir_bytes all = sim_output(end);
    h->text[0] = '\0';
    while (h->at + WIRE_HEAD <= all.len) {
        const uint8_t *frame = (const uint8_t *)all.at + h->at;
        struct frame f = wire_read(frame);
        struct h2_block block = {.count = 1, .piece = {{all.at + h->at + WIRE_HEAD, f.len}}};
        h->at += WIRE_HEAD + f.len;
        if (f.type == WIRE_HEADERS)
            assert_int_equal(h2_unpack(&h->unpacker, &block, hear_line, h), 0);
        else if (f.type == WIRE_DATA)
            snprintf(h->text + strlen(h->text), 16, "%u ", f.len);
    }
    return h->text;
}

static void expect(const char path[6], char text[128])
{
    static const char *const statuses[] = {"200", "203", "404"};
    int n = snprintf(text, 128, ":status=%s content-length=%c x-field=%c %c ",
                     statuses[path[1] - '0'], path[3], path[2], path[3]);
    if (path[4] != '0')
        snprintf(text + n, 128 - (size_t)n, "x-trailer=%c ", path[4]);
}

static unsigned next(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*seed >> 33);
}

static void test_each_has_its_own(void **state)
{
    (void)state;
    const struct sim_options options = {.cut = SIM_WHOLE};
    const struct weir_http http = {.route = route};
    struct heard heard = {0};
    struct sim *sim;
    uint8_t hello[WIRE_HEAD];
    uint64_t seed = 1;
    char path[] = "/0110", want[128];
    assert_int_equal(sim_new(&options, &sim), 0);
    struct sim_end *end = sim_connect(sim, &weir_http2, &http);
    wire_write(hello, 0, WIRE_SETTINGS, 0, 0);
    assert_int_equal(sim_send(end, WIRE_PREFACE, WIRE_PREFACE_LEN), 0);
    assert_int_equal(sim_send(end, hello, sizeof(hello)), 0);
    assert_int_equal(sim_run(sim), 0);
    (void)hear(&heard, end);
    for (uint32_t i = 0; i < 2000; i++) {
        if (next(&seed) % 3 == 0) { /* one thing differs from the answer before */
            unsigned which = 1 + next(&seed) % 4;
            path[which] = (char)('0' + next(&seed) % 3 + (which == 3)); /* some content */
        }
        ask(end, 2 * i + 1, path);
        assert_int_equal(sim_run(sim), 0);
        expect(path, want);
        assert_string_equal(hear(&heard, end), want);
    }
    h2_unpacker_done(&heard.unpacker);
    sim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_has_its_own)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
