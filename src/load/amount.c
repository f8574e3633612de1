#include "load/amount.h"

#include "base/bytes.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Digits with at most one point, no sign, no exponent. */
static int read_decimal(const char *text, double *out, const char **out_rest)
{
    size_t whole = strspn(text, "0123456789");
    size_t len = whole;
    double value = 0, place = 1;
    for (size_t i = 0; i < whole; i++)
        value = value * 10 + (text[i] - '0');
    if (text[len] == '.') {
        size_t part = strspn(text + len + 1, "0123456789");
        for (size_t i = 0; i < part; i++)
            value += (text[len + 1 + i] - '0') * (place /= 10);
        whole += part;
        len += 1 + part;
    }
    if (whole == 0 || len > 20)
        return -EINVAL;
    *out = value;
    *out_rest = text + len;
    return 0;
}

int amount_read_time(const char *text, uint64_t *out_ns)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"", 1e9}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"m", 60e9}, {"h", 3600e9}};
    const char *rest;
    double value;
    if (read_decimal(text, &value, &rest) < 0)
        return -EINVAL;
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
        if (strcmp(units[i].name, rest) == 0 && value * units[i].ns < 1e18) {
            *out_ns = (uint64_t)(value * units[i].ns + 0.5);
            return 0;
        }
    }
    return -EINVAL;
}

int amount_read_list(const char *text, unsigned max, unsigned *out, unsigned size)
{
    struct weir_bytes list = bytes_str(text), word;
    unsigned count = 0;
    while (bytes_next(&list, &word)) {
        uint64_t number;
        if (count == size || bytes_u64(word, &number) < 0 || number < 1 || number > max ||
            (count > 0 && number <= out[count - 1]))
            return -EINVAL;
        out[count++] = (unsigned)number;
    }
    return count > 0 ? (int)count : -EINVAL;
}

/* Three digits, and the point where it belongs. */
static int precision_of(double value)
{
    return value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
}

struct unit {
    double size;
    const char *name;
};

static const char *in_units(char *text, double value, const struct unit *units, size_t count)
{
    size_t i = 0;
    while (i + 1 < count && value >= units[i].size * 999.5)
        i++;
    value /= units[i].size;
    bool whole = units[i].size == 1 && value == floor(value);
    snprintf(text, AMOUNT_MAX, "%.*f%s", whole ? 0 : precision_of(value), value, units[i].name);
    return text;
}

const char *amount_time(char *text, double ns)
{
    static const struct unit units[] = {{1, " ns"}, {1e3, " µs"}, {1e6, " ms"}, {1e9, " s"}};
    return in_units(text, ns, units, sizeof(units) / sizeof(*units));
}

const char *amount_bytes(char *text, double bytes)
{
    static const struct unit units[] = {{1, " B"},
                                        {1024, " KiB"},
                                        {1048576, " MiB"},
                                        {1073741824, " GiB"},
                                        {1099511627776, " TiB"}};
    return in_units(text, bytes, units, sizeof(units) / sizeof(*units));
}

const char *amount_short(char *text, double value)
{
    static const struct unit units[] = {{1, ""}, {1e3, "k"}, {1e6, "M"}, {1e9, "G"}};
    in_units(text, value, units, sizeof(units) / sizeof(*units));
    char *point = strchr(text, '.');
    if (!point)
        return text;
    char *unit = point + 1 + strspn(point + 1, "0123456789");
    char *end = unit;
    while (end[-1] == '0')
        end--;
    if (end[-1] == '.')
        end--;
    memmove(end, unit, strlen(unit) + 1);
    return text;
}

const char *amount_count(char *text, uint64_t n)
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
    char *at = text;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            *at++ = ',';
        *at++ = digits[i];
    }
    *at = '\0';
    return text;
}

const char *amount_number(char *text, double value)
{
    if (value < 99.95) {
        snprintf(text, AMOUNT_MAX, "%.*f", precision_of(value), value);
        return text;
    }
    double step = 1;
    while (value / step >= 999.5)
        step *= 10;
    return amount_count(text, (uint64_t)(value / step + 0.5) * (uint64_t)step);
}
