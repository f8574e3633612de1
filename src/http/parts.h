/*
 * http/parts.h: several pieces of one content in one answer: multipart/byteranges (RFC 9110 section 14.6). The heads of all parts
 * are written first, into the exchange's memory, so that the length is that of the bytes that will go out.
 */
#pragma once

#include "http/exchange.h"
#include "http/range.h"

/* Makes x->body, which has been given an owner and its first byte, the source of these parts; sets Content-Type and
 * the length. `type` is that of the whole, empty: not known. 0; -ENOMEM; -EIO: no boundary can be made up. */
WEIR_CHECKED int parts_set(struct weir_exchange *, const struct ranges *, struct weir_bytes type,
                           uint64_t size);
/* As a handler's give(). */
int parts_give(struct weir_exchange *, struct weir_out *, size_t room);
