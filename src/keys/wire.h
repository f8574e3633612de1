/* keys/wire.h: what passes between the process that keeps keys and those that ask it. One packet each way, on a SOCK_SEQPACKET. */
#pragma once

#include "keys/keys.h"
#include "tbl/limits_keys.h"

enum { KEYS_SIGN = 1, KEYS_HAVE = 2 };
enum { KEYS_PLAIN, KEYS_PKCS1, KEYS_PSS }; /* padding: of RSA alone */

struct keys_request {
    uint32_t number; /* comes back in the reply */
    uint8_t what, padding;
    uint16_t digest; /* bits of SHA-2; 0: none, the scheme has its own */
    uint8_t id[KEYS_ID];
    uint32_t len;
    uint8_t text[LIMIT_KEYS_TEXT]; /* `len` bytes of it are sent */
};

struct keys_reply {
    uint32_t number;
    int32_t rc; /* bytes of the signature, or what keys_have() returns; -errno */
    uint8_t signature[LIMIT_KEYS_SIGNATURE];
};

/* The process's end of the socket through which new ways come to it, and the others' end. */
struct keys_door {
    int inside, outside;
};

/* channel.c: asks, and waits for the answer. reply->rc, or -errno when there was none in time. */
int keys_ask(struct keys *, struct keys_request *, struct keys_reply *);
