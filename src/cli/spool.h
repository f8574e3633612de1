/*
 * cli/spool.h: the words of `weir spool`: each is one file, or a part of one.
 */
#pragma once

#include "cli/commands.h"

#include <weir/spool.h>
#include <weir/stream.h>

#include <stdio.h>

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

/* --- spool_out.c --- */
/* Standard output as a file of stdio. Once there is something to read from `signals` (-1: never), no wait for room goes on. */
struct spool_out {
    struct weir_stream *stream; /* owned, as is the file */
    FILE *file;
    int signals;
    int error; /* why nothing is written any more: -ECANCELED: a signal; -errno; 0: all is well */
};

/* Both return `error`. `buffer`: bytes. After a failure, too, it has to be closed. */
int spool_out_open(struct spool_out *, int signals, size_t buffer);
int spool_out_flush(struct spool_out *);
/* Tries to write what was not flushed, unless it failed. */
void spool_out_close(struct spool_out *);
