#include "h2/hpack.h"

#include "base/bytes.h"
#include "http/fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- nghttp2's memory --- */

static void *take_memory(size_t size, void *arg)
{
    (void)arg;
    return malloc(size);
}

static void drop_memory(void *at, void *arg)
{
    (void)arg;
    free(at);
}

static void *take_zeroes(size_t count, size_t size, void *arg)
{
    (void)arg;
    return calloc(count, size);
}

static void *resize_memory(void *at, size_t size, void *arg)
{
    (void)arg;
    return realloc(at, size);
}

static nghttp2_mem *our_memory(void)
{
    /* Ours, so that tests can let each allocation fail. nghttp2 only reads it. */
    static const nghttp2_mem memory = {NULL, take_memory, drop_memory, take_zeroes, resize_memory};
    return (nghttp2_mem *)(uintptr_t)&memory;
}

/* --- what is remembered --- */

/* Past an integer (RFC 7541 section 5.1) whose first byte is at `at`; *out: its value. NULL: the block ends within it, or it is too long. */
static const uint8_t *past_number(const uint8_t *at, const uint8_t *end, unsigned bits, size_t *out)
{
    size_t most = (1u << bits) - 1, n = *at++ & most;
    if (n == most) {
        unsigned shift = 0;
        do {
            if (at == end || shift > 14)
                return NULL;
            n += (size_t)(*at & 0x7f) << shift;
            shift += 7;
        } while (*at++ & 0x80);
    }
    *out = n;
    return at;
}

static const uint8_t *past_string(const uint8_t *at, const uint8_t *end)
{
    size_t len;
    if (!at || at == end)
        return NULL;
    at = past_number(at, end, 7, &len);
    return at && (size_t)(end - at) >= len ? at + len : NULL;
}

/* Does it leave the table as it was? Then it consists of lines from there and of literals that are not to be indexed (section 6). */
static bool leaves_table(const uint8_t *at, size_t len)
{
    const uint8_t *end = at + len;
    size_t index;
    while (at && at < end) {
        bool indexed = *at & 0x80;
        if (!indexed && (*at & 0x60))
            return false; /* an addition, or another size */
        at = past_number(at, end, indexed ? 7 : 4, &index);
        if (indexed || !at)
            continue;
        if (index == 0)
            at = past_string(at, end);
        at = past_string(at, end);
    }
    return at;
}

static void forget_all(struct h2_remembered *last)
{
    for (unsigned i = 0; last && i < H2_HPACK_REMEMBERED; i++)
        last[i].block_len = 0;
}

/* The place for one more, which is empty. NULL: no memory, so nothing is remembered. */
static struct h2_remembered *next_place(struct h2_remembered **last, unsigned *next)
{
    if (!*last)
        *last = calloc(H2_HPACK_REMEMBERED, sizeof(**last));
    if (!*last)
        return NULL;
    struct h2_remembered *m = &(*last)[(*next)++ % H2_HPACK_REMEMBERED];
    m->block_len = m->text_len = 0;
    return m;
}

static void put16(uint8_t *to, size_t n)
{
    to[0] = (uint8_t)(n >> 8);
    to[1] = (uint8_t)n;
}

#define LINE_HEAD 5u

/* false: there is no room. */
static bool add_line(struct h2_remembered *m, struct weir_bytes name, struct weir_bytes value,
                     bool valid)
{
    if (name.len + value.len + LINE_HEAD > sizeof(m->text) - m->text_len)
        return false;
    uint8_t *to = m->text + m->text_len;
    put16(to, name.len);
    put16(to + 2, value.len);
    to[4] = valid;
    to += LINE_HEAD;
    if (name.len > 0)
        memcpy(to, name.at, name.len);
    if (value.len > 0)
        memcpy(to + name.len, value.at, value.len);
    m->text_len = (uint16_t)(m->text_len + LINE_HEAD + name.len + value.len);
    return true;
}

/* From now on it counts. */
static void set_block(struct h2_remembered *m, const uint8_t *block, size_t len)
{
    memcpy(m->block, block, len);
    m->block_len = (uint16_t)len;
}

/* --- rules for lines (RFC 9113 section 8.2) --- */

static bool name_valid(struct weir_bytes name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!byte_is(name.at[i], BYTE_TOKEN) || (name.at[i] >= 'A' && name.at[i] <= 'Z'))
            return false;
    return name.len > 0;
}

static bool value_valid(struct weir_bytes value)
{
    if (value.len == 0)
        return true;
    char first = value.at[0], last = value.at[value.len - 1];
    return first != ' ' && first != '\t' && last != ' ' && last != '\t' &&
           field_value_run(value.at, value.len) == value.len;
}

