#include "http/range.h"

#include "base/bytes.h"

#include <errno.h>
#include <string.h>

/* A number past 2^64 is past every file's end. */
static bool position(struct weir_bytes digits, uint64_t *out)
{
    int rc = bytes_u64(digits, out);
    if (rc == -ERANGE)
        *out = UINT64_MAX;
    return rc == 0 || rc == -ERANGE;
}

static enum range_kind suffix(struct weir_bytes digits, uint64_t size, struct range *out)
{
    uint64_t len;
    if (!position(digits, &len))
        return RANGE_WHOLE;
    if (len == 0)
        return RANGE_BEYOND;
    if (size == 0)
        return RANGE_WHOLE; /* an empty part cannot be said in Content-Range */
    *out = len < size ? (struct range){size - len, len} : (struct range){0, size};
    return RANGE_PARTS;
}

static enum range_kind read_one(struct weir_bytes spec, uint64_t size, struct range *out)
{
    const char *dash = memchr(spec.at, '-', spec.len);
    if (!dash)
        return RANGE_WHOLE;
    struct weir_bytes from = {spec.at, (size_t)(dash - spec.at)};
    struct weir_bytes to = {dash + 1, spec.len - from.len - 1};
    if (from.len == 0)
        return suffix(to, size, out);
    uint64_t first, last = UINT64_MAX;
    if (!position(from, &first) || (to.len > 0 && !position(to, &last)) || last < first)
        return RANGE_WHOLE;
    if (first >= size)
        return RANGE_BEYOND;
    if (last >= size)
        last = size - 1;
    *out = (struct range){first, last - first + 1};
    return RANGE_PARTS;
}

/* Fewer than `gap` bytes lie between them; 0: they overlap. */
static bool closer(struct range a, struct range b, uint64_t gap)
{
    if (a.first > b.first)
        return closer(b, a, gap);
    uint64_t end = a.first + a.len;
    return b.first < end || b.first - end < gap;
}

static struct range join(struct range a, struct range b)
{
    uint64_t a_end = a.first + a.len, b_end = b.first + b.len;
    uint64_t first = a.first < b.first ? a.first : b.first;
    return (struct range){first, (a_end > b_end ? a_end : b_end) - first};
}

/* Takes in all that is near, in the place of the first of them. What is near to the sum was near to one of its parts, so one
 * look at each is enough. true: it overlaps. */
static bool add(struct ranges *ranges, struct range range)
{
    unsigned kept = 0, place = ranges->count;
    bool overlaps = false;
    for (unsigned i = 0; i < ranges->count; i++) {
        struct range other = ranges->at[i];
        overlaps |= closer(other, range, 0);
        if (!closer(other, range, LIMIT_HTTP_RANGE_GAP)) {
            ranges->at[kept++] = other;
        } else if (place == ranges->count) {
            place = kept++; /* filled below */
            range = join(other, range);
        } else {
            range = join(other, range);
        }
    }
    if (place == ranges->count)
        place = kept++;
    ranges->at[place] = range;
    ranges->count = kept;
    return overlaps;
}

/* As much as the whole, or more: then it is simpler to send that. */
static bool is_whole(const struct ranges *ranges, uint64_t size)
{
    uint64_t left = size;
    for (unsigned i = 0; i < ranges->count; i++) {
        uint64_t cost = ranges->at[i].len + LIMIT_HTTP_RANGE_GAP;
        if (cost >= left)
            return true;
        left -= cost;
    }
    return false;
}

enum range_kind range_read(struct weir_bytes text, uint64_t size, struct ranges *out)
{
    struct weir_bytes unit = BYTES("bytes=");
    if (text.len < unit.len || !bytes_same((struct weir_bytes){text.at, unit.len}, unit))
        return RANGE_WHOLE;
    struct weir_bytes list = {text.at + unit.len, text.len - unit.len}, spec;
    unsigned specs = 0, overlaps = 0;
    out->count = 0;
    while (bytes_next(&list, &spec)) {
        struct range range;
        enum range_kind kind = read_one(spec, size, &range);
        if (kind == RANGE_WHOLE)
            return RANGE_WHOLE; /* one that is invalid makes all of them so */
        if (++specs > LIMIT_HTTP_RANGES)
            return RANGE_FLOOD;
        if (kind == RANGE_PARTS && add(out, range) && ++overlaps > LIMIT_HTTP_RANGE_OVERLAPS)
            return RANGE_FLOOD;
    }
    if (out->count == 0)
        return specs > 0 ? RANGE_BEYOND : RANGE_WHOLE;
    return out->count > 1 && is_whole(out, size) ? RANGE_WHOLE : RANGE_PARTS;
}
