/* The machine through the bare seam: what scripts cannot see (writes, spans, rest, memory, deadlines). */
#include "http/h1/h1.h"

#include "alloc.h"
#include "base/bytes.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct log {
    unsigned ended, stopped;
    int why;
    struct weir_exchange *held;
    char line[64];
    const char *limit;
};

static int hello(struct weir_exchange *x)
{
    return weir_reply_bytes(x, "hello", 5, NULL);
}

static int wait(struct weir_exchange *x)
{
    (void)x;
    return 0;
}

static int hold(struct weir_exchange *x)
{
    struct log *log = x->http->arg;
    weir_exchange_hold(x);
    log->held = x;
    return 0;
}

static void stop(struct weir_exchange *x, int why)
{
    struct log *log = x->http->arg;
    log->stopped++;
    log->why = why;
}

static int big(struct weir_exchange *x)
{
    static const uint8_t zeroes[100000];
    return weir_reply_bytes(x, zeroes, sizeof(zeroes), NULL);
}

static const struct weir_handler big_handler = {.name = "big", .start = big, .stop = stop};
static const struct weir_handler hello_handler = {.name = "hello", .start = hello, .stop = stop};
static const struct weir_handler wait_handler = {.name = "wait", .start = wait, .stop = stop};
static const struct weir_handler hold_handler = {.name = "hold", .start = hold, .stop = stop};

static const struct weir_handler *route(const struct weir_http *http, struct weir_exchange *x,
                                        const void **out_config)
{
    (void)http;
    (void)out_config;
    struct weir_bytes path = weir_request_path(x);
    if (bytes_equal(path, BYTES("/big")))
        return &big_handler;
    if (bytes_equal(path, BYTES("/wait")))
        return &wait_handler;
    return bytes_equal(path, BYTES("/hold")) ? &hold_handler : &hello_handler;
}

static void ended(const struct weir_http *http, struct weir_exchange *x, int why)
{
    struct log *log = http->arg;
    struct weir_bytes line = weir_request_line(x);
    (void)why;
    log->ended++;
    snprintf(log->line, sizeof(log->line), "%.*s", (int)line.len, line.at);
    log->limit = weir_exchange_limit(x);
}

static struct log log_of;
static const struct weir_http config = {.route = route, .ended = ended, .arg = &log_of};

#define GET "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
#define REPLY                                                                                      \
    "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 5\r\n\r\nhello"

static void many_answers_are_one_write(void **state)
{
    struct world *w = *state;
    char requests[100 * sizeof(GET)] = "";
    for (int i = 0; i < 100; i++)
        strcat(requests, GET);
    world_say(w, requests);
    assert_int_equal(w->gathers, 1);
    assert_true(w->spans <= 4); /* copied answers grow together */
    const char *text = world_take(w);
    for (int i = 0; i < 100; i++)
        assert_memory_equal(text + (size_t)i * (sizeof(REPLY) - 1), REPLY, sizeof(REPLY) - 1);
    assert_int_equal(strlen(text), 100 * (sizeof(REPLY) - 1));
    assert_int_equal(log_of.ended, 100);
    assert_int_equal(log_of.stopped, 100);
}

static void a_byte_at_a_time_is_the_same(void **state)
{
    struct world *w = *state;
    world_feed(w, GET GET, 2 * (sizeof(GET) - 1), 1);
    assert_string_equal(world_take(w), REPLY REPLY);
}

