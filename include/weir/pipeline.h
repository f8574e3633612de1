/*
 * weir/pipeline.h: programs joined by pipes, `a | b | c` without a shell.
 *
 * Each stage reads what the one before it writes; each has its own exit status, time and CPU time. A stage that SIGPIPE ended
 * because nobody read its output any more is told apart from one that failed. Joined directly, the pipeline costs nothing once
 * it runs. Metered, this process passes the bytes on inside the kernel (splice(2), tee(2)) and knows how many there were, how
 * full each pipe is, and so which stage waits for which. Nothing happens behind the caller's back: there is no thread and no
 * signal handler, the work of a metered pipeline is done in weir_pipeline_wait().
 *
 * One thread at a time may use a pipeline.
 */
#pragma once

#include "base.h"

struct weir_pipeline;

enum weir_meter {
    WEIR_METER_NONE,  /* stages are joined directly */
    WEIR_METER_BYTES, /* this process sits between them; bytes are moved, not copied */
    WEIR_METER_LINES, /* and looked at once, to count the line feeds */
};

struct weir_pipeline_options {
    const int *
        ends; /* three: standard input of the first stage, output of the last, error of all; borrowed during the call.
                        -1: /dev/null. NULL: 0, 1 and 2 as here */
    const char *const *env; /* NULL-ended; NULL: this process's own environment */
    const char *dir;        /* working directory of the stages; NULL: as here */
    enum weir_meter meter;
    size_t
        pipe_bytes; /* of each pipe; 0: 1 MiB, less where there are many stages. What the system refuses is left out */
    bool
        new_group; /* one process group for all stages, which weir_pipeline_kill() then reaches with their children */
    int die_signal; /* sent to the stages when the thread that starts them ends; 0: none */
};

/* Starts `count` programs (1 to 256), each an argv as weir_process_start() takes it. If one cannot be started, those before it
 * are killed and reaped, *out_failed (may be NULL) is its index (`count`: it was about none of them), and the error is that of
 * weir_process_start(): -ENOENT, -EACCES ... or -EINVAL: no stages, or too many; -EMFILE, -ENOMEM. */
WEIR_API WEIR_CHECKED int weir_pipeline_start(const char *const *const *stages, size_t count,
                                              const struct weir_pipeline_options *options,
                                              struct weir_pipeline **out, size_t *out_failed);
/* The same from commands, split by weir_words(). -EINVAL with an index below `count`: a quote is open or there are no words. */
WEIR_API WEIR_CHECKED int weir_pipeline_words(const char *const *commands, size_t count,
                                              const struct weir_pipeline_options *options,
                                              struct weir_pipeline **out, size_t *out_failed);

/* Waits until all stages have ended and, metered, passes on what they write meanwhile. 0: all have ended; -ETIMEDOUT. With
 * WEIR_METER_NONE the stages go on by themselves; metered, they wait while nobody is in this call. */
WEIR_API WEIR_CHECKED int weir_pipeline_wait(struct weir_pipeline *, int timeout_ms);
/* Readable when weir_pipeline_wait(pipeline, 0) has something to do; borrowed. */
WEIR_API int weir_pipeline_fd(const struct weir_pipeline *);
/* A signal to every stage that runs, or to the whole group. 0; -ESRCH: all have ended; -EPERM. */
WEIR_API int weir_pipeline_kill(struct weir_pipeline *, int signal_number);
/* SIGTERM, and SIGKILL to those that have not ended after `grace_ms`. 0: all have ended; -ETIMEDOUT: not even by SIGKILL. */
WEIR_API WEIR_CHECKED int weir_pipeline_stop(struct weir_pipeline *, int grace_ms);
/* As a shell's pipefail has it: the status of the last stage that failed as weir_process_wait() gives it, 0: none did. Stages
 * that were cut off have not failed; one that still runs counts as -ETIMEDOUT. */
WEIR_API int weir_pipeline_result(const struct weir_pipeline *);
/* Frees; stages that still run are killed (SIGKILL, with their group) and all are reaped. NULL is fine. */
WEIR_API void weir_pipeline_free(struct weir_pipeline *);

struct weir_stage {
    pid_t pid;
    int status;       /* as weir_process_wait() gives it; -ETIMEDOUT: it runs */
    bool cut_off;     /* SIGPIPE ended it, and nobody read its output any more */
    uint64_t wall_ns; /* since its start, until its end */
    uint64_t user_ns,
        system_ns; /* CPU time with that of the children it has waited for; 0 while it runs */
};
/* The pipe behind a stage, metered. `held` and the times are looked at every 20 ms. */
struct weir_joint {
    uint64_t bytes, lines; /* passed on */
    size_t held, room;     /* bytes in it, and how many it takes: both sides of this process */
    uint64_t full_ns;  /* so long it was full: the stage before it waited for the one behind it */
    uint64_t empty_ns; /* so long it was empty: the stage behind it waited */
    uint64_t seen_ns;  /* so long it was there */
};
WEIR_API size_t weir_pipeline_count(const struct weir_pipeline *);
/* `index` is below the count; a joint's, below the count less one. Not metered: a joint is all zeros. */
WEIR_API struct weir_stage weir_pipeline_stage(const struct weir_pipeline *, size_t index);
WEIR_API struct weir_joint weir_pipeline_joint(const struct weir_pipeline *, size_t index);
