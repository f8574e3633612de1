#include "service/route.h"

#include "../base/check.h"
#include "base/bytes.h"

#include <weir/http.h>

#include <errno.h>
#include <stdio.h>

static const struct weir_handler handler = {.name = "test"};

static int add(struct route *route, const char *prefix)
{
    return route_add(route, prefix, strlen(prefix), &handler, prefix);
}

static const char *found(const struct route *route, const char *path)
{
    const struct mount *mount = route_find(route, bytes_str(path));
    return mount ? mount->config : NULL;
}

static void whole_segments_match(void **state)
{
    struct route route = {.count = 0};
    (void)state;
    assert_null(found(&route, "/"));
    assert_int_equal(add(&route, "/api"), 0);
    assert_int_equal(add(&route, "/cgi-bin/"), 0);
    assert_string_equal(found(&route, "/api"), "/api");
    assert_string_equal(found(&route, "/api/"), "/api");
    assert_string_equal(found(&route, "/api/x/y"), "/api");
    assert_string_equal(found(&route, "/cgi-bin"), "/cgi-bin/");
    assert_string_equal(found(&route, "/cgi-bin/x"), "/cgi-bin/");
    assert_null(found(&route, "/apis"));
    assert_null(found(&route, "/ap"));
    assert_null(found(&route, "/API"));
    assert_null(found(&route, "/x/api"));
    assert_null(found(&route, "/"));
}

static void the_longest_comes_first(void **state)
{
    static const char *const prefixes[] = {"/a/b", "/", "/a", "/a/b/c", "/b"};
    struct route route = {.count = 0};
    (void)state;
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        assert_int_equal(add(&route, prefixes[i]), 0);
    assert_string_equal(found(&route, "/"), "/");
    assert_string_equal(found(&route, "/x"), "/");
    assert_string_equal(found(&route, "/a"), "/a");
    assert_string_equal(found(&route, "/a/x"), "/a");
    assert_string_equal(found(&route, "/a/b/x"), "/a/b");
    assert_string_equal(found(&route, "/a/bc"), "/a");
    assert_string_equal(found(&route, "/a/b/c/d"), "/a/b/c");
    assert_string_equal(found(&route, "/b/a"), "/b");
}

static void only_clean_prefixes_are_taken(void **state)
{
    static const char *const wrong[] = {"",      "a",     "a/b",    "//",     "/a//b", "/./a",
                                        "/a/..", "/a/.",  "/a%20b", "/a?b",   "/a#b",  "/a\nb",
                                        "/a//",  "/\x01", "/..",    "/a/../b"};
    struct route route = {.count = 0};
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(add(&route, wrong[i]), -EINVAL);
    assert_int_equal(add(&route, "/.well-known/x"), 0);
    assert_int_equal(add(&route, "/gr\xc3\xbc\xc3\x9f"
                                 "e/a b"),
                     0);
    assert_string_equal(found(&route, "/gr\xc3\xbc\xc3\x9f"
                                      "e/a b/c"),
                        "/gr\xc3\xbc\xc3\x9f"
                        "e/a b");
}

static void each_prefix_once_and_not_without_end(void **state)
{
    static char names[LIMIT_MOUNTS + 1][16];
    struct route route = {.count = 0};
    (void)state;
    assert_int_equal(add(&route, "/a"), 0);
    assert_int_equal(add(&route, "/a/"), -EEXIST);
    assert_int_equal(add(&route, "/"), 0);
    assert_int_equal(add(&route, "/"), -EEXIST);
    for (unsigned i = 2; i < LIMIT_MOUNTS; i++) {
        snprintf(names[i], sizeof(names[i]), "/x%u", i);
        assert_int_equal(add(&route, names[i]), 0);
    }
    assert_int_equal(add(&route, "/more"), -ENOSPC);
    assert_int_equal(add(&route, "/a"), -EEXIST);
    assert_string_equal(found(&route, "/x31/y"), "/x31");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_segments_match),
        cmocka_unit_test(the_longest_comes_first),
        cmocka_unit_test(only_clean_prefixes_are_taken),
        cmocka_unit_test(each_prefix_once_and_not_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
