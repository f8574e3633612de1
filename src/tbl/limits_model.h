/*
 * tbl/limits_model.h: bounds of processes, threads, restarts and stops. Included by tbl/limits.h.
 */
#pragma once

/* --- models: processes, threads, restarts, stops --- */
#define LIMIT_FILES_MAX                                                                            \
    (1024 * 1024)           /* descriptors asked for: programs we start may loop over them all */
#define LIMIT_FILES_KEPT 64 /* descriptors a worker keeps for itself: logs, epoll, pipes */
#define LIMIT_CONNECTIONS                                                                          \
    65536                    /* default places of a worker, if descriptors allow: 64 MiB at 1 KiB */
#define LIMIT_CHILDREN   256 /* default of --max-connections under fork: each has 1 MiB of its own */
#define LIMIT_THREADS    1024  /* the same under thread: a stack and a receive buffer each */
#define LIMIT_WORKERS    1024  /* --workers: more than any machine has cores */
#define LIMIT_POOL_QUEUE 65536 /* --queue: more than that waits better in the kernel */
#define LIMIT_ENDPOINTS  64    /* --listen: one wait looks at all of them */
#define LIMIT_STACK_BYTES                                                                          \
    (256 * 1024) /* of a thread that runs connections: 1,024 are 256 MiB, mostly untouched */
#define LIMIT_DEFER_S    5 /* TCP_DEFER_ACCEPT: a silent client is handed over after this */
#define LIMIT_CONFIRM_MS 5 /* prefork, pool: time for one that is free to take who waits */
#define LIMIT_TALK_QUIET_MS                                                                        \
    60000 /* pool: a client that should speak first to a talk function and does not */
#define LIMIT_STALL_MS                                                                             \
    200 /* pool: guests wait and no thread gets free: the connections that hold them leave soon */
#define LIMIT_DRAIN_QUIET_MS                                                                       \
    20 /* stop: listeners close when nobody came for this long: requests may be on their way */
#define LIMIT_DRAIN_MS                                                                             \
    500 /* stop: served in turn until then, the rest of the queue is taken at once */
#define LIMIT_DRAIN_KEPT                                                                           \
    4096 /* clients taken from the queue at a stop: the length of the kernel's own queue */
#define LIMIT_STOP_TWICE_MS                                                                        \
    100 /* timeout(1) signals its child, then its group; Ctrl-C reaches us and who started us */
#define LIMIT_RESTART_MS                                                                           \
    100 /* the second start after a death waits this long, each further one twice as long */
#define LIMIT_RESTART_MAX_MS     5000  /* ... up to this */
#define LIMIT_RESTART_HEALTHY_MS 10000 /* a worker that lived this long is started again at once */
#define LIMIT_KILLED_MS                                                                            \
    5000 /* processes that were killed have gone after this, unless the kernel hangs */
#define LIMIT_NEWS_BYTES 512 /* one line from a worker to the supervisor: a pipe takes it whole */
