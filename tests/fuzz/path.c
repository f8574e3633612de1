/* Paths and hosts of a stranger: a clean path never climbs, and is clean once and for all; a host leads to one site whatever its case. */
#include "base/bytes.h"
#include "base/text.h"
#include "http/target.h"
#include "service/route.h"
#include "service/site_names.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_clean(struct weir_bytes path)
{
    if (path.len == 0 || path.at[0] != '/')
        abort();
    for (size_t at = 0; at < path.len;) { /* segments behind slashes */
        const char *next = memchr(path.at + at + 1, '/', path.len - at - 1);
        size_t end = next ? (size_t)(next - path.at) : path.len;
        struct weir_bytes segment = {path.at + at + 1, end - at - 1};
        if (bytes_equal(segment, BYTES(".")) || bytes_equal(segment, BYTES("..")) ||
            (segment.len == 0 && end < path.len) ||
            (segment.len > 0 && memchr(segment.at, '\0', segment.len)))
            abort();
        at = end;
    }
}

/* Written with escapes and read again it is the same. */
static void there_and_back(struct weir_bytes clean)
{
    static char escaped[3 * LIMIT_FILE_PATH_BYTES + 1], buffer[LIMIT_FILE_PATH_BYTES];
    struct weir_bytes again;
    struct text t;
    text_init(&t, escaped, sizeof(escaped));
    path_escape(&t, clean);
    if (t.cut ||
        path_clean((struct weir_bytes){t.at, t.len}, buffer, sizeof(buffer), &again) !=
            PATH_CLEAN ||
        !bytes_equal(again, clean))
        abort();
}

static void look_at_host(struct weir_bytes host)
{
    static struct site_name slots[SITE_NAME_SLOTS];
    static struct site_names names = {.slots = slots, .other = -1};
    char upper[300];
    if (names.count == 0 && (site_names_add(&names, BYTES("example.org"), 1) < 0 ||
                             site_names_add(&names, BYTES("*.example.org"), 2) < 0 ||
                             site_names_add(&names, BYTES("[::1]"), 3) < 0))
        abort();
    int found = site_names_find(&names, host);
    if (found < -1 || found == 0 || found > 3 || host.len > sizeof(upper))
        return;
    for (size_t i = 0; i < host.len; i++)
        upper[i] = (char)(host.at[i] >= 'a' && host.at[i] <= 'z' ? host.at[i] - 32 : host.at[i]);
    if (site_names_find(&names, (struct weir_bytes){upper, host.len}) != found)
        abort();
}

/* Controls and blanks end a target before anybody looks at its path (http/h1/head.c). */
static bool can_be_sent(struct weir_bytes path)
{
    for (size_t i = 0; i < path.len; i++)
        if ((unsigned char)path.at[i] <= ' ' || path.at[i] == 0x7f)
            return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static char buffer[LIMIT_FILE_PATH_BYTES];
    struct weir_bytes path, prefix;
    if (len == 0)
        return 0;
    char *copy = malloc(len); /* its very end is watched */
    memcpy(copy, bytes, len);
    struct weir_bytes text = {copy, len};
    (void)host_valid(text);
    look_at_host(text);
    if (route_prefix(copy, len, &prefix) && prefix.len > len)
        abort();
    if (copy[0] == '/' && can_be_sent(text) &&
        path_clean(text, buffer, sizeof(buffer), &path) == PATH_CLEAN) {
        check_clean(path);
        there_and_back(path);
        (void)path_hidden(path);
    }
    free(copy);
    return 0;
}
