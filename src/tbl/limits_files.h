/*
 * tbl/limits_files.h: bounds of types, content coding and listings, with their reasons; a part of tbl/limits.h. Rows, no code.
 */
#pragma once

#define LIMIT_MIME_FILE_BYTES     (512 * 1024) /* a file of types: Debian's has 76 KiB */
#define LIMIT_MIME_ROWS           8192         /* endings in it: Debian's has 1,400 */
#define LIMIT_MIME_TYPE_BYTES     255 /* RFC 6838 section 4.2: 127 on each side of the slash */
#define LIMIT_CACHE_CONTROL_BYTES 200 /* one --cache-control value; ready replies repeat it */
#define LIMIT_CODING_MIN_BYTES                                                                     \
    512 /* smaller files fit one packet with their head whether coded or not */
#define LIMIT_CODING_MAX_BYTES                                                                     \
    (8 * 1024 * 1024) /* default of --coding-max: a quarter of a second of a helper's time */
#define LIMIT_CODING_WAIT_BYTES                                                                    \
    (256 * 1024) /* up to this an answer waits to be coded, 6 ms; larger ones go out as they are */
#define LIMIT_CODING_WAIT_MS     500 /* ... and so long: then what there is goes out */
#define LIMIT_CODING_SAVES       16  /* a coded file must save a 16th, else it is not worth it */
#define LIMIT_CODING_STORE_BYTES (256 * 1024 * 1024) /* default of --coding-bytes */
#define LIMIT_CODING_BLOCK_BYTES                                                                   \
    4096 /* each coded file counts as at least this: a block of a disk */
#define LIMIT_CODING_FILES                                                                         \
    131072 /* looked at when the store is swept: twice what its default holds */
#define LIMIT_CODING_PLACES                                                                        \
    8 /* files coded at once by all workers: each takes up to 16 MB while it is coded */
#define LIMIT_CODING_BUSY_MS     500  /* a helper waits this long for such a place */
#define LIMIT_CODING_RETRY_MS    2000 /* what could not be coded is tried again after this */
#define LIMIT_CODING_STALE_S     60 /* a folder of a dead server is left alone while it is this young */
#define LIMIT_CODING_WINDOW_BITS 22 /* of brotli: 4 MiB, as much as decoders on phones allow for */
#define LIMIT_NEIGHBOUR_MS       5000 /* coded neighbours that came since are seen after this */
#define LIMIT_LISTING_ENTRIES    10000 /* of a folder: a page of 2 MB, which a browser still scrolls */
