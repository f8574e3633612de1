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
    (256 * 1024) /* bytes moved for one connection before the others get their turn */
#define LIMIT_TURN_FILE_BYTES                                                                      \
    (1024 * 1024) /* ... of a file in one call: 50 us; 256 KiB cost 10 % more CPU at 10 MiB */
#define LIMIT_ACCEPT_BATCH 64    /* accepts before the connections get their turn */
#define LIMIT_JOB_THREADS  4     /* helper threads a driver */
#define LIMIT_JOB_QUEUE    256   /* jobs that wait for a helper */
#define LIMIT_COMPANIONS   16    /* companions of one connection under the poll driver */
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

/* --- shared memory --- */
#define LIMIT_SHM_BYTES (64ull * 1024 * 1024) /* one ring; all of it is there from the start */
#define LIMIT_SHM_DEFAULT                                                                          \
    (256 * 1024) /* one ring: a few writes of 64 KiB, and both rings fit into an L2 cache */
#define LIMIT_SHM_PIECE                                                                            \
    (32 * 1024) /* published at once: the reader starts on it, the L1 cache holds it */
#define LIMIT_SHM_PAUSES                                                                           \
    64 /* looks of 35 ns before the processor is given away; a peer answers in 5 */
#define LIMIT_SHM_PAUSES_MIN 2 /* ... when the last time was in vain: the peer shares our core */
#define LIMIT_SHM_YIELD_NS                                                                         \
    50000 /* then yielding: as long as a sleep across cores and back would cost */
#define LIMIT_SHM_YIELD_MIN_NS                                                                     \
    3000                   /* ... when lately that was in vain: a switch to the peer and back */
#define LIMIT_SHM_RETRY 64 /* every so many waits get their full time again */
#define LIMIT_SHM_NEWS  16 /* words on the socket taken in one look: there is one a fork */

/* --- spools --- */
#define LIMIT_SPOOL_MESSAGE_BYTES                                                                  \
    (16 * 1024 * 1024) /* a reader holds one in memory; the public header says so */
#define LIMIT_SPOOL_SEGMENT_BYTES                                                                  \
    (64 * 1024 * 1024)                     /* default; a writer reads its last file when it opens */
#define LIMIT_SPOOL_SEGMENT_MIN_BYTES 4096 /* smaller files cost more than they hold */
#define LIMIT_SPOOL_SEGMENT_MAX_BYTES                                                              \
    (16ull * 1024 * 1024 * 1024) /* messages of a file are counted in 32 bits, 16 bytes each */
#define LIMIT_SPOOL_SEGMENTS (1024 * 1024) /* files listed: 64 TiB at the default size */
#define LIMIT_SPOOL_BATCH    256 /* messages in one writev, two pieces each: IOV_MAX is 1024 */
#define LIMIT_SPOOL_WINDOW   (256 * 1024) /* what a reader reads ahead: the L2 cache holds it */
#define LIMIT_SPOOL_LOOK_MS                                                                        \
    1000                        /* files on a network tell inotify nothing: a reader looks anyway */
#define LIMIT_SPOOL_BLIND_MS 50 /* ... and so often where there is no inotify instance left */
#define LIMIT_SPOOL_TRIM_MS  1000 /* removals by age are looked for at most so often */
#define LIMIT_SPOOL_RETRIES  16   /* a file was removed between looking and opening */

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

/* --- HTTP, client side --- */
#define LIMIT_HTTP_RESPONSE_BYTES                                                                  \
    (1ull << 40) /* content of an answer: it is streamed, this only keeps sums from overflowing */
#define LIMIT_HTTP_RESPONSE_MS    60000 /* silence of a server that owes an answer */
#define LIMIT_HTTP_CLIENT_IDLE_MS 60000 /* a connection without requests; servers end it sooner */
#define LIMIT_HTTP_INTERIM        16    /* 1xx answers before the final one */
#define LIMIT_HTTP_PIPELINE                                                                        \
    48 /* requests on their way: fewer than LIMIT_OUT_SPANS, so that answers are always read */

/* --- load and bench --- */
#define LIMIT_LOAD_CONNECTIONS 65000               /* ports of one address, and memory for each */
#define LIMIT_LOAD_DEPTH       LIMIT_HTTP_PIPELINE /* requests on their way on one connection */
#define LIMIT_LOAD_THREADS     64                  /* each fills a core; servers have fewer */
#define LIMIT_LOAD_RATE        10000000            /* requests a second: more than sockets carry */
#define LIMIT_LOAD_REQUEST                                                                         \
    (1024 * 1024) /* bytes of one request, its content included; also of an echoed block */
#define LIMIT_LOAD_TIMEOUT_MS  10000 /* default of --timeout: nobody waits longer for a page */
#define LIMIT_LOAD_DURATION_S  86400 /* --duration and --warm-up; also what bounds --requests */
#define LIMIT_LOAD_RETRY_MS    20    /* before connecting again where the last try gave no answer */
#define LIMIT_LOAD_TICK_NS     10000000 /* the generator looks at its clock this often at least */
#define LIMIT_LOAD_TICK_MIN_NS 20000    /* ... and at most, when requests are due at a rate */
#define LIMIT_LOAD_SLICES      64 /* of a run, for plots over time: as many as a plot shows apart */
#define LIMIT_BENCH_POINTS     16 /* --clients: numbers of clients, a server start each */
#define LIMIT_BENCH_CLIENTS    4096 /* the largest of them */
#define LIMIT_BENCH_PROCESSES  8192 /* processes of a server's tree that are looked at for memory */
#define LIMIT_BENCH_START_MS   10000 /* a server's start */
#define LIMIT_BENCH_STOP_MS    15000 /* a server's end: its grace, and a moment */

/* --- files and logs --- */
#define LIMIT_FILE_PATH_BYTES 4095 /* PATH_MAX less its NUL */
#define LIMIT_FILE_READY_BYTES                                                                     \
    (256 * 1024) /* larger files go out by sendfile; at 100 KiB that takes 1.09 times the CPU */
#define LIMIT_FILE_SMALL_BYTES                                                                     \
    (16 * 1024) /* the same once ready replies have used up their memory */
#define LIMIT_FILE_CACHE_BYTES (32 * 1024 * 1024) /* ready replies a worker */
#define LIMIT_FILE_CACHE_FILES 8192
#define LIMIT_FILE_CACHE_OPEN  2048  /* larger files that stay open; or a 16th of all descriptors */
#define LIMIT_FILE_OPEN_MS     10000 /* an open file nobody asks for */
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
#define LIMIT_DRAIN_QUIET_MS                                                                       \
    20 /* stop: listeners close when nobody came for this long: requests may be on their way */
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
