/*
 * tbl/limits_rpc.h: bounds of HTTP/2 as a client and of gRPC.
 */
#pragma once

/* --- the HTTP/2 client --- */
#define LIMIT_H2_CLIENT_FIELDS                                                                     \
    (64 * 1024) /* a response's fields and trailers; other clients of gRPC take 8 to 16 KiB */
#define LIMIT_H2_CLIENT_ASKED    (128 * 1024) /* a request's fields: above what calls can have */
#define LIMIT_H2_CLIENT_SETTINGS 32           /* entries of one SETTINGS frame; six are defined */
#define LIMIT_H2_CLIENT_STREAMS                                                                    \
    100 /* at once, before the peer's SETTINGS say how many: RFC 9113 section 5.1.2 */
#define LIMIT_H2_CLIENT_WINDOW                                                                     \
    (256 * 1024) /* content of one stream that nobody has read yet: 64 KiB stalls on a far peer */
#define LIMIT_H2_CLIENT_CONNECTION_WINDOW                                                          \
    (1024 * 1024) /* on its way to all of them: it is given back as it arrives */
#define LIMIT_H2_CLIENT_QUEUE (32 * 1024) /* queued frames; with one more there still is room */

/* --- gRPC --- */
#define LIMIT_RPC_MESSAGE      (4 * 1024 * 1024) /* one that is received; every gRPC has this */
#define LIMIT_RPC_MESSAGE_MOST (1024ull * 1024 * 1024) /* ... whatever a program asks for */
#define LIMIT_RPC_FIRST_BYTES                                                                      \
    4096 /* memory a message gets at first, and doubled as it arrives: a length alone gets nothing */
#define LIMIT_RPC_COPIED 2048 /* a longer message is sent from where it lies */
#define LIMIT_RPC_HELD                                                                             \
    (64 * 1024) /* of whole messages nobody has read yet, before the peer is held back */
#define LIMIT_RPC_CALLS      65536 /* under way on one channel */
#define LIMIT_RPC_SPIN_US    1000  /* as of streams */
#define LIMIT_RPC_BACKOFF_MS 1000  /* after the first reconnection that failed */
#define LIMIT_RPC_SERVICES   64    /* of one server: routes are looked at one after the other */
#define LIMIT_RPC_ENTRIES    128   /* of metadata, one way */
#define LIMIT_RPC_ENTRY_BYTES                                                                      \
    (16 * 1024) /* of metadata that a program sends, in all; others take 8 to 16 KiB */
#define LIMIT_RPC_STATUS_TEXT    4096 /* of a status message that is sent: more would not fit fields */
#define LIMIT_RPC_STATUS_DETAILS 6000 /* likewise, before base64 */
#define LIMIT_RPC_QUEUED                                                                           \
    (256 * 1024) /* of messages a call has not sent yet, before its sender waits */
#define LIMIT_RPC_HEALTH_WATCH_MS                                                                  \
    1000 /* a change of health is told within this: processes share a flag, no more */
#define LIMIT_RPC_SYMBOL 1024 /* bytes of a name that reflection is asked for */
#define LIMIT_RPC_FILES  256  /* .proto files that one answer of reflection holds */
#define LIMIT_RPC_HELPER_RETRY_MS                                                                  \
    5 /* all helpers are busy, and their queue is full: look again after this */
#define LIMIT_RPC_HELPER_WAIT_MS 10000 /* ... and give up after that */
