/*
 * http/target.h: request targets (RFC 9112 section 3.2), hosts and paths (RFC 3986).
 */
#pragma once

#include "http/exchange.h"

/* Splits x->target into form, path, query and host by the method. false: malformed. */
bool target_split(struct weir_exchange *);
/* uri-host [ ":" port ], not empty. */
bool host_valid(struct weir_bytes);

enum path_error {
    PATH_CLEAN,
    PATH_MALFORMED, /* a bad escape, or NUL: no such address can be */
    PATH_FOREIGN,   /* an escaped slash, or too long: no file can have that name */
};
/*
 * Decodes escapes, then removes dot segments and doubled slashes: what is left names a file below a root and never
 * climbs. `raw` begins with a slash and so does *out, which points into `raw` if nothing had to be done (the usual case) or
 * into `buffer`.
 */
enum path_error path_clean(struct weir_bytes raw, char *buffer, size_t size,
                           struct weir_bytes *out);
/* Some segment begins with a dot, a first ".well-known" aside (RFC 8615). `path` is clean. */
bool path_hidden(struct weir_bytes path);

struct text;
/* Escapes what may not stand in a path as it is. */
void path_escape(struct text *, struct weir_bytes path);
