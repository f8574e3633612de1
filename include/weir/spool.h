/*
 * weir/spool.h: a producer and a consumer separated in time: messages kept in a folder of files.
 *
 * One writer at a time appends; any number of readers, each at its own pace, read, wait for more and commit how far
 * they came. A message comes whole or not at all, in order, and its checksum is looked at each time it is read.
 *
 * Promises. Appended (0 or more was returned): survives the death of the process. Kept (weir_spool_kept()): with
 * sync_ms 0 or more, survives a power failure too. Not acknowledged: is there whole, or not at all. Committed: is not
 * given to that reader again. Read and not committed: is given again. What a crash left of an unfinished message is cut by
 * the next writer, which can tell how much it was. Damage within is reported, and skipped only when asked.
 *
 * All calls return 0 or more on success, a negative errno number on failure. An object belongs to one thread at a time; after
 * fork(2) to one process. No hidden threads: who waits calls weir_spool_tend(). weir-spool(3) says more.
 */
#pragma once

#include "base.h"

#define WEIR_SPOOL_MESSAGE_MAX (16u * 1024 * 1024) /* bytes of one message; 0 is fine too */
#define WEIR_SPOOL_NAME_MAX    64                  /* of a reader: letters, digits, - and _ */
#define WEIR_SPOOL_NEVER       (-1)

/* How to write. NULL, or a field left 0: the default. */
struct weir_spool_options {
    int sync_ms; /* fdatasync: 0 before each append returns; N at most N ms later; or NEVER */
    uint64_t segment_bytes; /* a file is begun after so many (64 MiB; 4 KiB to 16 GiB) */
    uint64_t keep_bytes;    /* oldest files are removed above this; 0: never */
    uint64_t keep_s;        /* files last written so long ago are removed; 0: never */
    bool drop_unread;       /* removes also what a reader that has a name has not committed */
};

/* Something that is no whole message. `what` is a text of the library, NULL: there was nothing. */
struct weir_spool_trouble {
    uint64_t segment; /* the number in the file's name */
    uint64_t offset;  /* in that file */
    uint64_t bytes;
    bool unfinished; /* at the very end: being written, or left by a crash; no damage */
    const char *what;
};

struct weir_spool_writer;

/* Opens a spool for writing; the folder is made if it is missing (its parent is not). Cuts off what a crash left.
 * -EBUSY: another writer has it. -EINVAL: an option out of range. -ENOENT, -ENOTDIR, -EACCES, -ENOSPC, -EIO, -ENOMEM. */
WEIR_API WEIR_CHECKED int weir_spool_writer_open(const char *folder,
                                                 const struct weir_spool_options *,
                                                 struct weir_spool_writer **out);
/* What was cut off when it was opened. */
WEIR_API void weir_spool_writer_cut(const struct weir_spool_writer *,
                                    struct weir_spool_trouble *out);
/* Appends one message. -EMSGSIZE; -ENOSPC, -EFBIG, -EDQUOT: nothing was appended, the spool is as before, and may be
 * tried again; -EIO, also where fdatasync(2) or fsync(2) has failed otherwise: unknown whether it is kept, this writer takes no more. */
WEIR_API WEIR_CHECKED int weir_spool_append(struct weir_spool_writer *, const void *bytes,
                                            size_t len);
/* Many with few system calls and one fdatasync. Returns how many were appended, from the first on, at least one; fewer than
 * `count` when the next one failed (appending the rest tells why); or -errno, as above. */
WEIR_API WEIR_CHECKED ssize_t weir_spool_append_many(struct weir_spool_writer *,
                                                     const struct weir_bytes *, size_t count);
/* Makes all that was appended durable now, whatever the policy. */
WEIR_API WEIR_CHECKED int weir_spool_sync(struct weir_spool_writer *);
/* What is due by time: the fdatasync of sync_ms, removals by keep_s. Appending does this too; call it when idle. */
WEIR_API WEIR_CHECKED int weir_spool_tend(struct weir_spool_writer *);
/* Milliseconds until weir_spool_tend() has something to do; -1: nothing is due. For poll(2). */
WEIR_API int weir_spool_due_ms(const struct weir_spool_writer *);
/* The number of the next message. Numbers only rise and are never given twice, so after a crash this tells a
 * producer how far it came. */
