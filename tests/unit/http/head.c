#include "http/h1/head.h"

#include "base/bytes.h"
#include "http/h1/body.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

static const struct weir_http config;
static const struct head_limits usual = {LIMIT_HTTP_LINE_BYTES, LIMIT_HTTP_FIELDS_BYTES};

static struct weir_exchange *new_exchange(struct world *w)
{
    if (!w->conn)
        w->conn = weir_conn_new(&w->driver, &weir_http1, &config);
    struct weir_exchange *x = exchange_new(w->conn, &config);
    assert_non_null(x);
    return x;
}

/* From a copy of exactly that size, so that a sanitizer sees a read past the end. */
static enum http_error read_head(struct weir_exchange *x, const char *text, size_t len)
{
    struct head_scan scan = {0};
    size_t head_len = 0;
    char *copy = malloc(len);
    memcpy(copy, text, len);
    enum http_error error = head_find(&scan, copy, len, &usual, &head_len);
    if (!error) {
        assert_int_equal(head_len, len);
        error = head_read(x, copy, len);
    }
    if (exchange_keep(x) < 0)
        fail();
    free(copy);
    return error;
}

static void a_head_is_taken_apart(void **state)
{
    struct world *w = *state;
    struct weir_exchange *x = new_exchange(w);
    const char *text = "PATCH /a%20b/c?d=e?f HTTP/1.1\r\nhOsT:h:80\r\nA:\t b c \t\r\nEmpty:\r\n"
                       "accept: x\r\nA: second\r\n\r\n";
    assert_int_equal(read_head(x, text, strlen(text)), HTTP_OK);
    assert_int_equal(weir_request_method(x), WEIR_METHOD_PATCH);
    assert_true(bytes_equal(weir_request_target(x), BYTES("/a%20b/c?d=e?f")));
    assert_true(bytes_equal(weir_request_path(x), BYTES("/a%20b/c")));
    assert_true(bytes_equal(weir_request_query(x), BYTES("d=e?f")));
    assert_true(bytes_equal(weir_request_host(x), BYTES("h:80")));
    assert_true(bytes_equal(weir_request_line(x), BYTES("PATCH /a%20b/c?d=e?f HTTP/1.1")));
    struct weir_bytes value = {0}, name = {0};
    assert_true(weir_request_field(x, "a", &value));
    assert_true(bytes_equal(value, BYTES("b c")));
    assert_true(weir_request_field(x, "EMPTY", &value));
    assert_int_equal(value.len, 0);
    assert_false(weir_request_field(x, "b", &value));
    unsigned at = 0, count = 0;
    while (weir_request_next(x, &at, &name, &value))
        count++;
    assert_int_equal(count, 5);
    assert_true(bytes_equal(name, BYTES("A")) && bytes_equal(value, BYTES("second")));
    weir_exchange_drop(x);
}

struct row {
    const char *text;
    enum http_error error;
};

#define H "Host: h\r\n\r\n"

