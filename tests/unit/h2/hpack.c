/* Field lines, packed and unpacked: what is remembered is never anything else than what the tables say. */
#include "h2/hpack.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LINES 12

struct lines {
    unsigned count;
    bool valid[LINES];
    char text[LINES][2][64];
};

static void note(void *arg, struct weir_bytes name, struct weir_bytes value, bool valid)
{
    struct lines *l = arg;
    l->valid[l->count] = valid;
    assert_true(l->count < LINES && name.len < 64 && value.len < 64);
    memset(l->text[l->count], 0, sizeof(l->text[0]));
    memcpy(l->text[l->count][0], name.at, name.len);
    memcpy(l->text[l->count++][1], value.at, value.len);
}

static struct h2_block block_of(const uint8_t *bytes, size_t len)
{
    struct h2_block block = {.count = 1, .used = len};
    block.piece[0] = (struct weir_bytes){(const char *)bytes, len};
    return block;
}

static nghttp2_nv line(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
                        strlen(value), NGHTTP2_NV_FLAG_NONE};
}

static unsigned next(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*seed >> 33);
}

/* Some that are indexed, some that never are (":path"), few enough values to meet again, many enough to be evicted. */
static unsigned make(uint64_t *seed, nghttp2_nv nv[LINES], char values[LINES][48])
{
    static const char *const names[] = {":path", "accept",       "user-agent", "x-a",
                                        "etag",  "grpc-timeout", "x-long",     "set-cookie"};
    unsigned count = 1 + next(seed) % (LINES - 1), few = next(seed) % 8 == 0 ? 1000 : 2;
    for (unsigned i = 0; i < count; i++) {
        snprintf(values[i], 48, "value-%u-%s", next(seed) % few,
                 next(seed) % 3 ? "" : "abcdefghijklmnopqrstuvwxyz");
        nv[i] = line(names[next(seed) % 8], values[i]);
        if (next(seed) % 16 == 0)
            nv[i].flags = NGHTTP2_NV_FLAG_NO_INDEX;
    }
    return count;
}

/* As senders do. */
static size_t pack(struct h2_packer *packer, const struct h2_key *key, const nghttp2_nv *nv,
                   unsigned count, uint8_t bytes[2048], unsigned *again)
{
    size_t known = h2_pack_again(packer, key, bytes, 2048);
    *again += known > 0;
    ssize_t n = known ? (ssize_t)known : h2_pack(packer, key, nv, count, bytes, 2048);
    assert_true(n > 0);
    return (size_t)n;
}

/* Both ends against nghttp2's own, block by block. */
static void test_same(void **state)
{
    (void)state;
    unsigned again = 0, all = 0;
    for (uint64_t round = 0; round < 300; round++) {
        uint64_t seed = round;
        struct h2_packer packer = {0};
        struct h2_unpacker unpacker = {0}, plain = {0};
        nghttp2_nv nv[2][LINES];
        char values[2][LINES][48];
        unsigned count[2], made[2] = {UINT32_MAX, UINT32_MAX};
        for (unsigned i = 0; i < 2; i++)
            count[i] = make(&seed, nv[i], values[i]);
        for (unsigned i = 0; i < 60; i++) {
            uint8_t bytes[2048];
            struct lines seen = {0}, want = {0}, known = {0};
            unsigned which = next(&seed) % 2;
            if (next(&seed) % 6 == 0)
                count[which] = make(&seed, nv[which], values[which]), made[which] = i;
            if (next(&seed) % 20 == 0)
                h2_packer_allow(&packer, next(&seed) % 5000);
            const struct h2_key key = {{which, made[which]}, {{"lines", 5}}};
            size_t n = pack(&packer, &key, nv[which], count[which], bytes, &again);
            all++;
            for (unsigned k = 0; k < count[which]; k++)
                note(&want, (struct weir_bytes){(char *)nv[which][k].name, nv[which][k].namelen},
                     (struct weir_bytes){(char *)nv[which][k].value, nv[which][k].valuelen}, true);
            struct h2_block block = block_of(bytes, n);
            assert_int_equal(h2_unpack(&unpacker, &block, note, &seen), 0);
            assert_memory_equal(&seen, &want, sizeof(seen));
            free(plain.last); /* it never remembers anything */
            plain.last = NULL;
            assert_int_equal(h2_unpack(&plain, &block, note, &known), 0);
            assert_memory_equal(&known, &want, sizeof(known));
        }
        h2_packer_done(&packer);
        h2_unpacker_done(&unpacker);
        h2_unpacker_done(&plain);
    }
    assert_in_range(again, all / 4, all / 4 * 3);
}

/* One number, one length or one byte makes another key; so does the same text cut elsewhere. */
static void test_key(void **state)
{
    (void)state;
    static const struct h2_key keys[] = {
        {{200, 5}, {{"abc", 3}, {"de", 2}, {"f", 1}}},
        {{200, 6}, {{"abc", 3}, {"de", 2}, {"f", 1}}},
        {{404, 5}, {{"abc", 3}, {"de", 2}, {"f", 1}}},
        {{200, 5}, {{"ab", 2}, {"cde", 3}, {"f", 1}}},
        {{200, 5}, {{"abc", 3}, {"de", 2}, {NULL, 0}}},
        {{200, 5}, {{"abc", 3}, {"de", 2}, {"g", 1}}},
    };
    nghttp2_nv nv = line(":status", "200");
    uint8_t bytes[256];
    for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        struct h2_packer packer = {0};
        assert_int_equal(h2_pack_again(&packer, &keys[i], bytes, sizeof(bytes)), 0);
        assert_int_equal(h2_pack(&packer, &keys[i], &nv, 1, bytes, sizeof(bytes)), 1);
        for (unsigned k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
            assert_int_equal(h2_pack_again(&packer, &keys[k], bytes, sizeof(bytes)), k == i);
        assert_int_equal(h2_pack_again(&packer, &keys[i], bytes, 0), 0);
        h2_packer_allow(&packer, 0); /* the next block tells of it */
        assert_int_equal(h2_pack_again(&packer, &keys[i], bytes, sizeof(bytes)), 0);
        h2_packer_done(&packer);
    }
}

