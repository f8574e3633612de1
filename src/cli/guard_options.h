/*
 * cli/guard_options.h: who may have what, and how much of it, as rows of options.
 */
#pragma once

#include "cli/command.h"
#include "service/sites.h"

/* As written on the command line. */
struct guard_options {
    struct option_list access, trusted;
    const char *rate, *auth, *realm, *field;
    unsigned connections;
};

/* Fills in what is of a part, which borrows from the options. 0, or 2 after it said what is wrong. */
int guard_options_read(const struct command *, const struct guard_options *, struct site_part *out);
/* The same of what all sites share. */
int guard_options_shared(const struct command *, const struct guard_options *,
                         struct guards_options *out);
/* Was anything said that a site needs? */
bool guard_options_used(const struct guard_options *);
/* What is better changed: passwords that others can read, and those that are asked for where others can listen (`plain`: there is a listener
 * without TLS that other machines reach). One line each. */
void guard_options_warn(const struct command *, const struct sites_options *, bool plain);

/* Rows for a command whose values are a `struct type` with a `struct guard_options` called `member`. */
#define GUARD_OPTION(type, member, field, option, option_kind, word, in, text)                     \
    {                                                                                              \
        .name = option, .kind = option_kind, .scope = in, .value = word, .help = text,             \
        .offset = offsetof(struct type, member.field)                                              \
    }
#define GUARD_OPTION_ROWS(type, member)                                                            \
    {.name = "access",                                                                             \
     .kind = OPTION_LIST,                                                                          \
     .scope = OPTION_MOUNT,                                                                        \
     .merges = OPTION_BEFORE,                                                                      \
     .value = "'RULE ADDRESS'",                                                                    \
     .help = "as 'allow 192.0.2.0/24' and 'deny all': the first that fits the client counts; "     \
             "several times",                                                                      \
     .offset = offsetof(struct type, member.access)},                                              \
        GUARD_OPTION(type, member, rate, "client-rate", OPTION_TEXT, "RATE", OPTION_MOUNT,         \
                     "requests of one address, as '10/s burst 50' or 100/m; or off (default)"),    \
        {.name = "client-connections",                                                             \
         .kind = OPTION_COUNT,                                                                     \
         .value = "N",                                                                             \
         .help = "connections of one address at once (default: as many as there are)",             \
         .offset = offsetof(struct type, member.connections),                                      \
         .min = 1,                                                                                 \
         .max = LIMIT_CROWD_MOST},                                                                 \
        GUARD_OPTION(type, member, auth, "auth", OPTION_TEXT, "FILE", OPTION_MOUNT,                \
                     "ask for a name and a password out of this file (weir passwd makes it), or "  \
                     "off"),                                                                       \
        GUARD_OPTION(type, member, realm, "auth-realm", OPTION_TEXT, "TEXT", OPTION_MOUNT,         \
                     "what the client is told it is for (default weir)"),                          \
        GUARD_OPTION(type, member, trusted, "trusted-proxy", OPTION_LIST, "ADDRESS",               \
                     OPTION_SERVER,                                                                \
                     "believe this proxy who the client is; ADDRESS/BITS or unix, too; several "   \
                     "times"),                                                                     \
        GUARD_OPTION(type, member, field, "client-field", OPTION_TEXT, "NAME", OPTION_SERVER,      \
                     "where it says so: x-forwarded-for (default) or forwarded")
