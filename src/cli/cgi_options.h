/*
 * cli/cgi_options.h: programs that answer requests, as rows of options.
 */
#pragma once

#include "cli/command.h"
#include "service/site.h"

/* As written on the command line. */
struct cgi_words {
    struct option_list mounts;
    const char *memory, *spool;
    unsigned timeout_s, max, cpu_s, processes;
};

/* Fills in what `options` say of CGI, borrowing from the words; its root must be there. 0, or 2 after it said what is wrong. */
int cgi_options_read(const struct command *, const struct cgi_words *,
                     struct site_options *options);

/* Rows for a command whose values are a `struct type` with a `struct cgi_words` called `member`. */
#define CGI_OPTION(type, member, field, option, option_kind, word, most, text)                     \
    {                                                                                              \
        .name = option, .kind = option_kind, .value = word, .help = text,                          \
        .offset = offsetof(struct type, member.field), .min = 1, .max = most                       \
    }
#define CGI_OPTION_ROWS(type, member)                                                              \
    {.name = "cgi",                                                                                \
     .kind = OPTION_LIST,                                                                          \
     .value = "PREFIX=DIR",                                                                        \
     .help = "programs in DIR answer below PREFIX (RFC 3875); several times",                      \
     .offset = offsetof(struct type, member.mounts),                                               \
     .scope = OPTION_SITE},                                                                        \
        CGI_OPTION(type, member, timeout_s, "cgi-timeout", OPTION_COUNT, "SECONDS", 86400,         \
                   "a program that takes and gives nothing (default 60)"),                         \
        CGI_OPTION(type, member, max, "cgi-max", OPTION_COUNT, "N", LIMIT_CGI_PLACES_MAX,          \
                   "programs at once; more wait, then get 503 (default 32)"),                      \
        CGI_OPTION(type, member, cpu_s, "cgi-cpu", OPTION_COUNT, "SECONDS", 86400,                 \
                   "of processor time, for each process (default 300)"),                           \
        CGI_OPTION(type, member, memory, "cgi-memory", OPTION_TEXT, "SIZE", 0,                     \
                   "of data, for each process (default 1G)"),                                      \
        CGI_OPTION(type, member, processes, "cgi-processes", OPTION_COUNT, "N", 1000000,           \
                   "the server's user may have when a program starts one (default: any)"),         \
        CGI_OPTION(type, member, spool, "cgi-spool", OPTION_TEXT, "SIZE", 0,                       \
                   "content of unknown length that is gathered for a program (default 64M)")
