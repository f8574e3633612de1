/* A request whose handler is looked for once more, addresses that are rewritten, and connections that are not admitted. */
#include "base/bytes.h"
#include "http/reroute.h"
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct weir_exchange *waiting; /* at the gate */
static bool gate_ended, open_now;
static unsigned stops, admitted, released;
static uint64_t released_mark;
static const char *rewrite_to;

/* Nobody comes in until the test says so, by weir_exchange_wake(). */
static int gate_start(struct weir_exchange *x)
{
    waiting = x;
    gate_ended = false;
    x->undecided = true;
    return 0;
}

static ssize_t gate_take(struct weir_exchange *x, const uint8_t *bytes, size_t len)
{
    (void)bytes;
    return x->begun ? (ssize_t)len : 0;
}

static int gate_end(struct weir_exchange *x)
{
    (void)x;
    gate_ended = true;
    return 0;
}

static void gate_stop(struct weir_exchange *x, int why)
{
    (void)x;
    (void)why;
    waiting = NULL;
    stops++;
}

static const struct weir_handler gate = {
    .name = "gate", .start = gate_start, .take = gate_take, .end = gate_end, .stop = gate_stop};

struct echo {
    char text[64];
    size_t len;
};

static int echo_start(struct weir_exchange *x)
{
    return weir_reply_field(x, "X-Path", "seen");
}

static ssize_t echo_take(struct weir_exchange *x, const uint8_t *bytes, size_t len)
{
    struct echo *echo = weir_exchange_state(x);
    assert_true(echo->len + len <= sizeof(echo->text));
    memcpy(echo->text + echo->len, bytes, len);
    echo->len += len;
    return (ssize_t)len;
}

static int echo_end(struct weir_exchange *x)
{
    const struct echo *echo = weir_exchange_state(x);
    struct weir_bytes path = weir_request_path(x), target = weir_request_target(x),
                      query = weir_request_query(x);
    char *text = weir_exchange_alloc(x, 300);
    int len = snprintf(text, 300, "%.*s|%.*s|%.*s|%.*s|%.*s", (int)echo->len, echo->text,
                       (int)path.len, path.at, (int)query.len, query.at, (int)target.len, target.at,
                       (int)x->user.len, x->user.len ? x->user.at : "");
    return weir_reply_bytes(x, text, (size_t)len, NULL);
}

static const struct weir_handler echo = {.name = "echo",
                                         .state_size = sizeof(struct echo),
                                         .start = echo_start,
                                         .take = echo_take,
                                         .end = echo_end};

static const struct weir_handler *route(const struct weir_http *http, struct weir_exchange *x,
                                        const void **out_config)
{
    (void)http;
    (void)out_config;
    if (rewrite_to && !x->rewritten)
        assert_int_equal(exchange_rewrite(x, bytes_str(rewrite_to)), 0);
    assert_int_equal(weir_reply_field(x, "X-Route", "once"), 0);
    return open_now ? &echo : &gate;
}

static const struct weir_http http = {.route = route};

static struct world *begin(const char *request)
{
    struct world *w = world_new();
    stops = 0;
    open_now = false;
    world_connect(w, &weir_http1, &http);
    world_say(w, request);
    return w;
}

static const char *let_in(struct world *w)
{
    struct weir_exchange *x = waiting;
    open_now = true;
    x->user = BYTES("alice");
    assert_int_equal(exchange_restart(x, gate_ended), 0);
    weir_exchange_wake(x);
    world_turn(w);
    return world_take(w);
}

static unsigned count(const char *text, const char *word)
{
    unsigned n = 0;
    for (; (text = strstr(text, word)); text += strlen(word))
        n++;
    return n;
}

static void content_waits_for_the_second_handler(void **state)
{
    (void)state;
    rewrite_to = NULL;
    struct world *w = begin("POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n01234");
    assert_string_equal(world_take(w), "");
    const char *said = let_in(w);
    assert_string_equal(said, "");
    assert_int_equal(stops, 1);
    world_say(w, "56789");
    said = world_take(w);
    assert_non_null(strstr(said, "\r\n\r\n0123456789|/a|b|/a?b|alice"));
    assert_int_equal(count(said, "X-Route: once\r\n"), 1);
    assert_int_equal(count(said, "X-Path: seen\r\n"), 1);
    world_free(w);
}

