/*
 * http/content.h: content that is there whole and has validators, as a file has: the conditions and the ranges of a request
 * are applied to it (RFC 9110 sections 13 and 14). For GET and HEAD; who serves it has looked at the method.
 */
#pragma once

#include "http/condition.h"

struct content {
    struct weir_bytes lines; /* ready field lines of a 200; those that a 304 repeats come first: */
    size_t lines_304;
    struct validators validators;
    struct weir_span whole; /* its length may be 0; `owner` keeps the lines, too */
};

/* Answers 200, 206, 304, 412 or 416. What weir_reply_begin() returns. */
WEIR_CHECKED int content_reply(struct weir_exchange *, const struct content *);
