/*
 * tbl/limits_log.h: bounds of logs and figures, with their reasons. Included by tbl/limits.h.
 */
#pragma once

/* --- rings: records on their way to the log process --- */
#define LIMIT_LOG_RING                                                                             \
    (2 * 1024 *                                                                                    \
     1024) /* of one writer at a time: 250 ms of a busy core, if the log process has to wait */
#define LIMIT_LOG_RINGS                                                                            \
    64 /* a writer has one from its first record to its next wait: that many at the same instant */
#define LIMIT_ERROR_RING  (256 * 1024) /* errors are few, and one says little more than ten */
#define LIMIT_ERROR_RINGS 32
#define LIMIT_SITE_LOGS   32 /* sites with an access log of their own; others share the server's */
#define LIMIT_SITE_LOG_RING                                                                        \
    (256 * 1024) /* of one: a thousand lines; 128 MiB if all rings of all logs fill up */
#define LIMIT_SITE_LOG_RINGS 16
#define LIMIT_LOG_GATHER_MS                                                                        \
    100 /* the log process looks so often while there is something, else when it is woken */
#define LIMIT_LOG_NAP_MS                                                                           \
    5000 /* ... and so often at least: a writer killed between a record and the wake told nobody */
#define LIMIT_LOG_BATCH (128 * 1024) /* one write; writers wake it for so much */

/* --- where lines go --- */
#define LIMIT_LOG_SYSLOG_BYTES   8192  /* one datagram; journald and rsyslog take that by default */
#define LIMIT_LOG_SYSLOG_BATCH   256   /* lines before another sink gets its turn */
#define LIMIT_LOG_PROGRAM_PIPE   65536 /* pipe(7): what a program can leave unread */
#define LIMIT_LOG_PROGRAM_MS     100  /* before a program that died is started again; doubled ... */
#define LIMIT_LOG_PROGRAM_MAX_MS 5000 /* ... up to this */
#define LIMIT_LOG_KILL_MS        500  /* after a program was asked to end at the server's end */
#define LIMIT_LOG_END_MS                                                                           \
    2000 /* at the end: a reader that takes nothing for so long, and a program that goes on */
#define LIMIT_LOG_SAY_MS 10000 /* lines were lost: said at most so often */

/* --- formats --- */
#define LIMIT_LOG_FIELD 1024 /* what a client says: request line, referrer ...; before escaping */
#define LIMIT_LOG_LINE                                                                             \
    (6 * 6 * LIMIT_LOG_FIELD + 2048) /* one line: six such fields, an escape has six bytes */
#define LIMIT_LOG_FIELDS     32      /* fields of a format */
#define LIMIT_LOG_ERROR_TEXT 1024    /* of what an error says, before escaping */

/* --- figures and their page --- */
#define LIMIT_FIGURE_SLOTS                                                                         \
    1024 /* threads and processes with figures of their own; more share one, atomically */
#define LIMIT_STATUS_STREAM_MS                                                                     \
    30000 /* of one stream of events: a place is not held for ever, the browser comes again */
#define LIMIT_STATUS_EVENT_MS 1000 /* between two events */
#define LIMIT_STATUS_TEXT_BYTES                                                                    \
    (24 * 1024)               /* all figures as text: 8 KiB when all are at their longest */
#define LIMIT_STATUS_ALLOW 32 /* --status-allow */

/* --- the helper processes of a service --- */
#define LIMIT_HELPERS 4 /* one for logs, one for keys, and two for others */
#define LIMIT_HELPER_END_MS                                                                        \
    6000 /* its last work: what its readers and programs are given, and a moment */
