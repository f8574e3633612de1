/*
 * base/siphash.h: SipHash-2-4 (Aumasson and Bernstein, 2012): a hash with a key. Who does not know the key can neither aim at a slot
 * of a table nor make a value that a table holds. Not for passwords that are kept: it is fast.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
    uint64_t k[2];
};

/* Pieces one after the other are hashed as one text; lengths are not part of it. */
struct siphash {
    uint64_t v[4];
    uint64_t rest; /* bytes that make no whole word yet */
    uint64_t len;
};

struct siphash_128 {
    uint64_t at[2];
};

void siphash_init(struct siphash *, const struct siphash_key *);
void siphash_add(struct siphash *, const void *, size_t);
/* Both end it. */
uint64_t siphash_end(struct siphash *);
/* Of one that began with siphash_init_128(). */
void siphash_init_128(struct siphash *, const struct siphash_key *);
struct siphash_128 siphash_end_128(struct siphash *);
