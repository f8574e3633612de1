/*
 * proto/proxy_v2.h: the header that tells a server behind a relay who its client is: version 2 of the PROXY protocol
 * (haproxy.org, doc/proxy-protocol.txt, section 2.2). Only the bytes; whoever calls it sends them before anything else.
 */
#pragma once

#include <weir/driver.h>

/* 16 bytes, and the longest addresses: two paths of 108 bytes. */
#define PROXY_V2_BYTES_MAX (16 + 2 * 108)

/* Writes it and returns its length. `client` NULL: the connection is the relay's own (LOCAL). Ends of different families, or of
 * none, are given as unknown (UNSPEC). */
size_t proxy_v2(uint8_t out[PROXY_V2_BYTES_MAX], const struct weir_address *client,
                const struct weir_address *server);
