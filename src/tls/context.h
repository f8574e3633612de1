/*
 * tls/context.h: what all connections of a listener share, and what is made of it for each. Included by tls/ alone.
 */
#pragma once

#include "tls/tickets.h"

#include <weir/tls.h>

#include <openssl/ssl.h>

struct tls_site;

struct weir_tls {
    struct tls_site *sites; /* the first is for those who ask for no name we have */
    size_t site_count;
    BIO_METHOD *bio;         /* how records come and go, see machine.c */
    struct tickets *tickets; /* shared memory; NULL: a client */
    char *peer_name;         /* NULL: a server */
    bool insecure;
    uint8_t alpn[32]; /* as on the wire: a length and a name; [0] is 0: none */
    const struct weir_protocol *protocol;
    const void *config;
};

/* For a connection; NULL: no memory. Its app data is the machine's state. */
SSL *context_new_ssl(const struct weir_tls *, void *state);
/* From machine.c: how it reads and writes. NULL: no memory. */
BIO_METHOD *machine_bio_method(void);
/* Of the state that is an SSL's app data. */
uint64_t machine_wall_s(const void *state);
const struct weir_tls *machine_tls(const void *state);
