/*
 * cli/options.h: reads a command line by its rows, and prints them as help. See cli/command.h.
 */
#pragma once

#include "cli/command.h"

enum parsed {
    PARSED_RUN,  /* values are set; argv[0 .. *out_count) are what is left, in order */
    PARSED_HELP, /* --help */
    PARSED_WRONG /* said so */
};

/* `--name value`, `--name=value`, `-n value`; options and operands in any order; `--` ends the options; `-` is an operand.
 * The last one given counts. Texts stay where they are in argv. */
enum parsed options_parse(const struct command *, void *values, int argc, char **argv,
                          int *out_count);
/* To standard output: synopsis, summary, options, examples, exit statuses. */
void options_help(const struct command *);
