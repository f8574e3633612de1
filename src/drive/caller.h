/*
 * drive/caller.h: the inside of a caller (weir/caller.h): one machine, one stream, and no loop but the call that waits. caller.c has
 * the public calls, caller_io.c moves bytes.
 *
 * It reads into a buffer of its own and offers the machine one whole message at a time. So it can stop at the answer that is
 * waited for, whose content then stays where it was read.
 */
#pragma once

#include "base/pool.h"
#include "proto/call_table.h"
#include "stream/near.h"

#include <weir/caller.h>
#include <weir/conn.h>
#include <weir/driver.h>

/* A call that was begun and not waited for yet. */
struct begun {
    struct call_entry entry; /* first */
    struct weir_caller *caller;
    bool ended;
    struct begun *before, *after; /* among those that have */
    struct weir_answer answer;
    void *kept; /* the content, copied; NULL: there is none */
};

struct weir_caller {
    struct weir_driver base; /* first */
    struct weir_pool pool;
    struct weir_stream *stream; /* owned */
    struct stream_near near;    /* of it */
    struct weir_conn *conn;     /* NULL once it has ended */
    struct weir_call_options options;
    pid_t owner;
    int send_error; /* nothing can be sent any more; what the peer has said before is still read */

    uint8_t *in; /* read and not yet offered: [in_at, in_len) */
    size_t in_at, in_len, in_size;
    bool readable, writable; /* worth trying */

    struct call_table begun;
    struct begun *first_ended, *last_ended; /* those of them that have, in that order */
    size_t kept_bytes;
    void *lent; /* the content the program looks at just now, if it was copied */

    bool ready;      /* the machine takes one more */
    bool next;       /* any call is waited for */
    uint64_t wanted; /* else this one; 0: none */
    struct begun *got;
};

/* Turns and I/O until enough() or the connection has ended. 0; -EAGAIN: the deadline came first. */
int caller_pump(struct weir_caller *, bool (*enough)(const struct weir_caller *),
                uint64_t deadline_ns);
bool caller_in_buffer(const struct weir_caller *, const void *at);
extern const struct weir_driver_ops caller_ops;
