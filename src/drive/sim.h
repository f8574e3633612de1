/*
 * drive/sim.h: a driver without a kernel, for tests and fuzzers: streams are byte strings, time is a number that the test
 * moves, and whatever can happen to a connection happens when the test says so, or at random from a seed.
 *
 * It keeps the promises of weir/driver.h. The test plays the peers: each connection has an end that sends, reads, stops
 * reading, finishes or breaks. The same options and calls give the same run, always. One thread; nothing waits.
 */
#pragma once

#include <weir/conn.h>
#include <weir/driver.h>

struct sim;
struct sim_end; /* the peer's end of one connection; lives as long as the simulation */

enum sim_cut {
    SIM_WHOLE,  /* a read takes all there is */
    SIM_BYTES,  /* one byte a read */
    SIM_LIST,   /* reads end at the offsets of `cuts` */
    SIM_RANDOM, /* 1 to 64 Ki bytes */
};

struct sim_options {
    uint64_t seed; /* of cuts and faults */
    enum sim_cut cut;
    const size_t
        *cuts; /* SIM_LIST: ascending offsets in the input of the first connection; borrowed */
    size_t cut_count;
    bool
        faults; /* at random: short and refused writes, reads that come late, turns nobody asked for */
    size_t write_max;    /* the most that one write takes; 0: any */
    unsigned job_rounds; /* rounds of all connections before a job is done; 0: 1 */
    unsigned fill_waits; /* how often fill says WEIR_FILL_WAIT for a file before the bytes come */
};

/* Time begins at Sun, 06 Nov 1994 08:49:37 GMT. -ENOMEM. */
int sim_new(const struct sim_options *, struct sim **out) WEIR_CHECKED;
/* Ends all connections (their close() is called), cancels jobs. NULL is fine. */
void sim_free(struct sim *);
struct weir_driver *sim_driver(struct sim *);

/* A client connects. NULL: no memory. */
struct sim_end *sim_connect(struct sim *, const struct weir_protocol *, const void *config);
/* Somebody who can be reached: dial() finds it by its endpoint, spawn() the three of a child by "0:ARGV0", "1:ARGV0" and
 * "2:ARGV0". `name` is borrowed. NULL: no memory. */
struct sim_end *sim_peer(struct sim *, const char *name);
/* Gives an unconnected peer to adopt(). */
struct weir_stream *sim_stream(struct sim_end *);
/* All children started as `argv0` end and are reaped. */
void sim_child_ended(struct sim *, const char *argv0, int status);
/* A pretended descriptor for file spans; the bytes are borrowed. -EMFILE. */
int sim_file(struct sim *, const void *bytes, size_t len) WEIR_CHECKED;

/* What a peer does. Nothing moves before sim_run() or sim_wait(). */
int sim_send(struct sim_end *, const void *bytes, size_t len) WEIR_CHECKED; /* -ENOMEM */
void sim_finish(struct sim_end *); /* sends no more, after what was sent */
void sim_reset(struct sim_end *);  /* breaks, after what was sent has been read, or cannot be */
void sim_stop(struct sim_end *);   /* reads no more: writes to it fail with EPIPE; it still sends */
void sim_window(struct sim_end *, uint64_t bytes); /* reads this many bytes more, then stops */
void sim_break_at(struct sim_end *,
                  uint64_t sent); /* a write fails when this many bytes were sent */

/* Everything that can happen without time. 0; -ELOOP: a machine spins; -ENOMEM: the simulation itself lacked memory. */
int sim_run(struct sim *) WEIR_CHECKED;
/* As sim_run, then time passes, with each deadline on the way. */
int sim_wait(struct sim *, uint64_t ns) WEIR_CHECKED;
/* Tells all connections that are open. */
void sim_leave(struct sim *, enum weir_leave);

/* What became of it. */
struct weir_bytes sim_output(const struct sim_end *); /* all bytes sent to the peer so far */
size_t sim_unread(const struct sim_end *); /* bytes of the peer's that were not read yet */
bool sim_ended(const struct sim_end *);    /* our side has half-closed */
bool sim_closed(const struct sim_end *, int *out_why);
bool sim_was_reset(const struct sim_end *); /* ... and it looked like a reset */
/* How often close() of the machine it began with was called. */
unsigned sim_closes(const struct sim_end *);
/* NULL once closed. */
struct weir_conn *sim_conn(const struct sim_end *);
