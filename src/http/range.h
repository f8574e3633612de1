/*
 * http/range.h: byte ranges (RFC 9110 section 14). One range is served; a request for several gets the whole.
 */
#pragma once

#include <weir/base.h>

enum range_kind {
    RANGE_WHOLE, /* no range, or one that may be left out of account */
    RANGE_PART,
    RANGE_BEYOND, /* 416 */
};

struct range {
    uint64_t first, len;
};

/* `text` is the value of Range. Fills *out for RANGE_PART. */
enum range_kind range_read(struct weir_bytes text, uint64_t size, struct range *out);
