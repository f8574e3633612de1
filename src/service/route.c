#include "service/route.h"

#include "base/bytes.h"
#include "http/fields.h"

#include <errno.h>
#include <string.h>

static bool is_clean_segment(const char *at, size_t len)
{
    if (len == 0 || (len == 1 && at[0] == '.') || (len == 2 && at[0] == '.' && at[1] == '.'))
        return false;
    for (size_t i = 0; i < len; i++)
        if (!byte_is(at[i], BYTE_VALUE) || at[i] == '%' || at[i] == '?' || at[i] == '#')
            return false;
    return true;
}

bool route_prefix(const char *text, size_t len, struct weir_bytes *out)
{
    if (len == 0 || text[0] != '/' || len > LIMIT_FILE_PATH_BYTES)
        return false;
    if (text[len - 1] == '/')
        len--;
    for (size_t at = 0; at < len;) {
        const char *slash = memchr(text + at + 1, '/', len - at - 1);
        size_t end = slash ? (size_t)(slash - text) : len;
        if (!is_clean_segment(text + at + 1, end - at - 1))
            return false;
        at = end;
    }
    *out = (struct weir_bytes){text, len};
    return true;
}

int route_add(struct route *route, const char *prefix, size_t len,
              const struct weir_handler *handler, const void *config)
{
    struct mount mount = {.handler = handler, .config = config};
    if (!route_prefix(prefix, len, &mount.prefix))
        return -EINVAL;
    unsigned at = 0;
    while (at < route->count && route->mounts[at].prefix.len >= mount.prefix.len) {
        if (bytes_equal(route->mounts[at].prefix, mount.prefix))
            return -EEXIST;
        at++;
    }
    if (route->count == LIMIT_MOUNTS)
        return -ENOSPC;
    memmove(&route->mounts[at + 1], &route->mounts[at],
            (route->count - at) * sizeof(route->mounts[0]));
    route->mounts[at] = mount;
    route->count++;
    return 0;
}

void route_change(struct route *route, const char *text, size_t len,
                  const struct weir_handler *handler, const void *config)
{
    struct weir_bytes prefix;
    if (!route_prefix(text, len, &prefix))
        return;
    for (unsigned i = 0; i < route->count; i++)
        if (bytes_equal(route->mounts[i].prefix, prefix)) {
            route->mounts[i].handler = handler;
            route->mounts[i].config = config;
        }
}

const struct mount *route_find(const struct route *route, struct weir_bytes path)
{
    for (unsigned i = 0; i < route->count; i++) {
        struct weir_bytes prefix = route->mounts[i].prefix;
        if (bytes_starts(path, prefix) && (path.len == prefix.len || path.at[prefix.len] == '/'))
            return &route->mounts[i];
    }
    return NULL;
}
