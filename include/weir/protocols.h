/*
 * weir/protocols.h: the small protocols that come with the library: echo, discard, lines, frames and the relay.
 *
 * Give one to a service (struct weir_service), or to a connection of your own. `config` is the options struct named
 * beside each; NULL, or a field left 0, means the default. Options are borrowed until the connection is freed and not
 * written to. None of these machines holds memory of its own.
 *
 * line and frame cut the input into messages and hand each whole one to a function of yours. Ends they give to
 * closed() beside the stream's own errors: WEIR_DONE, -ETIMEDOUT (nothing came in time), -EMSGSIZE (a message longer than
 * bytes_max), -EPROTO (the input ended inside a message).
 */
#pragma once

#include "protocol.h"

#include <limits.h>
#include <stdatomic.h>

/* Silence that ends a connection with -ETIMEDOUT. */
struct weir_quiet_options {
    unsigned idle_ms; /* 0: 60,000 */
};

/* Sends every byte back as it comes. A peer that does not read its bytes is not read from either. struct weir_quiet_options. */
WEIR_API extern const struct weir_protocol weir_echo;
/* Reads and throws away (RFC 863). struct weir_quiet_options. */
WEIR_API extern const struct weir_protocol weir_discard;

/* What a program does with messages. Called on the connection's thread, never nested; < 0 ends the connection with that
 * reason. No function may free the connection. */
struct weir_message_calls {
    /* Before the first message; may send a greeting. NULL: nothing. */
    int (*opened)(void *arg, struct weir_conn *);
    /* One whole message, without its delimiter or length; the bytes are valid until it returns. There is room to send at
     * least one message then. NULL: the message is sent back. */
    int (*message)(void *arg, struct weir_conn *, const uint8_t *bytes, size_t len);
    /* Always, once, last, also when opened() failed, or a dial, which never calls opened(). NULL: nothing. */
    void (*closed)(void *arg, struct weir_conn *, int why);
    void *arg;
};

struct weir_line_options {
    struct weir_message_calls calls;
    struct weir_bytes delimiter; /* ends each message, at most 64 bytes; empty: "\n" */
    bool strip_cr;               /* a CR right before the delimiter is not part of the message */
    size_t bytes_max;            /* a message with its delimiter; 0 or more than that: 64 KiB */
    unsigned idle_ms;            /* a whole message must come within this; 0: 60,000 */
};

struct weir_frame_options {
    struct weir_message_calls calls;
    size_t bytes_max; /* a message without its length; 0 or more than that: 1 MiB */
    unsigned idle_ms; /* a whole message must come within this; 0: 60,000 */
};

/* Messages that end with a delimiter. struct weir_line_options. open() gives -EINVAL for a delimiter that is too long. */
WEIR_API extern const struct weir_protocol weir_line;
/* Messages behind their length, four bytes, the most significant first; a message may be empty. struct weir_frame_options. */
WEIR_API extern const struct weir_protocol weir_frame;

/* Queues one message on a connection that runs weir_line (its delimiter is added) or weir_frame (its length is put
 * before it). The bytes are copied. 0; -EAGAIN: the queue is full, send again in a later call; -EMSGSIZE: longer than
 * 64 KiB (line, with its delimiter) or 1 MiB (frame); -EINVAL: a line that contains its delimiter. When memory runs out
 * the connection ends with -ENOMEM. */
WEIR_API WEIR_CHECKED int weir_line_send(struct weir_conn *, const void *bytes, size_t len);
WEIR_API WEIR_CHECKED int weir_frame_send(struct weir_conn *, const void *bytes, size_t len);

/*
 * The relay: each connection gets one of its own to a target, and bytes pass both ways. A slow side slows the other: no more than two
 * full queues is held each way. Half-closes are passed on. An end that nobody meant (a reset, a silence) is passed on as a reset
 * where the transport has one.
 */
/* How far bytes may pass: zeroed at first. In shared memory it holds for all who share it. */
struct weir_relay_rate {
    _Atomic uint64_t given_ns;
};

/* What one thread counted; it alone writes, anybody may read. */
struct weir_relay_counts {
    _Atomic uint64_t connections;          /* so far */
    _Atomic uint64_t open;                 /* now */
    _Atomic uint64_t errors;               /* that ended otherwise than by both ends */
    _Atomic uint64_t to_target, to_client; /* bytes */
};

enum weir_relay_side { WEIR_RELAY_CLIENT, WEIR_RELAY_TARGET, WEIR_RELAY_DIAL };

/* What became of one connection. */
struct weir_relay_end {
    const char *client; /* as struct weir_driver_ops peer() gives it */
    unsigned client_port;
    const char *target; /* the one that was tried last */
    int why;            /* WEIR_DONE: both sides have ended; else what ended it first */
    enum weir_relay_side
        side;     /* where that was: at the client, the target, or while connecting to it */
    bool silence; /* -ETIMEDOUT: idle_ms passed */
    uint64_t to_target, to_client; /* bytes */
    uint64_t duration_ns;
};

struct weir_relay_options {
    const char *const *
        targets; /* endpoints that can be talked with; the next is tried when one cannot be reached */
    size_t target_count; /* at least 1 */
    unsigned connect_ms; /* for each of them; 0: 10,000, which is also the most a driver tries */
    unsigned idle_ms;    /* no byte either way; 0: 600,000; WEIR_RELAY_PATIENT: never */
    bool proxy_v2;       /* tell the target who the client is (PROXY protocol, version 2) */
    uint64_t rate;       /* bytes a second of one connection, each way; 0: any */
    uint64_t
        rate_total; /* the same of all connections that share `total`, both ways together; 0: any */
    struct weir_relay_rate *total;
    /* Where this thread counts. Called once for each connection, on its thread; may return NULL. NULL: nowhere. */
    struct weir_relay_counts *(*counts)(void *arg, struct weir_driver *);
    /* Once for each connection, when both sides are closed; on its thread. NULL: nothing. */
    void (*ended)(void *arg, const struct weir_relay_end *);
    void *arg;
};

#define WEIR_RELAY_PATIENT UINT_MAX

/* struct weir_relay_options. It never is at rest, since only its two ends know: no place is taken from it for others. */
WEIR_API extern const struct weir_protocol weir_relay_protocol;