static const struct row rows[] = {
    {"GET / HTTP/1.1\r\n" H, HTTP_OK},
    {"GET http://x/ HTTP/1.1\r\n" H, HTTP_OK},
    {"GET HTTPS://x HTTP/1.1\r\n" H, HTTP_OK},
    {"GET http://x?q HTTP/1.1\r\n" H, HTTP_OK},
    {"OPTIONS * HTTP/1.1\r\n" H, HTTP_OK},
    {"CONNECT h:443 HTTP/1.1\r\n" H, HTTP_OK},
    {"GET / HTTP/1.0\r\n\r\n", HTTP_OK},
    {"GET / HTTP/1.7\r\n" H, HTTP_OK},
    {"GET / HTTP/1.1\r\nA: \x80\xff\t~\r\n" H, HTTP_OK},
    {"GET / HTTP/1.1\r\n\r\n", HTTP_HOST},
    {"GET / HTTP/1.1\r\nHost: a\r\n" H, HTTP_HOST},
    {"GET / HTTP/1.0\r\nHost: a\r\n" H, HTTP_HOST},
    {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", HTTP_HOST},
    {"GET http://x/ HTTP/1.1\r\n\r\n", HTTP_HOST},
    {"GET / HTTP/1.1\r\nHost:\r\n\r\n", HTTP_HOST},
    {"GET / HTTP/2.0\r\n" H, HTTP_VERSION},
    {"GET / HTTP/0.9\r\n" H, HTTP_VERSION},
    {"GET * HTTP/1.1\r\n" H, HTTP_TARGET},
    {"GET a HTTP/1.1\r\n" H, HTTP_TARGET},
    {"GET ftp://x/ HTTP/1.1\r\n" H, HTTP_TARGET},
    {"GET http:///a HTTP/1.1\r\n" H, HTTP_TARGET},
    {"GET https:///a HTTP/1.1\r\n" H, HTTP_TARGET},
    {"GET http://a@b/ HTTP/1.1\r\n" H, HTTP_TARGET},
    {"CONNECT h HTTP/1.1\r\n" H, HTTP_TARGET},
    {"CONNECT h: HTTP/1.1\r\n" H, HTTP_TARGET},
    {"CONNECT h:0 HTTP/1.1\r\n" H, HTTP_TARGET},
    {"CONNECT h:65536 HTTP/1.1\r\n" H, HTTP_TARGET},
    {"CONNECT [::1] HTTP/1.1\r\n" H, HTTP_TARGET},
    {"CONNECT [::1]:443 HTTP/1.1\r\n" H, HTTP_OK},
    {"CONNECT /a HTTP/1.1\r\n" H, HTTP_TARGET},
    {"GET /\xc3\xbc HTTP/1.1\r\n" H, HTTP_TARGET},
    {"GET /a#b HTTP/1.1\r\n" H, HTTP_TARGET},
    {"GET /a\rb HTTP/1.1\r\n" H, HTTP_TARGET},
    {"GET /\r\n" H, HTTP_REQUEST_LINE},
    {"GET\r\n" H, HTTP_REQUEST_LINE},
    {"GET  / HTTP/1.1\r\n" H, HTTP_REQUEST_LINE},
    {"GET / HTTP/1.1 \r\n" H, HTTP_REQUEST_LINE},
    {"GET / HTTP/1\r\n" H, HTTP_REQUEST_LINE},
    {"GET / HTTP/1.10\r\n" H, HTTP_REQUEST_LINE},
    {"GET / http/1.1\r\n" H, HTTP_REQUEST_LINE},
    {"G(T / HTTP/1.1\r\n" H, HTTP_REQUEST_LINE},
    {" GET / HTTP/1.1\r\n" H, HTTP_REQUEST_LINE},
    {"get / HTTP/1.1\r\n" H, HTTP_UNKNOWN_METHOD},
    {"GETS / HTTP/1.1\r\n" H, HTTP_UNKNOWN_METHOD},
    {"GET / HTTP/1.1\nHost: h\r\n\r\n", HTTP_LINE_END},
    {"GET / HTTP/1.1\r\nHost: h\n\r\n", HTTP_LINE_END},
    {"GET / HTTP/1.1\r\nA: b\r\n c\r\n" H, HTTP_FOLDED},
    {"GET / HTTP/1.1\r\n\tA: b\r\n" H, HTTP_FOLDED},
    {"GET / HTTP/1.1\r\nA : b\r\n" H, HTTP_FIELD_NAME},
    {"GET / HTTP/1.1\r\nA\r\n" H, HTTP_FIELD_NAME},
    {"GET / HTTP/1.1\r\n: b\r\n" H, HTTP_FIELD_NAME},
    {"GET / HTTP/1.1\r\nA\x01: b\r\n" H, HTTP_FIELD_NAME},
    {"GET / HTTP/1.1\r\nA\xc3: b\r\n" H, HTTP_FIELD_NAME},
    {"GET / HTTP/1.1\r\nA: b\rc\r\n" H, HTTP_FIELD_VALUE},
    {"GET / HTTP/1.1\r\nA: b\r\r\n" H, HTTP_FIELD_VALUE},
    {"GET / HTTP/1.1\r\nA: b\x7f\r\n" H, HTTP_FIELD_VALUE},
    {"GET / HTTP/1.1\r\nA: \x1b[2J\r\n" H, HTTP_FIELD_VALUE},
};

static void strict_heads(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct weir_exchange *x = new_exchange(w);
        print_message("%s\n", rows[i].text);
        assert_int_equal(read_head(x, rows[i].text, strlen(rows[i].text)), rows[i].error);
        weir_exchange_drop(x);
    }
}

static void an_absolute_target_names_the_host(void **state)
{
    struct world *w = *state;
    struct weir_exchange *x = new_exchange(w);
    const char *text = "OPTIONS http://other:81 HTTP/1.1\r\n" H;
    assert_int_equal(read_head(x, text, strlen(text)), HTTP_OK);
    assert_true(bytes_equal(weir_request_host(x), BYTES("other:81")));
    assert_true(bytes_equal(weir_request_path(x), BYTES("*"))); /* RFC 9112 section 3.2.4 */
    weir_exchange_drop(x);
}

/* The end of a head is found in the same place, with the same result, however the bytes come. */
static void cuts_make_no_difference(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len = strlen(rows[i].text), whole_len = 0, at = 0;
        struct head_scan whole = {0}, bytes = {0};
        enum http_error a = head_find(&whole, rows[i].text, len, &usual, &whole_len), b = HTTP_OK;
        for (size_t n = 1; n <= len && !b && at == 0; n++)
            b = head_find(&bytes, rows[i].text, n, &usual, &at);
        assert_int_equal(a, b);
        assert_int_equal(whole_len, at);
    }
}

static enum http_error find_long(size_t line, size_t field, size_t step)
{
    static char text[70000];
    memset(text, 'a', sizeof(text));
    memcpy(text + line - 2, "\r\nX:", 4);
    if (field > 0)
        memcpy(text + line + field - 4, "\r\n\r\n", 4);
    struct head_scan scan = {0};
    size_t len = 0;
    enum http_error error = HTTP_OK;
    for (size_t n = step; n <= sizeof(text) && !error && len == 0; n += step)
        error = head_find(&scan, text, n, &usual, &len);
    return error;
}

