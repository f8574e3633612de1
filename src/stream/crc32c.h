/*
 * stream/crc32c.h: the checksum of spools: CRC32C, by the processor's own instruction where it has one.
 */
#pragma once

#include <weir/base.h>

/* Goes on from `crc`, the checksum of what came before; 0 at the start. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t len);
/* The same by a table, on any processor. */
uint32_t crc32c_by_table(uint32_t crc, const void *bytes, size_t len);
