/*
 * proto/impl.h: the inside of a connection. Only proto/conn.c, turn.c and feed.c include it: drivers and machines use
 * weir/conn.h and weir/protocol.h.
 *
 * At rest a connection is this struct and its machine's state, in one allocation, and nothing else.
 */
#pragma once

#include "base/out.h"

#include <weir/conn.h>
#include <weir/driver.h>

#define STATE_UNIT 16u

struct weir_conn {
    const struct weir_protocol *protocol;
    const void *config; /* borrowed: from who made the connection, until it is freed */
    struct weir_driver *driver;
    void *state; /* behind this struct, or an allocation of its own after a larger successor */
    struct weir_conn *outer; /* NULL: the driver knows this one */
    struct weir_conn *inner; /* the first of the connections inside this one */
    union {
        void *slot;                /* outermost: the driver's mark */
        struct weir_conn *sibling; /* else the next one inside the same outer */
    };
    const struct weir_protocol *next_protocol; /* asked for by become */
    union {
        const void *next_config;            /* of next_protocol, while there is one */
        const struct weir_protocol *before; /* else: that became this one */
    };
    struct weir_out out;
    const uint8_t *input; /* what the peer sent and the machine has not consumed */
    uint8_t
        *own; /* the allocation `input` points into, or NULL: it is borrowed until the turn's end */
    uint32_t input_len;
    uint32_t own_size;
    uint64_t deadline_ns; /* 0: none; while lingering, the end of that */
    uint32_t linger_ms;   /* from the half-close on */
    uint32_t linger_max;  /* bytes still thrown away while lingering */
    int16_t why;          /* an errno number fits */
    uint16_t state_room;  /* of `state`, in units of STATE_UNIT bytes */
    bool opened : 1, closed : 1;
    bool in_turn : 1, again : 1; /* again: asked for something meanwhile */
    bool paused : 1;
    bool starved : 1; /* input() said 0: not again before more bytes come */
    bool resting : 1;
    bool eof : 1, eof_told : 1;
    bool finishing : 1, broken : 1; /* broken: the stream failed, nothing can be sent */
    bool linger : 1;
    bool reset : 1;
    bool deaf : 1; /* the peer of a patient machine reads no more, and is read to its end */
    bool end_wanted : 1, ended : 1;
    bool leave_stop : 1, leave_busy : 1; /* leave() was called with it */
    bool tell_stop : 1, tell_busy : 1;   /* to be told in the next turn */
};

/* The units that hold a state, and what of that can be remembered: a giant only loses its reuse by a successor. */
static inline size_t state_units(const struct weir_protocol *protocol)
{
    return (protocol->state_size + STATE_UNIT - 1) / STATE_UNIT;
}
static inline uint16_t state_room(const struct weir_protocol *protocol)
{
    size_t units = state_units(protocol);
    return units < UINT16_MAX ? (uint16_t)units : UINT16_MAX;
}

/* Its machine is patient, or the one inside it, whose bytes it carries (TLS): the same holds for both then. */
static inline bool conn_patient(const struct weir_conn *conn)
{
    while (!conn->protocol->patient && conn->inner && !conn->inner->sibling)
        conn = conn->inner;
    return conn->protocol->patient;
}

/* An allocation for the state of a larger successor, which the connection takes over. */
void conn_set_state(struct weir_conn *, void *state, const struct weir_protocol *);
/* The turn's own end: what is left of borrowed input is copied. false: no memory. */
bool conn_keep_input(struct weir_conn *);
/* A peer that takes nothing of what is left for this long is cut off; moved by every byte sent. */
void conn_flush_deadline(struct weir_conn *);
