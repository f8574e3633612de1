/*
 * service/log_sink.h: where the lines of a log go: a file, standard output or error, syslog, a program. Only the log process
 * has one; it never waits in it.
 *
 *   FILE        appended to; opened again by log_sink_reopen()
 *   -           standard output or standard error, whichever `standard` is
 *   syslog      datagrams to /dev/log (RFC 3164), or syslog:PATH
 *   |COMMAND    the standard input of `sh -c COMMAND`, which is started again when it ends
 */
#pragma once

#include <weir/base.h>

enum log_sink_kind {
    LOG_SINK_OFF,
    LOG_SINK_FILE,
    LOG_SINK_STANDARD,
    LOG_SINK_SYSLOG,
    LOG_SINK_PROGRAM
};

struct log_sink {
    const char *name;  /* borrowed: from the options; NULL: off */
    int standard;      /* what "-" means: STDOUT_FILENO or STDERR_FILENO */
    unsigned priority; /* of syslog: facility and severity */
    enum log_sink_kind kind;
    int fd;            /* -1: not open */
    bool regular;      /* takes everything at once */
    pid_t pid;         /* of the program; 0: none */
    uint64_t start_ns; /* the program may be started again then */
    unsigned delay_ms;
    uint64_t kill_ns;  /* it was asked to end and is killed then; 0: it was not */
    char *sent;        /* the last bytes a program was sent */
    uint64_t sent_len; /* ... and how many there ever were */
    uint64_t
        unread; /* lines that programs left unread when they ended; for whoever counts: set it to 0 */
};

enum log_sink_kind log_sink_kind(const char *name); /* NULL and "off": none */
/* Can it be opened? For the start of the server. 0 or -errno. */
WEIR_CHECKED int log_sink_check(const char *name);
void log_sink_init(struct log_sink *, const char *name, int standard, unsigned priority);
/* Opens it, or starts its program, if it is not open and the time has come. 0; -EAGAIN: not yet; -errno. */
WEIR_CHECKED int log_sink_open(struct log_sink *, uint64_t now_ns);
/* A file is closed, to be opened again; others stay as they are. true: it was. */
bool log_sink_reopen(struct log_sink *);
/* Has its program ended? Then it is not open any more; another can be started after a while. One that reads no more, and goes on all the
 * same, is asked to end, and killed after LIMIT_LOG_END_MS. */
bool log_sink_ended(struct log_sink *, uint64_t now_ns, int *out_status);
/* Bytes of lines, the last of which may be cut. How many it took; -EAGAIN: none now; -errno: it is broken. A syslog takes whole
 * lines; `len` has at least one then. */
WEIR_CHECKED ssize_t log_sink_write(struct log_sink *, const char *at, size_t len);
/* No more comes: the program sees its end, and has LIMIT_LOG_END_MS to end; then it is asked to, and killed after LIMIT_LOG_KILL_MS. */
void log_sink_close(struct log_sink *);
