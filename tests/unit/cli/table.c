#include "cli/table.h"

#include "check.h"

static const char *const cells[] = {
    "name", "text",                     //
    "a",    "some words that can wrap", //
    "bb",   "unbreakable",
};

static void all_fits_when_there_is_room(void **state)
{
    (void)state;
    unsigned widths[TABLE_COLUMNS_MAX];
    assert_true(table_fit(cells, 3, 2, 80, widths));
    assert_int_equal(widths[0], 4);
    assert_int_equal(widths[1], 24);
    assert_true(table_fit(cells, 3, 2, 4 + 2 + 24, widths));
    assert_int_equal(widths[1], 24);
}

static void the_widest_gives_way_down_to_its_longest_word(void **state)
{
    (void)state;
    unsigned widths[TABLE_COLUMNS_MAX];
    assert_true(table_fit(cells, 3, 2, 20, widths));
    assert_int_equal(widths[0], 4);
    assert_int_equal(widths[1], 14);
    assert_true(table_fit(cells, 3, 2, 17, widths));
    assert_int_equal(widths[1], 11);
    assert_false(table_fit(cells, 3, 2, 16, widths));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_fits_when_there_is_room),
        cmocka_unit_test(the_widest_gives_way_down_to_its_longest_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
