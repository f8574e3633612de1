/*
 * cli/config_syntax.h: the text of a configuration as blocks of values, by libconfuse. It knows the rows, so it can say which key was meant,
 * what kind of value one takes, and where in the text that is. One at a time: the library has no place for an argument.
 */
#pragma once

#include "cli/config.h"

/* The top, or a section. */
struct syntax_block {
    enum option_scope scope;
    struct cfg_t *section; /* borrowed: from the parsed text */
    const char *title;
    unsigned line;
};

struct syntax_value {
    const struct option_row *row;
    struct cfg_opt_t *option; /* borrowed likewise */
    unsigned line, count;
};

/* Sets config->parsed; its texts live until syntax_free(). 0, or 2 after it said what is wrong. */
int syntax_parse(struct config *, const struct command *, struct syntax_block *out_top);
void syntax_free(struct cfg_t *); /* NULL is fine */

/* false: that was not said in this block. */
bool syntax_find(const struct syntax_block *, const struct option_row *, struct syntax_value *out);
const char *syntax_text(const struct syntax_value *, unsigned at);
bool syntax_is_yes(const char *text);
unsigned syntax_inner_count(const struct syntax_block *);
void syntax_inner(const struct syntax_block *, unsigned at, struct syntax_block *out);
