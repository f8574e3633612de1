/*
 * stream/value.h: making stream values, for the transports. What drivers may use is in impl.h.
 */
#pragma once

#include "stream/impl.h"

/* Whose descriptor it is: decides who closes it and whether its O_NONBLOCK may be touched. */
enum fd_claim {
    FD_LENT, /* someone else's: left open and as it was found */
    FD_TAKEN, /* given to us for good, but its open file is shared: closed, else left as it was found */
    FD_OURS, /* opened by us */
};

/* A value over `fd` with the sides that `how` asks for (neither: all it has). -EBADF: it has no such side. On failure
 * nothing was closed. */
int stream_claim(struct weir_stream *, int fd, unsigned how, enum fd_claim);
/* Joins the reading side of `in` and the writing side of `out` to one value; both are left empty. */
void stream_join(struct weir_stream *, struct weir_stream *in, struct weir_stream *out);
/* Moves a value to the heap. On failure (-ENOMEM) it is closed. */
int stream_to_heap(struct weir_stream *, struct weir_stream **out);
/* Two values to the heap, or neither. */
int streams_to_heap(struct weir_stream ends[2], struct weir_stream *out_ends[2]);
/* Closes descriptors, not the child. 0, or the error a late write was told. */
int stream_shut(struct weir_stream *);
/* A socket of our own, already O_NONBLOCK and O_CLOEXEC. */
void stream_init_socket(struct weir_stream *, int fd);
/* close(2); 0 to 2 are replaced by /dev/null, so that the next open() does not become somebody's standard output. */
int fd_release(int fd);
/* Not so: a number without a descriptor, or with one that only holds the number (O_PATH) and can be neither read nor written. */
bool fd_is_open(int fd);

void address_from(struct address *, const struct sockaddr *, socklen_t);
/* Who is at the other end of a Unix socket (SO_PEERCRED); nothing where there is nobody. */
void address_from_unix(struct address *, int fd);