/* Of HTTP/1.1's connection, which this is none of (section 8.2.2). */
static bool is_of_connection(struct weir_bytes name, struct weir_bytes value)
{
    switch (name.len) {
    case 2:
        return bytes_equal(name, BYTES("te")) && !bytes_same(value, BYTES("trailers"));
    case 7:
        return bytes_equal(name, BYTES("upgrade"));
    case 10:
        return bytes_equal(name, BYTES("connection")) || bytes_equal(name, BYTES("keep-alive"));
    case 16:
        return bytes_equal(name, BYTES("proxy-connection"));
    case 17:
        return bytes_equal(name, BYTES("transfer-encoding"));
    default:
        return false;
    }
}

static bool line_valid(struct weir_bytes name, struct weir_bytes value)
{
    if (name.len > 0 && name.at[0] == ':')
        return field_value_run(value.at, value.len) == value.len; /* the rest is its own */
    return name_valid(name) && value_valid(value) && !is_of_connection(name, value);
}

/* --- packing --- */

void h2_packer_allow(struct h2_packer *p, uint32_t table_max)
{
    p->table_max = table_max < LIMIT_H2_TABLE ? table_max : LIMIT_H2_TABLE;
    p->table_changed = true;
}

static void forget_said(struct h2_packer *p)
{
    for (unsigned i = 0; p->said && i < H2_HPACK_REMEMBERED; i++)
        p->said[i].block_len = 0;
}

static int ready(struct h2_packer *p)
{
    if (!p->deflater && nghttp2_hd_deflate_new2(&p->deflater, LIMIT_H2_TABLE, our_memory()) != 0)
        return -ENOMEM;
    if (!p->table_changed)
        return 0;
    forget_said(p);
    if (nghttp2_hd_deflate_change_table_size(p->deflater, p->table_max) != 0)
        return -ENOMEM;
    p->table_changed = false;
    return 0;
}

static bool same_key(const struct h2_said *said, const struct h2_key *key)
{
    const char *at = said->text;
    if (memcmp(said->number, key->number, sizeof(key->number)) != 0)
        return false;
    for (unsigned i = 0; i < H2_KEY_PARTS; i++)
        if (said->part_len[i] != key->part[i].len)
            return false;
    for (unsigned i = 0; i < H2_KEY_PARTS; at += said->part_len[i++])
        if (said->part_len[i] > 0 && memcmp(at, key->part[i].at, said->part_len[i]) != 0)
            return false;
    return true;
}

size_t h2_pack_again(const struct h2_packer *p, const struct h2_key *key, uint8_t *to, size_t size)
{
    const struct h2_said *said = p->table_changed ? NULL : p->said;
    for (unsigned i = 0; said && i < H2_HPACK_REMEMBERED; i++, said++) {
        if (said->block_len > 0 && said->block_len <= size && same_key(said, key)) {
            memcpy(to, said->block, said->block_len);
            return said->block_len;
        }
    }
    return 0;
}

bool h2_put_again(const struct h2_packer *p, const struct h2_key *key, struct weir_out *out,
                  uint32_t id, bool ends)
{
    uint8_t scratch[WIRE_HEAD + H2_HPACK_BLOCK];
    size_t n = h2_pack_again(p, key, scratch + WIRE_HEAD, H2_HPACK_BLOCK);
    if (n > 0)
        h2_put_block(out, id, scratch + WIRE_HEAD, n, ends);
    return n > 0;
}

static size_t key_len(const struct h2_key *key)
{
    size_t len = 0;
    for (unsigned i = 0; i < H2_KEY_PARTS; i++)
        len += key->part[i].len;
    return len;
}

/* No memory: nothing is remembered. */
static void remember_said(struct h2_packer *p, const struct h2_key *key, const uint8_t *block,
                          size_t len)
{
    if (!leaves_table(block, len)) {
        forget_said(p);
        return;
    }
    if (!key || len > H2_HPACK_BLOCK || key_len(key) > H2_HPACK_TEXT)
        return;
    if (!p->said)
        p->said = calloc(H2_HPACK_REMEMBERED, sizeof(*p->said));
    if (!p->said)
        return;
    struct h2_said *said = &p->said[p->next++ % H2_HPACK_REMEMBERED];
    char *to = said->text;
    memcpy(said->number, key->number, sizeof(key->number));
    for (unsigned i = 0; i < H2_KEY_PARTS; to += said->part_len[i++]) {
        said->part_len[i] = (uint16_t)key->part[i].len;
        if (key->part[i].len > 0)
            memcpy(to, key->part[i].at, key->part[i].len);
    }
    memcpy(said->block, block, len);
    said->block_len = (uint16_t)len;
}

ssize_t h2_pack(struct h2_packer *p, const struct h2_key *key, const nghttp2_nv *nv, size_t count,
                uint8_t *to, size_t size)
{
    int rc = ready(p);
    if (rc < 0 || nghttp2_hd_deflate_bound(p->deflater, nv, count) > size)
        return rc < 0 ? rc : -ENOBUFS;
    ssize_t n = nghttp2_hd_deflate_hd(p->deflater, to, size, nv, count);
    if (n < 0)
        return -ENOMEM;
    remember_said(p, key, to, (size_t)n);
    return n;
}

