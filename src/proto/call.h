/*
 * proto/call.h: the inside of weir_calls. call.c: the machine. call_asked.c: requests of the peer's. call_issued.c: our own.
 * call_send.c: messages into the queue.
 *
 * What the connection's own queue has no room for waits in `waiting`. So the queue never gets full, and input never stops for
 * it: two sides that both send long messages would else wait for each other for ever. Input stops when too much waits, and
 * when as many requests are under way as this side takes.
 */
#pragma once

#include "base/out.h"
#include "proto/call_table.h"
#include "proto/call_wire.h"

#include <weir/call.h>

struct weir_call {
    struct call_entry entry;
    struct weir_conn *conn; /* NULL: it has ended */
    void *slot;
    unsigned holds;
    bool ended;     /* its answer is on its way, or cannot be */
    bool cancelled; /* nobody wants it */
    bool told;      /* cancelled() was called */
};

struct issued {
    struct call_entry entry;
    void (*done)(void *arg,
                 const struct weir_answer *); /* NULL: was called; its place is still held */
    void *arg;
};

struct calls {
    struct call_table asked;
    struct call_table issued;
    struct weir_out waiting;
    uint64_t next_asked, next_issued; /* ids */
    uint64_t due_ns;                  /* no deadline of a call is earlier; 0: none has one */
    uint64_t active_ns;               /* something was under way */
    uint64_t heard_ns;                /* of the peer */
    uint64_t moved_ns;                /* it took bytes */
    uint64_t queued, sent;            /* bytes, in all */
    uint64_t leave_ns;                /* leave was wished: at this time at the latest */
    uint64_t peer_bytes;              /* the longest content it takes */
    unsigned peer_takes;              /* requests at once */
    void *slot;                       /* the program's own */
    int why;                          /* calls end with this; 0: it goes on */
    bool greeted;                     /* the peer's hello came */
    bool begun;                       /* bytes of an unfinished message were seen */
    bool pinged;                      /* ... and nothing was heard since */
    bool paused;
    bool refused;   /* ready() is owed */
    bool left;      /* we said so */
    bool idled;     /* ... because nothing was under way */
    bool peer_left; /* it did */
    bool ended;     /* no input comes any more */
};

/* Options with every default filled in. */
struct call_bounds {
    unsigned requests_max, calls_max;
    size_t bytes_max;
    uint64_t idle_ns, ping_ns, silent_ns; /* 0: never */
};
const struct weir_call_options *calls_options(const struct weir_conn *);
struct call_bounds calls_bounds(const struct weir_call_options *);
/* The machine's due times have changed. */
void calls_arm(struct calls *, struct weir_conn *);
/* A call has this deadline (0: none). */
void calls_expect(struct calls *, uint64_t deadline_ns);

/* --- call_send.c --- */

/* Queues one message. 0 or -ENOMEM: nothing was queued. */
int calls_send(struct calls *, struct weir_conn *, struct call_head, const void *content,
               size_t len);
/* From what waits into the connection's queue. 0 or -ENOMEM. */
int calls_flush(struct calls *, struct weir_conn *);
/* Before the end, all of it: nothing is added any more. */
void calls_flush_all(struct calls *, struct weir_conn *);
/* Bytes that were queued and not sent yet. */
uint64_t calls_unsent(const struct calls *, struct weir_conn *);
/* Takes note of what was sent since it was last called. */
void calls_note_sent(struct calls *, struct weir_conn *);

/* --- call_asked.c --- */

/* What a message of the peer's does. 0; -EAGAIN: no room for it now, input stops; -errno: the connection ends. */
int calls_asked_request(struct calls *, struct weir_conn *, struct call_head,
                        const uint8_t *content, size_t len);
int calls_asked_cancel(struct calls *, uint64_t id);
/* These deadlines have passed. A list over `later`. */
void calls_asked_expire(struct call_entry *);
/* The connection has ended: nobody will get an answer. */
void calls_asked_close(struct calls *, int why);

/* --- call_issued.c --- */

int calls_issued_answer(struct calls *, struct call_head, const uint8_t *content, size_t len);
void calls_issued_expire(struct calls *, struct weir_conn *, struct call_entry *);
/* The peer has not taken any after this one, and will not. 0 or -EPROTO: there was no such. */
int calls_issued_refused(struct calls *, uint64_t last);
/* All end, and no new one can be begun. */
void calls_issued_end(struct calls *, int why);
/* Calls ready() if that is owed and there is room. */
void calls_issued_ready(struct calls *, struct weir_conn *);
