#include "service/routes.h"

#include "../base/check.h"
#include "base/bytes.h"

#include <weir/server.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int nothing(struct weir_request *request, struct weir_response *response)
{
    (void)request;
    (void)response;
    return 0;
}

static struct weir_route row(enum weir_method method, const char *pattern)
{
    return (struct weir_route){.method = method, .pattern = pattern, .answer = nothing};
}

static const char *found(const struct routes *routes, enum weir_method method, const char *path)
{
    unsigned allowed;
    const struct weir_route *route = routes_find(routes, method, bytes_str(path), &allowed);
    return route ? route->pattern : allowed ? "405" : "404";
}

static void the_most_particular_row_answers(void **state)
{
    static const char *const patterns[] = {
        "/*all",   "/users/:id", "/users/me", "/users/:id/photos", "/users/*rest", "/",
        "/a/:b/c", "/a/b/:c",    "/end/"};
    struct weir_route rows[9];
    struct routes routes = {.count = 0};
    (void)state;
    for (unsigned i = 0; i < 9; i++) {
        rows[i] = row(WEIR_METHOD_GET, patterns[i]);
        assert_int_equal(routes_add(&routes, &rows[i]), 0);
    }
    assert_string_equal(found(&routes, WEIR_METHOD_GET, "/"), "/");
    assert_string_equal(found(&routes, WEIR_METHOD_GET, "/users/me"), "/users/me");
    assert_string_equal(found(&routes, WEIR_METHOD_GET, "/users/7"), "/users/:id");
    assert_string_equal(found(&routes, WEIR_METHOD_GET, "/users/7/photos"), "/users/:id/photos");
    assert_string_equal(found(&routes, WEIR_METHOD_GET, "/users/7/other"), "/users/*rest");
    assert_string_equal(found(&routes, WEIR_METHOD_GET, "/users/"), "/users/*rest");
    assert_string_equal(found(&routes, WEIR_METHOD_GET, "/users"), "/*all");
    assert_string_equal(found(&routes, WEIR_METHOD_GET, "/a/b/c"), "/a/b/:c");
    assert_string_equal(found(&routes, WEIR_METHOD_GET, "/a/x/c"), "/a/:b/c");
    assert_string_equal(found(&routes, WEIR_METHOD_GET, "/end/"), "/end/");
    assert_string_equal(found(&routes, WEIR_METHOD_GET, "/end"), "/*all");
    assert_string_equal(found(&routes, WEIR_METHOD_POST, "/users/me"), "405");
}

static void methods(void **state)
{
    struct weir_route rows[] = {row(WEIR_METHOD_GET, "/x/:id"), row(WEIR_METHOD_POST, "/x/me"),
                                row(WEIR_METHOD_HEAD, "/x/own")};
    struct routes routes = {.count = 0};
    char text[ROUTES_ALLOW_MAX];
    unsigned allowed;
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(routes_add(&routes, &rows[i]), 0);
    assert_string_equal(found(&routes, WEIR_METHOD_HEAD, "/x/me"), "/x/:id");
    assert_string_equal(found(&routes, WEIR_METHOD_HEAD, "/x/own"), "/x/own");
    assert_string_equal(found(&routes, WEIR_METHOD_POST, "/x/me"), "/x/me");
    assert_string_equal(found(&routes, WEIR_METHOD_GET, "/x/me"), "/x/:id");
    assert_string_equal(found(&routes, WEIR_METHOD_GET, "/y"), "404");
    assert_null(routes_find(&routes, WEIR_METHOD_PUT, BYTES("/x/me"), &allowed));
    assert_string_equal(routes_allow(allowed, text), "GET, HEAD, POST, OPTIONS");
}

static void the_last_request_is_remembered(void **state)
{
    struct weir_route a = row(WEIR_METHOD_GET, "/a"), b = row(WEIR_METHOD_GET, "/b");
    struct route_memo memo = {.len = 0};
    char text[200];
    (void)state;
    memset(text, 'x', sizeof(text));
    text[0] = '/';
    struct weir_bytes most = {text, sizeof(memo.path)}, longer = {text, sizeof(memo.path) + 1};
    assert_null(routes_recall(&memo, WEIR_METHOD_GET, BYTES("")));
    routes_remember(&memo, WEIR_METHOD_GET, BYTES("/a"), &a);
    assert_ptr_equal(routes_recall(&memo, WEIR_METHOD_GET, BYTES("/a")), &a);
    assert_null(routes_recall(&memo, WEIR_METHOD_POST, BYTES("/a")));
    assert_null(routes_recall(&memo, WEIR_METHOD_GET, BYTES("/b")));
    assert_null(routes_recall(&memo, WEIR_METHOD_GET, BYTES("/")));
    assert_null(routes_recall(&memo, WEIR_METHOD_GET, BYTES("/a/")));
    routes_remember(&memo, WEIR_METHOD_GET, most, &b);
    assert_ptr_equal(routes_recall(&memo, WEIR_METHOD_GET, most), &b);
    assert_null(routes_recall(&memo, WEIR_METHOD_GET, longer));
    routes_remember(&memo, WEIR_METHOD_GET, longer, &a);
    assert_null(routes_recall(&memo, WEIR_METHOD_GET, longer));
    assert_ptr_equal(routes_recall(&memo, WEIR_METHOD_GET, most), &b);
    routes_remember(&memo, WEIR_METHOD_PUT, BYTES("/a"), NULL); /* nobody answers it */
    assert_null(routes_recall(&memo, WEIR_METHOD_PUT, BYTES("/a")));
}

