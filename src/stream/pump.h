/*
 * stream/pump.h: moves bytes one way between two streams without waiting. weir_copy() is one pump and a wait, weir_relay()
 * two. Memory is flat: at most one pipe's or one buffer's worth is under way, so a slow reader holds the writer back.
 *
 * The thread has SIGPIPE blocked.
 */
#pragma once

#include "stream/impl.h"

enum pump_state {
    PUMP_AGAIN,  /* moved its share of bytes; there may be more at once */
    PUMP_READ,   /* waits for input */
    PUMP_WRITE,  /* holds bytes and waits for room */
    PUMP_END,    /* end of file, and everything before it was passed on */
    PUMP_BROKEN, /* `error`, on the reading side or not */
};

enum pump_way {
    PUMP_CHOOSE, /* not looked at yet */
    PUMP_RANGE,  /* file to file: copy_file_range(2) */
    PUMP_FILE,   /* file to anything: sendfile(2) */
    PUMP_SPLICE, /* one of the two is a pipe: splice(2) */
    PUMP_PIPED,  /* splice(2) by way of a pipe of our own */
    PUMP_BUFFER, /* read and write */
    PUMP_DROP,   /* nobody wants the bytes any more: read only */
};

struct pump {
    struct weir_stream *from, *to; /* borrowed */
    enum pump_way way;
    int pipe[2];  /* PUMP_PIPED; else -1 */
    bool wide;    /* it was found small once, and made larger if that is allowed */
    size_t piped; /* bytes in it */
    char *buffer; /* PUMP_BUFFER, LIMIT_MOVE_BYTES; NULL before */
    size_t at, held;
    uint64_t bytes; /* passed on */
    int error;
    bool reading; /* the error came from the reading side */
    bool unsaid;  /* -EPIPE before there was a byte to write: nothing is lost */
};

void pump_init(struct pump *, struct weir_stream *from, struct weir_stream *to);
void pump_done(struct pump *);
/* Moves a bounded number of bytes. After PUMP_END or PUMP_BROKEN it is not called again, unless pump_drop() was. */
enum pump_state pump_step(struct pump *);
/* From now on reads and throws away, until end of file. */
void pump_drop(struct pump *);
