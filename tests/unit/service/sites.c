/* Names of sites, and rules. */
#include "../base/check.h"
#include "base/bytes.h"
#include "base/text.h"
#include "service/rules.h"
#include "service/site_names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static int add(struct site_names *names, const char *name, unsigned site)
{
    return site_names_add(names, bytes_str(name), site);
}

static int find(const struct site_names *names, const char *host)
{
    return site_names_find(names, bytes_str(host));
}

static void names_lead_to_sites(void **state)
{
    struct site_names names = {.slots = calloc(SITE_NAME_SLOTS, sizeof(*names.slots)), .other = -1};
    (void)state;
    assert_int_equal(find(&names, "example.org"), -1);
    assert_int_equal(add(&names, "Example.org", 0), 0);
    assert_int_equal(add(&names, "*.example.org", 1), 0);
    assert_int_equal(add(&names, "*.a.example.org", 2), 0);
    assert_int_equal(add(&names, "[::1]", 3), 0);
    assert_int_equal(add(&names, "EXAMPLE.ORG.", 4), -EEXIST);
    assert_int_equal(find(&names, "example.ORG:80"), 0);
    assert_int_equal(find(&names, "example.org."), 0);
    assert_int_equal(find(&names, "x.example.org"), 1);
    assert_int_equal(find(&names, "a.example.org"), 1);
    assert_int_equal(find(&names, "b.a.example.org"), 2);
    assert_int_equal(find(&names, "[::1]:8080"), 3);
    assert_int_equal(find(&names, ".example.org"), 1);
    assert_int_equal(find(&names, "xexample.org"), -1);
    assert_int_equal(find(&names, "org"), -1);
    assert_int_equal(find(&names, ""), -1);
    assert_int_equal(add(&names, "default", 5), 0);
    assert_int_equal(add(&names, "default", 6), -EEXIST);
    assert_int_equal(find(&names, "org"), 5);
    char longest[400];
    memset(longest, 'a', sizeof(longest));
    assert_int_equal(site_names_find(&names, (struct weir_bytes){longest, sizeof(longest)}), 5);
    free(names.slots);
}

static void what_is_no_name(void **state)
{
    static const char *const wrong[] = {"",    ".",   "a..b", "a!",  "*",     "*.",
                                        "a.*", "a b", ".a",   "a/b", "*.*.a", "a:80"};
    struct site_names names = {.slots = calloc(SITE_NAME_SLOTS, sizeof(*names.slots)), .other = -1};
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        if (add(&names, wrong[i], 0) != -EINVAL)
            fail_msg("'%s' was taken for a name", wrong[i]);
    char name[16];
    for (unsigned i = 0; i < LIMIT_SITE_NAMES; i++) {
        snprintf(name, sizeof(name), "n%u", i);
        assert_int_equal(add(&names, name, i), 0);
    }
    assert_int_equal(add(&names, "more", 0), -ENOSPC);
    free(names.slots);
}

static void redirects(void **state)
{
    static struct rules rules;
    static const char *const wrong[] = {"",           "/a",
                                        "a=/b",       "/a=",
                                        "/a=b",       "/a=//evil",
                                        "/a=/x y",    "/*/b=/c",
                                        "/a=404 /b",  "/a/*=/b/",
                                        "/a/*=/*c",   "/a=ftp://x",
                                        "/a=/b\r\nX", "/a=javascript:x"};
    char to[100];
    struct text t;
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        if (rules_add_redirect(&rules, wrong[i]) != -EINVAL)
            fail_msg("'%s' was taken for a redirect", wrong[i]);
    assert_int_equal(rules_add_redirect(&rules, "/old/*=302 https://x.example/*"), 0);
    assert_int_equal(rules_add_redirect(&rules, "/one=/two?a=b"), 0);
    assert_int_equal(rules_add_redirect(&rules, "/one=/three"), -EEXIST);
    const struct redirect *redirect = rules_find(&rules.redirects, BYTES("/old/a b"));
    assert_int_equal(redirect->status, 302);
    text_init(&t, to, sizeof(to));
    redirect_target(redirect, BYTES("/old/a b"), BYTES("q"), &t);
    assert_string_equal(text_end(&t), "https://x.example/a%20b?q");
    text_init(&t, to, sizeof(to));
    redirect_target(rules_find(&rules.redirects, BYTES("/one")), BYTES("/one"), BYTES("q"), &t);
    assert_string_equal(text_end(&t), "/two?a=b&q");
    assert_null(rules_find(&rules.redirects, BYTES("/old")));
    assert_null(rules_find(&rules.redirects, BYTES("/one/")));
}

static void fields_replace_each_other(void **state)
{
    static struct rules rules;
    (void)state;
    assert_int_equal(rules_add_security(&rules), 0);
    unsigned count = rules.field_count;
    assert_int_equal(rules_add_field(&rules, "x-frame-options: DENY"), 0);
    assert_int_equal(rules.field_count, count);
    assert_int_equal(rules_add_field(&rules, "no colon"), -EINVAL);
    assert_int_equal(rules_add_field(&rules, "a b: c"), -EINVAL);
    assert_int_equal(rules_add_field(&rules, "A: b\r\nC: d"), -EINVAL);
    assert_int_equal(rules_add_field(&rules, "Transfer-Encoding: chunked"), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_lead_to_sites),
        cmocka_unit_test(what_is_no_name),
        cmocka_unit_test(redirects),
        cmocka_unit_test(fields_replace_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
