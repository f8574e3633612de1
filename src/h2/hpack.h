/*
 * h2/hpack.h: field lines packed and unpacked (RFC 7541), for both sides: nghttp2's tables, with two shortcuts for what is said again and again.
 *
 * A block that adds nothing to the table means the same as long as nothing else is added. So the last such blocks are remembered: one that
 * comes with its lines, one that goes with the key of what those were made of.
 */
#pragma once

#include "h2/block.h"
#include "h2/key.h"

#include <nghttp2/nghttp2.h>

#define H2_HPACK_REMEMBERED 2u /* a head and its trailers */
#define H2_HPACK_BLOCK      128u
#define H2_HPACK_TEXT       512u

struct h2_said {
    uint64_t number[H2_KEY_NUMBERS];
    uint16_t part_len[H2_KEY_PARTS];
    uint16_t block_len; /* 0: nothing is remembered */
    uint8_t block[H2_HPACK_BLOCK];
    char text[H2_HPACK_TEXT]; /* the key's parts */
};

struct h2_remembered {
    uint32_t known;     /* its number; see h2_known() */
    uint16_t block_len; /* 0: nothing is remembered */
    uint16_t text_len;
    uint8_t block[H2_HPACK_BLOCK];
    uint8_t
        text[H2_HPACK_TEXT]; /* lines, each behind two lengths of 2 bytes and whether it is valid */
};

/* All zeroes at first; done() at the end. */
struct h2_packer {
    nghttp2_hd_deflater *deflater; /* made when it is needed first */
    struct h2_said *said;          /* likewise: H2_HPACK_REMEMBERED of them */
    unsigned next;                 /* of `said`, to be overwritten */
    uint32_t table_max;            /* as the peer allows */
    bool table_changed;
};

struct h2_unpacker {
    nghttp2_hd_inflater *inflater;
    struct h2_remembered *last;
    unsigned next;
    uint32_t known; /* the latest */
};

/* The peer's SETTINGS_HEADER_TABLE_SIZE. */
void h2_packer_allow(struct h2_packer *, uint32_t table_max);
/* The block of the last lines with this key. Bytes; 0: they are to be packed, for it is not known, or does not fit. */
size_t h2_pack_again(const struct h2_packer *, const struct h2_key *, uint8_t *to, size_t size);
/* Queues that block as h2_put_block() does. false: it is not known. */
bool h2_put_again(const struct h2_packer *, const struct h2_key *, struct weir_out *, uint32_t id,
                  bool ends);
/* `key`: theirs, to be remembered; NULL: they will not be said again. Bytes; -ENOBUFS: they do not fit; -ENOMEM. */
ssize_t h2_pack(struct h2_packer *, const struct h2_key *key, const nghttp2_nv *, size_t count,
                uint8_t *to, size_t size);
void h2_packer_done(struct h2_packer *);

/* One line. `valid`: it is as RFC 9113 section 8.2 wants it: a name of tokens in lower case, a value without controls or space around it,
 * and nothing of HTTP/1.1's connection; where the name begins with ":", a value without controls. */
typedef void h2_line(void *arg, struct weir_bytes name, struct weir_bytes value, bool valid);

/* The lines of a whole block, in order. 0, or an error of the connection: WIRE_COMPRESSION_ERROR, WIRE_INTERNAL_ERROR (no memory),
 * WIRE_ENHANCE_YOUR_CALM (more than LIMIT_H2_HEAD_DECODED). */
int h2_unpack(struct h2_unpacker *, const struct h2_block *, h2_line *, void *arg);
/* A number that says which lines this block means, and nothing else has had on this connection. 0: that is not known without unpacking. */
uint32_t h2_known(const struct h2_unpacker *, const struct h2_block *);
void h2_unpacker_done(struct h2_unpacker *);
