#include "cli/pipe_screen.h"

#include "cli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ROWS_LEFT  3   /* for what the programs write, at least */
#define HEIGHT_MAX 100 /* lines kept: what a frame's buffer holds */

/* From a character's first byte; those that follow take none. */
static size_t columns_of(char first)
{
    unsigned char c = (unsigned char)first;
    return (c & 0xc0) == 0x80 ? 0 : c < 0xe1 ? 1 : 2;
}

size_t screen_columns(const char *text)
{
    size_t columns = 0;
    for (; *text; text++)
        columns += columns_of(*text);
    return columns;
}

size_t screen_fit(const char *text, size_t columns)
{
    size_t used = 0, at = 0;
    for (; text[at]; at++) {
        used += columns_of(text[at]);
        if (used > columns)
            break;
    }
    return at;
}

bool screen_can(int fd)
{
    const char *term = getenv("TERM");
    return isatty(fd) && term && *term && strcmp(term, "dumb") != 0;
}

/* What does not fit is left out whole, so that no sequence is cut. */
static void add(struct pipe_screen *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void add(struct pipe_screen *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(s->bytes + s->len, sizeof(s->bytes) - s->len, format, args);
    va_end(args);
    if (n > 0 && s->len + (size_t)n < sizeof(s->bytes))
        s->len += (size_t)n;
}

/* true: nothing is left to write. */
static bool flush(struct pipe_screen *s)
{
    while (s->at < s->len) {
        ssize_t n = write(s->fd, s->bytes + s->at, s->len - s->at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return false;
        if (n <= 0)
            break; /* the terminal is gone */
        s->at += (size_t)n;
    }
    s->at = s->len = 0;
    return true;
}

/* DECSC and DECRC (ESC 7, ESC 8) keep the place where the programs write, also over setting the region, which moves the cursor.
 * IND (ESC D) makes room below it without leaving its column. */
static void add_region(struct pipe_screen *s)
{
    for (unsigned i = 0; i < s->height; i++)
        add(s, "\033D");
    add(s, "\033[%uA\0337\033[1;%ur\0338", s->height, s->rows - s->height);
}

/* false: too small for anything. */
static bool measure(struct pipe_screen *s, unsigned height)
{
    struct winsize size;
    if (ioctl(s->fd, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 || size.ws_col == 0) {
        size.ws_row = 24;
        size.ws_col = 80;
    }
    s->rows = size.ws_row;
    s->columns = size.ws_col;
    if (s->rows <= ROWS_LEFT)
        return false;
    s->height = height < HEIGHT_MAX ? height : HEIGHT_MAX;
    if (s->height > s->rows - ROWS_LEFT)
        s->height = s->rows - ROWS_LEFT;
    return true;
}

int screen_open(struct pipe_screen *s, int fd, unsigned height)
{
    char path[40];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    s->at = s->len = 0;
    s->fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (s->fd < 0)
        return -errno;
    if (!measure(s, height)) {
        close(s->fd);
        s->fd = -1;
        return -ENOTSUP;
    }
    s->colour = terminal_colour(fd);
    add_region(s);
    return 0;
}

/* Where programs write may have moved with the new size; the lines of the old one scroll away with the rest. */
static void follow_size(struct pipe_screen *s, unsigned height)
{
    unsigned rows = s->rows, columns = s->columns, lines = s->height;
    if (!measure(s, height)) {
        s->rows = rows;
        s->columns = columns;
        s->height = lines;
        return;
    }
    if (s->rows == rows && s->height == lines)
        return;
    add(s, "\0337\033[r\0338");
    add_region(s);
}

void screen_show(struct pipe_screen *s, const char *const *lines, unsigned count, unsigned marked)
{
    if (s->fd < 0 || !flush(s))
        return;
    follow_size(s, count);
    add(s, "\0337");
    for (unsigned i = 0; i < s->height && i < count; i++) {
        bool stands_out = s->colour && i == marked;
        add(s, "\033[%u;1H%s%.*s%s\033[K", s->rows - s->height + 1 + i,
            stands_out ? "\033[1;33m" : "", (int)screen_fit(lines[i], s->columns - 1), lines[i],
            stands_out ? "\033[0m" : "");
    }
    add(s, "\0338");
    flush(s);
}

void screen_close(struct pipe_screen *s)
{
    if (s->fd < 0)
        return;
    add(s, "\0337\033[%u;1H\033[J\033[r\0338", s->rows - s->height + 1);
    /* Only here it waits: a terminal without its region back is of no use to anybody. */
    fcntl(s->fd, F_SETFL, 0);
    flush(s);
    close(s->fd);
    s->fd = -1;
}
