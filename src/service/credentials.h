/*
 * service/credentials.h: what a client says of himself in an Authorization field: the Basic scheme (RFC 7617).
 */
#pragma once

#include "tbl/limits.h"

#include <weir/base.h>

struct credentials {
    struct weir_bytes user;
    size_t password_len;
    char text[LIMIT_AUTH_NAME + 1 + LIMIT_AUTH_PASSWORD + 1]; /* the user is its beginning */
    const char *password;                                     /* NUL-terminated; in there */
};

enum credentials_said { CREDENTIALS_NONE, CREDENTIALS_BAD, CREDENTIALS_GOOD };

/* NONE: there is no such field, or of another scheme; BAD: malformed, too long, or with control characters. */
enum credentials_said credentials_read(struct weir_bytes field, struct credentials *out);
/* RFC 4648 section 4, padding and all. Returns how many bytes came of it, or -EINVAL, -EMSGSIZE. */
WEIR_CHECKED ssize_t base64_read(struct weir_bytes text, char *out, size_t size);