/* What is longer than a place is packed each time. */
static void test_long(void **state)
{
    (void)state;
    static char text[H2_HPACK_TEXT + 1], value[4 * H2_HPACK_BLOCK];
    nghttp2_nv nv = line(":path", memset(value, '\\', sizeof(value) - 1));
    nghttp2_nv brief = line(":status", "200");
    struct h2_key key = {.part = {{text, sizeof(text)}}};
    struct h2_packer packer = {0};
    uint8_t bytes[2 * sizeof(value)];
    assert_int_equal(h2_pack(&packer, &key, &brief, 1, bytes, sizeof(bytes)), 1);
    assert_int_equal(h2_pack_again(&packer, &key, bytes, sizeof(bytes)), 0);
    key.part[0].len--;
    assert_int_equal(h2_pack(&packer, &key, &brief, 1, bytes, sizeof(bytes)), 1);
    assert_int_equal(h2_pack_again(&packer, &key, bytes, sizeof(bytes)), 1);
    key.part[0].len--;
    assert_true(h2_pack(&packer, &key, &nv, 1, bytes, sizeof(bytes)) > H2_HPACK_BLOCK);
    assert_int_equal(h2_pack_again(&packer, &key, bytes, sizeof(bytes)), 0);
    h2_packer_done(&packer);
}

/* What adds to the table moves all that is in it. */
static void test_moved(void **state)
{
    (void)state;
    static const uint8_t add[] = {0x40, 1, 'a', 1, '1'}, again[] = {0xbe},
                         other[] = {0x40, 1, 'b', 1, '2'};
    struct h2_unpacker unpacker = {0};
    for (unsigned i = 0; i < 6; i++) {
        const uint8_t *bytes = i == 0 ? add : i == 3 ? other : again;
        struct h2_block block = block_of(bytes, bytes == again ? 1 : 5);
        struct lines seen = {0};
        assert_int_equal(h2_unpack(&unpacker, &block, note, &seen), 0);
        assert_int_equal(seen.count, 1);
        assert_string_equal(seen.text[0][0], i < 3 ? "a" : "b");
    }
    h2_unpacker_done(&unpacker);
}

/* What is not valid is not when it is said again either. */
static void test_invalid(void **state)
{
    (void)state;
    static const uint8_t block[] = {0x00, 1,   'A',  1, '1', 0x00, 1,    'a', 1,   '1',
                                    0x00, 1,   'a',  2, ' ', '1',  0x00, 2,   't', 'e',
                                    1,    'x', 0x00, 2, ':', 'a',  1,    '\n'};
    struct h2_unpacker unpacker = {0};
    struct h2_block whole = block_of(block, sizeof(block));
    for (unsigned i = 0; i < 3; i++) {
        struct lines seen = {0};
        assert_int_equal(h2_unpack(&unpacker, &whole, note, &seen), 0);
        assert_int_equal(seen.count, 5);
        for (unsigned k = 0; k < 5; k++)
            assert_int_equal(seen.valid[k], k == 1);
    }
    h2_unpacker_done(&unpacker);
}

static void test_broken(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[6];
        size_t len;
    } rows[] = {
        {{0x80}, 1},                               /* the line of number 0 */
        {{0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, 6}, /* no number */
        {{0xff}, 1},                               /* half a number */
        {{0x00, 5, 'a'}, 3},                       /* half a name */
        {{0x3f, 0xe2, 0x1f}, 3},                   /* a larger table than was allowed: 4097 */
        {{0x00, 0x81, 0xff, 1, 'x'}, 5},           /* padding that is no code */
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct h2_unpacker unpacker = {0};
        struct h2_block block = block_of(rows[i].bytes, rows[i].len);
        struct lines seen = {0};
        assert_int_equal(h2_unpack(&unpacker, &block, note, &seen), WIRE_COMPRESSION_ERROR);
        h2_unpacker_done(&unpacker);
    }
}

static void test_no_room(void **state)
{
    (void)state;
    struct h2_packer packer = {0};
    nghttp2_nv nv = line("user-agent", "somebody");
    uint8_t bytes[256];
    assert_int_equal(h2_pack(&packer, NULL, &nv, 1, bytes, 4), -ENOBUFS);
    for (unsigned i = 0; i < 4; i++)
        assert_true(h2_pack(&packer, NULL, &nv, 1, bytes, sizeof(bytes)) > 0);
    assert_int_equal(h2_pack(&packer, NULL, &nv, 1, bytes, 0), -ENOBUFS);
    h2_packer_done(&packer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),    cmocka_unit_test(test_key),
        cmocka_unit_test(test_long),    cmocka_unit_test(test_moved),
        cmocka_unit_test(test_invalid), cmocka_unit_test(test_broken),
        cmocka_unit_test(test_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
