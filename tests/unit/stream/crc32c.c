/* The checksum of spools: known answers, and the same by instruction and by table. */
#include "stream/crc32c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* RFC 3720 appendix B.4, and the usual check value. */
static void known_answers(void **state)
{
    uint8_t zeros[32] = {0}, ones[32], up[32];
    (void)state;
    memset(ones, 0xff, sizeof(ones));
    for (uint8_t i = 0; i < 32; i++)
        up[i] = i;
    uint32_t (*const ways[])(uint32_t, const void *, size_t) = {crc32c, crc32c_by_table};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ways[i](0, zeros, 32), 0x8a9136aa);
        assert_int_equal(ways[i](0, ones, 32), 0x62a8ab43);
        assert_int_equal(ways[i](0, up, 32), 0x46dd794e);
        assert_int_equal(ways[i](0, "123456789", 9), 0xe3069283);
        assert_int_equal(ways[i](0, "", 0), 0);
    }
}

static void both_ways_agree(void **state)
{
    uint8_t bytes[400];
    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 167 + (i >> 3));
    for (size_t from = 0; from < 16; from++)
        for (size_t len = 0; len < 300; len++)
            assert_int_equal(crc32c(0, bytes + from, len), crc32c_by_table(0, bytes + from, len));
}

static void goes_on_at_any_place(void **state)
{
    uint8_t bytes[100];
    (void)state;
    memset(bytes, 0x5a, sizeof(bytes));
    uint32_t whole = crc32c(0, bytes, sizeof(bytes));
    for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
        uint32_t part = crc32c(0, bytes, cut);
        assert_int_equal(crc32c(part, bytes + cut, sizeof(bytes) - cut), whole);
        part = crc32c_by_table(0, bytes, cut);
        assert_int_equal(crc32c_by_table(part, bytes + cut, sizeof(bytes) - cut), whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(both_ways_agree),
        cmocka_unit_test(goes_on_at_any_place),
    };
    return cmocka_run_group_tests_name("crc32c", tests, NULL, NULL);
}
