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
    return RANGE_PART;
}

enum range_kind range_read(struct weir_bytes text, uint64_t size, struct range *out)
{
    struct weir_bytes unit = BYTES("bytes=");
    if (text.len < unit.len || !bytes_same((struct weir_bytes){text.at, unit.len}, unit))
        return RANGE_WHOLE;
    struct weir_bytes list = {text.at + unit.len, text.len - unit.len}, spec, more;
    if (!bytes_next(&list, &spec) || bytes_next(&list, &more))
        return RANGE_WHOLE;
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
    return RANGE_PART;
}
