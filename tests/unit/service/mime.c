#include "service/mime.h"

#include "../base/check.h"
#include "base/bytes.h"
#include "tbl/limits.h"
#include "tbl/mime.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
#define T(ending, type) assert_string_equal(mime_type(NULL, BYTES("a/x.y." ending)), type);
    MIME_TYPES(T)
#undef T
}

static void others(void **state)
{
    (void)state;
    assert_string_equal(mime_type(NULL, BYTES("A.HTML")), "text/html; charset=utf-8");
    assert_string_equal(mime_type(NULL, BYTES("a.odd")), MIME_OTHER);
    assert_string_equal(mime_type(NULL, BYTES("noending")), MIME_OTHER);
    assert_string_equal(mime_type(NULL, BYTES("html")), MIME_OTHER);
    assert_string_equal(mime_type(NULL, BYTES("a.")), MIME_OTHER);
    assert_string_equal(mime_type(NULL, BYTES("a.html/b")), MIME_OTHER);
    assert_string_equal(mime_type(NULL, BYTES("")), MIME_OTHER);
    assert_string_equal(mime_type(NULL, BYTES("a.thisendingislongerthanany")), MIME_OTHER);
}

/* The first MIME_WORTHS row that fits counts; parameters do not. */
static void what_is_worth_coding(void **state)
{
    (void)state;
    assert_int_equal(mime_worth("text/html; charset=utf-8"), MIME_WORTH);
    assert_int_equal(mime_worth("text/x-anything"), MIME_WORTH);
    assert_int_equal(mime_worth("image/svg+xml"), MIME_WORTH);
    assert_int_equal(mime_worth("application/ld+json"), MIME_WORTH);
    assert_int_equal(mime_worth("application/wasm"), MIME_WORTH);
    assert_int_equal(mime_worth("font/ttf"), MIME_WORTH);
    assert_int_equal(mime_worth("font/woff2"), MIME_PACKED);
    assert_int_equal(mime_worth("image/png"), MIME_PACKED);
    assert_int_equal(mime_worth("video/mp4"), MIME_PACKED);
    assert_int_equal(mime_worth("application/gzip"), MIME_PACKED);
    assert_int_equal(mime_worth(MIME_OTHER), MIME_UNSURE);
    assert_int_equal(mime_worth("application/pdf"), MIME_UNSURE);
}

/* Opens a map of that text; its file goes at once. */
static int open_map(const char *text, size_t len, struct mime_map **out)
{
    char name[] = "/tmp/weir-mime-XXXXXX";
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    close(fd);
    int rc = mime_open(name, out);
    unlink(name);
    return rc;
}

static void a_file_of_types(void **state)
{
    (void)state;
    static const char text[] = "# comment\n"
                               "\n"
                               "application/x-odd\t\todd ODDER\r\n"
                               "text/x-plain plain # not this\n"
                               "text/css\n"
                               "no-slash bad1\n"
                               "a/b c/d bad2\n"
                               "evil/type\x01\x02 bad3\n"
                               "x/y thisendingislongerthanany ok\n"
                               "application/mine html";
    struct mime_map *map = NULL;
    assert_int_equal(open_map(text, sizeof(text) - 1, &map), 0);
    assert_string_equal(mime_type(map, BYTES("a.odd")), "application/x-odd");
    assert_string_equal(mime_type(map, BYTES("a.Odder")), "application/x-odd");
    assert_string_equal(mime_type(map, BYTES("a.plain")), "text/x-plain; charset=utf-8");
    assert_string_equal(mime_type(map, BYTES("a.ok")), "x/y");
    assert_string_equal(mime_type(map, BYTES("a.bad1")), MIME_OTHER);
    assert_string_equal(mime_type(map, BYTES("a.bad3")), MIME_OTHER);
    assert_string_equal(mime_type(map, BYTES("a.css")), "text/css; charset=utf-8");
    /* A file that was named comes before our own table. */
    assert_string_equal(mime_type(map, BYTES("a.html")), "application/mine");
    mime_close(map);
}

static void hostile_files_of_types(void **state)
{
    (void)state;
    struct mime_map *map = NULL;
    size_t size = LIMIT_MIME_FILE_BYTES + 4096;
    char *text = malloc(size);
    memset(text, 'x', size); /* one word without an end */
    assert_int_equal(open_map(text, size, &map), 0);
    mime_close(map);
    for (size_t i = 0; i + 6 <= size; i += 6) /* more rows than are kept */
        memcpy(text + i, "a/b c\n", 6);
    assert_int_equal(open_map(text, size, &map), 0);
    assert_string_equal(mime_type(map, BYTES("a.c")), "a/b");
    mime_close(map);
    memset(text, 0, 100);
    assert_int_equal(open_map(text, 100, &map), 0);
    mime_close(map);
    free(text);
    assert_int_equal(mime_open("/nothing/there", &map), -ENOENT);
    assert_int_equal(mime_open("off", &map), 0);
    assert_null(map);
    mime_close(map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_sorted), cmocka_unit_test(each_row_is_found),
        cmocka_unit_test(others),          cmocka_unit_test(what_is_worth_coding),
        cmocka_unit_test(a_file_of_types), cmocka_unit_test(hostile_files_of_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
