/*
 * http/condition.h: conditional requests, by the precedence of RFC 9110 section 13.2.2.
 */
#pragma once

#include "http/exchange.h"

/* What is served now. */
struct validators {
    struct weir_bytes etag; /* strong, with its quotes */
    int64_t modified_s;
};

/* The request has a condition or a range: else there is nothing to look at. */
bool condition_any(const struct weir_exchange *);
/* 0: answer; 304; 412. Of If-Match, If-Unmodified-Since, If-None-Match, If-Modified-Since. */
unsigned condition_check(const struct weir_exchange *, const struct validators *);
/* Range counts: there is no If-Range, or it names what is served now. */
bool condition_if_range(const struct weir_exchange *, const struct validators *);
