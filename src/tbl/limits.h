/*
 * tbl/limits.h: every bound on what comes from outside, with its reason. Rows, no code.
 */
#pragma once

/* --- streams and drivers --- */
#define LIMIT_HOT_BYTES                                                                            \
    (64 * 1024) /* one read: larger ones were not faster, and it stays in the L2 cache */
#define LIMIT_OUT_BYTES (64 * 1024) /* copied or referenced bytes queued before producers wait */
#define LIMIT_OUT_SPANS 64 /* spans queued before producers wait; also what one writev takes */
#define LIMIT_TURN_BYTES                                                                           \
    (256 * 1024)               /* bytes moved for one connection before the others get their turn */
#define LIMIT_ACCEPT_BATCH 64  /* accepts before the connections get their turn */
#define LIMIT_JOB_THREADS  4   /* helper threads a driver */
#define LIMIT_JOB_QUEUE    256 /* jobs that wait for a helper */
#define LIMIT_COMPANIONS   16  /* companions of one connection under the poll driver */
#define LIMIT_DIAL_MS      10000 /* connecting to an endpoint, look-up and all addresses included */
#define LIMIT_LONELY_CHILD_MS                                                                      \
    1000                    /* a child may outlive the last connection of its place by this */
#define LIMIT_WATCHED   64  /* listening sockets that one connection's wait looks at */
#define LIMIT_ASK_BATCH 16  /* idle connections asked to leave at a time when slots run out */
#define LIMIT_ASK_SCAN  256 /* connections looked at for that */
#define LIMIT_FLUSH_MS                                                                             \
    10000 /* a peer that takes nothing of the last bytes of a finished connection */
#define LIMIT_ACCEPT_RETRY_MS 50 /* out of descriptors or memory: accept again after this */

/* --- who may hold a place --- */
#define LIMIT_FIRST_BYTE_BUSY_MS                                                                   \
    200 /* a client that has connected and not spoken, while others wait */
#define LIMIT_LEAVE_QUIET_MS                                                                       \
    1000 /* a protocol without units (echo) that was asked to leave: silence before it does */

/* --- echo, line, frame --- */
#define LIMIT_ECHO_IDLE_MS 60000         /* silence before an echo connection is closed */
#define LIMIT_LINE_BYTES   (64 * 1024)   /* one line with its end */
#define LIMIT_FRAME_BYTES  (1024 * 1024) /* one message */
#define LIMIT_LINE_DELIMITER                                                                       \
    64 /* a delimiter: known ones have 1 to 4 bytes, a mail boundary less than this */

/* --- scripts and the simulated driver (tests, fuzzers) --- */
#define LIMIT_SCRIPT_BYTES                                                                         \
    (16 * 1024 * 1024)           /* what all lines of a script come to, repeats counted */
#define LIMIT_SCRIPT_STEPS 4096  /* lines that do something */
#define LIMIT_SIM_ROUNDS   20000 /* rounds in which nothing moved: the machine spins */
#define LIMIT_SIM_FILES    16    /* pretended files */
#define LIMIT_SIM_ENDS     64    /* connections and companions of one simulation */

/* --- endpoints, dialling, processes --- */
#define LIMIT_ENDPOINT_BYTES 4096 /* one name; as long as the longest path Linux takes */
#define LIMIT_HOST_BYTES     255  /* a host name in full (RFC 1035 section 2.3.4) */
#define LIMIT_SERVICE_BYTES                                                                        \
    32 /* a service name; RFC 6335 allows 15, /etc/services holds longer ones */
#define LIMIT_DIAL_STAGGER_MS                                                                      \
    250                       /* before the next address is tried as well (RFC 8305 section 8) */
#define LIMIT_PORT_TRIES   32 /* port 0 on several addresses: ports tried until one is free on all */
#define LIMIT_BIND_LOCK_MS 2000 /* another program may hold a lock on the folder for ever */
#define LIMIT_ACCEPT_SKIPS 16   /* clients that went away before accept, skipped in one call */
#define LIMIT_PROCESS_FDS  64   /* descriptors mapped into a child; more is a mistake */
#define LIMIT_MOVE_BYTES   (64 * 1024) /* one step of copy and relay: what a pipe holds */
#define LIMIT_MOVE_STEPS   16          /* steps in one direction before the other gets its turn */

