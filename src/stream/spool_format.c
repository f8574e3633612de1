#include "stream/spool_format.h"

#include "stream/crc32c.h"
#include "tbl/limits.h"

#include <endian.h>
#include <string.h>

static const char head_magic[8] = "weirspl1", position_magic[8] = "weirpos1";

static void put32(uint8_t *to, uint32_t value)
{
    value = htole32(value);
    memcpy(to, &value, 4);
}

static void put64(uint8_t *to, uint64_t value)
{
    value = htole64(value);
    memcpy(to, &value, 8);
}

static uint32_t get32(const uint8_t *from)
{
    uint32_t value;
    memcpy(&value, from, 4);
    return le32toh(value);
}

static uint64_t get64(const uint8_t *from)
{
    uint64_t value;
    memcpy(&value, from, 8);
    return le64toh(value);
}

void spool_head_put(uint8_t to[SPOOL_HEAD_BYTES], const struct spool_head *head)
{
    memcpy(to, head_magic, 8);
    put64(to + 8, head->first);
    put64(to + 16, head->follows);
    put64(to + 24, (uint64_t)head->begun_ns);
    put32(to + 32, head->salt);
    put32(to + 36, crc32c(0, to, 36));
}

bool spool_head_get(const uint8_t from[SPOOL_HEAD_BYTES], struct spool_head *out)
{
    if (memcmp(from, head_magic, 8) != 0 || get32(from + 36) != crc32c(0, from, 36))
        return false;
    *out = (struct spool_head){
        .first = get64(from + 8),
        .follows = get64(from + 16),
        .begun_ns = (int64_t)get64(from + 24),
        .salt = get32(from + 32),
    };
    return true;
}

static uint32_t frame_crc(const uint8_t frame[12], const struct spool_head *head, uint64_t offset)
{
    uint8_t bytes[24];
    memcpy(bytes, frame, 12);
    put32(bytes + 12, head->salt);
    put64(bytes + 16, offset);
    return crc32c(0, bytes, sizeof(bytes));
}

void spool_frame_put(uint8_t to[SPOOL_FRAME_BYTES], const struct spool_head *head, uint64_t offset,
                     const struct spool_frame *frame)
{
    put32(to, frame->len);
    put32(to + 4, frame->index);
    put32(to + 8, frame->body_crc);
    put32(to + 12, frame_crc(to, head, offset));
}

bool spool_frame_get(const uint8_t from[SPOOL_FRAME_BYTES], const struct spool_head *head,
                     uint64_t offset, struct spool_frame *out)
{
    uint32_t len = get32(from);
    if (len > LIMIT_SPOOL_MESSAGE_BYTES || get32(from + 12) != frame_crc(from, head, offset))
        return false;
    *out = (struct spool_frame){
        .len = len,
        .index = get32(from + 4),
        .body_crc = get32(from + 8),
    };
    return true;
}

void spool_position_put(uint8_t to[SPOOL_POSITION_BYTES], const struct spool_place *place,
                        uint64_t generation)
{
    memset(to, 0, SPOOL_POSITION_BYTES);
    memcpy(to, position_magic, 8);
    put64(to + 8, generation);
    put64(to + 16, place->segment);
    put64(to + 24, place->offset);
    put64(to + 32, place->number);
    put32(to + 44, crc32c(0, to, 44));
}

bool spool_position_get(const uint8_t from[SPOOL_POSITION_BYTES], struct spool_place *out,
                        uint64_t *out_generation)
{
    if (memcmp(from, position_magic, 8) != 0 || get32(from + 44) != crc32c(0, from, 44))
        return false;
    *out_generation = get64(from + 8);
    *out = (struct spool_place){
        .segment = get64(from + 16),
        .offset = get64(from + 24),
        .number = get64(from + 32),
    };
    return true;
}
