/*
 * load/amount.h: times, sizes and numbers as people write and read them. Three digits count: no more were measured.
 */
#pragma once

#include <weir/base.h>

#define AMOUNT_MAX 40

/* "10", "0.5", "500ms", "2m", "1h"; without a unit: seconds. 0 or -EINVAL. */
WEIR_CHECKED int amount_read_time(const char *text, uint64_t *out_ns);
/* "1,2,4,8": ascending numbers from 1 to `max`, at most `size`. How many, or -EINVAL. */
WEIR_CHECKED int amount_read_list(const char *text, unsigned max, unsigned *out, unsigned size);

/* These write into `text` (AMOUNT_MAX) and return it. */
const char *amount_time(char *text, double ns);      /* "8.41 µs", "1.20 ms", "12.5 s" */
const char *amount_bytes(char *text, double bytes);  /* "612 B", "1.20 MiB" */
const char *amount_count(char *text, uint64_t n);    /* "1,234,567" */
const char *amount_number(char *text, double value); /* "45,300", "0.62": three digits count */
const char *amount_short(char *text, double value);  /* "45k", "1.2M": for axes */
