#include "http/negotiate.h"

#include "base/bytes.h"
#include "http/h1/head.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

struct row {
    const char *value;
    uint8_t identity, gzip, zstd, br; /* ranks */
};

static const struct row rows[] = {
    {"", 1, 0, 0, 0},
    {"gzip", 1, 2, 0, 0},
    {"GZIP", 1, 2, 0, 0},
    {"x-gzip", 1, 2, 0, 0},
    {"br, gzip", 1, 2, 0, 2},
    {"gzip, deflate, br, zstd", 1, 2, 2, 2},
    {"deflate", 1, 0, 0, 0},
    {"compress, x-compress, dcb", 1, 0, 0, 0},
    {"gzip;q=0", 1, 0, 0, 0},
    {"gzip;q=0, br;q=0.001", 1, 0, 0, 2},
    {"br;q=1.0, gzip;q=0.8, *;q=0.1", 1, 3, 1, 4},
    {"identity", 1, 0, 0, 0},
    {"identity, gzip;q=0.5", 2, 1, 0, 0},
    {"identity;q=0.5, gzip;q=0.5", 1, 1, 0, 0},
    {"identity;q=0", 0, 0, 0, 0},
    {"identity;q=0, gzip", 0, 1, 0, 0},
    {"*", 1, 1, 1, 1},
    {"*;q=0", 0, 0, 0, 0},
    {"*;q=0, gzip", 0, 1, 0, 0},
    {"*;q=0, identity", 1, 0, 0, 0},
    {"*;q=0, identity;q=0.1, br", 1, 0, 0, 2},
    {"gzip, *;q=0", 0, 1, 0, 0},
    {"br, *;q=0.5", 1, 1, 1, 4},
    {" \t gzip ; q=0.9 , br ; q=1 ", 1, 2, 0, 3},
    {"gzip;Q=0.9", 1, 2, 0, 0},
    {",,gzip,,", 1, 2, 0, 0},
    /* of two the first counts */
    {"gzip;q=0, gzip", 1, 0, 0, 0},
    {"gzip, gzip;q=0", 1, 2, 0, 0},
    /* malformed elements are left out of account */
    {"gzip;q=2", 1, 0, 0, 0},
    {"gzip;q=", 1, 0, 0, 0},
    {"gzip;q=-1", 1, 0, 0, 0},
    {"gzip;q=1.001", 1, 0, 0, 0},
    {"gzip;q=0.0001", 1, 0, 0, 0},
    {"gzip;q=.5", 1, 0, 0, 0},
    {"gzip;q=0.5x", 1, 0, 0, 0},
    {"gzip;q=1.000, br;q=0.000", 1, 2, 0, 0},
    {"gzip;q=1.", 1, 2, 0, 0},
    {"gzip;level=9", 1, 0, 0, 0},
    {"gzipp, gzi, g z i p", 1, 0, 0, 0},
    {"gzip br", 1, 0, 0, 0},
    {"identity;q=nonsense", 1, 0, 0, 0},
    {";q=0.5", 1, 0, 0, 0},
    {"*/*", 1, 0, 0, 0},
};

static void codings(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct accept_weights weights = ACCEPT_WEIGHTS;
        print_message("%s\n", rows[i].value);
        accept_add(&weights, bytes_str(rows[i].value));
        struct accept accept = accept_rank(&weights);
        assert_int_equal(accept.rank[CODING_IDENTITY], rows[i].identity);
        assert_int_equal(accept.rank[CODING_GZIP], rows[i].gzip);
        assert_int_equal(accept.rank[CODING_ZSTD], rows[i].zstd);
        assert_int_equal(accept.rank[CODING_BR], rows[i].br);
    }
}

/* A request with these fields, in memory that lives until the world ends. */
static struct weir_exchange *request(struct world *w, const char *fields)
{
    static const struct weir_http http;
    static char head[1024];
    int len = snprintf(head, sizeof(head), "GET / HTTP/1.1\r\nHost: h\r\n%s\r\n", fields);
    w->conn = weir_conn_new(&w->driver, &weir_http1, &http);
    struct weir_exchange *x = exchange_new(w->conn, &http);
    assert_int_equal(head_read(x, head, (size_t)len), HTTP_OK);
    return x;
}

static void by_all_fields(void **state)
{
    (void)state;
    static const struct {
        const char *fields;
        uint8_t identity, gzip, br;
    } requests[] = {
        {"", 1, 0, 0},
        {"Accept-Encoding:\r\n", 1, 0, 0},
        {"Accept-Encoding: gzip\r\nAccept-Encoding: br;q=0.5\r\n", 1, 3, 2},
        {"accept-encoding: *;q=0\r\nX: y\r\nACCEPT-ENCODING: gzip\r\n", 0, 1, 0},
    };
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        struct world *w = world_new();
        struct weir_exchange *x = request(w, requests[i].fields);
        struct accept accept = accept_codings(x);
        assert_int_equal(accept.rank[CODING_IDENTITY], requests[i].identity);
        assert_int_equal(accept.rank[CODING_GZIP], requests[i].gzip);
        assert_int_equal(accept.rank[CODING_BR], requests[i].br);
        weir_exchange_drop(x);
        world_free(w);
    }
}

static void types(void **state)
{
    (void)state;
    static const struct {
        const char *fields;
        unsigned html, json;
        bool html_exact;
    } requests[] = {
        {"", 1000, 1000, false},
        {"Accept: */*\r\n", 1000, 1000, false},
        {"Accept: application/json\r\n", 0, 1000, false},
        {"Accept: text/html\r\n", 1000, 0, true},
        {"Accept: text/*;q=0.5, application/json;q=0.4\r\n", 500, 400, false},
        {"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n", 1000, 800,
         true},
        {"Accept: */*, text/html;q=0\r\n", 0, 1000, true},
        {"Accept: text/html;q=0.2, */*;q=0.9\r\n", 200, 900, true},
        {"Accept: text/html;q=x\r\n", 0, 0, false},
        {"Accept: text/htm, text, /, */json\r\n", 0, 0, false},
        {"Accept: application/json;q=0.3\r\nAccept: TEXT/HTML;q=0.7\r\n", 700, 300, true},
    };
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        bool exact, other;
        struct world *w = world_new();
        struct weir_exchange *x = request(w, requests[i].fields);
        print_message("%s\n", requests[i].fields);
        assert_int_equal(accept_type(x, BYTES("text/html"), &exact), requests[i].html);
        assert_int_equal(accept_type(x, BYTES("application/json"), &other), requests[i].json);
        assert_int_equal(exact, requests[i].html_exact);
        weir_exchange_drop(x);
        world_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codings),
        cmocka_unit_test(by_all_fields),
        cmocka_unit_test(types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
