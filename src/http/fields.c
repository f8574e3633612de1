#include "http/fields.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define T BYTE_TOKEN
#define V BYTE_VALUE
#define G BYTE_TARGET

const uint8_t byte_classes[256] = {
    ['\t'] = V,
    [' '] = V,
    ['!'] = T | V | G,
    ['"'] = V | G,
    ['#'] = T | V,
    ['$' ... '\''] = T | V | G,
    ['(' ... ')'] = V | G,
    ['*' ... '+'] = T | V | G,
    [','] = V | G,
    ['-' ... '.'] = T | V | G,
    ['/'] = V | G,
    ['0' ... '9'] = T | V | G,
    [':' ... '@'] = V | G,
    ['A' ... 'Z'] = T | V | G,
    ['[' ... ']'] = V | G,
    ['^' ... 'z'] = T | V | G,
    ['{'] = V | G,
    ['|'] = T | V | G,
    ['}'] = V | G,
    ['~'] = T | V | G,
    [0x80 ... 0xff] = V,
};

size_t field_run(const char *bytes, size_t len, enum byte_class class)
{
    size_t n = 0;
    while (n < len && byte_is(bytes[n], class))
        n++;
    return n;
}

/* Some byte of the word is below a space or is DEL (it may say so of a few good words too, never the other way round). */
static bool word_has_control(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    uint64_t below = (word - ones * 0x20) & ~word & highs;
    uint64_t del = word ^ (ones * 0x7f);
    return below | ((del - ones) & ~del & highs);
}

#ifdef __SSE2__
/* Sixteen bytes at a time, which every x86-64 can: bit i of the result says that byte i is below a space, or DEL. */
static unsigned controls16(const char *bytes)
{
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)bytes);
    __m128i below = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
    __m128i del = _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(below, del));
}

/* Up to a byte that has to be looked at, or the last few. */
static size_t plain_run(const char *bytes, size_t len)
{
    size_t n = 0;
    for (; n + 16 <= len; n += 16) {
        unsigned controls = controls16(bytes + n);
        if (controls)
            return n + (unsigned)__builtin_ctz(controls);
    }
    return n;
}
#else
static size_t plain_run(const char *bytes, size_t len)
{
    (void)bytes, (void)len;
    return 0;
}
#endif

size_t field_value_run(const char *bytes, size_t len)
{
    size_t n = plain_run(bytes, len);
    while (n + 8 <= len) {
        uint64_t word;
        memcpy(&word, bytes + n, 8);
        if (word_has_control(word))
            break;
        n += 8;
    }
    return n + field_run(bytes + n, len - n, BYTE_VALUE);
}

/* Tokens have no byte that setting this bit would turn into a letter or a hyphen of the name. */
static bool is_name(const char *token, const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((token[i] | 0x20) != name[i])
            return false;
    return true;
}

static enum field_id pick(const char *token, size_t len, enum field_id id)
{
    static const char names[][20] = {[FIELD_OTHER] = "",
#define F(id, name) [FIELD_##id] = name,
                                     FIELDS(F)
#undef F
    };
    return is_name(token, names[id], len) ? id : FIELD_OTHER;
}

enum field_id field_id(const char *name, size_t len)
{
    switch (len) {
    case 4:
        return pick(name, len, FIELD_HOST);
    case 5:
        return pick(name, len, FIELD_RANGE);
    case 6:
        return pick(name, len, (name[0] | 0x20) == 'a' ? FIELD_ACCEPT : FIELD_EXPECT);
    case 7:
        return pick(name, len, FIELD_REFERER);
    case 8:
        return pick(name, len, (name[3] | 0x20) == 'm' ? FIELD_IF_MATCH : FIELD_IF_RANGE);
    case 10:
        return pick(name, len, (name[0] | 0x20) == 'c' ? FIELD_CONNECTION : FIELD_USER_AGENT);
    case 13:
        return pick(name, len, FIELD_IF_NONE_MATCH);
    case 14:
        return pick(name, len, FIELD_CONTENT_LENGTH);
    case 15:
        return pick(name, len, FIELD_ACCEPT_ENCODING);
    case 17:
        return pick(name, len,
                    (name[0] | 0x20) == 't' ? FIELD_TRANSFER_ENCODING : FIELD_IF_MODIFIED_SINCE);
    case 19:
        return pick(name, len, FIELD_IF_UNMODIFIED_SINCE);
    default:
        return FIELD_OTHER;
    }
}
