/*
 * service/forwarded.h: which client a request comes from where proxies stand in front, by what they wrote down: X-Forwarded-For, or
 * Forwarded (RFC 7239). Anybody can write such a field, so it is read from its end, and only as far as those are trusted who wrote it.
 */
#pragma once

#include "service/net.h"

/* Follows the lists (values of fields in the order they came) from the end: the first address nobody trusts, or the farthest one. `peer` is the
 * one who sent it. Returns false where that is the peer himself: nobody trusts him, or there is no such field. Where one who is trusted names
 * nobody ("unknown", a hidden name, nothing, nonsense) the client is one of WEIR_FAMILY_NONE. */
bool forwarded_find(const struct weir_bytes *values, unsigned count, bool rfc7239,
                    const struct net *trusted, unsigned trusted_count, const struct client *peer,
                    struct client *out);