/* --- HTTP --- */
#define LIMIT_HTTP_LINE_BYTES 8192 /* request line; RFC 9112 section 3 asks for at least 8000 */
#define LIMIT_HTTP_FIELDS_BYTES                                                                    \
    (32 * 1024)                    /* all field lines; offsets into a head are 16 bits wide */
#define LIMIT_HTTP_FIELDS      100 /* browsers send about 20, behind proxies 40 */
#define LIMIT_HTTP_FIELD_NAME  255 /* its length is kept in 8 bits; the longest known have 35 */
#define LIMIT_HTTP_EMPTY_LINES 4   /* before a request line (RFC 9112 section 2.2 asks for one) */
#define LIMIT_HTTP_BODY_BYTES  (1024ull * 1024 * 1024) /* request content, unless told otherwise */
#define LIMIT_HTTP_CHUNK_EXTRA                                                                     \
    (16 * 1024) /* extensions and trailers of one message: nobody reads them */
#define LIMIT_HTTP_DRAIN_BYTES    (256 * 1024) /* unread content thrown away to keep a connection */
#define LIMIT_HTTP_LINGER_BYTES   (1024 * 1024) /* thrown away after the last answer, for its sake */
#define LIMIT_HTTP_LINGER_MS      2000          /* and for how long */
#define LIMIT_HTTP_HEAD_MS        10000 /* a slow phone needs seconds for a head, not more */
#define LIMIT_HTTP_IDLE_MS        30000 /* browsers come back within seconds or open a new connection */
#define LIMIT_HTTP_BODY_MS        30000 /* silence within request content */
#define LIMIT_HTTP_SEND_MS        30000 /* a peer that takes nothing; watched in steps of this */
#define LIMIT_HTTP_ANSWER_MS      60000 /* a handler that does nothing */
#define LIMIT_HTTP_EXCHANGE_BYTES (128 * 1024) /* memory of one exchange beyond its pooled block */
#define LIMIT_HTTP_REPLY_FIELDS   (16 * 1024)  /* field lines of an answer; clients refuse more */

/* --- files and logs --- */
#define LIMIT_FILE_PATH_BYTES 4095 /* PATH_MAX less its NUL */
#define LIMIT_FILE_READY_BYTES                                                                     \
    (64 * 1024) /* larger files go out by sendfile, which then is cheaper */
#define LIMIT_FILE_CACHE_BYTES (32 * 1024 * 1024) /* ready replies a worker */
#define LIMIT_FILE_CACHE_FILES 4096
#define LIMIT_FILE_CHECK_MS    1000 /* a ready reply is compared with its file at most this often */
#define LIMIT_FILE_FRESH_MS                                                                        \
    30 /* a file changed this lately may change again unseen: the kernel's clock ticks by 10 ms */
#define LIMIT_FILE_RACE_TRIES 8 /* openat2 gives EAGAIN while a rename is under way */
#define LIMIT_LOG_BUFFER      (32 * 1024)
#define LIMIT_LOG_FIELD       1024 /* request line, referrer and user agent each, before escaping */
#define LIMIT_LOG_RECORD                                                                           \
    (3 * 4 * LIMIT_LOG_FIELD + 512) /* one line: an escape is four bytes long */
#define LIMIT_LOG_LATE_MS 200       /* the longest a record waits in the buffer */

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
#define LIMIT_CONFIRM_MS 5 /* prefork: time for a free process to take the client that waits */
#define LIMIT_TALK_QUIET_MS                                                                        \
    60000 /* pool: a client that should speak first to a talk function and does not */
#define LIMIT_STALL_MS                                                                             \
    200 /* pool: guests wait and no thread gets free: the connections that hold them leave soon */
#define LIMIT_DRAIN_MS                                                                             \
    500 /* stop: served in turn until then, the rest of the queue is taken at once */
#define LIMIT_DRAIN_KEPT                                                                           \
    4096 /* clients taken from the queue at a stop: the length of the kernel's own queue */
#define LIMIT_RESTART_MS                                                                           \
    100 /* the second start after a death waits this long, each further one twice as long */
#define LIMIT_RESTART_MAX_MS     5000  /* ... up to this */
#define LIMIT_RESTART_HEALTHY_MS 10000 /* a worker that lived this long is started again at once */
#define LIMIT_KILLED_MS                                                                            \
    5000 /* processes that were killed have gone after this, unless the kernel hangs */
#define LIMIT_NEWS_BYTES 512 /* one line from a worker to the supervisor: a pipe takes it whole */
