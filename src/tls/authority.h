/*
 * tls/authority.h: a local authority and what it signs, as PEM text in memory. What becomes of the text is the caller's: nothing here
 * touches a file.
 *
 * The authority can sign for this machine alone: name constraints (RFC 5280 section 4.2.1.10) permit localhost, the loopback addresses and
 * the machine's name, so a stolen key is of no use for any other site.
 */
#pragma once

#include <weir/base.h>

#include <stdbool.h>

/* PEM: a private key, and its certificate behind it. Freed by pem_free(), which erases it. */
struct pem {
    char *at; /* NUL-terminated; NULL: none */
    size_t len;
};
void pem_free(struct pem *);

/* `host`: the machine's name, as the constraints are to permit it; NULL: it has none that a certificate can hold. `now_s`: since 1970.
 * 0; -ENOMEM; -EIO: OpenSSL could not, for want of random bytes say. */
WEIR_CHECKED int authority_make(const char *name, const char *host, int64_t now_s, struct pem *out);
/* Can it sign until `until_s`? A text that is cut short, or not ours, cannot. */
bool authority_can_sign(const struct pem *, int64_t until_s);
/* Its certificate alone, for those who are to trust it. 0; -EINVAL; -ENOMEM. */
WEIR_CHECKED int authority_public(const struct pem *authority, struct pem *out);
/* A certificate for localhost, 127.0.0.1, ::1 and `host` if the authority may sign for that, from a moment ago until `until_s`. 0; -EINVAL:
 * the authority cannot be used; -ENOMEM, -EIO. */
WEIR_CHECKED int authority_sign(const struct pem *authority, const char *host, int64_t now_s,
                                int64_t until_s, struct pem *out);
/* Was it signed by this authority, has it all the names that it would get now, and is it good until `until_s`? */
bool authority_knows(const struct pem *authority, const struct pem *signed_one, const char *host,
                     int64_t now_s, int64_t until_s);
/* Is it believed by the system already? */
bool authority_is_trusted(const struct pem *authority);
