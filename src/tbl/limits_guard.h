/*
 * tbl/limits_guard.h: bounds of what guards a site: addresses, rates, passwords. Included by tbl/limits.h.
 */
#pragma once

/* --- addresses --- */
#define LIMIT_NETS 64 /* of one list, what is around it included: looked through one by one */
#define LIMIT_FORWARDED                                                                            \
    32 /* addresses that proxies wrote down, the nearest first: nobody has more of them in a row */

/* --- rates and connections by client --- */
#define LIMIT_QUOTA_WAYS 8 /* slots a client can be in: a line of the cache, so one look */
#define LIMIT_QUOTA_SLOTS                                                                          \
    (64 *                                                                                          \
     1024) /* clients that are counted at once: 512 KiB; beyond them the least busy is forgotten */
#define LIMIT_QUOTA_RATE   10000 /* a second: as much as is told apart */
#define LIMIT_QUOTA_BURST  1000000
#define LIMIT_QUOTA_SPAN_S 86400 /* a burst is worn off within a day */
#define LIMIT_QUOTA_TRIES  64 /* a slot that others write to meanwhile: each try is one of theirs */
#define LIMIT_CROWD_SLOTS  (64 * 1024) /* a client in a process each: twice as many as connect */
#define LIMIT_CROWD_WINDOW                                                                         \
    256 /* slots that are looked through: as many as processes a client can be in under `fork` */
#define LIMIT_CROWD_MOST    100000 /* --client-connections */
#define LIMIT_CROWD_RETRY_S "5"    /* what a client beyond it is told to wait */

/* --- passwords --- */
#define LIMIT_AUTH_FILE_BYTES (1024 * 1024) /* ten thousand users */
#define LIMIT_AUTH_USERS      16384
#define LIMIT_AUTH_NAME       255 /* bytes of a user's name */
#define LIMIT_AUTH_PASSWORD   255 /* bytes; bcrypt looks at 72 of them */
#define LIMIT_AUTH_REALM      127
#define LIMIT_AUTH_BCRYPT     13 /* cost: 0.6 s; each more takes twice as long, and helpers are few */
#define LIMIT_AUTH_YESCRYPT                                                                        \
    (1u << 19)                    /* N times r, four times the default: 64 MiB and 65 ms a try */
#define LIMIT_AUTH_SHA512  500000 /* rounds: 0.3 s */
#define LIMIT_AUTH_LOOK_MS 1000   /* a password file is looked at so often */
#define LIMIT_AUTH_LOCK_MS                                                                         \
    20000 /* another change of it is waited for: a few milliseconds, or a slow disk's fsync */
#define LIMIT_AUTH_CACHE                                                                           \
    4096 /* names and passwords that were right lately; 96 KiB of all workers together */
#define LIMIT_AUTH_CACHE_S 600 /* ... for so long */
#define LIMIT_AUTH_PLACES                                                                          \
    8 /* compared at once, of all workers: 16 MiB each by default, 512 MiB at the most in all */
#define LIMIT_AUTH_SHARE                                                                           \
    4 /* ... for one client; fewer than LIMIT_AUTH_BURST, since each is taken from that */
#define LIMIT_AUTH_WAIT_MS  5000 /* for a place; then 503: 16 of the slowest hash for one client */
#define LIMIT_AUTH_PLACE_MS 20   /* another worker's place may be free meanwhile: a hash or so */
#define LIMIT_AUTH_JOBS                                                                            \
    64 /* being looked at in a worker, or waiting for it: a second of four helpers */
#define LIMIT_AUTH_TOGETHER                                                                        \
    8 /* clients that ask the same at once and wait for one look at it; the next one has his own */
#define LIMIT_AUTH_RETRY_S      2     /* what the others are told to wait */
#define LIMIT_AUTH_BURST        10    /* wrong ones of a client in a row ... */
#define LIMIT_AUTH_EVERY_S      6     /* ... then one in so many seconds */
#define LIMIT_AUTH_USER_BURST   50    /* the same for a user, by clients who were never right: */
#define LIMIT_AUTH_USER_EVERY_S 2     /* many addresses guess at one name */
#define LIMIT_AUTH_KNOWN_S      86400 /* a client that was right is known for so long */
