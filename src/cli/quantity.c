#include "cli/quantity.h"

#include "base/bytes.h"

#include <errno.h>

struct unit {
    char letter;
    uint64_t factor;
};

static int parse(const char *text, const struct unit *units, size_t count, uint64_t *out)
{
    struct weir_bytes digits = bytes_str(text);
    uint64_t factor = 1, number;
    for (size_t i = 0; i < count && digits.len > 1; i++) {
        if (digits.at[digits.len - 1] != units[i].letter)
            continue;
        factor = units[i].factor;
        digits.len--;
        break;
    }
    int rc = bytes_u64(digits, &number);
    if (rc < 0)
        return rc;
    if (__builtin_mul_overflow(number, factor, &number))
        return -ERANGE;
    *out = number;
    return 0;
}

int quantity_bytes(const char *text, uint64_t *out)
{
    static const struct unit units[] = {
        {'K', 1ull << 10}, {'M', 1ull << 20}, {'G', 1ull << 30}, {'T', 1ull << 40}};
    return parse(text, units, sizeof(units) / sizeof(*units), out);
}

int quantity_seconds(const char *text, uint64_t *out)
{
    static const struct unit units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    return parse(text, units, sizeof(units) / sizeof(*units), out);
}
