/*
 * tbl/limits.h: every bound on what comes from outside, with its reason. Rows, no code.
 */
#pragma once

#include "tbl/limits_files.h"
#include "tbl/limits_guard.h"
#include "tbl/limits_h2.h"
#include "tbl/limits_http.h"
#include "tbl/limits_log.h"
#include "tbl/limits_message.h"
#include "tbl/limits_model.h"
#include "tbl/limits_rpc.h"
#include "tbl/limits_service.h"
#include "tbl/limits_stream.h"
#include "tbl/limits_tls.h"
#include "tbl/limits_tools.h"

/* --- streams and drivers --- */
#define LIMIT_HOT_BYTES                                                                            \
    (64 * 1024) /* one read: larger ones were not faster, and it stays in the L2 cache */
#define LIMIT_OUT_BYTES (64 * 1024) /* copied or referenced bytes queued before producers wait */
#define LIMIT_OUT_SPANS 64 /* spans queued before producers wait; also what one writev takes */
#define LIMIT_TURN_BYTES                                                                           \
    (256 * 1024) /* bytes moved for one connection before the others get their turn */
#define LIMIT_TURN_FILE_BYTES                                                                      \
    (1024 * 1024) /* ... of a file in one call: 50 us; 256 KiB cost 10 % more CPU at 10 MiB */
#define LIMIT_ACCEPT_BATCH 64  /* accepts before the connections get their turn */
#define LIMIT_JOB_THREADS  4   /* helper threads a driver */
#define LIMIT_JOB_QUEUE    256 /* jobs that wait for a helper */
#define LIMIT_SHAKE_THREADS                                                                        \
    1 /* of those for handshakes: two on one core make plain requests wait four times as long */
#define LIMIT_SHAKE_QUEUE 256 /* of RSA-4096 a thread does as many in 1.8 s */
#define LIMIT_BRIEF_QUEUE 32  /* brief jobs that a loop alone keeps to itself: 26 ms of RSA-2048 */
#define LIMIT_SHAKE_NICE                                                                           \
    10 /* of those threads: on a core that is full, a loop comes before the handshakes of a flood */
#define LIMIT_COMPANIONS                                                                           \
    64 /* companions of one connection under the poll driver: a CGI program is four */
#define LIMIT_DIAL_MS 10000 /* connecting to an endpoint, look-up and all addresses included */
#define LIMIT_LONELY_CHILD_MS                                                                      \
    1000 /* a child may outlive the last connection of its place, or its relay, by this */
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

/* --- requests and replies --- */
#define LIMIT_CALL_BYTES  (1024 * 1024) /* content of one message, as of a frame */
#define LIMIT_CALLS       65536         /* under way one way on one connection: 6 MiB of them */
#define LIMIT_CALLS_USUAL 1024          /* ... unless told otherwise */
#define LIMIT_CALL_BACKLOG                                                                         \
    (2 * LIMIT_CALL_BYTES)        /* unsent before a peer that does not read gets no more answers */
#define LIMIT_CALL_COPIED  4096   /* longer content gets memory of its own instead of many blocks */
#define LIMIT_CALL_IDLE_MS 600000 /* programs that call now and then need not connect each time */
#define LIMIT_CALL_PING_MS 10000  /* quiet while calls wait, before the peer is asked */
#define LIMIT_CALL_SILENT_MS                                                                       \
    30000 /* ... before it counts as dead: a handler may block for seconds */
#define LIMIT_CALLER_KEPT                                                                          \
    (64 * 1024 * 1024) /* answers nobody has waited for yet; copied aside for another's sake */

/* --- relay --- */
#define LIMIT_RELAY_IDLE_MS                                                                        \
    600000 /* no byte either way: databases and shells are left alone for minutes */
#define LIMIT_RELAY_BULK                                                                           \
    (16 * 1024) /* a read of so much: splice(2) saves more than it costs from here on */
#define LIMIT_RELAY_BURST_MS                                                                       \
    50 /* of a rate, saved up by silence: 2 percent of three seconds, and some 50 wake-ups a second */
#define LIMIT_RELAY_RATE                                                                           \
    100000000000 /* bytes a second: more than memory carries, and sums fit 64 bits */
#define LIMIT_RELAY_RATE_TRIES                                                                     \
    16 /* others were faster so often: then without what silence had saved */
#define LIMIT_RELAY_LINGER_BYTES                                                                   \
    (1024 * 1024) /* read for nobody, so that a last answer is not lost to a reset */
#define LIMIT_RELAY_LINGER_MS 2000 /* and for how long */
#define LIMIT_DUCT_BYTES                                                                           \
    (512 *                                                                                         \
     1024) /* between two sockets: a third of the CPU time of 64 KiB; a user may have 64 MiB */
#define LIMIT_DUCTS_KEPT 8 /* empty ones of a thread that wait for the next connection's bytes */
#define LIMIT_DIAL_RETRY_MS                                                                        \
    10 /* a Unix listener's queue was full: poll(2) does not tell of room in it */
#define LIMIT_DIAL_SHARE_MS                                                                        \
    1000 /* an address that does not answer, while the name has others; retried SYNs come within that */

/* --- scripts and the simulated driver (tests, fuzzers) --- */
#define LIMIT_SCRIPT_BYTES                                                                         \
    (16 * 1024 * 1024)           /* what all lines of a script come to, repeats counted */
#define LIMIT_SCRIPT_STEPS 4096  /* lines that do something */
#define LIMIT_SIM_ROUNDS   20000 /* rounds in which nothing moved: the machine spins */
#define LIMIT_SIM_FILES    16    /* pretended files */
#define LIMIT_SIM_ENDS     64    /* connections and companions of one simulation */
