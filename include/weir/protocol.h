/*
 * weir/protocol.h: how to write a protocol: a state machine that does no I/O.
 *
 * A protocol is one `static const struct weir_protocol`. A driver reads bytes and offers them to input(); the
 * machine queues what is to be sent on weir_conn_out(); the driver sends it. A machine never calls down: it asks
 * (pause, arm, finish, become, wake), and the turn acts after it has returned. The same machine runs under every
 * concurrency model, inside another machine (TLS), in a test with virtual time, and in a fuzzer. See docs/seam.md.
 *
 * All calls for one connection come from one thread at a time, never nested.
 */
#pragma once

#include "out.h"

struct weir_conn;
struct weir_driver;
struct weir_stream;

enum weir_leave {
    WEIR_LEAVE_STOP, /* the server is shutting down */
    WEIR_LEAVE_BUSY, /* another client waits for the place this connection holds */
};

/* Reasons given to weir_conn_finish() and to close(); other values are negative errno numbers. */
enum { WEIR_DONE = 0 };

struct weir_protocol {
    const char *name;
    size_t state_size; /* bytes of state, zeroed before open() */
    size_t input_max; /* the largest unit it wants in one piece; a longer one ends with -EMSGSIZE */
    /* What the peer sent is for somebody else (a relay). input(), eof() and output() are called though this side's own queue is full. A
     * peer that breaks is no news while the machine is paused, and one that reads no more (-EPIPE) still is read to its end; what is
     * queued for it then goes nowhere, and the end's reason is -EPIPE. */
    bool patient;

    /* The connection exists; nothing was read. < 0: refuse it (close() follows). May queue output (a greeting). */
    int (*open)(void *state, struct weir_conn *, const void *config);
    /* Bytes arrived. Returns how many were consumed; 0: needs more than these; -errno: finish with that reason.
     * What is not consumed is offered again, in one piece, with more behind it. Called again while it consumes.
     * Never called while paused, after finish, or while there is no room in the queue. */
    ssize_t (*input)(void *state, struct weir_conn *, const uint8_t *bytes, size_t len);
    /* The peer will send no more, once, after all input was offered (`rest` bytes of an unfinished unit stay
     * unconsumed). NULL: finish with WEIR_DONE, or -EPROTO if rest > 0. May queue output and finish later. */
    int (*eof)(void *state, struct weir_conn *, size_t rest);
    /* Add what there is to send while weir_out_room(). Called in every turn that has room. < 0: finish. NULL: none. */
    int (*output)(void *state, struct weir_conn *);
    /* The deadline set by weir_conn_arm() passed; it is disarmed. NULL: finish with -ETIMEDOUT. */
    void (*expire)(void *state, struct weir_conn *);
    /* Shutdown or the place is wished: finish at the next unit's end, at once if idle. NULL: finish(WEIR_DONE) at
     * once. Can come twice: BUSY, then STOP. */
    void (*leave)(void *state, struct weir_conn *, enum weir_leave);
    /* Always, once, last; `why` is WEIR_DONE or -errno. Also when open() failed, or was never called because the stream
     * had broken before: the state is zeroes then, and weir_conn_config() says what it was for. Free what the state
     * holds. NULL: nothing. */
    void (*close)(void *state, struct weir_conn *, int why);
    /* For a machine around another one: who its peer has proved to be, as text, valid while the state is; NULL: nobody said. NULL: none
     * ever does. */
    const char *(*who)(const void *state);
};

/* For machines. */
/* The state of the machine that runs now, for functions of that machine which are called with the connection alone. */
WEIR_API void *weir_conn_state(struct weir_conn *);
/* The config it was given, also where open() was never called (a dial that failed goes straight to close()). */
WEIR_API const void *weir_conn_config(const struct weir_conn *);
WEIR_API struct weir_out *weir_conn_out(struct weir_conn *);
WEIR_API struct weir_driver *weir_conn_driver(struct weir_conn *);
WEIR_API struct weir_now weir_conn_now(const struct weir_conn *);
/* Stop consuming: no input() until weir_conn_resume(), and the peer is held back. Differs from returning 0. */
WEIR_API void weir_conn_pause(struct weir_conn *);
WEIR_API void weir_conn_resume(struct weir_conn *);
/* Deadline as an absolute weir_now.mono_ns; 0 disarms. One a connection; setting it again moves it. */
WEIR_API void weir_conn_arm(struct weir_conn *, uint64_t mono_ns);
/* No more input; send what is queued, then close. The first reason stays. */
WEIR_API void weir_conn_finish(struct weir_conn *, int why);
/* As finish, but after the last byte only this side is closed; then, for `ms` at the most, up to `bytes_max` are read and
 * thrown away until the peer closes, so that a reset does not eat the answer (RFC 9112 section 9.6). */
WEIR_API void weir_conn_linger(struct weir_conn *, int why, size_t bytes_max, unsigned ms);
/* At once: what is queued is not sent. Also after finish, whose reason stays. */
WEIR_API void weir_conn_abort(struct weir_conn *, int why);
/* As finish, but what the peer is told after the last byte is a reset, where its transport has a word for it (tcp), so that it does not
 * take the end for one that was meant. With abort after it: at once. */
WEIR_API void weir_conn_reset(struct weir_conn *, int why);
/* Half-close: no more output after what is queued; input goes on. */
WEIR_API void weir_conn_end(struct weir_conn *);
/* Another protocol takes over after this call returns: left-over input goes to it, queued output keeps its order.
 * This machine's close() is called with WEIR_DONE first. -EBUSY: one was asked for already. */
WEIR_API WEIR_CHECKED int weir_conn_become(struct weir_conn *, const struct weir_protocol *,
                                           const void *config);
/* The machine this one took over from; NULL: it is the first. */
WEIR_API const struct weir_protocol *weir_conn_before(const struct weir_conn *);
/* Ask for a turn soon (output() is called then). From the connection's own thread. */
WEIR_API void weir_conn_wake(struct weir_conn *);
/* Says whether the connection is at rest: between units, nothing under way. A driver may then park it, or close
 * the one that has rested longest when places run out. A new connection is at rest. */
WEIR_API void weir_conn_rest(struct weir_conn *, bool at_rest);
/* Who the peer has proved to be, to a machine around this one (TLS: the subject of its certificate, as RFC 2253 writes it); NULL: it was
 * not asked. Valid until the machine's next return. */
WEIR_API const char *weir_conn_who(const struct weir_conn *);
/* Has leave() been called? Then answers should announce the end (Connection: close). */
WEIR_API bool weir_conn_leaving(const struct weir_conn *);
