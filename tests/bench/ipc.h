/*
 * ipc.h: one measurement between two processes: what a contender has to do. ipc_main.c forks, pins, counts and prints.
 *
 * One way: the child sends without end, the parent receives and counts. Round trip: the parent sends, the child answers. Contenders run
 * whole batches, so that no call through a pointer stands between the messages.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum transport { PIPE, UNIX, TCP, SHM };

/* What the library gives its queues; the bare calls get the same. */
#define PIPE_BYTES (1024 * 1024)
#define UNIX_BYTES (512 * 1024)
#define RING_BYTES (256 * 1024)

struct job {
    enum transport transport;
    size_t bytes; /* of a message */
    bool framed;  /* behind its length, in a 64 KiB buffer */
    bool trips;   /* round trips, not one way */
    bool spin;    /* waits by looking again */
    bool same;    /* both processes on one core */
    double seconds;
    char path[64]; /* for those that meet by name: in a folder that ipc.py removes */
};

/* Before the fork. */
void contender_prepare(const struct job *);
/* In each process. */
void contender_take(const struct job *, bool child);
/* `count` messages, or the end of the process. */
void contender_send(const struct job *, unsigned count);
void contender_receive(const struct job *, unsigned count);

/* Contenders without such a thing, and failures. */
_Noreturn void give_up(const char *what);
void pin_to(int core);

/* What is sent, and where it goes. */
extern uint8_t block[1 << 20];
