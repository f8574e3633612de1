/*
 * tbl/limits_stream.h: bounds of streams: queues, processes, shared memory, spools, pipelines. Included by tbl/limits.h.
 */
#pragma once

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
#define LIMIT_TUNNEL_CLOSE_MS                                                                      \
    2000 /* closing a tls: stream: as long as its last bytes, and its end, may take to leave */
#define LIMIT_TUNNEL_DRAIN_BYTES                                                                   \
    (256 * 1024) /* of what nobody has read there: left behind, it would make the close a reset */
#define LIMIT_MOVE_STEPS 16 /* steps in one direction before the other gets its turn */

/* --- sizes of the kernel's queues, spinning, buffered streams; figures: docs/bench/ipc --- */
#define LIMIT_PIPE_DEFAULT (64 * 1024)   /* pipe(7) */
#define LIMIT_PIPE_BYTES   (1024 * 1024) /* a pipe that was full; pipe-max-size allows so much */
#define LIMIT_PIPE_PIECE                                                                           \
    (256 * 1024) /* one write to it: writes of all it holds went a fifth slower across cores */
#define LIMIT_PIPE_NARROW_PIECE                                                                    \
    (16 * 1024) /* the same if it could not be widened: 1.0 GB/s, with all 64 KiB it holds 0.6 */
#define LIMIT_UNIX_BYTES (512 * 1024) /* SO_SNDBUF: an eighth faster than 208 KiB; 4 MiB slower */
#define LIMIT_UNIX_PIECE                                                                           \
    (32 * 1024) /* one send: 64 KiB in two took 91 ms of CPU a GB, at once 112 ... */
#define LIMIT_UNIX_WHOLE                                                                           \
    (128 * 1024) /* ... but a MiB in 32 took 111 and at once 98: more than this is left whole */
#define LIMIT_WAIT_LOG                                                                             \
    14 /* of the milliseconds that one system call waits and reads, 16 s: each stream has four bits for it */
#define LIMIT_SPIN_US 1000 /* a sleep across cores and back costs 60 at most */
#define LIMIT_SPIN_TRIES                                                                           \
    63 /* a wait's tries without a pause (kept in 6 bits), none when the peer shares our core */
#define LIMIT_SPIN_LOOKS 4 /* of 0.1 us, a try: 25 us in all; an answer takes 2 us, a call's 7 */
#define LIMIT_SPIN_SWITCH_NS                                                                       \
    800 /* giving the processor away and getting it back at once takes less */
#define LIMIT_NEAR_NS                                                                              \
    10000 /* a look for an answer whose question was read just now; sleeping and being woken takes as long */
#define LIMIT_NEAR_MISSES 4  /* in vain so often: the peer takes its time ... */
#define LIMIT_NEAR_PASSED 32 /* ... and every so many waits it is tried again */
#define LIMIT_BUFFER_BYTES                                                                         \
    (64 * 1024) /* of a reader and a writer: one system call for 960 messages of 64 bytes */
#define LIMIT_BUFFER_DIRECT                                                                        \
    (8 * 1024) /* what does not fit is sent from where it lies; less is cheaper to copy */
#define LIMIT_BUFFER_UNIT                                                                          \
    LIMIT_FRAME_BYTES /* a line, message or look-ahead, unless the program says otherwise */
#define LIMIT_BUFFER_UNIT_MAX (64 * 1024 * 1024) /* ... whatever it says; buffer.h tells of it */

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

/* --- pipelines --- */
#define LIMIT_PIPELINE_STAGES 256 /* programs; two descriptors each here, three if metered */
#define LIMIT_PIPELINE_PIPE_BYTES                                                                  \
    (1024 * 1024) /* of one pipe: what the system lets every user ask for (pipe-max-size) */
#define LIMIT_PIPELINE_PIPES_BYTES                                                                 \
    (16 * 1024 * 1024) /* of all of them: a user may have 64 MiB, and more than one pipeline */
#define LIMIT_PIPELINE_STEPS 16 /* moves of a joint before the others get their turn */
#define LIMIT_PIPELINE_LOOK_MS                                                                     \
    20 /* who waits for whom is a share of looks: 50 a second make 2 percent of one */
#define LIMIT_PIPELINE_EMPTY_PART                                                                  \
    16 /* a joint with less than this part of its room is empty: a slow writer's bytes are just read */
#define LIMIT_PIPE_MOVE_MS  20   /* weir pipe moves bytes so long before it looks at signals */
#define LIMIT_PIPE_GRACE_MS 5000 /* --grace: as long as servers get to stop */
#define LIMIT_PIPE_SIZE_MIN 4096 /* --pipe-size: a page is the least a pipe can have */
