/*
 * stream/pipeline_impl.h: a pipeline's parts. pipeline.c starts and frees it, pipeline_wait.c watches over it, joint.c moves bytes.
 *
 * A metered joint is two pipes with this process between them. Ended stages stay zombies until the pipeline is freed: so no
 * process id and no group is ever another's while a signal can be sent to it.
 */
#pragma once

#include "tbl/limits.h"

#include <weir/pipeline.h>
#include <weir/process.h>

enum joint_state {
    JOINT_CLOSED, /* also: not metered */
    JOINT_INPUT,  /* waits for the stage before it */
    JOINT_ROOM,   /* waits for the stage behind it */
};

struct joint {
    enum joint_state state;
    int from, to; /* what the stage before it has written, what the one behind it will read; -1 */
    bool unread;  /* closed because nobody read it any more, not because it had come to its end */
    size_t from_room, to_room;
    struct weir_joint count;
};

struct stage {
    struct weir_process *process;
    int look; /* O_PATH: its standard output, without being a reader or a writer of it; -1: not known */
    int status; /* STAGE_RUNS, or as weir_process_wait() gives it */
    bool cut_off;
    uint64_t start_ns, end_ns, user_ns, system_ns;
};

#define STAGE_RUNS (-ETIMEDOUT)

struct weir_pipeline {
    size_t count, started, running;
    struct stage *stages; /* owned; `count` */
    struct joint *joints; /* owned; `count` less one */
    enum weir_meter meter;
    size_t pipe_bytes;
    int epoll, timer; /* timer: metered, when to look at the joints; else -1 */
    uint64_t looked_ns;
    pid_t group;  /* of all stages; 0: ours */
    char *buffer; /* WEIR_METER_LINES: LIMIT_MOVE_BYTES; owned */
};

/* What an event of `epoll` is about: a kind, and an index. */
enum pipeline_event { EVENT_STAGE, EVENT_JOINT, EVENT_TIMER };
int pipeline_watch(struct weir_pipeline *, int op, int fd, uint32_t events, enum pipeline_event,
                   size_t index);

/* joint.c. A pipe, or two with us between them: *out_write is for the stage before it, *out_read for the one behind it. */
int joint_open(struct weir_pipeline *, size_t index, int *out_write, int *out_read);
void joint_close(struct joint *);
/* `events` as epoll(7) tells them of either side. Moves a bounded number of bytes. SIGPIPE is held. */
int joint_handle(struct weir_pipeline *, size_t index, uint32_t events);
/* Notes how full it is; `ns` have passed since the last look. */
void joint_look(struct joint *, uint64_t ns);
/* Holds no byte that the stage behind it could still read. */
bool joint_is_empty(const struct joint *);
