/*
 * service/net.h: who a client is by his address: ranges of addresses as an operator writes them, and lists of such that allow and deny.
 *
 * "192.0.2.0/24", "2001:db8::1", "unix" (any client of a Unix socket), "unix:uid=1000", "all". A v4 address within one of version 6 is one of
 * version 4.
 */
#pragma once

#include "tbl/limits.h"

#include <weir/driver.h>

/* Who asks. */
struct client {
    uint8_t family; /* enum weir_family; WEIR_FAMILY_NONE: nobody knows */
    uint8_t ip[16]; /* IP4 in the first four, zeroes behind it */
    uint32_t uid;   /* UNIX; UINT32_MAX: not known */
};

struct net {
    uint8_t family; /* WEIR_FAMILY_NONE: all */
    uint8_t bits;
    uint8_t ip[16];
    uint32_t uid; /* UNIX; UINT32_MAX: any */
};

/* One line on what is wrong with it and what would be right goes into `why`. 0 or -EINVAL. */
WEIR_CHECKED int net_read(struct weir_bytes text, struct net *out, char *why, size_t why_size);
bool net_has(const struct net *, const struct client *);
/* An address without a mask, as proxies and logs write it: "192.0.2.1", "2001:db8::1", "[2001:db8::1]", with or without a port. */
WEIR_CHECKED int client_read(struct weir_bytes text, struct client *out);
/* As text for people, without brackets, or "unknown"; at most 64 bytes, NUL included. */
void client_text(const struct client *, char text[64]);

/* "allow NET" and "deny NET", looked through in order: the first that fits counts. None fits: allowed. A client whose address
 * nobody knows may be any that is denied: the first "deny" fits him, and of the others "allow all" alone. */
struct access {
    struct access_rule {
        struct net net;
        bool deny;
        const char *said; /* borrowed: the words it was made of */
    } rules[LIMIT_NETS];
    unsigned count;
};

/* 0; -EINVAL as net_read(); -ENOSPC likewise. */
WEIR_CHECKED int access_add(struct access *, const char *text, char *why, size_t why_size);
/* The place of the rule that counts; -1: none does. */
int access_find(const struct access *, const struct client *);
