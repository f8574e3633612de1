/*
 * cli/terminal.h: what there is to know about who reads our output.
 */
#pragma once

#include <stdbool.h>

/* Columns of the terminal at `fd`; without one, $COLUMNS or 100. */
unsigned terminal_width(int fd);
/* It is a terminal, and the user did not ask for plain text (NO_COLOR, TERM=dumb). */
bool terminal_colour(int fd);
