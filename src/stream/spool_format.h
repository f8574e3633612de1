/*
 * stream/spool_format.h: what the files of a spool look like (docs/decisions/0005-spool-files.md). Bytes in memory
 * only: no I/O here. All numbers are little-endian.
 *
 * A segment is two copies of its head, then frames: a message behind its length. The checksum of a frame's head covers where it
 * lies and the segment's salt, so that no message can be mistaken for frames, even one that holds a copy of a spool.
 */
#pragma once

#include <weir/base.h>

#define SPOOL_HEAD_BYTES     40
#define SPOOL_HEADS_BYTES    (2 * SPOOL_HEAD_BYTES) /* the first frame begins here */
#define SPOOL_FRAME_BYTES    16                     /* before each message */
#define SPOOL_POSITION_BYTES 48

struct spool_head {
    uint64_t first; /* number of the first message, as in the file's name */
    uint64_t
        follows; /* what the segment before came to; less than `first`: numbers were left out */
    int64_t begun_ns; /* wall clock */
    uint32_t salt;
};

struct spool_frame {
    uint32_t len;
    uint32_t index; /* number of the message less the segment's first */
    uint32_t body_crc;
};

/* How far a reader came. */
struct spool_place {
    uint64_t segment, offset; /* offset 0: before the first frame */
    uint64_t number;          /* of the next message */
};

void spool_head_put(uint8_t to[SPOOL_HEAD_BYTES], const struct spool_head *);
bool spool_head_get(const uint8_t from[SPOOL_HEAD_BYTES], struct spool_head *out);
void spool_frame_put(uint8_t to[SPOOL_FRAME_BYTES], const struct spool_head *, uint64_t offset,
                     const struct spool_frame *);
/* The head alone; the message has its own checksum. */
bool spool_frame_get(const uint8_t from[SPOOL_FRAME_BYTES], const struct spool_head *,
                     uint64_t offset, struct spool_frame *out);
void spool_position_put(uint8_t to[SPOOL_POSITION_BYTES], const struct spool_place *,
                        uint64_t generation);
bool spool_position_get(const uint8_t from[SPOOL_POSITION_BYTES], struct spool_place *out,
                        uint64_t *out_generation);