WEIR_API uint64_t weir_spool_number(const struct weir_spool_writer *);
/* All messages with a smaller number are acknowledged as the policy says (NEVER: written; else durable). */
WEIR_API uint64_t weir_spool_kept(const struct weir_spool_writer *);
/* Syncs (unless NEVER) and frees. 0, or the error of that. NULL is fine. */
WEIR_API int weir_spool_writer_close(struct weir_spool_writer *);

enum weir_spool_from { WEIR_SPOOL_START, WEIR_SPOOL_END };

struct weir_spool_reader_options {
    const char *name;          /* of the durable position; NULL: none, nothing is committed */
    enum weir_spool_from from; /* where one begins that has no position yet */
    bool skip_corrupt;         /* goes on behind damage, and counts what was lost */
    bool lazy_commit; /* no fdatasync in commit: after a power failure, messages may come again */
};

struct weir_spool_message {
    const void *bytes; /* valid until the next call on this reader */
    size_t len;
    uint64_t number;
    uint64_t missed; /* right before it: removed before they were read, or damaged and skipped */
};

struct weir_spool_reader;

/* -EBUSY: another process reads under this name. -EBADMSG: its position file is damaged. -EINVAL: the name. -ENOENT ... */
WEIR_API WEIR_CHECKED int weir_spool_reader_open(const char *folder,
                                                 const struct weir_spool_reader_options *,
                                                 struct weir_spool_reader **out);
/* 1: a message. 0: none came within timeout_ms (0: this is the end for now). -EBADMSG: damage, which
 * weir_spool_reader_trouble() describes; the reader stays before it. A message may be seen before it is durable. */
WEIR_API WEIR_CHECKED int weir_spool_next(struct weir_spool_reader *, int timeout_ms,
                                          struct weir_spool_message *out);
/* All messages that weir_spool_next() gave are done with. -EINVAL: the reader has no name. */
WEIR_API WEIR_CHECKED int weir_spool_commit(struct weir_spool_reader *);
/* For poll(2): readable when there may be more since weir_spool_next() last gave 0, so ask for it before that. Borrowed, and the
 * same for the reader's life. -1: inotify cannot be had; look again from time to time. */
WEIR_API int weir_spool_reader_fd(struct weir_spool_reader *);
/* What weir_spool_next() last stopped at, skipped, or found at the end, since this was last asked. */
WEIR_API void weir_spool_reader_trouble(struct weir_spool_reader *, struct weir_spool_trouble *out);
/* Frees; commits nothing. NULL is fine. */
WEIR_API void weir_spool_reader_close(struct weir_spool_reader *);

struct weir_spool_segment {
    uint64_t first, messages, bytes; /* number of the first message; of the file */
};

struct weir_spool_place {
    const char *name; /* of a reader, valid during the call */
    uint64_t number;  /* of its next message */
    bool damaged;     /* its position file cannot be read */
};

/* What a check finds; each pointer may be NULL. */
struct weir_spool_visitor {
    void (*trouble)(void *arg, const struct weir_spool_trouble *); /* before its segment */
    void (*segment)(void *arg, const struct weir_spool_segment *);
    void (*reader)(void *arg, const struct weir_spool_place *);
    void *arg;
};

struct weir_spool_sum {
    uint64_t segments, messages, bytes; /* bytes: of messages */
    uint64_t damages, next;             /* next: the number after the last message */
};

/* Reads everything and verifies it, also while a writer is at work. 0 also when there was damage: see out->damages. */
WEIR_API WEIR_CHECKED int weir_spool_check(const char *folder, const struct weir_spool_visitor *,
                                           struct weir_spool_sum *out);
