/*
 * service/guards.h: what all that guards a site shares between its workers: a random key, tables of how often and how many, which
 * passwords were right, how many are compared, and who may speak for others. Made once, before any worker; what changes is in memory that they share.
 */
#pragma once

#include "base/siphash.h"
#include "service/auth_cache.h"
#include "service/headcount.h"
#include "service/net.h"
#include "service/places.h"
#include "service/quota.h"

#include <weir/http.h>

/* Borrowed until guards_open() returns. */
struct guards_options {
    unsigned connections; /* of one client at once; 0: as many as there are */
    struct {
        const char *const *at;
        size_t count;
    } trusted;    /* proxies whose word on who the client is counts */
    bool rfc7239; /* they say it in Forwarded, not in X-Forwarded-For */
    bool limits;  /* there are rates or passwords */
};

struct guards {
    struct siphash_key key;
    struct quotas *quotas;
    struct headcount *headcount;
    struct auth_cache *cache;
    struct places *places; /* of passwords that are compared */
    unsigned connections;
    struct net trusted[LIMIT_NETS];
    unsigned trusted_count;
    bool rfc7239;
};

/* One line about what is wrong with the options. */
bool guards_options_wrong(const struct guards_options *, char *why, size_t why_size);
/* 0 or -errno. */
WEIR_CHECKED int guards_open(struct guards *, const struct guards_options *);
void guards_close(struct guards *); /* one that was zeroed is fine */

/* A proxy speaks for the client: from now on he is the client of this exchange, "unknown" where it names nobody. 0; -ENOMEM: who he is cannot
 * be kept, so the request must not be answered as the proxy's own. */
WEIR_CHECKED int guards_believe(const struct guards *, struct weir_exchange *);
/* The address that counts: false: there is none. */
bool guards_client(struct weir_exchange *, struct client *out);
/* A number for a client and a purpose. Networks of version 6 give a client 64 bits to choose from, so those do not count. */
uint64_t guards_number(const struct guards *, const struct client *, uint64_t purpose);

/* As `admit` and `released` of weir_http. */
bool guards_admit(struct guards *, struct weir_conn *, uint64_t *out_mark);
void guards_released(struct guards *, uint64_t mark);
