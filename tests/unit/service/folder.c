/* What options of a folder mean, and what is wrong with others. */
#include "service/folder.h"

#include "../base/check.h"
#include "base/bytes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define WORDS(...)                                                                                 \
    {                                                                                              \
        (const char *const[]){__VA_ARGS__},                                                        \
            sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)                      \
    }

static void wrong_ones_are_named(void **state)
{
    (void)state;
    const struct {
        struct folder_options options;
        const char *says; /* NULL: nothing is wrong */
    } rows[] = {
        {{0}, NULL},
        {{.coding = "off"}, NULL},
        {{.coding = "gzip"}, NULL},
        {{.coding = "gzip, br"}, NULL},
        {{.coding = "deflate"}, "'deflate'"},
        {{.coding = "br,br"}, "'br'"},
        {{.coding = "identity"}, "'identity'"},
        {{.fallback = "index.html"}, "/index.html"},
        {{.level = {[CODING_BR] = 12}}, "br has levels 1 to 11"},
        {{.error_pages = WORDS("404=/404.html", "500=/x")}, NULL},
        {{.error_pages = WORDS("404")}, "'404'"},
        {{.error_pages = WORDS("200=/x")}, "'200=/x'"},
        {{.error_pages = WORDS("404=x")}, "'404=x'"},
        {{.error_pages = WORDS("=/x")}, "'=/x'"},
        {{.cache_control = WORDS("*.css=max-age=60")}, NULL},
        {{.cache_control = WORDS("*.css")}, "'*.css'"},
        {{.cache_control = WORDS("*.css=")}, "'*.css='"},
        {{.cache_control = WORDS("=no-store")}, "'=no-store'"},
        {{.cache_control = WORDS("*=a\r\nSet-Cookie: x")}, "*=a"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char why[300] = "";
        assert_int_equal(folder_options_wrong(&rows[i].options, why, sizeof(why)),
                         rows[i].says != NULL);
        print_message("%s\n", why);
        if (rows[i].says)
            assert_non_null(strstr(why, rows[i].says));
        struct folder folder;
        assert_int_equal(folder_open(&folder, "/", &rows[i].options), rows[i].says ? -EINVAL : 0);
        folder_close(&folder);
    }
}

static void cache_control_by_path_name_and_type(void **state)
{
    (void)state;
    const struct folder_options options = {
        .coding_neighbours = true,
        .cache_control = WORDS("/assets/*=max-age=1", "*.css=max-age=2", "image/*=max-age=3",
                               "text/html=no-cache, a=\"b=c\"", "/deep/[0-9]?.js=max-age=4"),
    };
    struct folder folder;
    assert_int_equal(folder_open(&folder, "/", &options), 0);
    const struct {
        const char *name, *type, *value;
    } rows[] = {
        {"assets/a.js", "text/javascript", "max-age=1"},
        {"assets/deep/er/a.css", "text/css; charset=utf-8", "max-age=1"},
        {"a.css", "text/css; charset=utf-8", "max-age=2"},
        {"x/assets/a.css", "text/css", "max-age=2"},
        {"a.png", "image/png", "max-age=3"},
        {"index.html", "text/html; charset=utf-8", "no-cache, a=\"b=c\""},
        {"deep/1x.js", "text/javascript", "max-age=4"},
        {"deep/xx.js", "text/javascript", NULL},
        {"assets", "text/plain", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *value = folder_cache_control(&folder, rows[i].name, rows[i].type);
        if (rows[i].value)
            assert_string_equal(value, rows[i].value);
        else
            assert_null(value);
    }
    folder_close(&folder);
}

static void error_pages(void **state)
{
    (void)state;
    const struct folder_options options = {.coding = "off",
                                           .error_pages = WORDS("404=/a=b.html", "503=/busy.html")};
    struct folder folder;
    assert_int_equal(folder_open(&folder, "/", &options), 0);
    assert_string_equal(folder_error_page(&folder, 404), "/a=b.html");
    assert_string_equal(folder_error_page(&folder, 503), "/busy.html");
    assert_null(folder_error_page(&folder, 403));
    assert_int_equal(folder.offered, 0);
    folder_close(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_ones_are_named),
        cmocka_unit_test(cache_control_by_path_name_and_type),
        cmocka_unit_test(error_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
