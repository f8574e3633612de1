#include "base/siphash.h"

static uint64_t rotate(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

static void rounds(uint64_t v[4], unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

static void take_word(struct siphash *s, uint64_t word)
{
    s->v[3] ^= word;
    rounds(s->v, 2);
    s->v[0] ^= word;
}

void siphash_init(struct siphash *s, const struct siphash_key *key)
{
    *s = (struct siphash){.v = {0x736f6d6570736575u ^ key->k[0], 0x646f72616e646f6du ^ key->k[1],
                                0x6c7967656e657261u ^ key->k[0], 0x7465646279746573u ^ key->k[1]}};
}

void siphash_init_128(struct siphash *s, const struct siphash_key *key)
{
    siphash_init(s, key);
    s->v[1] ^= 0xee;
}

void siphash_add(struct siphash *s, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < len; i++) {
        unsigned filled = (unsigned)(s->len++ % 8);
        s->rest |= (uint64_t)at[i] << (8 * filled);
        if (filled == 7) {
            take_word(s, s->rest);
            s->rest = 0;
        }
    }
}

static uint64_t fold(const struct siphash *s)
{
    return s->v[0] ^ s->v[1] ^ s->v[2] ^ s->v[3];
}

uint64_t siphash_end(struct siphash *s)
{
    take_word(s, s->rest | s->len << 56);
    s->v[2] ^= 0xff;
    rounds(s->v, 4);
    return fold(s);
}

struct siphash_128 siphash_end_128(struct siphash *s)
{
    struct siphash_128 out;
    take_word(s, s->rest | s->len << 56);
    s->v[2] ^= 0xee;
    rounds(s->v, 4);
    out.at[0] = fold(s);
    s->v[1] ^= 0xdd;
    rounds(s->v, 4);
    out.at[1] = fold(s);
    return out;
}
