#include "base/utf8.h"

#include "../base/check.h"
#include "base/bytes.h"

#include <string.h>

struct row {
    const char *bytes;
    size_t takes;
    uint32_t c;
};

static const struct row rows[] = {
    {"a", 1, 'a'},
    {"\xc3\xbc", 2, 0xfc},
    {"\xe2\x82\xac", 3, 0x20ac},
    {"\xf0\x9f\x8c\x8a", 4, 0x1f30a},
    {"\xef\xbf\xbd", 3, 0xfffd},
    {"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
    {"\x80", 1, UTF8_NONE},
    {"\xc0\xaf", 1, UTF8_NONE},         /* a slash, too long */
    {"\xe0\x80\xaf", 1, UTF8_NONE},     /* likewise */
    {"\xf0\x80\x80\xaf", 1, UTF8_NONE}, /* likewise */
    {"\xed\xa0\x80", 1, UTF8_NONE},     /* a surrogate */
    {"\xf4\x90\x80\x80", 1, UTF8_NONE}, /* past the end of Unicode */
    {"\xf5\x80\x80\x80", 1, UTF8_NONE},
    {"\xff", 1, UTF8_NONE},
    {"\xc3", 1, UTF8_NONE}, /* cut */
    {"\xe2\x82", 1, UTF8_NONE},
    {"\xc3(", 1, UTF8_NONE},
};

static void characters(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t c = 0;
        assert_int_equal(utf8_read(bytes_str(rows[i].bytes), &c), rows[i].takes);
        assert_int_equal(c, rows[i].c);
    }
}

static void what_is_shown(void **state)
{
    (void)state;
    static const uint32_t hidden[] = {0,      '\n',   0x1b,   0x7f,   0x85,     0x200e,
                                      0x202e, 0x2066, 0x2028, 0xfeff, UTF8_NONE};
    static const uint32_t shown[] = {' ', 'a', 0xa0, 0xfc, 0x5d0, 0x4e2d, 0x1f30a, 0xfffd};
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
        assert_false(utf8_is_shown(hidden[i]));
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
        assert_true(utf8_is_shown(shown[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(characters),
                                       cmocka_unit_test(what_is_shown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