static void limits_hold_at_the_byte(void **state)
{
    (void)state;
    for (size_t step = 1; step <= 70000; step *= 35000) {
        assert_int_equal(find_long(LIMIT_HTTP_LINE_BYTES, 100, step), HTTP_OK);
        assert_int_equal(find_long(LIMIT_HTTP_LINE_BYTES + 1, 100, step), HTTP_LINE_TOO_LONG);
        assert_int_equal(find_long(20, LIMIT_HTTP_FIELDS_BYTES, step), HTTP_OK);
        assert_int_equal(find_long(20, LIMIT_HTTP_FIELDS_BYTES + 1, step), HTTP_FIELDS_TOO_LARGE);
        assert_int_equal(find_long(20, 0, step), HTTP_FIELDS_TOO_LARGE);
    }
}

static void too_many_and_too_long_names(void **state)
{
    struct world *w = *state;
    static char text[4096];
    for (unsigned count = LIMIT_HTTP_FIELDS - 1; count <= LIMIT_HTTP_FIELDS; count++) {
        struct weir_exchange *x = new_exchange(w);
        strcpy(text, "GET / HTTP/1.1\r\n");
        for (unsigned i = 0; i < count; i++)
            strcat(text, "A:\r\n");
        strcat(text, H);
        assert_int_equal(read_head(x, text, strlen(text)),
                         count < LIMIT_HTTP_FIELDS ? HTTP_OK : HTTP_FIELDS_TOO_MANY);
        weir_exchange_drop(x);
    }
    for (size_t len = LIMIT_HTTP_FIELD_NAME; len <= LIMIT_HTTP_FIELD_NAME + 1; len++) {
        struct weir_exchange *x = new_exchange(w);
        char name[300] = {0};
        memset(name, 'n', len);
        strcat(strcat(strcpy(text, "GET / HTTP/1.1\r\n"), name), ":\r\n" H);
        assert_int_equal(read_head(x, text, strlen(text)),
                         len > LIMIT_HTTP_FIELD_NAME ? HTTP_FIELDS_TOO_LARGE : HTTP_OK);
        weir_exchange_drop(x);
    }
}

static const struct row framings[] = {
    {"Content-Length: 5\r\n", HTTP_OK},
    {"Content-Length: 0\r\n", HTTP_OK},
    {"Content-Length: 1000\r\n", HTTP_OK},
    {"Content-Length: 1001\r\n", HTTP_CONTENT_TOO_LARGE},
    {"Content-Length: 18446744073709551615\r\n", HTTP_LENGTH},
    {"Content-Length: 18446744073709551616\r\n", HTTP_LENGTH},
    {"Content-Length: -1\r\n", HTTP_LENGTH},
    {"Content-Length: 0x5\r\n", HTTP_LENGTH},
    {"Content-Length: 5 5\r\n", HTTP_LENGTH},
    {"Content-Length: 5, 5\r\n", HTTP_LENGTH},
    {"Content-Length: 5\r\nContent-Length: 5\r\n", HTTP_LENGTH},
    {"Content-Length:\r\n", HTTP_LENGTH},
    {"Transfer-Encoding: chunked\r\n", HTTP_OK},
    {"Transfer-Encoding: ,CHUNKED,\r\n", HTTP_OK},
    {"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", HTTP_FRAMING},
    {"Transfer-Encoding: chunked, chunked\r\n", HTTP_CODING},
    {"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", HTTP_CODING},
    {"Transfer-Encoding:\r\n", HTTP_CODING},
    {"Transfer-Encoding: identity\r\n", HTTP_CODING},
    {"Transfer-Encoding: gzip\r\n", HTTP_CODING},
    {"Transfer-Encoding: identity, chunked\r\n", HTTP_UNKNOWN_CODING},
    {"Transfer-Encoding: gzip;q=1, chunked\r\n", HTTP_UNKNOWN_CODING},
    {"Transfer-Encoding: gzip, chunked\r\n", HTTP_UNKNOWN_CODING},
    {"Transfer-Encoding: chunked;a=b\r\n", HTTP_CODING},
    {"Transfer-Encoding: \x0b"
     "chunked\r\n",
     HTTP_FIELD_VALUE},
};

static void framing(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(framings) / sizeof(framings[0]); i++) {
        struct weir_exchange *x = new_exchange(w);
        char text[256];
        strcat(strcat(strcpy(text, "POST / HTTP/1.1\r\n"), framings[i].text), H);
        print_message("%s\n", framings[i].text);
        struct body body;
        enum http_error error = read_head(x, text, strlen(text));
        if (!error)
            error = body_open(&body, x, 1000);
        assert_int_equal(error, framings[i].error);
        weir_exchange_drop(x);
    }
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
        cmocka_unit_test(a_head_is_taken_apart),
        cmocka_unit_test(strict_heads),
        cmocka_unit_test(an_absolute_target_names_the_host),
        cmocka_unit_test(cuts_make_no_difference),
        cmocka_unit_test(limits_hold_at_the_byte),
        cmocka_unit_test(too_many_and_too_long_names),
        cmocka_unit_test(framing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
