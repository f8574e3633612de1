/*
 * Messages of gRPC from a stranger, whole and cut: no crash, no leak, no more than was agreed, and the same messages either way. The first
 * byte says whether they may be compressed.
 */
#include "rpc/wire.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define MAX 65536

struct seen {
    uint64_t hash, count;
    int error;
};

static struct seen play(const uint8_t *bytes, size_t len, bool gzip, size_t step)
{
    struct seen seen = {.hash = 0xcbf29ce484222325u};
    struct rpc_deframer d = {.max = MAX, .gzip = gzip};
    for (size_t at = 0; at < len && seen.error == 0;) {
        struct rpc_message *m = NULL;
        size_t n = len - at < step ? len - at : step;
        ssize_t used = rpc_deframe(&d, bytes + at, n, &m);
        if (used == 0 || (used > 0 && (size_t)used > n))
            abort();
        if (used < 0)
            seen.error = (int)used;
        else
            at += (size_t)used;
        if (!m)
            continue;
        if (m->len > MAX)
            abort();
        for (size_t i = 0; i < m->len; i++)
            seen.hash = (seen.hash ^ m->bytes[i]) * 0x100000001b3u;
        seen.count++;
        weir_drop(&m->ref);
    }
    rpc_deframer_done(&d);
    return seen;
}

/* What else arrives as text. */
static void texts(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len + 1);
    struct rpc_entries entries = {0};
    struct weir_bytes text = {(const char *)bytes, len};
    uint64_t ns;
    if (!copy)
        return;
    if (len > 0)
        memcpy(copy, bytes, len);
    rpc_percent_decode((char *)copy, len);
    (void)!rpc_timeout_parse(text, &ns);
    (void)rpc_code_parse(text);
    (void)!rpc_entries_add(&entries, (struct weir_bytes){"x-bin", 5}, text);
    rpc_entries_done(&entries);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len == 0)
        return 0;
    bool gzip = bytes[0] & 1;
    struct seen a = play(bytes + 1, len - 1, gzip, len), b = play(bytes + 1, len - 1, gzip, 1);
    if (memcmp(&a, &b, sizeof(a)) != 0)
        abort();
    texts(bytes + 1, len - 1);
    return 0;
}
