#include "base/utf8.h"

/* RFC 3629 section 4: the first byte says how many follow, and bounds the second. */
static size_t length_of(uint8_t first, uint8_t *out_low, uint8_t *out_high)
{
    *out_low = 0x80, *out_high = 0xbf;
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        return 2;
    if (first == 0xe0)
        *out_low = 0xa0;
    if (first == 0xed) /* surrogates */
        *out_high = 0x9f;
    if (first >= 0xe0 && first <= 0xef)
        return 3;
    if (first == 0xf0)
        *out_low = 0x90;
    if (first == 0xf4)
        *out_high = 0x8f;
    return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

size_t utf8_read(struct weir_bytes bytes, uint32_t *out)
{
    const uint8_t *at = (const uint8_t *)bytes.at;
    uint8_t low, high;
    size_t len = length_of(at[0], &low, &high);
    *out = UTF8_NONE;
    if (len == 0 || len > bytes.len)
        return 1;
    uint32_t c = len == 1 ? at[0] : at[0] & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if (at[i] < low || at[i] > high)
            return 1;
        low = 0x80, high = 0xbf;
        c = c << 6 | (at[i] & 0x3fu);
    }
    *out = c;
    return len;
}

bool utf8_is_valid(struct weir_bytes bytes)
{
    uint32_t c = 0;
    for (size_t at = 0; at < bytes.len && c != UTF8_NONE;)
        at += utf8_read((struct weir_bytes){bytes.at + at, bytes.len - at}, &c);
    return c != UTF8_NONE;
}

bool utf8_is_shown(uint32_t c)
{
    bool control = c < 0x20 || (c >= 0x7f && c < 0xa0);
    bool turns = (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e ||
                 c == 0x200f || c == 0x61c;
    bool unseen = c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) || c == 0x2028 || c == 0x2029;
    return c != UTF8_NONE && !control && !turns && !unseen;
}
