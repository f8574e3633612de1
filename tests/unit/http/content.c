/* Content with conditions and ranges where memory or chance fail; what goes well is in tests/script/http1. */
#include "http/content.h"

#include "base/bytes.h"
#include "http/h1/head.h"
#include "http/parts.h"
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct weir_http config;
static uint8_t letters[5000];
static unsigned dropped;

static void drop(struct weir_ref *ref)
{
    (void)ref;
    dropped++;
}

static struct weir_ref owner = {1, drop};

static int from_dice(struct weir_driver *driver, void *bytes, size_t len)
{
    (void)driver;
    memset(bytes, 0x41, len);
    return 0;
}

static int no_dice(struct weir_driver *driver, void *bytes, size_t len)
{
    (void)driver, (void)bytes, (void)len;
    return -EIO;
}

static void throw_dice(struct world *w, int (*dice)(struct weir_driver *, void *, size_t))
{
    static struct weir_driver_ops ops;
    ops = *w->driver.ops;
    ops.random = dice;
    w->driver.ops = &ops;
}

static struct weir_exchange *request(struct world *w, const char *fields)
{
    char text[512];
    snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: h\r\n%s\r\n\r\n", fields);
    if (!w->conn)
        w->conn = weir_conn_new(&w->driver, &weir_http1, &config);
    struct weir_exchange *x = exchange_new(w->conn, &config);
    assert_non_null(x);
    assert_int_equal(head_read(x, text, strlen(text)), HTTP_OK);
    assert_int_equal(exchange_keep(x), 0);
    return x;
}

static struct content all(void)
{
    return (struct content){
        .lines = BYTES("ETag: \"a\"\r\nContent-Type: text/plain\r\nX: y\r\n"),
        .lines_304 = 11,
        .validators = {BYTES("\"a\""), 0},
        .whole = {
            .kind = WEIR_SPAN_BYTES, .len = sizeof(letters), .bytes = letters, .owner = &owner}};
}

#define FAR_APART "Range: bytes=0-0,1000-1000"

static void without_chance_there_is_no_boundary(void **state)
{
    struct world *w = *state;
    struct content content = all();
    for (int i = 0; i < 2; i++) {
        throw_dice(w, i == 0 ? NULL : no_dice);
        struct weir_exchange *x = request(w, FAR_APART);
        assert_int_equal(content_reply(x, &content), -EIO);
        assert_int_equal(exchange_fail(x, -EIO), 0);
        assert_int_equal(weir_exchange_status(x), 500);
        assert_null(x->parts);
        weir_exchange_drop(x);
        assert_int_equal(owner.count, 1); /* every hold was given back */
    }
}

static void parts_hold_their_content(void **state)
{
    struct world *w = *state;
    struct content content = all();
    throw_dice(w, from_dice);
    struct weir_exchange *x = request(w, FAR_APART);
    assert_int_equal(content_reply(x, &content), 0);
    assert_int_equal(weir_exchange_status(x), 206);
    assert_non_null(x->parts);
    assert_true(owner.count > 1);
    weir_exchange_drop(x); /* the client went before any of it was sent */
    assert_int_equal(owner.count, 1);
}

/* A boundary needs room in the queue: it waits, and adds nothing more than there is room for. */
static void parts_keep_to_the_room_there_is(void **state)
{
    struct world *w = *state;
    struct content content = all();
    throw_dice(w, from_dice);
    struct weir_exchange *x = request(w, FAR_APART);
    struct weir_out *out = weir_conn_out(w->conn);
    assert_int_equal(content_reply(x, &content), 0);
    assert_int_equal(parts_give(x, out, 10), WEIR_FLOW_WAIT);
    uint64_t total = 0;
    int flow;
    do {
        uint64_t before = weir_out_len(out);
        flow = parts_give(x, out, 200);
        assert_in_range(weir_out_len(out) - before, 1, 200);
        total += weir_out_len(out) - before;
    } while (flow == WEIR_FLOW_MORE);
    assert_int_equal(flow, WEIR_FLOW_END);
    assert_int_equal(total, x->reply_len);
    while (weir_out_first(out))
        weir_out_skip(out, weir_out_first(out)->len);
    weir_exchange_drop(x);
    assert_int_equal(owner.count, 1);
}

static void a_flood_has_a_name_in_the_log(void **state)
{
    struct world *w = *state;
    struct content content = all();
    struct weir_exchange *x = request(w, "Range: bytes=0-,0-,0-,0-");
    assert_int_equal(content_reply(x, &content), 0);
    assert_int_equal(weir_exchange_status(x), 200);
    assert_string_equal(weir_exchange_limit(x), "ranges");
    weir_exchange_drop(x);
}

static int set_up(void **state)
{
    *state = world_new();
    return 0;
}

static int tear_down(void **state)
{
    world_free(*state);
    return dropped ? -1 : 0; /* the owner is the test's own */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_chance_there_is_no_boundary),
        TEST(parts_hold_their_content),
        TEST(parts_keep_to_the_room_there_is),
        TEST(a_flood_has_a_name_in_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
