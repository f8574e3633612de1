/*
 * tbl/limits_tls.h: bounds of TLS. Included by tbl/limits.h.
 */
#pragma once

#define LIMIT_TLS_HANDSHAKE_MS 10000 /* the whole of it; a phone on a bad line needs three */
#define LIMIT_TLS_BUSY_MS      1000 /* what is left of that when another client waits for the place */
#define LIMIT_TLS_RECORD       16384 /* content of one (RFC 8446 section 5.1) */
#define LIMIT_TLS_FIRST                                                                            \
    1400 /* of the first ones: with 22 bytes of its own a record fits one packet, and is read when that has come ... */
#define LIMIT_TLS_WHOLE                                                                            \
    4096 /* ... unless all there is to send is no more than this: one record, one send */
#define LIMIT_TLS_FIRST_BYTES (64 * 1024) /* sent in small ones: by then the window has opened */
#define LIMIT_TLS_IDLE_MS     1000 /* after so long the window has closed again (RFC 6298 section 2) */
#define LIMIT_TLS_WAYS        8 /* protocols of a listener, chosen by ALPN; HTTP has three in all */
#define LIMIT_TLS_ALPN        128 /* their names together, each with its length: "http/1.1" has nine */
#define LIMIT_TLS_CLIENTS     64 /* tls: endpoints whose settings a worker keeps: a relay has few */
#define LIMIT_TLS_LOOK_MS                                                                          \
    1000 /* files of certificates are looked at this often at the most: some 2 us each */
#define LIMIT_TLS_SUBJECT 512 /* bytes of a client's name that are kept; more are cut off */
#define LIMIT_TLS_OCSP                                                                             \
    (64 * 1024)            /* bytes of a response; they are some hundred, with certificates 2 KiB */
#define LIMIT_TLS_CERTS 64 /* of a listener, chosen by name */
#define LIMIT_AUTHORITY_S                                                                          \
    (10ll * 365 * 86400) /* a local authority: to be trusted once for the life of a machine */
#define LIMIT_AUTHORITY_CERT_S                                                                     \
    (30ll * 86400) /* what it signs: a key that leaks is of use for so long ... */
#define LIMIT_AUTHORITY_RENEW_S (20ll * 86400) /* ... and is replaced while this much is left */
#define LIMIT_AUTHORITY_LOOK_MS                                                                    \
    30000 /* a server looks whether it is time: three small files, a tenth of a millisecond */
#define LIMIT_AUTHORITY_BYTES    (16 * 1024) /* a key with its certificate is a tenth of it */
#define LIMIT_AUTHORITY_LOCK_MS  30000       /* others make the same: a few milliseconds each */
#define LIMIT_AUTHORITY_TRUST_MS 60000 /* update-ca-certificates takes five on a slow machine */
#define LIMIT_AUTHORITY_PROFILES 32    /* of a browser: people have three */
#define LIMIT_TLS_FLIGHT                                                                           \
    (256 * 1024)              /* sent by one step of a handshake: our chain of certificates */
#define LIMIT_TLS_RETRY_MS 20 /* no helper has time for a handshake: ask again after this */
#define LIMIT_TLS_TICKET_S                                                                         \
    (12 * 3600) /* a key makes tickets for so long, and is known for twice that */
