#include "load/plot.h"

#include "../base/check.h"
#include "load/page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static char *draw(const struct plot *plot)
{
    char *text;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    assert_non_null(f);
    plot_write(f, plot);
    fclose(f);
    return text;
}

static unsigned count(const char *text, const char *word)
{
    unsigned n = 0;
    for (const char *at = text; (at = strstr(at, word)); at++)
        n++;
    return n;
}

/* Whatever the figures, no coordinate leaves the drawing and none is no number. */
static void test_coordinates(void **state)
{
    (void)state;
    static const double x[] = {1, 2, 4, 256};
    static const double ys[][4] = {
        {1, 10, 100, 1e9},        {5, 5, 5, 5},   {0, 0, 0, 0}, {NAN, 1, INFINITY, 2},
        {1e-9, 2e-9, 3e-9, 1e-8}, {0, 0, 0, 1e12}};
    for (unsigned i = 0; i < sizeof(ys) / sizeof(*ys); i++) {
        for (unsigned log = 0; log < 2; log++) {
            const struct plot_series series = {.name = "a", .x = x, .y = ys[i], .count = 4};
            char *text = draw(&(struct plot){.title = "t",
                                             .x = {.label = "x", .log = true},
                                             .y = {.log = log},
                                             .series = &series,
                                             .count = 1,
                                             .marks = true});
            assert_null(strstr(text, "nan"));
            assert_null(strstr(text, "inf"));
            assert_null(strstr(text, "M-"));
            assert_null(strstr(text, "L-"));
            assert_true(count(text, "</text>") >= 3);
            free(text);
        }
    }
}

static void test_marks_and_legend(void **state)
{
    (void)state;
    static const double x[] = {1, 2, 3}, y[] = {4, 5, 6};
    const struct plot_series series[] = {{"a<b", 0, x, y, 3}, {"c", 1, x, y, 3}};
    char *text = draw(&(struct plot){.title = "\"quoted\"",
                                     .x = {.label = "x"},
                                     .series = series,
                                     .count = 2,
                                     .marks = true,
                                     .legend = true});
    assert_int_equal(count(text, "<title>"), 6);
    assert_int_equal(count(text, "<li>"), 2);
    assert_null(strstr(text, "a<b"));
    assert_non_null(strstr(text, "aria-label=\"&quot;quoted&quot;\""));
    free(text);
}

static void test_json_text(void **state)
{
    (void)state;
    char *text;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    json_text(f, "a\"b\\c\n\x01");
    fclose(f);
    assert_string_equal(text, "\"a\\\"b\\\\c\\u000a\\u0001\"");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_coordinates),
                                       cmocka_unit_test(test_marks_and_legend),
                                       cmocka_unit_test(test_json_text)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
