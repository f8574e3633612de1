/* tls/machine.h: the state of one connection; machine.c runs it, record.c makes its records, shake.c has helpers do the dear steps of
 * its handshake. Included by tls/ alone. */
#pragma once

#include "base/out.h"
#include "tls/context.h"

struct shake;

/* What OpenSSL's calls for bytes, names and tickets are answered from: the app data of its SSL. While a helper has the handshake, this is
 * the helper's own, and nothing of the connection is touched. */
struct link {
    const struct weir_tls *tls; /* borrowed: the config */
    struct weir_conn *conn;     /* the outer one; NULL: with a helper */
    struct shake *shake;        /* with a helper: takes what is to be sent */
    const uint8_t *in;          /* what input() was given and nobody has read, while it runs */
    size_t in_len;
    struct tls_sites *sites; /* held */
    uint64_t wall_s;         /* with a helper: the time when it was lent */
    bool here;               /* no helper is to be had: everything is done on this thread */
    bool brief;              /* what is lent takes less than a millisecond */
};

struct machine {
    struct link link;        /* first */
    struct weir_conn *inner; /* from the handshake's end on */
    SSL *ssl;
    struct weir_out file; /* file bytes on their way into a record */
    char *subject;        /* of the client's certificate; NULL: it showed none */
    struct shake
        *shake; /* the handshake is with a helper, or waits for one; its SSL is not to be touched */
    uint64_t until_ns;                   /* the handshake's deadline */
    uint64_t sent;                       /* bytes in a row, for the size of records */
    uint64_t sent_ns;                    /* the last of them */
    bool counted : 1;                    /* among the driver's that shake hands */
    bool begun : 1;                      /* something came */
    bool back : 1;                       /* from the helper, a moment ago */
    bool small : 1;                      /* in the middle of a long reply's small records */
    bool held : 1;                       /* the inner one takes no input now */
    bool ended : 1;                      /* our close_notify is queued */
    bool over : 1;                       /* the inner one is closed, or failed */
    bool leave_busy : 1, leave_stop : 1; /* for the inner one, once it is there */
};

/* What OpenSSL has just said on this thread, as an error: -EPROTO, -EACCES, -ENOMEM. */
int machine_error(const SSL *, const struct weir_tls *);

/* Lends the handshake to a helper; the connection is paused until it is back, and then wants its output() called. 0; -errno. Once more
 * when the time that was armed has come and none was free. */
int shake_lend(struct machine *);
/* Is it still to be handed in? */
bool shake_waits(const struct machine *);
/* The connection closes: the helper keeps what it has. */
void shake_leave(struct machine *);
/* Bytes to be sent once it is back; from the helper's thread. */
void shake_keep(struct shake *, const void *, size_t);

/* --- client.c: of a client that has to explain itself --- */
void client_explain(const struct machine *, int why);
/* Hands are shaken: -ENOPROTOOPT: nothing was agreed upon, and had to be. */
int client_check(const struct machine *);

/* --- machine.c: the calls of weir_tls_machine --- */
int machine_open(void *state, struct weir_conn *, const void *config);
ssize_t machine_input(void *state, struct weir_conn *, const uint8_t *, size_t);
int machine_eof(void *state, struct weir_conn *, size_t rest);
int machine_output(void *state, struct weir_conn *);
void machine_expire(void *state, struct weir_conn *);
void machine_leave(void *state, struct weir_conn *, enum weir_leave);
void machine_close(void *state, struct weir_conn *, int why);

/* A record of what the inner one has queued. 1; 0: a file has to be waited for; -errno. */
int record_send(struct machine *);
