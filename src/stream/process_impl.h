/*
 * stream/process_impl.h: what happens between fork and exec, as a plan made beforehand: the child allocates nothing.
 */
#pragma once

#include "tbl/limits.h"

#include <weir/process.h>

#include <limits.h>
#include <sys/types.h>

struct child_plan {
    const char *const *argv; /* NULL: call `function` */
    const char *const *env;
    const char *path; /* where to look for argv[0], NULL if it has a slash */
    int (*function)(void *arg);
    void *arg;
    const char *dir;
    int dir_fd;                      /* 0: none */
    const struct weir_limit *limits; /* borrowed: from the caller, who stands still until exec */
    size_t limit_count;
    bool new_group;
    pid_t group; /* 0: none */
    int die_signal;
    pid_t parent;
    int error_fd; /* the child's end of a pipe that closes on exec: an errno number, or nothing */
    size_t map_count;
    struct weir_fd_map map[LIMIT_PROCESS_FDS];
    int moved
        [LIMIT_PROCESS_FDS]; /* child: where each descriptor waits until the target numbers are free */
    bool missing_is_null;    /* the default map: a closed standard stream becomes /dev/null */
    char try_path[PATH_MAX];
};

/* In the child, all signals blocked; may share the parent's memory (vfork). Never returns. */
_Noreturn void child_run(struct child_plan *);

/* What it runs: the last part of argv[0], or "function". */
const char *process_name(const struct weir_process *);
