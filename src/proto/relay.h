/*
 * proto/relay.h: one relayed connection: what its two machines, the client's and the target's, hold in common. relay.c passes
 * bytes, relay_life.c begins and ends it.
 */
#pragma once

#include <weir/driver.h>
#include <weir/protocols.h>

struct side {
    struct weir_conn *conn; /* NULL: not there yet, or closed */
    uint64_t passed;        /* bytes that it sent and the other was given */
    struct weir_relay_rate rate;
    size_t booked;     /* bytes that may pass from retry_ns on */
    uint64_t retry_ns; /* the rate holds it back until then; 0: it does not */
    bool held;         /* there is no room for what it sends */
    bool moves;        /* the driver moves what it sends, unseen */
    bool copies;       /* ... which it cannot between these two */
    bool ended;        /* it has said its last byte */
};

enum relay_phase { RELAY_DIALLING, RELAY_OPEN, RELAY_OVER };

struct relay {
    const struct weir_relay_options *options; /* borrowed: from the client's connection */
    struct weir_relay_counts *counts;         /* borrowed, NULL: none */
    struct weir_driver *driver;
    struct side client, target;
    enum relay_phase phase;
    unsigned holders; /* connections that are not closed */
    size_t tried;     /* targets */
    bool in_dial;     /* the target's close() may be called by dial() itself */
    bool target_known;
    bool leaving;
    bool silence;
    int why; /* the first reason; WEIR_DONE: none */
    enum weir_relay_side blame;
    uint64_t opened_ns, heard_ns;
    char peer[64];
    unsigned port;
};

/* --- relay.c --- */
extern const struct weir_protocol relay_target;
/* The client's deadline covers all there is to wait for. */
void relay_arm(struct relay *);

/* --- relay_life.c --- */
/* The client is there: NULL when there is no memory. */
struct relay *relay_new(struct weir_conn *client, const struct weir_relay_options *);
/* Tries the next target, or gives up. */
void relay_dial(struct relay *, int why);
void relay_connected(struct relay *, struct weir_conn *target);
/* One of the two is closed: the other is told, and who is last frees it all. */
void relay_client_gone(struct relay *, int why);
void relay_target_gone(struct relay *, int why);
/* Nothing has passed for too long. */
void relay_cut(struct relay *);
/* Nothing ever passed, and a stop was asked for. */
void relay_finish(struct relay *);

static inline void relay_count(_Atomic uint64_t *number, uint64_t by)
{
    /* One writer: no need for an addition that nobody can come between. */
    atomic_store_explicit(number, atomic_load_explicit(number, memory_order_relaxed) + by,
                          memory_order_relaxed);
}
