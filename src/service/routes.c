#include "service/routes.h"

#include "base/bytes.h"
#include "base/text.h"
#include "http/fields.h"
#include "http/target.h"
#include "tbl/methods.h"

#include <errno.h>
#include <string.h>

enum segment_kind { SEGMENT_PLAIN, SEGMENT_PARAMETER, SEGMENT_REST };

/* The first segment of "/a/b", which is left with the others. */
static struct weir_bytes take_segment(struct weir_bytes *path)
{
    const char *at = path->at + 1;
    size_t left = path->len - 1;
    const char *slash = left > 0 ? memchr(at, '/', left) : NULL;
    struct weir_bytes segment = {at, slash ? (size_t)(slash - at) : left};
    *path = (struct weir_bytes){at + segment.len, left - segment.len};
    return segment;
}

static enum segment_kind kind_of(struct weir_bytes segment)
{
    if (segment.len > 0 && segment.at[0] == ':')
        return SEGMENT_PARAMETER;
    return segment.len > 0 && segment.at[0] == '*' ? SEGMENT_REST : SEGMENT_PLAIN;
}

static bool is_name(struct weir_bytes segment)
{
    return segment.len > 1 &&
           field_run(segment.at + 1, segment.len - 1, BYTE_TOKEN) == segment.len - 1;
}

/* As a clean path has it: no dot segment, none that is empty but the last. */
static bool is_plain(struct weir_bytes segment, bool last)
{
    if (segment.len == 0)
        return last;
    if (bytes_equal(segment, BYTES(".")) || bytes_equal(segment, BYTES("..")))
        return false;
    return field_value_run(segment.at, segment.len) == segment.len;
}

static bool is_pattern(struct weir_bytes pattern)
{
    struct weir_bytes names[LIMIT_ROUTE_PARAMETERS];
    unsigned count = 0;
    if (pattern.len == 0 || pattern.len > LIMIT_ROUTE_PATTERN || pattern.at[0] != '/')
        return false;
    while (pattern.len > 0) {
        struct weir_bytes segment = take_segment(&pattern);
        enum segment_kind kind = kind_of(segment);
        if (kind == SEGMENT_PLAIN && !is_plain(segment, pattern.len == 0))
            return false;
        if (kind == SEGMENT_PLAIN)
            continue;
        if (!is_name(segment) || count == LIMIT_ROUTE_PARAMETERS ||
            (kind == SEGMENT_REST && pattern.len > 0))
            return false;
        segment = (struct weir_bytes){segment.at + 1, segment.len - 1};
        for (unsigned i = 0; i < count; i++)
            if (bytes_equal(names[i], segment))
                return false;
        names[count++] = segment;
    }
    return true;
}

/* < 0: `a` is tried first; 0: they fit the same paths. */
static int compare(struct weir_bytes a, struct weir_bytes b)
{
    while (a.len > 0 && b.len > 0) {
        struct weir_bytes x = take_segment(&a), y = take_segment(&b);
        int kinds = (int)kind_of(x) - (int)kind_of(y);
        if (kinds)
            return kinds;
        if (kind_of(x) == SEGMENT_PLAIN && !bytes_equal(x, y))
            return -1; /* they never fit the same path */
    }
    return a.len > 0 ? -1 : b.len > 0;
}

int routes_add(struct routes *routes, const struct weir_route *row)
{
    const unsigned methods = 1u << WEIR_METHOD_GET | 1u << WEIR_METHOD_HEAD |
                             1u << WEIR_METHOD_POST | 1u << WEIR_METHOD_PUT |
                             1u << WEIR_METHOD_DELETE | 1u << WEIR_METHOD_PATCH;
    struct weir_bytes pattern = bytes_str(row->pattern);
    if (!is_pattern(pattern) || row->method > WEIR_METHOD_PATCH || !(methods >> row->method & 1))
        return -EINVAL;
    if (routes->count == LIMIT_ROUTES)
        return -ENOSPC;
    for (unsigned i = 0; i < routes->count; i++)
        if (routes->rows[i]->method == row->method &&
            compare(bytes_str(routes->rows[i]->pattern), pattern) == 0)
            return -EEXIST;
    unsigned at = routes->count++;
    routes->rows[at] = row;
    return 0;
}

