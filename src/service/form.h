/*
 * service/form.h: reads a form as it arrives: application/x-www-form-urlencoded (WHATWG URL, section 5) and multipart/form-data
 * (RFC 7578, RFC 2046). Strict: what can be taken in two ways is malformed. Memory is bounded whatever is sent.
 *
 * It asks a source for bytes and keeps no other company: a thread that waits and a fuzzer use it alike.
 */
#pragma once

#include "tbl/limits_routes.h"

#include <weir/base.h>

struct weir_form_part;

struct form {
    /* Bytes, 0: their end, -errno. */
    ssize_t (*source)(void *arg, void *buffer, size_t len);
    void *arg;
    enum { FORM_URLENCODED, FORM_MULTIPART } kind;
    enum { FORM_BETWEEN, FORM_CONTENT, FORM_OVER } at;
    bool begun; /* the first delimiter was found */
    bool ended; /* the source has */
    int error;  /* it stays */
    unsigned parts;
    size_t delimiter_len;
    size_t preamble;
    size_t from, to; /* unread bytes of the buffer */
    char delimiter[LIMIT_FORM_BOUNDARY + 5];
    char name[LIMIT_FORM_HEAD + 1], filename[LIMIT_FORM_HEAD + 1], type[256];
    char buffer[LIMIT_FORM_BUFFER];
};

/* By the request's Content-Type. 0; -EOPNOTSUPP: no form; -EPROTO: no boundary that could be one. */
WEIR_CHECKED int form_init(struct form *, struct weir_bytes content_type,
                           ssize_t (*source)(void *, void *, size_t), void *arg);
/* As weir_form_next() and weir_form_read() (weir/routes.h); what a part says is in the form, until the next one. */
WEIR_CHECKED int form_next(struct form *, struct weir_form_part *out);
WEIR_CHECKED ssize_t form_read(struct form *, void *buffer, size_t len);
/* Decodes "a+b%20c". The length, never more than `in.len`; -EPROTO: a bad escape. `out` may be where `in` lies. */
ssize_t form_decode(struct weir_bytes in, char *out);
