/*
 * cli/pipe_screen.h: some lines at the bottom of a terminal that stay where they are. What programs write there themselves
 * scrolls above them: the terminal is told to (a scrolling region), nothing is taken from the programs.
 *
 * It never waits for the terminal: what cannot be written now is written later, and frames in between are left out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define SCREEN_BYTES (64 * 1024)

struct pipe_screen {
    int fd; /* a descriptor of our own; -1: not open */
    bool colour;
    unsigned rows, columns; /* of the terminal */
    unsigned height;        /* lines kept */
    size_t at, len;         /* not yet written */
    char bytes[SCREEN_BYTES];
};

/* Columns that a text takes, and how many bytes of it fit into so many. No locale is asked: scripts from the CJK blocks on count as twice
 * as wide; a line that is too short does no harm, one that is too long does. */
size_t screen_columns(const char *text);
size_t screen_fit(const char *text, size_t columns);

/* A terminal that can do it? */
bool screen_can(int fd);
/* Keeps up to `height` lines of the terminal `fd`, fewer where it is small. 0 or -errno. */
int screen_open(struct pipe_screen *, int fd, unsigned height);
/* Shows these lines, one after the other, cut to the width; `marked` stands out. The terminal may have got another size. */
void screen_show(struct pipe_screen *, const char *const *lines, unsigned count, unsigned marked);
/* Clears the lines and gives the whole terminal back. One that is not open is fine. */
void screen_close(struct pipe_screen *);