static void without_content_its_end_is_told_again(void **state)
{
    (void)state;
    rewrite_to = NULL;
    struct world *w = begin("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(gate_ended);
    assert_non_null(strstr(let_in(w), "\r\n\r\n|/a||/a|alice"));
    world_say(w, "GET /b HTTP/1.1\r\nHost: x\r\n\r\n"); /* the connection goes on */
    assert_non_null(strstr(world_take(w), "|/b||/b|"));
    world_free(w);
}

static void content_is_asked_for_when_it_is_wanted(void **state)
{
    (void)state;
    rewrite_to = NULL;
    const char *request = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
                          "Expect: 100-continue\r\n\r\n";
    struct world *w = begin(request);
    assert_string_equal(world_take(w), "");
    assert_string_equal(let_in(w), "HTTP/1.1 100 Continue\r\n\r\n");
    world_say(w, "abc");
    assert_non_null(strstr(world_take(w), "\r\n\r\nabc|/"));
    world_free(w);

    w = begin(request);
    struct weir_exchange *x = waiting;
    assert_int_equal(weir_reply_error(x, 401), 0);
    exchange_settle_content(x);
    weir_exchange_wake(x);
    world_turn(w);
    const char *said = world_take(w);
    assert_non_null(strstr(said, "HTTP/1.1 401 "));
    assert_null(strstr(said, " 100 "));
    assert_non_null(strstr(said, "Connection: close\r\n"));
    world_free(w);
}

static void a_rewritten_address_keeps_what_was_sent(void **state)
{
    (void)state;
    rewrite_to = "/new/place?c=d";
    struct world *w = begin("GET /old?b HTTP/1.1\r\nHost: x\r\nX-After: y\r\n\r\n");
    assert_non_null(strstr(let_in(w), "\r\n\r\n|/new/place|c=d|/old?b|alice"));
    rewrite_to = NULL;
    world_free(w);
}

static void no_address_is_too_long_for_a_copy(void **state)
{
    static char longest[70000];
    (void)state;
    rewrite_to = NULL;
    struct world *w = begin("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    memset(longest, 'a', sizeof(longest) - 1);
    longest[0] = '/';
    assert_int_equal(exchange_rewrite(waiting, bytes_str(longest)), -ENOBUFS);
    assert_false(waiting->rewritten);
    assert_non_null(strstr(let_in(w), "|/a||/a|"));
    world_free(w);
}

static bool admit(const struct weir_http *h, struct weir_conn *conn, uint64_t *out_mark)
{
    (void)h;
    (void)conn;
    *out_mark = 4711;
    return ++admitted != 2; /* all but the second */
}

static void release(const struct weir_http *h, uint64_t mark)
{
    (void)h;
    released++;
    released_mark = mark;
}

static void one_that_is_not_admitted_is_told_why(void **state)
{
    const struct weir_http guarded = {.route = route, .admit = admit, .released = release};
    (void)state;
    open_now = true;
    rewrite_to = NULL;
    struct world *w = world_new();
    admitted = released = 0;
    world_connect(w, &weir_http1, &guarded);
    world_say(w, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_non_null(strstr(world_take(w), "HTTP/1.1 200 "));
    assert_int_equal(released, 0);
    world_connect(w, &weir_http1, &guarded); /* the first one ends */
    assert_int_equal(released, 1);
    assert_int_equal(released_mark, 4711);
    const char *said = world_take(w);
    assert_non_null(strstr(said, "HTTP/1.1 503 "));
    assert_non_null(strstr(said, "Retry-After: 5\r\n"));
    assert_non_null(strstr(said, "Connection: close\r\n"));
    world_connect(w, &weir_http1, &guarded);
    assert_int_equal(released, 1); /* the second had nothing to give back */
    world_free(w);
    assert_int_equal(released, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_waits_for_the_second_handler),
        cmocka_unit_test(without_content_its_end_is_told_again),
        cmocka_unit_test(content_is_asked_for_when_it_is_wanted),
        cmocka_unit_test(a_rewritten_address_keeps_what_was_sent),
        cmocka_unit_test(no_address_is_too_long_for_a_copy),
        cmocka_unit_test(one_that_is_not_admitted_is_told_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
