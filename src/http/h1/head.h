/*
 * http/h1/head.h: the head of an HTTP/1 request (RFC 9112 sections 2 to 5): first its end is found, line by line and
 * never looking at a byte twice, then it is read in grammar order. Strict: what may be read in two ways is refused.
 */
#pragma once

#include "http/exchange.h"

/* How far an unfinished head was looked at; zeroed for a new one. A head fits 16 bits (http/exchange.c asserts it). */
struct head_scan {
    uint16_t at;
    uint16_t line;  /* where the line under way begins */
    uint16_t first; /* length of the request line with its end, 0: not seen yet */
};

/* Bytes of the request line, and of all field lines, each with its end. */
struct head_limits {
    uint32_t line, fields;
};
/* As configured, and never more than offsets of 16 bits reach. */
struct head_limits head_limits(const struct weir_http *);
#define HEAD_LIMITS_USUAL ((struct head_limits){LIMIT_HTTP_LINE_BYTES, LIMIT_HTTP_FIELDS_BYTES})

/* *out_len: bytes of the head, 0: more are needed. */
enum http_error head_find(struct head_scan *, const char *bytes, size_t len,
                          const struct head_limits *, size_t *out_len);
/* Reads the head of `len` bytes, as head_find() gave it, into the exchange. */
enum http_error head_read(struct weir_exchange *, const char *bytes, size_t len);
