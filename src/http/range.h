/*
 * http/range.h: byte ranges (RFC 9110 section 14). What a stranger asks for is brought into an order that costs no more
 * than the whole: ranges that overlap or nearly touch are joined, and too many of either kind are no ranges at all.
 */
#pragma once

#include "tbl/limits.h"

#include <weir/base.h>

enum range_kind {
    RANGE_WHOLE,  /* no range, or one that may be left out of account */
    RANGE_PARTS,  /* at least one */
    RANGE_BEYOND, /* 416 */
    RANGE_FLOOD,  /* more than the limits allow: the whole, and a line in the log */
};

struct range {
    uint64_t first, len;
};

/* In the order asked for; no two overlap or lie closer than LIMIT_HTTP_RANGE_GAP. */
struct ranges {
    unsigned count;
    struct range at[LIMIT_HTTP_RANGES];
};

/* `text` is the value of Range. Fills *out for RANGE_PARTS. */
enum range_kind range_read(struct weir_bytes text, uint64_t size, struct ranges *out);
