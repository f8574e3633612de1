/*
 * proto/messages.h: what line and frame share: how a message is handed on, when it must have come, and when to leave.
 *
 * A message that is under way when leave comes is still taken and answered, and so is the first one of a connection that
 * has not spoken yet (it may have waited in the listen queue), for a short while. Then this side ends, and what the peer
 * still sends is read and thrown away for a moment, so that a reset does not eat the last answer.
 */
#pragma once

#include <weir/protocols.h>

struct messages {
    int (*send_back)(struct weir_conn *, const void *, size_t);
    uint64_t idle_ns;
    bool begun;  /* bytes of an unfinished message were seen */
    bool served; /* at least one message was handed on */
};

/* 0, or what the program's opened() said. */
int messages_open(struct messages *, struct weir_conn *);
/* A whole message; `unit` is its length on the wire. What input() is to return. */
ssize_t messages_take(struct messages *, struct weir_conn *, const uint8_t *bytes, size_t len,
                      size_t unit);
/* More bytes are needed. What input() is to return: 0. */
ssize_t messages_wait(struct messages *, struct weir_conn *);

/* Protocol callbacks: struct messages is the first member of the state. */
void messages_expire(void *state, struct weir_conn *);
void messages_leave(void *state, struct weir_conn *, enum weir_leave);
void messages_close(void *state, struct weir_conn *, int why);
