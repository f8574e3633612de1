/*
 * stream/tls_name.h: "tls:HOST:PORT?ca=FILE&alpn=h2" in parts. Only the text: what is made of it is drive/tls.c's.
 *
 * Behind the question mark, joined by "&", with %XX for what would be misread: ca=FILE (authorities to believe instead of the
 * system's), name=NAME (who the server must prove to be; HOST unless given), alpn=NAME (the protocol to agree upon), cert=FILE and
 * key=FILE (to show), insecure (believe anybody).
 */
#pragma once

#include "tbl/limits.h"

#include <stdbool.h>

struct tls_name {
    char under[sizeof("tcp:") + LIMIT_ENDPOINT_BYTES]; /* the endpoint that TLS is talked over */
    const char *name;                                  /* never NULL */
    const char *ca, *alpn, *cert, *key;                /* NULL: not given */
    bool insecure;
    char words[LIMIT_HOST_BYTES + 1 + LIMIT_ENDPOINT_BYTES]; /* all of those lie here */
};

/* What is wrong with what follows "tls:", as a clause; NULL: nothing, and *out is filled. */
const char *tls_name_read(const char *rest, struct tls_name *out);
