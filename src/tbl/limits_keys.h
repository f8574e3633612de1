/*
 * tbl/limits_keys.h: bounds of the process that keeps private keys.
 */
#pragma once

#define LIMIT_KEYS           64           /* files; as many as a listener's certificates */
#define LIMIT_KEYS_FILE      (64 * 1024)  /* bytes of one; RSA-16384 is 13 KiB */
#define LIMIT_KEYS_CHAIN     (256 * 1024) /* bytes of a file of certificates */
#define LIMIT_KEYS_TEXT      256 /* bytes to be signed: at most 165 in TLS 1.2 (P-384), 146 in 1.3 */
#define LIMIT_KEYS_SIGNATURE 2048 /* bytes: RSA-16384 */
#define LIMIT_KEYS_MS                                                                              \
    4000 /* for an answer, a new process meanwhile included; the handshake has 10 s */
#define LIMIT_KEYS_TRIES 3 /* ways that were cut, for one request */
#define LIMIT_KEYS_IDLE  8 /* ways a process keeps open: two helper threads are at work in it */
#define LIMIT_KEYS_WAYS                                                                            \
    4096 /* open at a time: connections of fork that shake hands, and idle ones of workers */
#define LIMIT_KEYS_THREADS 4 /* that sign, one a core at the most */
#define LIMIT_KEYS_LOOK_MS                                                                         \
    200 /* an unknown key is looked for in the files this often at the most */
