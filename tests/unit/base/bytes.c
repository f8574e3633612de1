#include "base/bytes.h"

#include "check.h"

#include <errno.h>

static void equal_is_exact_and_same_ignores_case(void **state)
{
    (void)state;
    assert_true(bytes_equal(BYTES("Host"), bytes_str("Host")));
    assert_false(bytes_equal(BYTES("Host"), BYTES("host")));
    assert_false(bytes_equal(BYTES("Host"), BYTES("Hos")));
    assert_true(bytes_equal((struct weir_bytes){NULL, 0}, BYTES("")));
    assert_true(bytes_same(BYTES("CONTENT-length"), BYTES("Content-Length")));
    assert_false(bytes_same(BYTES("a"), BYTES("ab")));
    /* Neighbours of the letters in ASCII, and bytes past it, have no case. */
    assert_false(bytes_same(BYTES("@["), BYTES("`{")));
    assert_false(bytes_same(BYTES("\xc4"), BYTES("\xe4")));
}

static void starts_and_trim(void **state)
{
    (void)state;
    assert_true(bytes_starts(BYTES("tcp:x"), BYTES("tcp:")));
    assert_true(bytes_starts(BYTES(""), BYTES("")));
    assert_false(bytes_starts(BYTES("tc"), BYTES("tcp:")));
    assert_true(bytes_equal(bytes_trim(BYTES(" \t a b\t ")), BYTES("a b")));
    assert_int_equal(bytes_trim(BYTES(" \t ")).len, 0);
    assert_true(bytes_equal(bytes_trim(BYTES("\r\n")), BYTES("\r\n")));
}

static void numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int result;
        uint64_t value;
    } rows[] = {
        {"0", 0, 0},
        {"007", 0, 7},
        {"18446744073709551615", 0, UINT64_MAX},
        {"18446744073709551616", -ERANGE, 0},
        {"99999999999999999999999999", -ERANGE, 0},
        {"99999999999999999999999999x", -EINVAL, 0},
        {"", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"+1", -EINVAL, 0},
        {" 1", -EINVAL, 0},
        {"1 ", -EINVAL, 0},
        {"0x10", -EINVAL, 0},
        {"1.0", -EINVAL, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        uint64_t value = 4711;
        assert_int_equal(bytes_u64(bytes_str(rows[i].text), &value), rows[i].result);
        assert_int_equal(value, rows[i].result == 0 ? rows[i].value : 4711);
    }
}

static void lists(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        const char *elements[4];
    } rows[] = {
        {"", {NULL}},
        {" , ,,\t", {NULL}},
        {"a", {"a"}},
        {"a,b , c", {"a", "b", "c"}},
        {",close,", {"close"}},
        {"\"a,b\", c", {"\"a,b\"", "c"}},
        {"\"a\\\",b\", c", {"\"a\\\",b\"", "c"}},
        {"\"open, c", {"\"open, c"}},
        {"\"open\\", {"\"open\\"}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct weir_bytes list = bytes_str(rows[i].list), element;
        for (const char *const *want = rows[i].elements; *want; want++) {
            assert_true(bytes_next(&list, &element));
            assert_true(bytes_equal(element, bytes_str(*want)));
        }
        assert_false(bytes_next(&list, &element));
        assert_int_equal(list.len, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_is_exact_and_same_ignores_case),
        cmocka_unit_test(starts_and_trim),
        cmocka_unit_test(numbers),
        cmocka_unit_test(lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
