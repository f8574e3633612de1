/*
 * cli/log_options.h: what a site writes down and shows of itself, as rows of options.
 */
#pragma once

#include "cli/command.h"
#include "service/account.h"

/* As written on the command line. */
struct log_options {
    const char *access, *format, *mask, *error, *status;
    struct option_list allow;
    bool server_timing;
};

/* Fills in *out, which borrows from the options. 0, or 2 after it said what is wrong. */
int log_options_read(const struct command *, const struct log_options *,
                     struct account_options *out);
/* One of the logs cannot be opened: says so. false: it is not that. */
bool log_options_cannot_open(const struct command *, const struct log_options *);
/* The same of an access log alone. */
bool log_options_cannot_write(const struct command *, const char *name);
/* Is "-" standard output here? Answers may go there. */
bool log_options_use_output(const struct log_options *);

/* Rows for a command whose values are a `struct type` with a `struct log_options` called `member`. */
#define LOG_OPTION(type, member, field, option, option_kind, word, text)                           \
    {                                                                                              \
        .name = option, .kind = option_kind, .value = word, .help = text,                          \
        .offset = offsetof(struct type, member.field)                                              \
    }
#define LOG_OPTION_ROWS(type, member)                                                              \
    {.name = "access-log",                                                                         \
     .letter = 'a',                                                                                \
     .kind = OPTION_TEXT,                                                                          \
     .scope = OPTION_SITE,                                                                         \
     .value = "WHERE",                                                                             \
     .help = "a line for each request: a file, - (standard output), syslog, '|PROGRAM', or off "   \
             "(default)",                                                                          \
     .offset = offsetof(struct type, member.access)},                                              \
        LOG_OPTION(type, member, format, "log-format", OPTION_TEXT, "FORMAT",                      \
                   "combined (default), json, or names of fields, as 'time status total'"),        \
        LOG_OPTION(type, member, mask, "log-mask", OPTION_TEXT, "BITS/BITS",                       \
                   "what logs keep of addresses of version 4 and 6, as 24/48 (default: all)"),     \
        LOG_OPTION(type, member, error, "error-log", OPTION_TEXT, "WHERE",                         \
                   "what went wrong, a JSON object a line: a file, - (standard error), syslog, "   \
                   "'|PROGRAM', or off (default)"),                                                \
        LOG_OPTION(type, member, status, "status", OPTION_TEXT, "PATH",                            \
                   "figures, as a page and for Prometheus, for this machine alone"),               \
        LOG_OPTION(type, member, allow, "status-allow", OPTION_LIST, "WHO",                        \
                   "who else may see them: ADDRESS, ADDRESS/BITS, or any; several times"),         \
        LOG_OPTION(type, member, server_timing, "server-timing", OPTION_FLAG, NULL,                \
                   "tell clients how long the steps of an answer took")