static bool matches(struct weir_bytes pattern, struct weir_bytes path)
{
    while (pattern.len > 0 && path.len > 0) {
        struct weir_bytes want = take_segment(&pattern);
        if (kind_of(want) == SEGMENT_REST)
            return true;
        struct weir_bytes have = take_segment(&path);
        if (kind_of(want) == SEGMENT_PARAMETER ? have.len == 0 : !bytes_equal(want, have))
            return false;
    }
    return pattern.len == 0 && path.len == 0;
}

/* Most differ from it in the first letter already. */
static bool may_match(const char *pattern, struct weir_bytes path)
{
    return path.len < 2 || pattern[1] == path.at[1] || pattern[1] == ':' || pattern[1] == '*';
}

/* Among the rows that fit this path, compare() is an order: they differ in kinds of segments alone. */
static const struct weir_route *better(const struct weir_route *a, const struct weir_route *b)
{
    return a && compare(bytes_str(a->pattern), bytes_str(b->pattern)) <= 0 ? a : b;
}

const struct weir_route *routes_find(const struct routes *routes, enum weir_method method,
                                     struct weir_bytes path, unsigned *out_allowed)
{
    const struct weir_route *found = NULL, *get = NULL;
    unsigned allowed = 0;
    for (unsigned i = 0; i < routes->count; i++) {
        const struct weir_route *row = routes->rows[i];
        if (!may_match(row->pattern, path) || !matches(bytes_str(row->pattern), path))
            continue;
        allowed |= 1u << row->method;
        if (row->method == method)
            found = better(found, row);
        else if (row->method == WEIR_METHOD_GET)
            get = better(get, row);
    }
    if (allowed & 1u << WEIR_METHOD_GET)
        allowed |= 1u << WEIR_METHOD_HEAD;
    *out_allowed = allowed;
    return found || method != WEIR_METHOD_HEAD ? found : get;
}

const struct weir_route *routes_recall(const struct route_memo *memo, enum weir_method method,
                                       struct weir_bytes path)
{
    bool same = path.len > 0 && memo->len == path.len && memo->method == method &&
                memcmp(memo->path, path.at, path.len) == 0;
    return same ? memo->row : NULL;
}

void routes_remember(struct route_memo *memo, enum weir_method method, struct weir_bytes path,
                     const struct weir_route *row)
{
    if (path.len == 0 || path.len > sizeof(memo->path))
        return;
    memo->len = (uint8_t)path.len;
    memo->method = (uint8_t)method;
    memo->row = row;
    memcpy(memo->path, path.at, path.len);
}

/* A path that was routed is clean; the pattern has fitted it. */
static struct weir_bytes find_parameter(struct weir_bytes pattern, struct weir_bytes path,
                                        struct weir_bytes name)
{
    while (pattern.len > 0 && path.len > 0) {
        struct weir_bytes want = take_segment(&pattern), rest = path;
        struct weir_bytes have = take_segment(&path);
        enum segment_kind kind = kind_of(want);
        if (kind != SEGMENT_PLAIN &&
            bytes_equal((struct weir_bytes){want.at + 1, want.len - 1}, name))
            return kind == SEGMENT_REST ? (struct weir_bytes){rest.at + 1, rest.len - 1} : have;
    }
    return (struct weir_bytes){NULL, 0};
}

int route_parameter(const struct weir_route *route, struct weir_bytes raw_path, const char *name,
                    char *text)
{
    struct weir_bytes path;
    if (path_clean(raw_path, text, raw_path.len, &path) != PATH_CLEAN)
        return -ENOENT;
    struct weir_bytes value = find_parameter(bytes_str(route->pattern), path, bytes_str(name));
    if (!value.at)
        return -ENOENT;
    if (value.len > 0 && memchr(value.at, '\0', value.len))
        return -EINVAL;
    memmove(text, value.at, value.len);
    text[value.len] = '\0';
    return 0;
}

const char *routes_allow(unsigned allowed, char text[ROUTES_ALLOW_MAX])
{
    struct text t;
    text_init(&t, text, ROUTES_ALLOW_MAX);
#define M(name)                                                                                    \
    if (allowed >> WEIR_METHOD_##name & 1)                                                         \
        text_str(&t, #name ", ");
    METHODS(M)
#undef M
    text_str(&t, "OPTIONS");
    return text_end(&t);
}
