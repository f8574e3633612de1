/* SipHash-2-4 against the values its authors published. */
#include "base/siphash.h"

#include "check.h"

static struct siphash_key key_of(void)
{
    return (struct siphash_key){{0x0706050403020100u, 0x0f0e0d0c0b0a0908u}};
}

static uint64_t hash(const uint8_t *bytes, size_t len, size_t piece)
{
    struct siphash_key key = key_of();
    struct siphash s;
    siphash_init(&s, &key);
    for (size_t at = 0; at < len; at += piece)
        siphash_add(&s, bytes + at, len - at < piece ? len - at : piece);
    return siphash_end(&s);
}

static void values_are_those_of_the_paper(void **state)
{
    static const uint8_t bytes[64] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                      11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                      22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
    (void)state;
    assert_int_equal(hash(bytes, 0, 1), 0x726fdb47dd0e0e31u);
    assert_int_equal(hash(bytes, 1, 1), 0x74f839c593dc67fdu);
    assert_int_equal(hash(bytes, 8, 8), 0x93f5f5799a932462u);
    assert_int_equal(hash(bytes, 15, 15), 0xa129ca6149be45e5u);
    for (size_t piece = 1; piece < 16; piece++)
        assert_int_equal(hash(bytes, 15, piece), 0xa129ca6149be45e5u);
}

static void the_long_one_is_another(void **state)
{
    struct siphash_key key = key_of();
    struct siphash s;
    (void)state;
    siphash_init_128(&s, &key);
    struct siphash_128 out = siphash_end_128(&s);
    assert_int_equal(out.at[0], 0xe6a825ba047f81a3u);
    assert_int_equal(out.at[1], 0x930255c71472f66du);
}

static void keys_count(void **state)
{
    struct siphash_key key = key_of();
    struct siphash s;
    (void)state;
    key.k[1] ^= 1;
    siphash_init(&s, &key);
    assert_true(siphash_end(&s) != 0x726fdb47dd0e0e31u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_those_of_the_paper),
        cmocka_unit_test(the_long_one_is_another),
        cmocka_unit_test(keys_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
