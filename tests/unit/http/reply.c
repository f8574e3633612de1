#include "base/bytes.h"
#include "http/carry.h"
#include "http/h1/h1.h"
#include "world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct weir_http config = {.server = "test"};

static struct weir_exchange *new_exchange(struct world *w)
{
    if (!w->conn)
        w->conn = weir_conn_new(&w->driver, &weir_http1, &config);
    struct weir_exchange *x = exchange_new(w->conn, &config);
    assert_non_null(x);
    x->minor = 1;
    return x;
}

static const char *sent(struct world *w, struct weir_exchange *x)
{
    struct weir_out *out = weir_conn_out(w->conn);
    assert_int_equal(h1_send(x, out), WEIR_FLOW_END);
    while (weir_out_first(out)) {
        const struct weir_span *span = weir_out_first(out);
        assert_int_equal(span->kind, WEIR_SPAN_BYTES);
        memcpy(w->output + w->output_len, span->bytes, span->len);
        w->output_len += span->len;
        weir_out_skip(out, span->len);
    }
    return world_take(w);
}

static void a_whole_reply(void **state)
{
    struct world *w = *state;
    struct weir_exchange *x = new_exchange(w);
    assert_int_equal(weir_reply_status(x, 201), 0);
    assert_int_equal(weir_reply_field(x, "X-A", "b c"), 0);
    assert_int_equal(weir_reply_block(x, "X-B: d\r\n", 8, NULL), 0);
    assert_int_equal(weir_reply_bytes(x, "body", 4, NULL), 0);
    assert_int_equal(weir_reply_status(x, 200), -EALREADY);
    assert_int_equal(weir_reply_field(x, "X", "y"), -EALREADY);
    assert_int_equal(weir_reply_bytes(x, "body", 4, NULL), -EALREADY);
    assert_string_equal(sent(w, x),
                        "HTTP/1.1 201 Created\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                        "Server: test\r\nX-B: d\r\nX-A: b c\r\nContent-Length: 4\r\n\r\n"
                        "body");
    assert_int_equal(weir_exchange_sent(x), 4);
    weir_exchange_drop(x);
}

