/*
 * service/coder.h: codes a whole file into another, by zlib, brotli or zstd. It takes milliseconds and some megabytes, so
 * helpers call it, never a loop.
 */
#pragma once

#include "http/negotiate.h"

#define CODER_TAG_MAX 24

/* The default level, and the highest: past these, memory or a decoder's window grows out of hand. */
int coder_level(enum coding);
int coder_level_max(enum coding);
/* "br5-1000009": another level or another version of the library makes other bytes of the same file. */
void coder_tag(enum coding, int level, char tag[CODER_TAG_MAX]);
/* Reads `size` bytes of one descriptor from its beginning and writes what they become to the other, at most `max` bytes.
 * 0; -EFBIG: that was not enough; -ESTALE: the file is shorter; -ENOMEM; -errno of reading or writing. */
WEIR_CHECKED int coder_run(enum coding, int level, int from, uint64_t size, int to, uint64_t max);
/* The same from memory to memory. Returns the bytes written. */
WEIR_CHECKED ssize_t coder_bytes(enum coding, int level, struct weir_bytes from, char *to,
                                 size_t max);
