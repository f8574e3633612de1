#include "http/condition.h"

#include "base/bytes.h"
#include "http/date.h"

bool condition_any(const struct weir_exchange *x)
{
    return x->known[FIELD_RANGE] | x->known[FIELD_IF_MATCH] | x->known[FIELD_IF_NONE_MATCH] |
           x->known[FIELD_IF_MODIFIED_SINCE] | x->known[FIELD_IF_UNMODIFIED_SINCE];
}

static int64_t now_s(const struct weir_exchange *x)
{
    return x->driver->now.wall_ns / (int64_t)WEIR_NS_PER_S;
}

/* The field lists `etag` (or "*"). Weak: a W/ in front of a listed one is overlooked (RFC 9110 section 8.8.3.2). */
static bool lists(const struct weir_exchange *x, enum field_id id, struct weir_bytes etag,
                  bool weak)
{
    struct weir_bytes value, tag;
    for (unsigned at = 0; exchange_each(x, id, &at, &value);) {
        while (bytes_next(&value, &tag)) {
            if (weak && bytes_starts(tag, BYTES("W/")))
                tag = (struct weir_bytes){tag.at + 2, tag.len - 2};
            if (bytes_equal(tag, etag) || bytes_equal(tag, BYTES("*")))
                return true;
        }
    }
    return false;
}

/* false: no such field, several, or no date in it (it is then left out of account). */
static bool date_of(const struct weir_exchange *x, enum field_id id, int64_t *out)
{
    struct weir_bytes value, more;
    unsigned at = 0;
    return exchange_each(x, id, &at, &value) && !exchange_each(x, id, &at, &more) &&
           date_read(value, now_s(x), out) == 0;
}

unsigned condition_check(const struct weir_exchange *x, const struct validators *v)
{
    bool reads = x->method == WEIR_METHOD_GET || x->method == WEIR_METHOD_HEAD;
    int64_t date;
    if (x->known[FIELD_IF_MATCH]) {
        if (!lists(x, FIELD_IF_MATCH, v->etag, false))
            return 412;
    } else if (date_of(x, FIELD_IF_UNMODIFIED_SINCE, &date)) {
        if (v->modified_s > date)
            return 412;
    }
    if (x->known[FIELD_IF_NONE_MATCH]) {
        if (lists(x, FIELD_IF_NONE_MATCH, v->etag, true))
            return reads ? 304 : 412;
    } else if (reads && date_of(x, FIELD_IF_MODIFIED_SINCE, &date)) {
        if (v->modified_s <= date)
            return 304;
    }
    return 0;
}

bool condition_if_range(const struct weir_exchange *x, const struct validators *v)
{
    if (!x->known[FIELD_IF_RANGE])
        return true;
    struct weir_bytes value = exchange_field(x, FIELD_IF_RANGE);
    if (bytes_starts(value, BYTES("\"")))
        return bytes_equal(value, v->etag);
    int64_t date;
    /* A date is a strong validator only when a second has passed since it (RFC 9110 section 8.8.2.2). */
    return date_of(x, FIELD_IF_RANGE, &date) && date == v->modified_s && date < now_s(x);
}