static void fields_that_would_split_are_refused(void **state)
{
    struct world *w = *state;
    struct weir_exchange *x = new_exchange(w);
    static const char *const bad[][2] = {
        {"", "a"},
        {"A:", "b"},
        {"A b", "c"},
        {"A", "b\r\nC: d"},
        {"A", "b\n"},
        {"A\r\n", "b"},
        {"A", "\x01"},
        {"Content-Length", "5"},
        {"transfer-encoding", "chunked"},
        {"Connection", ""},
        {"date", "now"},
        {"Keep-Alive", "5"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(weir_reply_field(x, bad[i][0], bad[i][1]), -EINVAL);
    assert_int_equal(x->lines.len, 0);
    assert_int_equal(weir_reply_status(x, 199), -EINVAL);
    assert_int_equal(weir_reply_status(x, 600), -EINVAL);
    weir_exchange_drop(x);
}

static void fields_are_bounded(void **state)
{
    struct world *w = *state;
    struct weir_exchange *x = new_exchange(w);
    int rc = 0;
    unsigned count = 0;
    while (rc == 0 && count < 100000)
        count += (rc = weir_reply_field(x, "Name", "0123456789")) == 0;
    assert_int_equal(rc, -ENOBUFS);
    assert_in_range(count, 500, 1000);
    assert_int_equal(weir_reply_bytes(x, "body", 4, NULL), 0);
    const char *text = sent(w, x); /* a head too long for one reservation */
    assert_string_equal(strstr(text, "\r\n\r\n"), "\r\n\r\nbody");
    weir_exchange_drop(x);
}

static void what_was_set_is_taken_back(void **state)
{
    struct world *w = *state;
    struct weir_exchange *x = new_exchange(w);
    reply_field_drop(x, BYTES("X-A"));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(weir_reply_field(x, "X-A", "1"), 0);
        assert_int_equal(weir_reply_field(x, i == 1 ? "x-b" : "X-A-B", "X-B: 2"), 0);
    }
    reply_field_drop(x, BYTES("X-B"));
    reply_field_drop(x, BYTES("x-a"));
    reply_field_drop(x, BYTES("X"));
    assert_int_equal(x->lines.len, 2 * strlen("X-A-B: X-B: 2\r\n"));
    assert_memory_equal(x->lines.at, "X-A-B: X-B: 2\r\nX-A-B: X-B: 2\r\n", x->lines.len);
    reply_field_drop(x, BYTES("X-A-B"));
    assert_int_equal(x->lines.len, 0);
    weir_exchange_drop(x);
}

static void what_the_answer_says_itself_counts(void **state)
{
    struct world *w = *state;
    struct weir_exchange *x = new_exchange(w);
    assert_int_equal(weir_reply_field(x, "Vary", "A"), 0);
    assert_int_equal(weir_reply_field(x, "X-A", "1"), 0);
    assert_int_equal(weir_reply_field(x, "X-B", "1"), 0);
    reply_fields_yield(x, BYTES("x-a: 2\r\nVary: B\r\nX-A: 3\r\nX: 4\r\n"));
    assert_int_equal(x->lines.len, strlen("Vary: A\r\nX-B: 1\r\n"));
    assert_memory_equal(x->lines.at, "Vary: A\r\nX-B: 1\r\n", x->lines.len);
    weir_exchange_drop(x);
}

static void trailers_that_belong_before_the_content_are_refused(void **state)
{
    struct world *w = *state;
    struct weir_exchange *x = new_exchange(w);
    static const char *const bad[] = {"Content-Length",   "Transfer-Encoding", "Host",
                                      "content-encoding", "Content-Type",      "Content-Range",
                                      "Set-Cookie",       "Location",          "Vary",
                                      "TRAILER",          "Connection",        "WWW-Authenticate",
                                      "Cache-Control"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(weir_reply_trailer(x, bad[i], "1"), -EINVAL);
    assert_int_equal(weir_reply_trailer(x, "X-Sum", "a\r\nb"), -EINVAL);
    assert_int_equal(x->trailers.len, 0);
    assert_int_equal(weir_reply_trailer(x, "X-Sum", "1"), 0);
    weir_exchange_drop(x);
}

static void each_row_of_the_status_table_fits(void **state)
{
    struct world *w = *state;
    for (unsigned status = 200; status < 600; status++) {
        struct weir_exchange *x = new_exchange(w);
        x->close = true;
        assert_int_equal(weir_reply_error(x, status), 0);
        const char *text = sent(w, x);
        char line[STATUS_LINE_MAX];
        struct weir_bytes want = status_line(status, line);
        assert_true(want.len <= 46);
        assert_memory_equal(text, want.at, want.len);
        const char *body = strstr(text, "\r\n\r\n") + 4;
        assert_int_equal(*body == '\0', !status_has_content(status));
        assert_int_equal(strstr(text, "Content-Length") != NULL, status_has_framing(status));
        if (*body)
            assert_string_equal(body + strlen(body) - 8, "</html>\n");
        weir_exchange_drop(x);
    }
}

static void each_error_has_a_page(void **state)
{
    struct world *w = *state;
#define E(name, status, h2, limit, text) {HTTP_##name, status, limit, text},
    static const struct {
        enum http_error error;
        unsigned status;
        const char *limit, *text;
    } errors[] = {HTTP_ERRORS(E)};
#undef E
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        struct weir_exchange *x = new_exchange(w);
        assert_int_equal(weir_reply_field(x, "X-Forgotten", "yes"), 0);
        assert_int_equal(exchange_refuse(x, errors[i].error), 0);
        assert_int_equal(exchange_refuse(x, errors[i].error), -EALREADY);
        assert_int_equal(weir_exchange_status(x), errors[i].status);
        if (*errors[i].limit)
            assert_string_equal(weir_exchange_limit(x), errors[i].limit);
        else
            assert_null(weir_exchange_limit(x));
        const char *text = sent(w, x);
        assert_non_null(strstr(text, errors[i].text));
        assert_non_null(strstr(text, "\r\nConnection: close\r\n"));
        assert_null(strstr(text, "X-Forgotten"));
        weir_exchange_drop(x);
    }
}

/* A success would turn the connection into a tunnel, which nobody is at the other end of. */
static void connect_never_succeeds(void **state)
{
    struct world *w = *state;
    struct weir_exchange *x = new_exchange(w);
    x->method = WEIR_METHOD_CONNECT;
    assert_int_equal(weir_reply_bytes(x, "body", 4, NULL), -EOPNOTSUPP);
    assert_int_equal(weir_reply_file(x, 0, 0, 4, NULL), -EOPNOTSUPP);
    assert_int_equal(weir_reply_begin(x), -EOPNOTSUPP);
    assert_int_equal(exchange_fail(x, -EOPNOTSUPP), 0);
    assert_memory_equal(sent(w, x), "HTTP/1.1 501 ", 13);
    weir_exchange_drop(x);
}

static void a_redirect_says_where(void **state)
{
    struct world *w = *state;
    struct weir_exchange *x = new_exchange(w);
    assert_int_equal(weir_reply_redirect(x, 301, "/a\r\nB: c"), -EINVAL);
    assert_int_equal(weir_reply_redirect(x, 301, "/a/"), 0);
    const char *text = sent(w, x);
    assert_non_null(strstr(text, "HTTP/1.1 301 Moved Permanently\r\n"));
    assert_non_null(strstr(text, "\r\nLocation: /a/\r\n"));
    weir_exchange_drop(x);
    static const unsigned others[] = {300, 302, 303, 307, 308};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        x = new_exchange(w);
        assert_int_equal(weir_reply_redirect(x, others[i], "/a/"), 0);
        assert_non_null(strstr(sent(w, x), "\r\nLocation: /a/\r\n"));
        weir_exchange_drop(x);
    }
}

static void memory_of_an_exchange_is_bounded(void **state)
{
    struct world *w = *state;
    struct weir_exchange *x = new_exchange(w);
    size_t total = 0;
    while (total < 100 * LIMIT_HTTP_EXCHANGE_BYTES) {
        char *at = weir_exchange_alloc(x, 1000);
        if (!at)
            break;
        assert_int_equal((uintptr_t)at % _Alignof(max_align_t), 0);
        memset(at, 'x', 1000);
        total += 1000;
    }
    assert_in_range(total, LIMIT_HTTP_EXCHANGE_BYTES / 2, LIMIT_HTTP_EXCHANGE_BYTES + 4096);
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
        cmocka_unit_test(a_whole_reply),
        cmocka_unit_test(fields_that_would_split_are_refused),
        cmocka_unit_test(fields_are_bounded),
        cmocka_unit_test(what_was_set_is_taken_back),
        cmocka_unit_test(what_the_answer_says_itself_counts),
        cmocka_unit_test(trailers_that_belong_before_the_content_are_refused),
        cmocka_unit_test(each_row_of_the_status_table_fits),
        cmocka_unit_test(each_error_has_a_page),
        cmocka_unit_test(connect_never_succeeds),
        cmocka_unit_test(a_redirect_says_where),
        cmocka_unit_test(memory_of_an_exchange_is_bounded),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
