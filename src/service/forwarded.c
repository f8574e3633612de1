#include "service/forwarded.h"

#include "base/bytes.h"

#include <errno.h>

/* "for=192.0.2.1;proto=https": the parameters of one element (section 4), quotes kept whole. */
static bool next_parameter(struct weir_bytes *rest, struct weir_bytes *name,
                           struct weir_bytes *value)
{
    bool quoted = false;
    size_t at = 0, equals = SIZE_MAX;
    if (rest->len == 0)
        return false;
    for (; at < rest->len && (quoted || rest->at[at] != ';'); at++) {
        if (quoted && rest->at[at] == '\\')
            at++;
        else if (rest->at[at] == '"')
            quoted = !quoted;
        else if (rest->at[at] == '=' && equals == SIZE_MAX)
            equals = at;
    }
    at = at < rest->len ? at : rest->len;
    size_t split = equals < at ? equals : at, after = split < at ? split + 1 : at;
    *name = bytes_trim((struct weir_bytes){rest->at, split});
    *value = bytes_trim((struct weir_bytes){rest->at + after, at - after});
    size_t used = at < rest->len ? at + 1 : at;
    *rest = (struct weir_bytes){rest->at + used, rest->len - used};
    return true;
}

static struct weir_bytes without_quotes(struct weir_bytes value)
{
    if (value.len >= 2 && value.at[0] == '"' && value.at[value.len - 1] == '"')
        return (struct weir_bytes){value.at + 1, value.len - 2};
    return value;
}

int forwarded_element(struct weir_bytes element, bool rfc7239, struct client *out)
{
    struct weir_bytes name, value;
    if (!rfc7239)
        return client_read(bytes_trim(element), out);
    while (next_parameter(&element, &name, &value))
        if (bytes_same(name, BYTES("for")))
            return client_read(without_quotes(value), out);
    return -EINVAL;
}

static bool is_trusted(const struct net *trusted, unsigned count, const struct client *client)
{
    for (unsigned i = 0; i < count; i++)
        if (net_has(&trusted[i], client))
            return true;
    return false;
}

/* The last elements of all lists, in order: those before them are further away than anybody is followed. */
static unsigned last_elements(const struct weir_bytes *values, unsigned count,
                              struct weir_bytes elements[LIMIT_FORWARDED])
{
    unsigned seen = 0;
    struct weir_bytes element;
    for (unsigned i = 0; i < count; i++) {
        struct weir_bytes list = values[i];
        while (bytes_next(&list, &element))
            elements[seen++ % LIMIT_FORWARDED] = element;
    }
    return seen;
}

bool forwarded_find(const struct weir_bytes *values, unsigned count, bool rfc7239,
                    const struct net *trusted, unsigned trusted_count, const struct client *peer,
                    struct client *out)
{
    struct weir_bytes elements[LIMIT_FORWARDED];
    struct client at = *peer, next;
    unsigned seen = last_elements(values, count, elements);
    unsigned left = seen < LIMIT_FORWARDED ? seen : LIMIT_FORWARDED;
    bool found = false;
    for (; left > 0 && is_trusted(trusted, trusted_count, &at); left--) {
        seen--;
        if (forwarded_element(elements[seen % LIMIT_FORWARDED], rfc7239, &next) < 0)
            break;
        at = next;
        found = true;
    }
    if (found)
        *out = at;
    return found;
}
