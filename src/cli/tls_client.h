/*
 * cli/tls_client.h: whom a command believes when it connects by TLS, as rows of options. They become words behind the endpoint's port
 * (weir-streams(7)), so that everything that opens or dials a name knows them.
 */
#pragma once

#include "cli/command.h"
#include "tbl/limits.h"

struct tls_client_options {
    bool insecure;
    const char *ca, *cert, *key;
};

/* Rows for a command whose values are a `struct type` with a `struct tls_client_options` called `member`. */
#define TLS_TRUST_OPTION_ROWS(type, member)                                                        \
    {.name = "ca",                                                                                 \
     .kind = OPTION_TEXT,                                                                          \
     .value = "FILE",                                                                              \
     .help = "tls: believe the authorities in this file (PEM) instead of the system's",            \
     .offset = offsetof(struct type, member.ca),                                                   \
     .scope = OPTION_COMMAND},                                                                     \
    {                                                                                              \
        .name = "insecure", .letter = 'k', .kind = OPTION_FLAG,                                    \
        .help = "tls: believe whoever answers: no protection from somebody in the middle",         \
        .offset = offsetof(struct type, member.insecure), .scope = OPTION_COMMAND                  \
    }

/* The same for one that can show a certificate of its own. */
#define TLS_SHOW_OPTION_ROWS(type, member)                                                         \
    {.name = "cert",                                                                               \
     .kind = OPTION_TEXT,                                                                          \
     .value = "FILE",                                                                              \
     .help = "tls: show this certificate when asked for one (PEM)",                                \
     .offset = offsetof(struct type, member.cert),                                                 \
     .scope = OPTION_COMMAND},                                                                     \
    {                                                                                              \
        .name = "key", .kind = OPTION_TEXT, .value = "FILE",                                       \
        .help = "tls: its private key (PEM); none: in the certificate's file",                     \
        .offset = offsetof(struct type, member.key), .scope = OPTION_COMMAND                       \
    }

#define TLS_CLIENT_NAME_MAX (2 * LIMIT_ENDPOINT_BYTES)
/* The endpoint with what was asked for behind it, in `text` if anything was. Other kinds than tls: stay as they are. 0; or 2 after
 * it said what is wrong. */
int tls_client_name(const struct command *, const struct tls_client_options *, const char *name,
                    char text[TLS_CLIENT_NAME_MAX], const char **out);
/* Says on standard error what --insecure gives up. */
void tls_client_warn(const struct command *, const struct tls_client_options *);