static void rest_is_told(void **state)
{
    struct world *w = *state;
    assert_true(weir_conn_resting(w->conn));
    world_say(w, GET);
    assert_true(weir_conn_resting(w->conn));
    world_say(w, "G");
    assert_false(weir_conn_resting(w->conn));
    world_say(w, &GET[1]);
    assert_true(weir_conn_resting(w->conn));
    world_say(w, "\r\n"); /* as old clients end their content */
    assert_true(weir_conn_resting(w->conn));
    world_say(w, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_false(weir_conn_resting(w->conn));
}

/* The usual request takes its blocks from the pool, and an idle connection holds none. */
static void a_request_allocates_nothing(void **state)
{
    struct world *w = *state;
    world_say(w, GET);
    unsigned long calls = alloc_calls();
    for (int i = 0; i < 50; i++) {
        world_say(w, GET);
        world_take(w);
    }
    assert_int_equal(alloc_calls(), calls);
    assert_true(sizeof(struct h1) <= 128);
}

static void a_slow_answer_keeps_its_head(void **state)
{
    struct world *w = *state;
    world_say(w, "GET /wait?it HTTP/1.1\r\nHost: h\r\n\r\n");
    world_wait(w, LIMIT_HTTP_ANSWER_MS);
    assert_non_null(strstr(world_take(w), "504 Gateway Timeout"));
    assert_string_equal(log_of.line, "GET /wait?it HTTP/1.1");
}

static void an_exchange_outlives_its_client(void **state)
{
    struct world *w = *state;
    world_say(w, "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
    struct weir_exchange *x = log_of.held;
    assert_ptr_equal(weir_exchange_conn(x), w->conn);
    weir_conn_received(w->conn, -104);
    world_turn(w);
    assert_true(world_closed(w));
    assert_int_equal(log_of.stopped, 1);
    assert_int_equal(log_of.why, -104);
    weir_conn_free(w->conn);
    w->conn = NULL;
    assert_null(weir_exchange_conn(x));
    assert_true(bytes_equal(weir_request_path(x), BYTES("/hold")));
    assert_int_equal(weir_reply_bytes(x, "late", 4, NULL), 0);
    weir_exchange_wake(x);
    weir_exchange_drop(x);
}

static void a_job_answers(void **state)
{
    struct world *w = *state;
    world_say(w, "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(weir_reply_bytes(log_of.held, "done", 4, NULL), 0);
    assert_true(w->wakes > 0);
    weir_exchange_drop(log_of.held);
    world_turn(w);
    assert_non_null(strstr(world_take(w), "\r\n\r\ndone"));
    assert_true(weir_conn_resting(w->conn));
}

static void deadlines(void **state)
{
    struct world *w = *state;
    uint64_t now = w->driver.now.mono_ns;
    assert_int_equal(weir_conn_deadline(w->conn), now + LIMIT_HTTP_HEAD_MS * WEIR_NS_PER_MS);
    world_say(w, GET);
    assert_int_equal(weir_conn_deadline(w->conn), now + LIMIT_HTTP_IDLE_MS * WEIR_NS_PER_MS);
    world_wait(w, 5000);
    world_say(w, "G");
    world_wait(w, 5000);
    world_say(w, "ET");
    assert_int_equal(weir_conn_deadline(w->conn),
                     now + (5000 + LIMIT_HTTP_HEAD_MS) * WEIR_NS_PER_MS);
}

static void the_log_gets_what_there_was_of_a_request(void **state)
{
    struct world *w = *state;
    world_say(w, "GET nonsense\"\r\n\r\n");
    assert_int_equal(log_of.ended, 1);
    assert_string_equal(log_of.line, "GET nonsense\"");
    world_connect(w, &weir_http1, &config);
    world_say(w, "\x16\x03\x01");
    assert_int_equal(log_of.ended, 2);
    assert_string_equal(log_of.line, "");
}

static const struct weir_http strict = {.route = route,
                                        .ended = ended,
                                        .arg = &log_of,
                                        .line_max = 60,
                                        .fields_max = 100,
                                        .field_count_max = 3,
                                        .body_max = 10,
                                        .min_rate = 1000,
                                        .body_ms = 2000};

#define HEAD  "POST /wait HTTP/1.1\r\nHost: h\r\n"
#define TEN   "0123456789"
#define SIXTY TEN TEN TEN TEN TEN TEN

/* What a log line names is what the option is called that would have to be turned. */
static void each_limit_has_a_name(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *text;
        unsigned wait_ms;
        const char *limit;
    } rows[] = {
        {"GET /" SIXTY, 0, "max-line"},
        {"GET /" SIXTY " HTTP/1.1\r\n", 0, "max-line"},
        {"GET / HTTP/1.1\r\nA: " SIXTY SIXTY, 0, "max-fields"},
        {"GET / HTTP/1.1\r\nHost: h\r\nA:\r\nB:\r\nC:\r\n\r\n", 0, "max-field-count"},
        {HEAD "Content-Length: 11\r\n\r\n", 0, "max-body"},
        {HEAD "Transfer-Encoding: chunked\r\n\r\nb\r\n", 0, "max-body"},
        {"GET / HTTP/1.1\r\n", LIMIT_HTTP_HEAD_MS, "head-timeout"},
        {HEAD "Content-Length: 5\r\n\r\n", 2000, "body-timeout"},
        {HEAD "\r\n", LIMIT_HTTP_ANSWER_MS, "answer-timeout"},
        {GET, 0, NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        print_message("%s\n", rows[i].text);
        log_of = (struct log){.limit = "nothing was said"};
        world_connect(w, &weir_http1, &strict);
        world_say(w, rows[i].text);
        world_wait(w, rows[i].wait_ms);
        assert_int_equal(log_of.ended, 1);
        if (rows[i].limit)
            assert_string_equal(log_of.limit, rows[i].limit);
        else
            assert_null(log_of.limit);
    }
}

static void unread_content_has_a_limit_too(void **state)
{
    struct world *w = *state;
    world_say(w, "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n");
    assert_string_equal(log_of.limit, "drain");
}

/* Nobody takes the answer: the driver is never let to send. */
static void a_peer_that_takes_nothing_is_named(void **state)
{
    struct world *w = *state;
    const char *text = "GET /big HTTP/1.1\r\nHost: h\r\n\r\n";
    assert_int_equal(weir_conn_feed(w->conn, (const uint8_t *)text, strlen(text)), strlen(text));
    for (unsigned i = 0; i < 8; i++) {
        assert_true(weir_conn_turn(w->conn) & WEIR_IO_WRITE);
        assert_int_equal(log_of.ended, 0);
        w->driver.now.mono_ns += LIMIT_HTTP_SEND_MS / 8 * WEIR_NS_PER_MS;
    }
    w->want = weir_conn_turn(w->conn);
    assert_true(world_closed(w));
    assert_string_equal(log_of.limit, "send-timeout");
}

/* More than can be is the most that can be: offsets into a head have 16 bits. */
static void limits_themselves_are_bounded(void **state)
{
    (void)state;
    const struct weir_http huge = {.line_max = UINT32_MAX, .fields_max = UINT32_MAX};
    struct head_limits max = head_limits(&huge);
    assert_int_equal(max.line, LIMIT_HTTP_LINE_MOST);
    assert_int_equal(max.fields, LIMIT_HTTP_FIELDS_MOST);
    const struct weir_http some = {.line_max = 1};
    max = head_limits(&some);
    assert_int_equal(max.line, 1);
    assert_int_equal(max.fields, LIMIT_HTTP_FIELDS_BYTES);
}

static int set_up(void **state)
{
    struct world *w = world_new();
    log_of = (struct log){0};
    world_connect(w, &weir_http1, &config);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    world_free(*state);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(many_answers_are_one_write),
        TEST(a_byte_at_a_time_is_the_same),
        TEST(rest_is_told),
        TEST(a_request_allocates_nothing),
        TEST(a_slow_answer_keeps_its_head),
        TEST(an_exchange_outlives_its_client),
        TEST(a_job_answers),
        TEST(deadlines),
        TEST(the_log_gets_what_there_was_of_a_request),
        TEST(each_limit_has_a_name),
        TEST(unread_content_has_a_limit_too),
        TEST(a_peer_that_takes_nothing_is_named),
        TEST(limits_themselves_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
