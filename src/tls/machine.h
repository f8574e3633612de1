/* tls/machine.h: the state of one connection; machine.c runs it, record.c makes its records. Included by tls/ alone. */
#pragma once

#include "base/out.h"
#include "tls/context.h"

struct machine {
    const struct weir_tls *tls; /* borrowed: the config */
    struct weir_conn *conn;     /* the outer one */
    struct weir_conn *inner;    /* from the handshake's end on */
    SSL *ssl;
    struct weir_out file; /* file bytes on their way into a record */
    const uint8_t *in;    /* what input() was given and nobody has read, while it runs */
    size_t in_len;
    uint64_t sent;                       /* bytes in a row, for the size of records */
    uint64_t sent_ns;                    /* the last of them */
    bool begun : 1;                      /* something came */
    bool small : 1;                      /* in the middle of a long reply's small records */
    bool held : 1;                       /* the inner one takes no input now */
    bool ended : 1;                      /* our close_notify is queued */
    bool over : 1;                       /* the inner one is closed, or failed */
    bool leave_busy : 1, leave_stop : 1; /* for the inner one, once it is there */
};

/* What OpenSSL has just said, as an error: -EPROTO, -EACCES, -ENOMEM. */
int machine_error(const struct machine *);

/* A record of what the inner one has queued. 1; 0: a file has to be waited for; -errno. */
int record_send(struct machine *);
