/*
 * service/cgi_log.h: what a program complains of, and what is said about it: records of the error log (service/logs.h) or,
 * where there is none, lines on the server's standard error, each with the name of the request and of the program:
 *
 *   weir: cgi 9d3c51b07a62e8f4-17 /cgi-bin/form: cannot open the data base
 *
 * It never waits: what standard error cannot take just then is lost.
 */
#pragma once

#include "tbl/limits.h"

#include <weir/http.h>

/* Of one program. */
struct cgi_log {
    struct weir_driver *driver; /* borrowed: whose error log it goes to, if there is one */
    char id[WEIR_REQUEST_ID_MAX];
    struct weir_bytes program; /* its path; borrowed: from the talk */
    char line[LIMIT_CGI_LOG_LINE];
    size_t len;
    size_t total; /* read so far */
};

/* One line of our own. */
void cgi_log_say(const struct cgi_log *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Bytes of its standard error: whole lines go out, the rest waits. */
void cgi_log_take(struct cgi_log *, const char *bytes, size_t len);
/* Its standard error has ended: so has the line. */
void cgi_log_end(struct cgi_log *);
