#include "service/mime.h"

#include "../base/check.h"
#include "base/bytes.h"
#include "tbl/mime.h"

#include <string.h>

static void rows_are_sorted(void **state)
{
    (void)state;
    static const char *const endings[] = {
#define T(ending, type) ending,
        MIME_TYPES(T)
#undef T
    };
    for (size_t i = 1; i < sizeof(endings) / sizeof(endings[0]); i++)
        assert_true(strcmp(endings[i - 1], endings[i]) < 0);
}

static void each_row_is_found(void **state)
{
    (void)state;
#define T(ending, type) assert_string_equal(mime_type(BYTES("a/x.y." ending)), type);
    MIME_TYPES(T)
#undef T
}

static void others(void **state)
{
    (void)state;
    assert_string_equal(mime_type(BYTES("A.HTML")), "text/html; charset=utf-8");
    assert_string_equal(mime_type(BYTES("a.odd")), MIME_OTHER);
    assert_string_equal(mime_type(BYTES("noending")), MIME_OTHER);
    assert_string_equal(mime_type(BYTES("html")), MIME_OTHER);
    assert_string_equal(mime_type(BYTES("a.")), MIME_OTHER);
    assert_string_equal(mime_type(BYTES("a.html/b")), MIME_OTHER);
    assert_string_equal(mime_type(BYTES("")), MIME_OTHER);
    assert_string_equal(mime_type(BYTES("a.thisendingislongerthanany")), MIME_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_sorted),
        cmocka_unit_test(each_row_is_found),
        cmocka_unit_test(others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
