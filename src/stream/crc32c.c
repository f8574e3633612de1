#include "stream/crc32c.h"

#include "tbl/crc32c.h"

#include <string.h>

uint32_t crc32c_by_table(uint32_t crc, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    crc = ~crc;
    for (; len > 0; len--)
        crc = crc >> 8 ^ crc32c_rows[(crc ^ *at++) & 0xff];
    return ~crc;
}

#ifdef __x86_64__
#include <nmmintrin.h>

/* Eight bytes in three cycles: 6 GB/s and more, where the table does 0.4. */
__attribute__((target("sse4.2"))) static uint32_t crc32c_by_sse42(uint32_t crc, const void *bytes,
                                                                  size_t len)
{
    const uint8_t *at = bytes;
    uint64_t wide = ~crc;
    for (; len >= 8; len -= 8, at += 8) {
        uint64_t eight;
        memcpy(&eight, at, 8);
        wide = _mm_crc32_u64(wide, eight);
    }
    uint32_t narrow = (uint32_t)wide;
    for (; len > 0; len--)
        narrow = _mm_crc32_u8(narrow, *at++);
    return ~narrow;
}

uint32_t crc32c(uint32_t crc, const void *bytes, size_t len)
{
    if (__builtin_cpu_supports("sse4.2"))
        return crc32c_by_sse42(crc, bytes, len);
    return crc32c_by_table(crc, bytes, len);
}
#else
uint32_t crc32c(uint32_t crc, const void *bytes, size_t len)
{
    return crc32c_by_table(crc, bytes, len);
}
#endif
