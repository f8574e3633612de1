/*
 * service/access_log.h: a line a request, in the combined format with the request's seconds at the end:
 *
 *   192.0.2.1 - - [06/Nov/1994:08:49:37 +0000] "GET / HTTP/1.1" 200 612 "referrer" "user agent" 0.000123
 *
 * Each worker gathers lines in a buffer of its own and writes it at once: when it is full, and at most 200 ms after its
 * first line. A log that cannot be written never stops the server: what is lost is counted.
 */
#pragma once

#include <weir/http.h>

/* Shared by all workers, not written to. */
struct access_log {
    int fd;       /* -1: off */
    bool own;     /* closed with the log */
    bool regular; /* a file; else it is only written to when it can take it */
};

struct log_buffer {
    char *at; /* NULL until the first record */
    size_t len;
    unsigned lines;
    uint64_t first_ns; /* when the first of them came */
    uint64_t lost;     /* lines that could not be written */
    bool torn;         /* the last write ended within a line */
    int64_t second;    /* `stamp` is for this one */
    char stamp[32];
};

/* NULL or "off": no log; "-": standard output; else a path. 0 or -errno. */
WEIR_CHECKED int access_log_open(struct access_log *, const char *name);
void access_log_close(struct access_log *);
void access_log_add(const struct access_log *, struct log_buffer *, struct weir_exchange *);
/* Writes what is due. Returns when there is more to do (mono_ns), 0: nothing. */
uint64_t access_log_idle(const struct access_log *, struct log_buffer *, uint64_t now_ns);
/* Writes the rest and frees the buffer. */
void access_log_done(const struct access_log *, struct log_buffer *);
