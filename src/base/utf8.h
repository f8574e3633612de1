/*
 * base/utf8.h: names of files are bytes; pages are UTF-8. This tells characters from what only looks like them.
 */
#pragma once

#include <weir/base.h>

#define UTF8_NONE        UINT32_MAX
#define UTF8_REPLACEMENT "\xef\xbf\xbd"

/* The first character of some bytes; returns how many it takes (1 and UTF8_NONE for a byte that begins none). `len` > 0. */
size_t utf8_read(struct weir_bytes, uint32_t *out);
/* All of them are whole characters (RFC 3629). */
bool utf8_is_valid(struct weir_bytes);
/* Not a control, nor what turns the direction of writing around or cannot be seen at all. */
bool utf8_is_shown(uint32_t c);
