/*
 * cli/spool.h: the words of `weir spool`: each is one file, or a part of one.
 */
#pragma once

#include "cli/commands.h"

#include <weir/spool.h>

struct spool_values {
    const char *reader, *from, *sync, *segment_size, *keep_bytes, *keep_age;
    bool frame, ack, drop_unread, skip_corrupt, quiet;
};

#define SPOOL_LENGTH_BYTES 4 /* before each message with --frame, most significant byte first */

/* Each returns the exit status. */
int spool_cli_write(const char *folder, const struct spool_values *);
int spool_cli_read(const char *folder, const struct spool_values *, bool follow);
int spool_cli_check(const char *folder, const struct spool_values *);

/* SIGINT and SIGTERM come by the descriptor that is returned from now on, and end the wait instead of the program. -errno. */
int spool_cli_signals(void);
/* 128 and the number of the signal that came by it, 0: none. */
int spool_cli_stopped(int signals);
