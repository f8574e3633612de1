/*
 * cli/http_options.h: what a request may be, as rows of options. Each is called as the log calls it when it strikes.
 */
#pragma once

#include "cli/command.h"

#include <weir/http.h>

/* As written on the command line. */
struct http_options {
    const char *line, *fields, *body, *rate;
    unsigned field_count;
};

/* Fills in the limits of *out, and nothing else. 0, or 2 after it said what is wrong. */
int http_options_read(const struct command *, const struct http_options *, struct weir_http *out);

/* Rows for a command whose values are a `struct type` with a `struct http_options` called `member`. */
#define HTTP_SIZE(type, member, field, option, text)                                               \
    {                                                                                              \
        .name = option, .kind = OPTION_TEXT, .value = "SIZE", .help = text,                        \
        .offset = offsetof(struct type, member.field)                                              \
    }
#define HTTP_OPTION_ROWS(type, member)                                                             \
    HTTP_SIZE(type, member, line, "max-line", "the longest request line (default 8K; up to 16K)"), \
        HTTP_SIZE(type, member, fields, "max-fields",                                              \
                  "all fields of a request together (default 32K; up to 47K)"),                    \
        {.name = "max-field-count",                                                                \
         .kind = OPTION_COUNT,                                                                     \
         .value = "N",                                                                             \
         .help = "how many fields a request may have (default and most: 100)",                     \
         .offset = offsetof(struct type, member.field_count),                                      \
         .min = 1,                                                                                 \
         .max = 100},                                                                              \
        HTTP_SIZE(type, member, body, "max-body", "the content of a request (default 1G)"),        \
        HTTP_SIZE(type, member, rate, "min-rate",                                                  \
                  "content arrives with so many bytes a second, or is ended after 10 s of grace "  \
                  "(default 128; 0: it may take its time)")
