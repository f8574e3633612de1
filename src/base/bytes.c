#include "base/bytes.h"

#include <errno.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool bytes_same(struct weir_bytes a, struct weir_bytes b)
{
    if (a.len != b.len)
        return false;
    if (a.len == 0 || memcmp(a.at, b.at, a.len) == 0)
        return true; /* as it is written everywhere */
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.at[i]) != lower(b.at[i]))
            return false;
    return true;
}

bool bytes_starts(struct weir_bytes s, struct weir_bytes prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.at, prefix.at, prefix.len) == 0);
}

struct weir_bytes bytes_trim(struct weir_bytes s)
{
    while (s.len > 0 && (s.at[0] == ' ' || s.at[0] == '\t')) {
        s.at++;
        s.len--;
    }
    while (s.len > 0 && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t'))
        s.len--;
    return s;
}

int bytes_u64(struct weir_bytes s, uint64_t *out)
{
    if (s.len == 0)
        return -EINVAL;
    uint64_t value = 0;
    bool over = false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] < '0' || s.at[i] > '9')
            return -EINVAL;
        over |= __builtin_mul_overflow(value, 10u, &value);
        over |= __builtin_add_overflow(value, (uint64_t)(s.at[i] - '0'), &value);
    }
    if (over)
        return -ERANGE;
    *out = value;
    return 0;
}

static size_t element_len(struct weir_bytes s)
{
    bool quoted = false;
    for (size_t i = 0; i < s.len; i++) {
        if (quoted && s.at[i] == '\\')
            i++;
        else if (s.at[i] == '"')
            quoted = !quoted;
        else if (s.at[i] == ',' && !quoted)
            return i;
    }
    return s.len;
}

bool bytes_next(struct weir_bytes *list, struct weir_bytes *out)
{
    while (list->len > 0) {
        size_t len = element_len(*list);
        struct weir_bytes element = bytes_trim((struct weir_bytes){list->at, len});
        size_t skip = len < list->len ? len + 1 : len;
        list->at += skip;
        list->len -= skip;
        if (element.len > 0) {
            *out = element;
            return true;
        }
    }
    return false;
}
