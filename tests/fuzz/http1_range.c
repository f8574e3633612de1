/* Ranges from a stranger: within the content, apart from each other, no more than are allowed, and less than the whole. */
#include "http/range.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void look_at(const struct ranges *ranges, uint64_t size)
{
    uint64_t total = 0;
    if (ranges->count == 0 || ranges->count > LIMIT_HTTP_RANGES)
        abort();
    for (unsigned i = 0; i < ranges->count; i++) {
        struct range a = ranges->at[i];
        if (a.len == 0 || a.first >= size || a.len > size - a.first)
            abort();
        total += a.len;
        for (unsigned k = 0; k < i; k++) {
            struct range b = ranges->at[k];
            uint64_t gap =
                a.first > b.first ? a.first - b.first - b.len : b.first - a.first - a.len;
            if (gap > size || gap < LIMIT_HTTP_RANGE_GAP) /* it wraps around where they overlap */
                abort();
        }
    }
    if (total > size)
        abort();
}

/* The first eight bytes are the size, so that small and huge contents are tried. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    uint64_t size;
    struct ranges ranges;
    if (len < sizeof(size))
        return 0;
    memcpy(&size, bytes, sizeof(size));
    len -= sizeof(size);
    char *text = malloc(len + 1); /* its very end is watched */
    memcpy(text, bytes + sizeof(size), len);
    if (range_read((struct weir_bytes){text, len}, size, &ranges) == RANGE_PARTS)
        look_at(&ranges, size);
    free(text);
    return 0;
}
