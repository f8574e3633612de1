/*
 * awaited.h: what the epoll sets of this process wait for, as proc(5) shows it: also what is there by a copy of a
 * descriptor that was closed.
 */
#pragma once

#include <stdbool.h>

/* Does any set have `fd`, by the number it was added with, and wait for something of it? */
bool is_awaited(int fd);
/* The first descriptor whose name in /proc has `word` in it, "[eventpoll]" or "pidfd"; -1: none. */
int fd_named(const char *word);
