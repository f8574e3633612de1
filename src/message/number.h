/*
 * message/number.h: numbers as text, whatever the locale says of decimal points.
 */
#pragma once

#include <weir/base.h>

#define NUMBER_TEXT 40 /* room for any, with its NUL */

/* Digits with a sign, nothing else, all of it: 0; -EINVAL; -ERANGE. */
int number_i64(struct weir_bytes, int64_t *out) WEIR_CHECKED;
int number_u64(struct weir_bytes, uint64_t *out) WEIR_CHECKED;
/* As JSON writes them (RFC 8259 section 6), finite: 0; -EINVAL; -ERANGE: too large for a double. */
int number_double(struct weir_bytes, double *out) WEIR_CHECKED;
/* The shortest text that reads back as the same number; finite. */
void number_text(double, char out[NUMBER_TEXT]);
void number_text_float(float, char out[NUMBER_TEXT]);