static void wrong_rows_are_refused(void **state)
{
    static const char *const wrong[] = {
        "",      "x",      "/a//b",   "/a/../b", "/.",    "/:",     "/*",
        "/*a/b", "/:a/:a", "/a/:b c", NULL,      "/a\nb", "/:a/*a", "/:a/:b/:c/:d/:e/:f/:g/:h/:i"};
    struct routes routes = {.count = 0};
    struct weir_route bad;
    (void)state;
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        bad = row(WEIR_METHOD_GET, wrong[i]);
        assert_int_equal(routes_add(&routes, &bad), -EINVAL);
    }
    bad = row(WEIR_METHOD_OPTIONS, "/a");
    assert_int_equal(routes_add(&routes, &bad), -EINVAL);
    struct weir_route first = row(WEIR_METHOD_GET, "/a/:b"), same = row(WEIR_METHOD_GET, "/a/:c");
    assert_int_equal(routes_add(&routes, &first), 0);
    assert_int_equal(routes_add(&routes, &same), -EEXIST);
    same.method = WEIR_METHOD_PUT;
    assert_int_equal(routes_add(&routes, &same), 0);
    struct weir_route many[LIMIT_ROUTES];
    char patterns[LIMIT_ROUTES][16];
    for (unsigned i = 0; i < LIMIT_ROUTES; i++) {
        snprintf(patterns[i], sizeof(patterns[i]), "/many/%u", i);
        many[i] = row(WEIR_METHOD_GET, patterns[i]);
        assert_int_equal(routes_add(&routes, &many[i]), i < LIMIT_ROUTES - 2 ? 0 : -ENOSPC);
    }
}

static const char *parameter(const char *pattern, const char *path, const char *name)
{
    static char text[256];
    struct weir_route route = row(WEIR_METHOD_GET, pattern);
    return route_parameter(&route, bytes_str(path), name, text) == 0 ? text : "none";
}

static void parameters_are_decoded_once(void **state)
{
    (void)state;
    assert_string_equal(parameter("/u/:id", "/u/7", "id"), "7");
    assert_string_equal(parameter("/u/:id", "/u/a%20b", "id"), "a b");
    assert_string_equal(parameter("/u/:id", "/u/%2525", "id"), "%25");
    assert_string_equal(parameter("/u/:id", "/%75/x/../y", "id"), "y");
    assert_string_equal(parameter("/u/:id", "/u/%2e%2e/u/z", "id"), "z");
    assert_string_equal(parameter("/u/:id", "/u/a+b", "id"), "a+b");
    assert_string_equal(parameter("/u/:id/*rest", "/u/7/a//b/./c", "rest"), "a/b/c");
    assert_string_equal(parameter("/u/:id/*rest", "/u/7/", "rest"), "");
    assert_string_equal(parameter("/u/:id/*rest", "/u/7/x", "id"), "7");
    assert_string_equal(parameter("/u/:id", "/u/7", "i"), "none");
    assert_string_equal(parameter("/u/:id", "/u/7", ""), "none");
    assert_string_equal(parameter("/u/:id", "/u/%00", "id"), "none");
    assert_string_equal(parameter("/u/:id", "/u/a%2fb", "id"), "none");
    assert_string_equal(parameter("/u/:id", "/u/%4", "id"), "none");
}

static void a_service_is_made_of_right_rows_alone(void **state)
{
    static const struct weir_handler handler = {.name = "test"};
    const struct weir_service *service = NULL;
    struct weir_route rows[] = {row(WEIR_METHOD_GET, "/a"), row(WEIR_METHOD_GET, "/b")};
    size_t wrong = 99;
    (void)state;
    assert_int_equal(weir_routes_open(rows, 2, NULL, &service, &wrong), 0);
    weir_routes_close(service);
    rows[1].handler = &handler;
    assert_int_equal(weir_routes_open(rows, 2, NULL, &service, &wrong), -EINVAL);
    assert_int_equal(wrong, 1);
    rows[1] = (struct weir_route){.pattern = "/files", .files = "/nonexistent"};
    assert_int_equal(weir_routes_open(rows, 2, NULL, &service, &wrong), -ENOENT);
    rows[1] = (struct weir_route){.pattern = "/:files", .files = "/"};
    rows[0] = (struct weir_route){.pattern = "files", .files = "/"};
    assert_int_equal(weir_routes_open(rows, 1, NULL, &service, NULL), -EINVAL);
    weir_routes_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_particular_row_answers),
        cmocka_unit_test(methods),
        cmocka_unit_test(the_last_request_is_remembered),
        cmocka_unit_test(wrong_rows_are_refused),
        cmocka_unit_test(parameters_are_decoded_once),
        cmocka_unit_test(a_service_is_made_of_right_rows_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
