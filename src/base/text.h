/*
 * base/text.h: the one bounded builder for all text. It never writes past its buffer: what does not fit is left
 * out, `cut` says so, and everything after the first cut is left out too.
 */
#pragma once

#include <weir/base.h>

#include <stdbool.h>

struct text {
    char *at; /* borrowed: from the caller, for the builder's life */
    size_t len;
    size_t size;
    bool cut;
};

void text_init(struct text *, char *buffer, size_t size);
void text_add(struct text *, const char *bytes, size_t len);
void text_str(struct text *, const char *string);
void text_char(struct text *, char);
void text_u64(struct text *, uint64_t);
void text_hex(struct text *, uint64_t);
void text_fmt(struct text *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Puts a NUL at the end (the last byte is given up for it if need be) and returns the string. */
const char *text_end(struct text *);
