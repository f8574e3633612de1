/*
 * base/bytes.h: comparing and reading numbers from bytes that someone else owns. No locale: ASCII only.
 */
#pragma once

#include <weir/base.h>

#include <stdbool.h>
#include <string.h>

#define BYTES(literal) ((struct weir_bytes){(literal), sizeof(literal) - 1})

static inline struct weir_bytes bytes_str(const char *s)
{
    return (struct weir_bytes){s, s ? strlen(s) : 0};
}

static inline bool bytes_equal(struct weir_bytes a, struct weir_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* ASCII letters are equal in either case. */
bool bytes_same(struct weir_bytes a, struct weir_bytes b);
bool bytes_starts(struct weir_bytes, struct weir_bytes prefix);
/* Without spaces and tabs at both ends. */
struct weir_bytes bytes_trim(struct weir_bytes);
/* Digits only, all of it, at least one: 0; -EINVAL; -ERANGE past UINT64_MAX. */
int bytes_u64(struct weir_bytes, uint64_t *out) WEIR_CHECKED;
/* Takes the next element of a comma-separated list (RFC 9110 section 5.6.1), trimmed, empty ones skipped; quoted
 * strings are kept whole. false at the end. */
bool bytes_next(struct weir_bytes *list, struct weir_bytes *out);
