/*
 * weir/process.h: start a program or a function in a child with an explicit map of descriptors.
 *
 * A child gets the descriptors the map names and no others, default signal dispositions, an empty signal mask, and
 * nothing else of ours. Waiting is by pidfd, so no process id is ever mistaken for another, and no signal handler is needed.
 */
#pragma once

#include "base.h"

struct weir_process;

/* In the child, `parent_fd` appears as `child_fd`. parent_fd -1: /dev/null. */
struct weir_fd_map {
    int parent_fd;
    int child_fd;
};

struct weir_process_options {
    const struct weir_fd_map *
        map; /* any overlap and order is fine; what is not named is closed in the child. NULL: 0, 1 and 2 as here */
    size_t map_count;
    const char *const *env; /* NULL-ended; NULL: this process's own environment */
    const char *dir;        /* working directory of the child; NULL: as here */
    int dir_fd;             /* the same by a folder's descriptor, which counts; 0: none */
    bool new_group;         /* a process group of its own */
    pid_t group;            /* join this group instead, as its leader's process id; 0: none */
    int die_signal; /* sent to the child when the thread that starts it ends (PR_SET_PDEATHSIG); 0: none */
    const struct weir_limit *limits; /* of the program */
    size_t limit_count;
};

/* Starts a program; argv[0] with a slash is a path, else it is looked up in this process's PATH. `options` NULL: 0, 1 and 2 as
 * here. Pipes and sockets come to it waiting (no O_NONBLOCK). -EINVAL: the map names a number twice, or more than 64.
 * The child's failure to start comes back here: -ENOENT, -EACCES, -E2BIG, -ENOEXEC ...; -EAGAIN, -ENOMEM, -EMFILE. */
WEIR_API WEIR_CHECKED int weir_process_start(const char *const *argv,
                                             const struct weir_process_options *options,
                                             struct weir_process **out);
/* Runs a function in a child; its return value is the exit status. Same descriptor map, O_NONBLOCK as it is; do not call in a
 * process with threads. What stdio holds back is written out before, so that it is not written twice. */
WEIR_API WEIR_CHECKED int weir_process_call(int (*function)(void *arg), void *arg,
                                            const struct weir_process_options *options,
                                            struct weir_process **out);
WEIR_API pid_t weir_process_pid(const struct weir_process *);
/* Readable when the child has ended; borrowed. */
WEIR_API int weir_process_fd(const struct weir_process *);
/* Waits for the end and reaps. >= 0: exit status 0 to 255, or WEIR_SIGNALLED + signal number. -ETIMEDOUT: still running. */
WEIR_API WEIR_CHECKED int weir_process_wait(struct weir_process *, int timeout_ms);
/* To the child, or with `group` to its whole process group. -ESRCH when it was reaped already. */
WEIR_API int weir_process_kill(struct weir_process *, int signal_number, bool group);
/* Frees; a child that still runs is killed (SIGKILL) and reaped first. NULL is fine. */
WEIR_API void weir_process_free(struct weir_process *);
/* "exited with status 3", "was killed by SIGSEGV" for a value of weir_process_wait(). */
WEIR_API const char *weir_process_status(int status, char *text, size_t size);
/* Splits a command into words: white space separates, '…' and "…" and \ quote; no variables, no globs, no shell.
 * *out is one allocation to free(), NULL-ended. -EINVAL: a quote is open or there are no words. */
WEIR_API WEIR_CHECKED int weir_words(const char *command, char ***out);
