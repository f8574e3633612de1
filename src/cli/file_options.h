/*
 * cli/file_options.h: how files are served, as rows of options.
 */
#pragma once

#include "cli/command.h"
#include "service/coder.h"
#include "service/file_cache.h"

/* As written on the command line. */
struct file_options {
    bool listing, neighbours;
    const char *fallback, *mime_types, *coding, *coding_cache;
    const char *coding_bytes, *coding_max, *ready_bytes, *ready_max;
    struct option_list error_pages, cache_control;
    unsigned gzip_level, br_level, zstd_level;
    unsigned ready_files, open_files;
};

/* Fills in *out_folder and *out_cache, which borrow from the options. 0, or 2 after it said what is wrong. */
int file_options_read(const struct command *, const struct file_options *,
                      struct folder_options *out_folder, struct file_cache_options *out_cache);

/* Rows for a command whose values are a `struct type` with a `struct file_options` called `member`. */
#define FILE_OPTION(type, member, field, option, option_kind, word, text)                          \
    {                                                                                              \
        .name = option, .kind = option_kind, .value = word, .help = text,                          \
        .offset = offsetof(struct type, member.field), .scope = OPTION_MOUNT                       \
    }
#define FILE_COUNT(type, member, field, option, word, most, text)                                  \
    {                                                                                              \
        .name = option, .kind = OPTION_COUNT, .value = word, .help = text,                         \
        .offset = offsetof(struct type, member.field), .min = 1, .max = most,                      \
        .scope = OPTION_MOUNT                                                                      \
    }
#define FILE_WORKER(type, member, field, option, option_kind, word, most, text)                    \
    {                                                                                              \
        .name = option, .kind = option_kind, .value = word, .help = text,                          \
        .offset = offsetof(struct type, member.field), .min = 1, .max = most                       \
    }
#define FILE_OPTION_ROWS(type, member)                                                             \
    FILE_OPTION(type, member, listing, "listing", OPTION_FLAG, NULL,                               \
                "list folders that have no index.html, as a page or as JSON"),                     \
        FILE_OPTION(type, member, fallback, "fallback", OPTION_TEXT, "PATH",                       \
                    "a page for navigations to what is not there, as /index.html"),                \
        FILE_OPTION(type, member, error_pages, "error-page", OPTION_LIST, "STATUS=PATH",           \
                    "a page of your own for an error, as 404=/404.html; several times"),           \
        FILE_OPTION(type, member, cache_control, "cache-control", OPTION_LIST, "PATTERN=VALUE",    \
                    "by path (/assets/*), name (*.css) or type (image/*); the first that fits"),   \
        FILE_OPTION(type, member, mime_types, "mime-types", OPTION_TEXT, "FILE",                   \
                    "more types by ending (default /etc/mime.types), or off"),                     \
        FILE_OPTION(type, member, coding, "coding", OPTION_TEXT, "LIST",                           \
                    "content codings on offer, best first (default br,zstd,gzip), or off"),        \
        FILE_OPTION(type, member, neighbours, "coding-neighbours", OPTION_FLAG, NULL,              \
                    "only what lies coded beside a file; code nothing on the fly"),                \
        FILE_COUNT(type, member, gzip_level, "gzip-level", "N", 9, "1 to 9 (default 6)"),          \
        FILE_COUNT(type, member, br_level, "br-level", "N", 11, "1 to 11 (default 5)"),            \
        FILE_COUNT(type, member, zstd_level, "zstd-level", "N", 19, "1 to 19 (default 6)"),        \
        FILE_OPTION(type, member, coding_cache, "coding-cache", OPTION_TEXT, "DIR",                \
                    "keep coded files there (default: a folder that goes with the server)"),       \
        FILE_OPTION(type, member, coding_bytes, "coding-bytes", OPTION_TEXT, "SIZE",               \
                    "what all coded files may come to (default 256M)"),                            \
        FILE_OPTION(type, member, coding_max, "coding-max", OPTION_TEXT, "SIZE",                   \
                    "the largest file that is coded on the fly (default 8M)"),                     \
        FILE_WORKER(type, member, ready_bytes, "ready-bytes", OPTION_TEXT, "SIZE", 0,              \
                    "of a worker: all ready replies in memory (default 32M)"),                     \
        FILE_WORKER(type, member, ready_max, "ready-max", OPTION_TEXT, "SIZE", 0,                  \
                    "of a worker: the largest file kept in memory (default 256K)"),                \
        FILE_WORKER(type, member, ready_files, "ready-files", OPTION_COUNT, "N", 10000000,         \
                    "of a worker: how many (default 8192)"),                                       \
        FILE_WORKER(type, member, open_files, "open-files", OPTION_COUNT, "N", 1000000,            \
                    "of a worker: larger files kept open (default 2048)")
