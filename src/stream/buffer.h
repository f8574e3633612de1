/*
 * stream/buffer.h: what a reader needs of the writer it is tied to, and what is shared by the files that read.
 */
#pragma once

#include "stream/impl.h"

#include <weir/buffer.h>

/* --- buffer_writer.c --- */

bool writer_is_empty(const struct weir_writer *);
/* Sends what goes out without waiting. An error is kept for the next call of the program's. */
void writer_flush_now(struct weir_writer *);

/* --- buffer_reader.c --- */

/* Reads until `len` bytes are there, at most bytes_max and what goes with them. Returns how many there are: fewer only at the end of
 * file; -errno. */
ssize_t reader_have(struct weir_reader *, size_t len);
