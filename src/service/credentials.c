#include "service/credentials.h"

#include "base/bytes.h"

#include <errno.h>

static int digit_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four digits are three bytes, or fewer before padding; bits that nobody sees must be zero, so that each text has one form. */
static int read_four(const char *at, bool last, uint8_t out[3])
{
    unsigned digits = 4;
    uint32_t bits = 0;
    while (last && digits > 2 && at[digits - 1] == '=')
        digits--;
    for (unsigned i = 0; i < 4; i++) {
        int digit = i < digits ? digit_of(at[i]) : 0;
        if (digit < 0)
            return -EINVAL;
        bits = bits << 6 | (uint32_t)digit;
    }
    for (unsigned i = 0; i < 3; i++)
        out[i] = (uint8_t)(bits >> (16 - 8 * i));
    for (unsigned i = digits - 1; i < 3; i++)
        if (out[i])
            return -EINVAL;
    return (int)digits - 1;
}

ssize_t base64_read(struct weir_bytes text, char *out, size_t size)
{
    size_t len = 0;
    if (text.len == 0 || text.len % 4 != 0)
        return text.len == 0 ? 0 : -EINVAL;
    for (size_t i = 0; i < text.len; i += 4) {
        uint8_t three[3];
        int n = read_four(text.at + i, i + 4 == text.len, three);
        if (n < 0)
            return n;
        if ((size_t)n > size - len)
            return -EMSGSIZE;
        memcpy(out + len, three, (size_t)n);
        len += (size_t)n;
    }
    return (ssize_t)len;
}

static bool has_control(const char *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)at[i] < 0x20 || at[i] == 0x7f)
            return true;
    return false;
}

enum credentials_said credentials_read(struct weir_bytes field, struct credentials *out)
{
    const struct weir_bytes scheme = BYTES("basic");
    if (field.len < scheme.len || !bytes_same((struct weir_bytes){field.at, scheme.len}, scheme) ||
        (field.len > scheme.len && field.at[scheme.len] != ' '))
        return CREDENTIALS_NONE;
    struct weir_bytes rest =
        bytes_trim((struct weir_bytes){field.at + scheme.len, field.len - scheme.len});
    ssize_t len = base64_read(rest, out->text, sizeof(out->text) - 1);
    if (len <= 0 || has_control(out->text, (size_t)len))
        return CREDENTIALS_BAD;
    out->text[len] = '\0';
    const char *colon = memchr(out->text, ':', (size_t)len);
    if (!colon || colon == out->text || colon - out->text > LIMIT_AUTH_NAME)
        return CREDENTIALS_BAD;
    out->user = (struct weir_bytes){out->text, (size_t)(colon - out->text)};
    out->password = colon + 1;
    out->password_len = (size_t)(out->text + len - out->password);
    return out->password_len <= LIMIT_AUTH_PASSWORD ? CREDENTIALS_GOOD : CREDENTIALS_BAD;
}
