/*
 * cli/quantity.h: sizes and times as people write them on a command line.
 */
#pragma once

#include <weir/base.h>

/* "4096", "64K", "64M", "2G", "1T": powers of 1024. 0; -EINVAL; -ERANGE. */
int quantity_bytes(const char *text, uint64_t *out) WEIR_CHECKED;
/* "90", "90s", "15m", "12h", "7d". 0; -EINVAL; -ERANGE. */
int quantity_seconds(const char *text, uint64_t *out) WEIR_CHECKED;