void h2_packer_done(struct h2_packer *p)
{
    if (p->deflater)
        nghttp2_hd_deflate_del(p->deflater);
    free(p->said);
    *p = (struct h2_packer){0};
}

/* --- unpacking --- */

struct unpack {
    struct h2_unpacker *unpacker;
    h2_line *line;
    void *arg;
    struct h2_remembered *m; /* NULL: this block is not worth it */
    size_t decoded;
};

static int unpack_piece(struct unpack *u, struct weir_bytes piece, bool last)
{
    const uint8_t *in = (const uint8_t *)piece.at;
    size_t len = piece.len;
    for (;;) {
        nghttp2_nv nv;
        int flags = 0;
        ssize_t n = nghttp2_hd_inflate_hd2(u->unpacker->inflater, &nv, &flags, in, len, last);
        if (n < 0)
            return n == NGHTTP2_ERR_NOMEM ? WIRE_INTERNAL_ERROR : WIRE_COMPRESSION_ERROR;
        in += n;
        len -= (size_t)n;
        if (flags & NGHTTP2_HD_INFLATE_EMIT) {
            struct weir_bytes name = {(const char *)nv.name, nv.namelen};
            struct weir_bytes value = {(const char *)nv.value, nv.valuelen};
            u->decoded += name.len + value.len + 32; /* RFC 9113 section 6.5.2 counts so */
            if (u->decoded > LIMIT_H2_HEAD_DECODED)
                return WIRE_ENHANCE_YOUR_CALM;
            bool valid = line_valid(name, value);
            if (u->m && !add_line(u->m, name, value, valid))
                u->m = NULL;
            u->line(u->arg, name, value, valid);
        } else if ((flags & NGHTTP2_HD_INFLATE_FINAL) || len == 0) {
            return 0;
        }
    }
}

static const struct h2_remembered *find_block(const struct h2_unpacker *p,
                                              const struct h2_block *block)
{
    struct weir_bytes b = block->piece[0];
    if (block->count > 1 || !p->last || b.len == 0)
        return NULL;
    for (unsigned i = 0; i < H2_HPACK_REMEMBERED; i++)
        if (p->last[i].block_len == b.len && memcmp(p->last[i].block, b.at, b.len) == 0)
            return &p->last[i];
    return NULL;
}

/* Nothing that is called meanwhile unpacks: what is read here stays. */
static void tell_lines(const struct h2_remembered *m, const struct unpack *u)
{
    const uint8_t *at = m->text, *end = at + m->text_len;
    while (at < end) {
        struct weir_bytes name = {(const char *)at + LINE_HEAD, wire_get16(at)};
        struct weir_bytes value = {name.at + name.len, wire_get16(at + 2)};
        bool valid = at[4];
        at += LINE_HEAD + name.len + value.len;
        u->line(u->arg, name, value, valid);
    }
}

/* What is worth a place there. A block that adds to the table undoes all that was remembered. */
static struct h2_remembered *place_for(struct h2_unpacker *p, const struct h2_block *block)
{
    struct weir_bytes b = block->piece[0];
    if (block->count > 1 || !leaves_table((const uint8_t *)b.at, b.len)) {
        forget_all(p->last);
        return NULL;
    }
    return b.len > 0 && b.len <= H2_HPACK_BLOCK ? next_place(&p->last, &p->next) : NULL;
}

int h2_unpack(struct h2_unpacker *p, const struct h2_block *block, h2_line *line, void *arg)
{
    struct unpack u = {.unpacker = p, .line = line, .arg = arg};
    const struct h2_remembered *known = find_block(p, block);
    if (known) {
        tell_lines(known, &u);
        return 0;
    }
    if (!p->inflater && nghttp2_hd_inflate_new2(&p->inflater, our_memory()) != 0)
        return WIRE_INTERNAL_ERROR;
    u.m = place_for(p, block);
    int error = 0;
    for (unsigned i = 0; i < block->count && !error; i++)
        error = unpack_piece(&u, block->piece[i], i + 1 == block->count);
    if (error)
        return error;
    nghttp2_hd_inflate_end_headers(p->inflater);
    if (u.m && p->known < UINT32_MAX) {
        set_block(u.m, (const uint8_t *)block->piece[0].at, block->piece[0].len);
        u.m->known = ++p->known;
    }
    return 0;
}

uint32_t h2_known(const struct h2_unpacker *p, const struct h2_block *block)
{
    const struct h2_remembered *m = find_block(p, block);
    return m ? m->known : 0;
}

void h2_unpacker_done(struct h2_unpacker *p)
{
    if (p->inflater)
        nghttp2_hd_inflate_del(p->inflater);
    free(p->last);
    *p = (struct h2_unpacker){0};
}
