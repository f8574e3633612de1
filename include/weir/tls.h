/*
 * weir/tls.h: TLS 1.2 and 1.3 around any protocol: a machine that drives an inner connection.
 *
 *     struct weir_tls *tls;
 *     const struct weir_tls_cert cert = {"cert.pem", "key.pem"};
 *     const struct weir_tls_options options = {.certs = &cert, .cert_count = 1, .protocol = &weir_echo};
 *     int rc = weir_tls_new(&options, &tls, why, sizeof(why));
 *     struct weir_service service = {.name = "echo", .protocol = &weir_tls_machine, .config = tls, ...};
 *
 * What passes is encrypted; an end without close_notify is -EPROTO, never an end of file. There is no renegotiation, no
 * compression, no early data. docs/tls.md says which versions, ciphers and curves, and why.
 */
#pragma once

#include "protocol.h"

struct weir_tls; /* keys and settings; made before any worker, read by all of them */

struct weir_tls_cert {
    const char *cert; /* file, PEM: the certificate, then those that lead to its authority */
    const char *key;  /* file, PEM; NULL: in the same file */
};

/* What talks inside, and the name by which it is agreed upon (ALPN, RFC 7301). */
struct weir_tls_way {
    const char *alpn; /* "h2" */
    const struct weir_protocol *protocol;
    const void *config; /* borrowed, as everywhere here */
};

struct weir_tls_options {
    /* Server: at least one; the one whose names fit what the client asks for (SNI), else the first. Client: none, or one to show. */
    const struct weir_tls_cert *certs;
    size_t cert_count;
    /* Client: the name the server must prove to have (and is asked for). NULL: this is a server. */
    const char *peer_name;
    /* Client: whatever the server proves is good enough: no protection from somebody in the middle. */
    bool insecure;
    /* Authorities, a file: server: clients must show a certificate of theirs. Client: NULL: the system's. */
    const char *authorities;
    /* Client: an end (-ENOPROTOOPT) with a server that agrees upon no protocol. */
    bool alpn_needed;
    /* Client: note what is wrong with a server, for weir_tls_complaint(). One connection at a time, then. */
    bool explain;
    const char *alpn; /* the name of `protocol` (RFC 7301), "http/1.1"; NULL: none is agreed upon */
    /* What talks inside, from the end of the handshake on. Borrowed. */
    const struct weir_protocol *protocol;
    const void *config;
    /* Others that can be agreed upon instead, all of them liked better than `alpn`, the first one best; at most 7. With a peer that
     * agrees upon none, because it knows no ALPN, `protocol` talks. NULL: there are none. */
    const struct weir_tls_way *ways;
    size_t way_count;
    /* Server: files, DER: what the authority of each certificate says of it (OCSP, RFC 6960), shown to clients that ask while it
     * counts; an entry may be NULL: nothing. NULL: there are none. */
    const char *const *ocsp;
    /* Server: private keys are read and used in one process alone, which runs weir_tls_keep_keys(); `key` is needed then. */
    bool key_process;
    /* Told what is wrong with a file that changed, in one line, once; on any thread of any process. NULL: nobody. */
    void (*say)(void *arg, const char *text);
    void *say_arg;
};

/* Reads the files; a server's are looked at again once a second at the most, when somebody comes, and read when they changed. -errno, or -EINVAL when one holds nothing that can be used; `why` says which and what is wrong, in one line. */
WEIR_API WEIR_CHECKED int weir_tls_new(const struct weir_tls_options *, struct weir_tls **out,
                                       char *why, size_t why_size);
/* One more owner of it, who calls weir_tls_free() too. Returns its argument. */
WEIR_API struct weir_tls *weir_tls_hold(struct weir_tls *);
/* With `explain`: what was wrong with the last server, in one line; "": nothing, or no more than the error says. */
WEIR_API const char *weir_tls_complaint(const struct weir_tls *);
/* With key_process: run this in a process forked from the one that made it, beside those that serve (struct weir_beside): until `stop` hangs
 * up. 0 or -errno. */
WEIR_API WEIR_CHECKED int weir_tls_keep_keys(struct weir_tls *, int stop,
                                             void (*say)(void *arg, const char *text), void *arg);
/* Looks at the files as is done when somebody comes; for a process that forks one for each client (weir_service.before_child). From
 * then on nothing is read for a client who comes, for what a child reads the next one would not have. */
WEIR_API void weir_tls_look(struct weir_tls *, uint64_t mono_ns);
/* After the last connection that uses it. NULL is fine. */
WEIR_API void weir_tls_free(struct weir_tls *);

/*
 * A stream over a stream, a socket: what is read and written passes through TLS. It takes `under` (also on failure: it is closed) and shares
 * `tls`, whose `protocol` is not used. Returns when hands were shaken: 0; -EPROTO, -EACCES, -ETIMEDOUT ...; -EOPNOTSUPP: it is no socket.
 * weir_open("tls:HOST:PORT") is this for a client.
 */
WEIR_API WEIR_CHECKED int weir_tls_stream(struct weir_stream *under, struct weir_tls *,
                                          int timeout_ms, struct weir_stream **out);

/* Its config is a struct weir_tls. A connection that was made inside its connection beforehand (weir_conn_new_inner()) talks in place of
 * `protocol`: opened after the handshake, closed if there is none. Ends beside those of the inner machine: -EPROTO (it is no TLS, nothing in common, an alert, no
 * close_notify), -EACCES (the certificate is not what it should be), -ETIMEDOUT (the handshake took more than 10 s). */
WEIR_API extern const struct weir_protocol weir_tls_machine;
/* The same, and a reference to its config belongs to the connection. */
WEIR_API extern const struct weir_protocol weir_tls_dialled;
