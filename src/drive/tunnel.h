/*
 * drive/tunnel.h: TLS behind a stream. A machine and a driver of its own run inside the stream's calls, so no thread stands behind it:
 * what waits to be sent moves on when anything is done with the stream, and its descriptors say when that is worth while.
 */
#pragma once

#include "stream/tunnel.h"

#include <weir/tls.h>

/*
 * Takes `under`, which must be a socket (also on failure: it is closed), and one reference to `tls` (likewise). Returns when hands were
 * shaken: 0; -ETIMEDOUT, -EPROTO, -EACCES ...; -EOPNOTSUPP: it is no socket.
 */
int tunnel_open(struct weir_stream *under, struct weir_tls *tls, uint64_t deadline,
                struct weir_stream *out) WEIR_CHECKED;
