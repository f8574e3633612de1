/*
 * tbl/limits_service.h: bounds of files and their codings. Included by tbl/limits.h.
 */
#pragma once

/* --- files --- */
#define LIMIT_FILE_PATH_BYTES 4095 /* PATH_MAX less its NUL */
#define LIMIT_FILE_READY_BYTES                                                                     \
    (256 * 1024) /* larger files go out by sendfile; at 100 KiB that takes 1.09 times the CPU */
#define LIMIT_FILE_SMALL_BYTES                                                                     \
    (16 * 1024) /* the same once ready replies have used up their memory */
#define LIMIT_FILE_CACHE_BYTES (32 * 1024 * 1024) /* ready replies a worker */
#define LIMIT_FILE_CACHE_FILES 8192
#define LIMIT_FILE_CACHE_OPEN  2048  /* larger files that stay open; or a 16th of all descriptors */
#define LIMIT_FILE_OPEN_MS     10000 /* an open file nobody asks for */
#define LIMIT_FILE_CHECK_MS    1000 /* a ready reply is compared with its file at most this often */
#define LIMIT_FILE_FRESH_MS                                                                        \
    30 /* a file changed this lately may change again unseen: the kernel's clock ticks by 10 ms */
#define LIMIT_FILE_RACE_TRIES 8 /* openat2 gives EAGAIN while a rename is under way */
