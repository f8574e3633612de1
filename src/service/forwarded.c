#include "service/forwarded.h"

#include "base/bytes.h"
#include "http/fields.h"

#include <errno.h>

/* Within quotes, where a backslash makes the next one no end of them. */
static bool is_escaped(struct weir_bytes text, size_t at)
{
    size_t from = at;
    while (from > 0 && text.at[from - 1] == '\\')
        from--;
    return (at - from) % 2 == 1;
}

/* Where the last element begins, looked for from the end: what stands in front of it others wrote, and a quote that they left open is
 * not to swallow it. Of an element with its quotes closed each pairs from its end as from its beginning: before the first of a pair
 * stands "=", never a backslash. */
static size_t last_begin(struct weir_bytes list, bool quotes)
{
    bool quoted = false;
    size_t at = list.len;
    for (; at > 0 && (quoted || list.at[at - 1] != ','); at--)
        if (quotes && list.at[at - 1] == '"' && !(quoted && is_escaped(list, at - 1)))
            quoted = !quoted;
    return at;
}

/* The lists from their end: the nearest element comes first. */
struct trail {
    const struct weir_bytes *values;
    unsigned left;          /* values that were not begun */
    struct weir_bytes rest; /* of the one that was */
    bool more;              /* `rest` has an element, be it an empty one */
};

static bool trail_next(struct trail *trail, bool quotes, struct weir_bytes *out)
{
    if (!trail->more && trail->left == 0)
        return false;
    if (!trail->more)
        trail->rest = trail->values[--trail->left];
    size_t begin = last_begin(trail->rest, quotes);
    *out = bytes_trim((struct weir_bytes){trail->rest.at + begin, trail->rest.len - begin});
    trail->more = begin > 0;
    trail->rest.len = begin > 0 ? begin - 1 : 0;
    return true;
}

static struct weir_bytes behind(struct weir_bytes text, size_t len)
{
    return (struct weir_bytes){text.at + len, text.len - len};
}

/* RFC 9110 section 5.6.4; 0: it has no end. */
static size_t quoted_len(struct weir_bytes text)
{
    for (size_t at = 1; at < text.len; at++)
        if (text.at[at] == '\\')
            at++;
        else if (text.at[at] == '"')
            return at + 1;
    return 0;
}

/* More than a token, for many write colons and brackets without the quotes that are due. */
static size_t plain_len(struct weir_bytes text)
{
    size_t at = 0;
    while (at < text.len && text.at[at] != ';' && text.at[at] != '"' && text.at[at] != '\\')
        at++;
    return at;
}

/* Takes "for=192.0.2.1" from in front of ";" or the end (RFC 7239 section 4), its quotes kept. false: it is not written like that. */
static bool take_parameter(struct weir_bytes *text, struct weir_bytes *name,
                           struct weir_bytes *value)
{
    size_t len = field_run(text->at, text->len, BYTE_TOKEN);
    if (len == 0 || len == text->len || text->at[len] != '=')
        return false;
    *name = (struct weir_bytes){text->at, len};
    struct weir_bytes rest = behind(*text, len + 1);
    len = rest.len > 0 && rest.at[0] == '"' ? quoted_len(rest) : plain_len(rest);
    *value = bytes_trim((struct weir_bytes){rest.at, len});
    *text = bytes_trim(behind(rest, len));
    return text->len == 0 || text->at[0] == ';';
}

static struct weir_bytes without_quotes(struct weir_bytes value)
{
    if (value.len >= 2 && value.at[0] == '"' && value.at[value.len - 1] == '"')
        return (struct weir_bytes){value.at + 1, value.len - 2};
    return value;
}

static int read_element(struct weir_bytes element, bool rfc7239, struct client *out)
{
    struct weir_bytes name, value, named = {0};
    if (!rfc7239)
        return client_read(element, out);
    while (element.len > 0) {
        if (element.at[0] == ';') {
            element = bytes_trim(behind(element, 1));
            continue;
        }
        if (!take_parameter(&element, &name, &value))
            return -EINVAL;
        if (!bytes_same(name, BYTES("for")))
            continue;
        if (named.at) /* section 4: once only */
            return -EINVAL;
        named = without_quotes(value);
    }
    return client_read(named, out);
}

static bool is_trusted(const struct net *trusted, unsigned count, const struct client *client)
{
    for (unsigned i = 0; i < count; i++)
        if (net_has(&trusted[i], client))
            return true;
    return false;
}

bool forwarded_find(const struct weir_bytes *values, unsigned count, bool rfc7239,
                    const struct net *trusted, unsigned trusted_count, const struct client *peer,
                    struct client *out)
{
    struct trail trail = {.values = values, .left = count};
    struct client at = *peer;
    struct weir_bytes element;
    unsigned followed = 0;
    for (; followed < LIMIT_FORWARDED && is_trusted(trusted, trusted_count, &at); followed++) {
        if (!trail_next(&trail, rfc7239, &element))
            break;
        if (read_element(element, rfc7239, &at) < 0)
            at = (struct client){.family = WEIR_FAMILY_NONE, .uid = UINT32_MAX};
    }
    if (followed > 0)
        *out = at;
    return followed > 0;
}
