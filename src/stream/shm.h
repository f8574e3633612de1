/*
 * stream/shm.h: one end of a shared memory stream: two rings (ring.h) in a sealed memfd, two bells, and a Unix socket that says
 * whether the other end still lives.
 *
 * Who may touch what: `in` belongs to the thread that reads, `out` to the one that writes, the rest to both. Nothing is
 * locked. Each direction waits on an epoll set of its own, readable when there may be something to do: so one thread's wait
 * never takes away the other's wake-up, and a driver polls a shared memory stream like any other.
 *
 * shm_map.c: the memory. shm_hand.c: how the client gets it. shm_life.c: bells, waiting, and the other end's death.
 * shm_spin.c: looking again before that. shm_io.c: bytes. shm_direct.c: weir/shm.h. shm.c: the transport.
 */
#pragma once

#include "stream/impl.h"
#include "stream/ring.h"

/* Header page and two rings, each mapped twice in a row. */
struct shm_map {
    uint8_t *base;
    size_t len;
    size_t bytes; /* of one ring */
};

/* How long it is worth to look again before sleeping; see shm_spin.c. */
struct patience {
    unsigned pauses;   /* looks in a row */
    unsigned yield_ns; /* then looks between giving the processor away */
    unsigned waits;
};

struct shm {
    struct ring_reader in;
    int in_set;    /* epoll */
    bool in_waits; /* has said so: a bell may have rung since */
    bool in_over;  /* end of file was seen */
    struct patience in_patience;

    alignas(RING_LINE) struct ring_writer out;
    int out_set;
    bool out_waits;
    struct patience out_patience;
    uint64_t looked; /* when it was last made sure that somebody is there; in ticks */

    alignas(RING_LINE) struct shm_map map;
    int socket;       /* the sign of life; -1: not connected yet */
    int bell;         /* rung by the other end */
    int far_bell;     /* rung by us */
    int far_owner;    /* a pidfd: the process that uses the other end; -1: cannot be had */
    bool far_dead;    /* ... since it was dead by then */
    int memory;       /* memfd, until it was handed over; -1 */
    atomic_bool gone; /* the other end is no more */
    atomic_bool news; /* somebody reads the socket just now */
    atomic_int owner; /* process id: who uses this end */
    struct ucred far; /* the other end's */
};

/* --- shm_map.c --- */

/* A sealed memory file for two rings of `bytes` each (a power of two, a page at least), every page of it there. The descriptor or
 * -errno. */
int shm_memory_new(size_t bytes);
/* Somebody else's: can it shrink under us, is it as large as was said and all there? 0 or -EPROTO. */
int shm_memory_check(int memory, size_t bytes);
int shm_map(int memory, size_t bytes, struct shm_map *out);
void shm_unmap(struct shm_map *);
/* Ring 0 goes from server to client, 1 back. */
struct ring_shared *shm_map_shared(const struct shm_map *, unsigned ring);
uint8_t *shm_map_bytes(const struct shm_map *, unsigned ring);
/* What a ring can be: from a page to LIMIT_SHM_BYTES. 0: too much. */
size_t shm_size(uint64_t asked);

/* --- shm_hand.c --- */

/* The server's end: memory, bells and sets, but nobody at the other end yet. */
int shm_new(size_t bytes, struct shm **out);
/* Hands the other end over to whoever is connected there and takes the socket (on failure it is not closed). Never waits. */
int shm_greet(struct shm *, int socket);
/* The client's end. Waits for the server to accept, until the deadline. Takes the socket in any case. */
int shm_join(int socket, uint64_t deadline, struct shm **out);
/* Closes this process's copies; the other end learns of it when no process has the socket open any more. NULL is fine. */
void shm_close(struct shm *);

/* --- shm_life.c --- */

/* What the sets tell of: epoll_event.data.u32. */
enum { TAG_BELL, TAG_SOCKET, TAG_OWNER, TAGS };

/* A bell of our own. */
int shm_bell_new(void);
void shm_ring(const struct shm *);
/* The first wait ends at once. */
void shm_ring_self(const struct shm *);
/* The two sets, with the bell in them. */
int shm_watch_bell(struct shm *);
/* Adds the socket, and the process `far` if it can be had. */
int shm_watch_life(struct shm *);
/* Takes note of what has happened. Waits for it until the deadline; -ETIMEDOUT: that had passed, take a last look. 0: does not
 * wait. */
int shm_look(struct shm *, int set, uint64_t deadline);
/* This process uses this end from now on, if it did not before (fork). Tells the other end. */
void shm_claim(struct shm *);

/* --- shm_spin.c --- */

/* Looks for bytes, or room, for a bounded time; the caller looks what came of it. */
void shm_spin_in(struct shm *, size_t want);
void shm_spin_out(struct shm *, size_t want);

/* --- shm_io.c --- */

ssize_t shm_try_read(struct shm *, void *, size_t, bool may_spin);
ssize_t shm_try_writev(struct shm *, const struct iovec *, int count, bool may_spin);
ssize_t shm_try_send(struct shm *, int file, uint64_t offset, size_t len);
ssize_t shm_read(struct shm *, void *, size_t, int timeout_ms);
ssize_t shm_write(struct shm *, const void *, size_t, int timeout_ms);
/* Bytes that can be read, at least `want` of them unless the end is near (fewer, 0), waited for; -errno. */
ssize_t shm_await_in(struct shm *, size_t want, int timeout_ms);
void shm_consume(struct shm *, size_t len);
/* Room, waited for: a moment for `want`, then for `least`; -errno. */
ssize_t shm_await_out(struct shm *, size_t want, size_t least, int timeout_ms);
/* 0 or -EPIPE. */
int shm_publish(struct shm *, size_t len);
/* The other end is no more, and what of it is unread. */
bool shm_is_over(struct shm *, bool *out_unread);
/* Nobody reads there any more. */
bool shm_is_broken(struct shm *);
void shm_end(struct shm *);
void shm_stop(struct shm *);

/* --- shm.c --- */

/* A stream over it, on both sides. */
void stream_init_shm(struct weir_stream *, struct shm *);
/* Connects the client to `next`, which was made beforehand (shm_new). 0: *out is the stream; else the client was let go. */
int shm_accept(struct shm *next, int client, struct weir_stream *out);
