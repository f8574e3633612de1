#include "http/condition.h"

#include "base/bytes.h"
#include "http/h1/head.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

#define TAG    "\"v1\""
#define BEFORE "Sun, 06 Nov 1994 08:00:00 GMT"
#define EXACT  "Sun, 06 Nov 1994 08:30:00 GMT"
#define AFTER  "Sun, 06 Nov 1994 08:40:00 GMT"

static const struct weir_http config;
static const struct validators current = {{TAG, 4}, 784110600}; /* EXACT */

struct row {
    const char *method;
    const char *fields;
    unsigned status;
};

static const struct row rows[] = {
    {"GET", "", 0},
    {"GET", "If-None-Match: " TAG, 304},
    {"HEAD", "If-None-Match: W/" TAG, 304},
    {"GET", "If-None-Match: \"a,b\" , " TAG, 304},
    {"GET", "If-None-Match: \"x\"\r\nIf-None-Match: " TAG, 304},
    {"GET", "If-None-Match: *", 304},
    {"GET", "If-None-Match: \"x\", v1, \"V1\"", 0},
    {"GET", "If-None-Match:", 0},
    {"POST", "If-None-Match: *", 412},
    {"POST", "If-None-Match: \"x\"", 0},
    {"GET", "If-Modified-Since: " BEFORE, 0},
    {"GET", "If-Modified-Since: " EXACT, 304},
    {"HEAD", "If-Modified-Since: " AFTER, 304},
    {"POST", "If-Modified-Since: " AFTER, 0},
    {"GET", "If-Modified-Since: soon", 0},
    {"GET", "If-Modified-Since: " AFTER "\r\nIf-Modified-Since: " AFTER, 0},
    {"GET", "If-Modified-Since: " AFTER ", " AFTER, 0},
    {"GET", "If-Unmodified-Since: " BEFORE "\r\nIf-Unmodified-Since: " BEFORE, 0},
    {"GET", "If-None-Match: \"x\"\r\nIf-Modified-Since: " AFTER, 0},
    {"GET", "If-None-Match: " TAG "\r\nIf-Modified-Since: " BEFORE, 304},
    {"GET", "If-Match: " TAG, 0},
    {"GET", "If-Match: *", 0},
    {"GET", "If-Match: W/" TAG, 412}, /* strong comparison */
    {"GET", "If-Match: \"x\"", 412},
    {"PUT", "If-Match: \"x\", " TAG, 0},
    {"GET", "If-Match:", 412},
    {"GET", "If-Unmodified-Since: " EXACT, 0},
    {"GET", "If-Unmodified-Since: " BEFORE, 412},
    {"GET", "If-Unmodified-Since: soon", 0},
    {"GET", "If-Match: " TAG "\r\nIf-Unmodified-Since: " BEFORE, 0},
    {"GET", "If-Match: \"x\"\r\nIf-None-Match: " TAG, 412},
    {"GET", "If-Match: " TAG "\r\nIf-None-Match: " TAG, 304},
    {"GET", "If-Unmodified-Since: " AFTER "\r\nIf-Modified-Since: " EXACT, 304},
};

static struct weir_exchange *request(struct world *w, const char *method, const char *fields)
{
    char text[512];
    snprintf(text, sizeof(text), "%s / HTTP/1.1\r\nHost: h%s%s\r\n\r\n", method,
             *fields ? "\r\n" : "", fields);
    if (!w->conn)
        w->conn = weir_conn_new(&w->driver, &weir_http1, &config);
    struct weir_exchange *x = exchange_new(w->conn, &config);
    assert_non_null(x);
    assert_int_equal(head_read(x, text, strlen(text)), HTTP_OK);
    assert_int_equal(exchange_keep(x), 0);
    return x;
}

static void precedence(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        print_message("%s: %s\n", rows[i].method, rows[i].fields);
        struct weir_exchange *x = request(w, rows[i].method, rows[i].fields);
        assert_int_equal(condition_any(x), *rows[i].fields != '\0');
        assert_int_equal(condition_check(x, &current), rows[i].status);
        weir_exchange_drop(x);
    }
}

static void if_range(void **state)
{
    struct world *w = *state;
    static const struct row ifs[] = {
        {"GET", "", true},
        {"GET", "If-Range: " TAG, true},
        {"GET", "If-Range: W/" TAG, false},
        {"GET", "If-Range: \"x\"", false},
        {"GET", "If-Range: " EXACT, true},
        {"GET", "If-Range: " AFTER, false},
        {"GET", "If-Range: " BEFORE, false},
        {"GET", "If-Range: soon", false},
    };
    for (size_t i = 0; i < sizeof(ifs) / sizeof(ifs[0]); i++) {
        struct weir_exchange *x = request(w, ifs[i].method, ifs[i].fields);
        assert_int_equal(condition_if_range(x, &current), ifs[i].status);
        weir_exchange_drop(x);
    }
}

/* What changed within this second may change again in it: its date tells nothing. */
static void a_date_of_this_second_is_weak(void **state)
{
    struct world *w = *state;
    struct validators now = {{TAG, 4}, w->driver.now.wall_ns / (int64_t)WEIR_NS_PER_S};
    struct weir_exchange *x = request(w, "GET", "If-Range: Sun, 06 Nov 1994 08:49:37 GMT");
    assert_false(condition_if_range(x, &now));
    w->driver.now.wall_ns += (int64_t)WEIR_NS_PER_S;
    assert_true(condition_if_range(x, &now));
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
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(precedence),
        cmocka_unit_test(if_range),
        cmocka_unit_test(a_date_of_this_second_is_weak),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
