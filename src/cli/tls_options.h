/*
 * cli/tls_options.h: certificates of a server, as rows of options, and what they make of its listeners.
 */
#pragma once

#include "cli/command.h"
#include "service/secure.h"
#include "tbl/limits.h"

#include <weir/server.h>
#include <weir/tls.h>

/* As written on the command line. */
struct tls_options {
    struct option_list certs, keys, ocsp;
    bool key_process;
    const char *client_ca;
    bool redirect, hsts; /* of a web site */
    bool dev, trust;     /* likewise: with a local authority */
};

/* Rows for a command whose values are a `struct type` with a `struct tls_options` called `member`. */
#define TLS_OPTION_ROWS(type, member)                                                              \
    {.name = "cert",                                                                               \
     .kind = OPTION_LIST,                                                                          \
     .value = "FILE",                                                                              \
     .help = "the certificate for TLS, then those up to its authority (PEM); can be given "        \
             "several times, and the one that has the name asked for is shown",                    \
     .offset = offsetof(struct type, member.certs),                                                \
     .scope = OPTION_SITE},                                                                        \
        {.name = "key",                                                                            \
         .kind = OPTION_LIST,                                                                      \
         .value = "FILE",                                                                          \
         .help = "its private key (PEM), one for each --cert in the same order; none: in the "     \
                 "certificate's file",                                                             \
         .offset = offsetof(struct type, member.keys),                                             \
         .scope = OPTION_SITE},                                                                    \
        {.name = "key-process",                                                                    \
         .kind = OPTION_FLAG,                                                                      \
         .help = "private keys are in a process of their own, which only signs: a worker that is " \
                 "taken over does not give them away",                                             \
         .offset = offsetof(struct type, member.key_process)},                                     \
        {.name = "ocsp",                                                                           \
         .kind = OPTION_LIST,                                                                      \
         .value = "FILE",                                                                          \
         .help = "what its authority says of the certificate (an OCSP response, DER), shown to "   \
                 "clients that ask: one for each --cert in the same order, or off",                \
         .offset = offsetof(struct type, member.ocsp),                                             \
         .scope = OPTION_SITE},                                                                    \
    {                                                                                              \
        .name = "client-ca", .kind = OPTION_TEXT, .value = "FILE",                                 \
        .help = "TLS clients must show a certificate of one of these authorities (PEM)",           \
        .offset = offsetof(struct type, member.client_ca)                                          \
    }

/* The same for a web site, in addition. */
#define HTTPS_OPTION_ROWS(type, member)                                                            \
    {.name = "tls-dev",                                                                            \
     .kind = OPTION_FLAG,                                                                          \
     .help = "https on this machine without a certificate of one's own: a local authority of "     \
             "this user makes one for localhost (default listener: https://127.0.0.1:8443)",       \
     .offset = offsetof(struct type, member.dev),                                                  \
     .scope = OPTION_COMMAND},                                                                     \
        {.name = "trust",                                                                          \
         .kind = OPTION_FLAG,                                                                      \
         .help = "with --tls-dev: have that authority trusted by the system and by browsers",      \
         .offset = offsetof(struct type, member.trust),                                            \
         .scope = OPTION_COMMAND},                                                                 \
        {.name = "https-redirect",                                                                 \
         .kind = OPTION_FLAG,                                                                      \
         .help = "http listeners send every client to the first https listener's port",            \
         .offset = offsetof(struct type, member.redirect)},                                        \
    {                                                                                              \
        .name = "hsts", .kind = OPTION_FLAG,                                                       \
        .help = "answers over https tell browsers to use nothing else for two years, for this "    \
                "name and those under it",                                                         \
        .offset = offsetof(struct type, member.hsts)                                               \
    }

/* What is made of them: lives as long as the server. */
struct tls_setup {
    struct weir_tls *tls;                  /* NULL: no listener wants it */
    const char *dev_cert;                  /* one more, with its key; NULL: none */
    bool secure[OPTION_LIST_MAX];          /* by listener */
    struct weir_way ways[OPTION_LIST_MAX]; /* for struct weir_service */
    struct weir_service service;           /* a copy of what is served, with them */
    struct secure_http redirect, stay;
    struct weir_beside renews;    /* keeps dev_cert fresh; run NULL: none */
    struct weir_beside beside[3]; /* that of the inner service, and those of here */
    const char *ocsp[OPTION_LIST_MAX + 1];
    char names[OPTION_LIST_MAX][LIMIT_HOST_BYTES + 50]; /* tls_setup_listen() */
};

/* tls:HOST:PORT among the listeners becomes tcp:HOST:PORT, and secure[] says so. */
void tls_setup_listen(struct tls_setup *, struct option_list *listen);
/* `inner` is what is served; secure[] says where by TLS, `alpn` what its protocol is called there (NULL: nothing). 0; 1 or 2 after it
 * said what is wrong. tls_setup_done() in any case. */
int tls_setup(const struct command *, const struct tls_options *, const struct weir_service *inner,
              const struct option_list *listen, const char *alpn, struct tls_setup *);
void tls_setup_done(struct tls_setup *);
/* Settings of a server that has no listeners of its own; weir_tls_free(). 0; 1 or 2 after it said what is wrong. */
int tls_options_server(const struct command *, const struct tls_options *, struct weir_tls **out);
