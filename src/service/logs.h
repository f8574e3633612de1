/*
 * service/logs.h: the two logs of a site, as its workers use them: a line for each request, and what went wrong. Made once, before
 * any worker. Records go through rings to the log process (service/log_process.h).
 *
 * The error log has a JSON object a line: time, level (error, warning, notice), what (request, connection, cgi, auth, server), then what
 * is known of: id (the request's name, which the access log has, too), remote, line, status, limit, why, text.
 */
#pragma once

#include "service/log_format.h"
#include "service/log_process.h"
#include "service/log_ring.h"

#include <limits.h>

/* As the options have them; NULL: off, or the default. Borrowed until logs_close(). */
struct logs_options {
    const char *access, *format, *mask;
    const char *error;
    struct {
        const char *const *at;
        size_t count;
    } sites; /* access logs of single sites, each once */
};

struct logs {
    struct log_format format;
    struct log_channel access, error;
    struct log_channel sites[LIMIT_SITE_LOGS];
    unsigned site_count;
};

/* Which access log: 0 is the server's, 1 and so on are those of single sites. */
#define LOGS_NONE UINT_MAX

/* What a thread has of them. */
struct logs_hand {
    const struct logs *logs; /* borrowed: from the site */
    struct log_hand access, error;
    struct log_hand sites[LIMIT_SITE_LOGS];
    struct log_memo memo;
};

/* Is there something wrong with their words? Then one line that says so. */
bool logs_wrong(const struct logs_options *, char *why, size_t why_size);
/* 0, or -errno of the log that cannot be opened: *out_which is its name, as it was given. */
WEIR_CHECKED int logs_open(struct logs *, const struct logs_options *, const char **out_which);
void logs_close(struct logs *);
/* Is there anything for a log process to do? */
static inline bool logs_wanted(const struct logs *logs)
{
    return logs->access.rings || logs->error.rings || logs->site_count > 0;
}
/* The log process. */
int logs_run(const struct weir_helper *, struct logs *);

/* A line of the access log, of this one. `end_ns`: mono_ns. */
void logs_add(struct logs_hand *, unsigned which, struct weir_exchange *, uint64_t end_ns, int why);
/* Lines of all access logs that were lost. */
uint64_t logs_lost(const struct logs *);
/* Before a wait, and at the end. */
void logs_let_go(struct logs_hand *);

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_NOTICE };

/* Records of the error log; nothing is done where there is none. */
static inline bool logs_tell(const struct logs_hand *hand)
{
    return hand->logs && hand->logs->error.rings;
}
void logs_tell_request(struct logs_hand *, struct weir_exchange *, int why);
void logs_tell_connection(struct logs_hand *, struct weir_driver *, struct weir_conn *, int why);
/* What a program that answers a request has to say. false: there is no error log. */
bool logs_tell_program(struct logs_hand *, int64_t wall_ns, const char *id,
                       struct weir_bytes program, struct weir_bytes text);
/* What a part of the server has to say while it serves: `what` is its name. false: there is no error log. */
bool logs_tell_text(struct logs_hand *, int64_t wall_ns, const char *what, struct weir_bytes text);
/* What the server has to say, in its own process. */
void logs_tell_server(const struct logs *, enum log_level, const char *text);
