/* An Authorization field from a stranger, and base64: read without a step outside; what was read can be said again, in one form. */
#include "service/credentials.h"

#include "base/bytes.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(const struct credentials *said)
{
    if (said->user.at != said->text || said->user.len == 0 || said->user.len > LIMIT_AUTH_NAME ||
        memchr(said->user.at, ':', said->user.len) ||
        said->password != said->text + said->user.len + 1 ||
        said->password_len > LIMIT_AUTH_PASSWORD || strlen(said->password) != said->password_len)
        abort();
}

/* RFC 4648: no two texts have the same bytes. */
static void encode_again(struct weir_bytes text, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0, at = 0; i < len; i += 3, at += 4) {
        uint32_t three = 0;
        for (size_t k = 0; k < 3; k++)
            three = three << 8 | (i + k < len ? bytes[i + k] : 0u);
        for (size_t k = 0; k < 4; k++) {
            char want = i + k < len + 1 ? digits[three >> (18 - 6 * k) & 63] : '=';
            if (at + k >= text.len || text.at[at + k] != want)
                abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct credentials said;
    char *copy = malloc(len ? len : 1), *out = malloc(len ? len : 1); /* their ends are watched */
    if (len > 0)
        memcpy(copy, bytes, len);
    struct weir_bytes text = {copy, len};
    if (credentials_read(text, &said) == CREDENTIALS_GOOD)
        check(&said);
    ssize_t n = base64_read(text, out, len);
    if (n > 0)
        encode_again(text, (const uint8_t *)out, (size_t)n);
    free(copy);
    free(out);
    return 0;
}
