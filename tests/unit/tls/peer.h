/*
 * tests/unit/tls/peer.h: an OpenSSL client in memory, at the other end of a simulated connection; and a certificate made for
 * the occasion.
 */
#pragma once

#include "probe.h"

#include <weir/tls.h>

#include <openssl/ssl.h>

struct peer {
    SSL_CTX *ctx;
    SSL *ssl;
    BIO *in, *out;
    struct sim *sim;
    struct sim_end *end;
    size_t read; /* of the simulated output */
    bool ended;  /* close_notify came */
};

/* The keys of what is made and expected from now on: P-256, or RSA-2048, whose signatures are made on helpers. */
void peer_keys_are_rsa(bool);
/* Files of the certificate for localhost, made once; removed at exit. */
const char *peer_cert(void);
const char *peer_key(void);
struct weir_tls *peer_server(const struct weir_protocol *, const void *config);

/* Connects to a listener of `tls`; `version` is TLS1_2_VERSION or TLS1_3_VERSION. */
void peer_connect(struct peer *, struct sim *, const struct weir_tls *, int version);
/* Carries bytes both ways and runs the simulation until nothing moves. */
void peer_move(struct peer *);
void peer_shake(struct peer *); /* ... and the handshake is done */
void peer_send(struct peer *, const void *, size_t);
/* What has come, up to `size`. */
size_t peer_take(struct peer *, void *, size_t size);
void peer_done(struct peer *);
