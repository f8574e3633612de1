/*
 * http/negotiate.h: what a client would rather have: content codings by Accept-Encoding, types by Accept (RFC 9110
 * section 12.5). What there is to choose from is the caller's.
 */
#pragma once

#include <weir/http.h>

enum coding { CODING_IDENTITY, CODING_GZIP, CODING_ZSTD, CODING_BR, CODINGS };

/* The name in Content-Encoding. */
const char *coding_name(enum coding);

/* 0: refused. Else one more than how many are liked less. */
struct accept {
    uint8_t rank[CODINGS];
};

/* Weights as they were listed, in thousandths; -1: not listed. */
struct accept_weights {
    int of[CODINGS], any;
};

/* No list at all: nobody refuses the plain content. */
#define ACCEPT_IDENTITY ((struct accept){{[CODING_IDENTITY] = 1}})
#define ACCEPT_WEIGHTS  ((struct accept_weights){{-1, -1, -1, -1}, -1})

/* Adds the elements of one field's value; malformed ones are left out of account, of two that name the same the first counts. */
void accept_add(struct accept_weights *, struct weir_bytes value);
/* Unlisted codings are refused, but for the plain content, which is then liked least; `*` stands for all unlisted ones. */
struct accept accept_rank(const struct accept_weights *);
/* By all fields of a request. */
struct accept accept_codings(const struct weir_exchange *);

/* How much a type ("text/html") is liked, in thousandths, by the most specific range in Accept; 1000 without the field.
 * *out_exact: the type was named in full. */
unsigned accept_type(const struct weir_exchange *, struct weir_bytes type, bool *out_exact);
