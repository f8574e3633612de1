#include "base/text.h"

#include "check.h"

#include <string.h>

static void builds(void **state)
{
    (void)state;
    char buffer[64];
    struct text t;
    text_init(&t, buffer, sizeof(buffer));
    text_str(&t, "a=");
    text_u64(&t, 0);
    text_char(&t, ' ');
    text_u64(&t, UINT64_MAX);
    text_char(&t, ' ');
    text_hex(&t, 0xdeadbeef00);
    text_fmt(&t, " %d:%s", -1, "x");
    text_add(&t, "yz", 1);
    assert_string_equal(text_end(&t), "a=0 18446744073709551615 deadbeef00 -1:xy");
    assert_false(t.cut);
}

static void what_does_not_fit_is_cut(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 12; size++) {
        char buffer[16];
        memset(buffer, '#', sizeof(buffer));
        struct text t;
        text_init(&t, buffer, size);
        text_str(&t, "12345");
        text_fmt(&t, "%s", "678");
        text_str(&t, "90");
        assert_true(t.len <= size);
        if (size < 10)
            assert_true(t.cut);
        const char *end = text_end(&t);
        assert_memory_equal(end, "1234567890", strlen(end));
        assert_int_equal(t.cut, size < 11);
        for (size_t i = size; i < sizeof(buffer); i++)
            assert_int_equal(buffer[i], '#');
    }
}

static void nothing_is_added_after_a_cut(void **state)
{
    (void)state;
    char buffer[4];
    struct text t;
    text_init(&t, buffer, sizeof(buffer));
    text_str(&t, "12");
    text_fmt(&t, "%s", "34567");
    assert_true(t.cut);
    size_t len = t.len;
    text_char(&t, 'x');
    text_fmt(&t, "x");
    assert_int_equal(t.len, len);
    assert_string_equal(text_end(&t), "123");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds),
        cmocka_unit_test(what_does_not_fit_is_cut),
        cmocka_unit_test(nothing_is_added_after_a_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
