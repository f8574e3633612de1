/* stream/dial.h: connecting to the first of several addresses that answers. */
#pragma once

#include "stream/impl.h"

/* Tries the addresses in order, the next as soon as one fails or 250 ms after the last began, while those begun
 * before go on (RFC 8305 section 5). 0 and *out is connected; else the most telling error, or -ETIMEDOUT. */
int dial(const struct address_list *, uint64_t deadline, struct weir_stream *out) WEIR_CHECKED;
