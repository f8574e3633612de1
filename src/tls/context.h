/*
 * tls/context.h: what all connections of a listener share, and what is made of it for each. Included by tls/ alone.
 */
#pragma once

#include "tbl/limits.h"
#include "tls/tickets.h"

#include <weir/tls.h>

#include <openssl/ssl.h>

#define TLS_COMPLAINT_BYTES 512

struct tls_site;

struct weir_tls {
    struct tls_site *sites; /* the first is for those who ask for no name we have */
    size_t site_count;
    BIO_METHOD *bio;         /* how records come and go, see machine.c */
    struct tickets *tickets; /* shared memory; NULL: a client */
    char *peer_name;         /* NULL: a server */
    bool insecure, alpn_needed;
    _Atomic unsigned holders; /* references */
    char *complaint;          /* TLS_COMPLAINT_BYTES; NULL: not asked for */
    /* The first one talks when nothing was agreed upon, and is the last in `alpn`: names as on the wire, each behind its length. */
    struct weir_tls_way ways[LIMIT_TLS_WAYS];
    size_t way_count;
    uint8_t alpn[LIMIT_TLS_ALPN];
    unsigned alpn_len; /* 0: none is offered */
};

struct link;

/* For a connection; NULL: no memory. Its app data is the link. */
SSL *context_new_ssl(const struct weir_tls *, struct link *);
/* What both sides agreed upon. */
const struct weir_tls_way *context_way(const struct weir_tls *, const SSL *);
/* From client.c: notes what is wrong with a certificate. */
int client_verify(int good, X509_STORE_CTX *);
/* From machine.c: how it reads and writes. NULL: no memory. */
BIO_METHOD *machine_bio_method(void);
/* Of an SSL's app data. */
uint64_t link_wall_s(const struct link *);
const struct weir_tls *link_tls(const struct link *);
/* The thread feeds other connections too, and this one is not with a helper yet. */
bool link_may_lend(const struct link *);
