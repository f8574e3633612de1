/*
 * model/worker.h: a fresh worker process: its signals, and what becomes of it when the supervisor dies.
 */
#pragma once

#include <signal.h>
#include <sys/types.h>

/* In the worker, right after fork. SIGINT, SIGTERM and SIGUSR1 are ignored, since they reach the whole group and the supervisor
 * decides; SIGPIPE is blocked; the other signals are as they were in `mask`. When the supervisor dies, the worker has
 * seen its stop (the pipe's end of file), and `grace_s` later it is ended. */
void worker_signals(const sigset_t *mask, pid_t supervisor, unsigned grace_s);
/* Ends this process without what the supervisor registered for its own end (atexit, open FILEs). Under a leak checker,
 * which would otherwise never look at workers, it looks first. */
_Noreturn void worker_exit(int status);
