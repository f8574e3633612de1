/*
 * tls/context.h: what all connections of a listener share, and what is made of it for each. Included by tls/ alone.
 */
#pragma once

#include "tbl/limits.h"
#include "tls/tickets.h"

#include <weir/tls.h>

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>

#define TLS_COMPLAINT_BYTES 512

struct keys;

/* One certificate and what belongs to it. */
struct tls_site {
    SSL_CTX *ctx;
    uint8_t *ocsp; /* what its authority says of it, as it is sent; NULL: nothing */
    size_t ocsp_len;
    int64_t ocsp_from_s, ocsp_until_s; /* when that counts */
};

/* All of them, as they were read at one time; the first is for those who ask for no name we have. Never changed, and freed with the last who
 * holds it. */
struct tls_sites {
    _Atomic unsigned held;
    const struct weir_tls *tls; /* borrowed: it outlives them */
    uint64_t mark;              /* of the files, before they were read */
    size_t count;
    struct tls_site at[];
};

struct tls_files {
    char *cert, *key, *ocsp; /* NULL: a client without; in the file of the certificate; nothing */
};

/* What is wrong with files, and was said. */
struct tls_said {
    _Atomic uint64_t number;
    _Atomic uint64_t bad_mark, bad_ns; /* files that could not be used, and since when */
};

struct weir_tls {
    pthread_mutex_t lock;    /* of `sites` */
    struct tls_sites *sites; /* those of now */
    struct tls_files *files; /* one a site */
    size_t site_count;
    char *authorities;        /* file; NULL: none, or the system's */
    struct keys *keys;        /* NULL: keys are in each process */
    _Atomic uint64_t look_ns; /* when the files are to be looked at again */
    _Atomic bool looking;
    bool parent_looks;     /* before it forks; its children do not */
    struct tls_said *said; /* in memory that processes share */
    void (*say)(void *arg, const char *text);
    void *say_arg;
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

/* For a connection; NULL: no memory. Its app data is the link, which holds the sites from then on. */
SSL *context_new_ssl(const struct weir_tls *, struct link *);
/* One site's, without certificate and key: 0 or -errno, `why` in words. */
int context_set_up(const struct weir_tls *, SSL_CTX *, char *why, size_t why_size);
/* What went wrong while a file was read, in words, and what to return. */
int context_complain(char *why, size_t why_size, const char *what, const char *file);
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
struct tls_sites *link_sites(const struct link *);

/* sites.c: 0 or -errno, `why` in words. */
int sites_load(const struct weir_tls *, bool at_start, struct tls_sites **out, char *why,
               size_t why_size);
struct tls_sites *sites_hold(const struct weir_tls *);
void sites_drop(struct tls_sites *); /* NULL is fine */
/* If it is time for that: the files are looked at, and read if they changed; by a helper where the thread feeds others too. */
void sites_look(const struct weir_tls *, struct weir_driver *);

/* ocsp.c: of the certificate and chain that are in site->ctx. 0 or -errno, `why` in words. */
int ocsp_load(struct tls_site *, const char *file, char *why, size_t why_size);
/* For SSL_CTX_set_tlsext_status_cb(): the site is its argument. */
int ocsp_show(SSL *, void *site);
/* Once in all processes: something that has this number. */
void tls_say_once(const struct weir_tls *, uint64_t number, const char *text);
