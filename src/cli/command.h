/*
 * cli/command.h: sub-commands as rows, and their options as rows: one table is parser, --help and error text at once.
 *
 * A sub-command is one file that exports one `const struct command command_NAME` (listed in main.c). Its values are a
 * struct of its own, zeroed or pre-filled by `defaults`; option rows say by offset where each value goes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum option_kind {
    OPTION_FLAG,  /* bool, no argument */
    OPTION_TEXT,  /* const char * */
    OPTION_LIST,  /* struct option_list: repeatable */
    OPTION_COUNT, /* unsigned, min to max */
};

#define OPTION_LIST_MAX 32
struct option_list {
    const char *at[OPTION_LIST_MAX];
    size_t count;
};

/* Where an option may stand in a configuration file, as a key of that name. What is said further out counts further in. */
enum option_scope {
    OPTION_SERVER,  /* at its top */
    OPTION_SITE,    /* and in a site */
    OPTION_MOUNT,   /* and in a mount of a site */
    OPTION_COMMAND, /* nowhere: it belongs to the command line */
};

/* What a list further in does with one further out. */
enum option_merge {
    OPTION_REPLACES,
    OPTION_AFTER,  /* it is added behind it */
    OPTION_BEFORE, /* or in front of it */
};

struct option_row {
    const char *name; /* without the dashes */
    char letter;      /* 0: none */
    enum option_kind kind;
    const char *value; /* what --help calls the argument, NULL for a flag */
    const char *help;  /* one line, with the default */
    size_t offset;
    unsigned min, max; /* OPTION_COUNT */
    enum option_scope scope;
    enum option_merge merges;
};

struct command {
    const char *name;
    const char *synopsis; /* "[DIR] [options]" */
    const char *summary;  /* one line */
    const char *examples; /* lines for --help */
    const char *exits;    /* lines: status and meaning */
    const struct option_row *options;
    size_t option_count;
    size_t values_size;
    void (*defaults)(void *values); /* NULL: zeroed */
    int (*run)(void *values, int argc,
               char **argv); /* what is left after the options; returns the exit status */
};

/* One line on standard error: "weir CMD: ...". Says what was tried, on what, why it failed and what to do. */
void complain(const struct command *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* As complain, followed by where to find help; returns 2, the exit status of wrong usage. */
int usage_error(const struct command *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Both are given to `hear` instead, without the command's name; NULL: to standard error again. */
void complain_to(void (*hear)(void *arg, const char *text), void *arg);
