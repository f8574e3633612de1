/*
 * weir/protocols.h: the small protocols that come with the library: echo, discard, lines and frames.
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
