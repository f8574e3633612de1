#include "http/fields.h"

#include "../base/check.h"

#include <ctype.h>
#include <string.h>

static void classes_are_those_of_the_grammar(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        bool letter = c < 128 && isalnum(c);
        bool token = letter || (c && strchr("!#$%&'*+-.^_`|~", c));
        assert_int_equal(byte_is((char)c, BYTE_TOKEN), token);
        assert_int_equal(byte_is((char)c, BYTE_VALUE), c == '\t' || (c >= 32 && c != 127));
        assert_int_equal(byte_is((char)c, BYTE_TARGET), c > 32 && c < 127 && c != '#');
    }
}

/* The wide scan stops where the plain one does, for each byte at each place. */
static void wide_scan_is_the_plain_one(void **state)
{
    (void)state;
    char line[40];
    for (size_t len = 0; len < sizeof(line); len++) {
        for (size_t at = 0; at <= len; at++) {
            for (int c = 0; c < 256; c++) {
                memset(line, 'a' + (c & 1) * 0x60, sizeof(line));
                if (at < len)
                    line[at] = (char)c;
                assert_int_equal(field_value_run(line, len), field_run(line, len, BYTE_VALUE));
            }
        }
    }
}

static void names_are_found_in_any_case(void **state)
{
    (void)state;
    static const char *const names[] = {
#define F(id, name) name,
        FIELDS(F)
#undef F
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char upper[32] = {0};
        for (size_t k = 0; names[i][k]; k++)
            upper[k] = (char)toupper(names[i][k]);
        assert_int_equal(field_id(names[i], strlen(names[i])), i + 1);
        assert_int_equal(field_id(upper, strlen(upper)), i + 1);
        for (size_t k = 0; names[i][k]; k++) { /* any other byte is another name */
            char other[32];
            strcpy(other, upper);
            other[k] = other[k] == 'Q' ? 'J' : 'Q';
            assert_int_equal(field_id(other, strlen(other)), FIELD_OTHER);
        }
    }
    assert_int_equal(field_id("", 0), FIELD_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_are_those_of_the_grammar),
        cmocka_unit_test(wide_scan_is_the_plain_one),
        cmocka_unit_test(names_are_found_in_any_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
