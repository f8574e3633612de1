#include "rpc/tiny.h"

#include <stdlib.h>
#include <string.h>

enum { WIRE_VARINT = 0, WIRE_8 = 1, WIRE_BYTES = 2, WIRE_4 = 5 };

/* false: it ends early, or is longer than 64 bits. */
static bool take_varint(struct weir_bytes *b, uint64_t *out)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && b->len > 0; shift += 7) {
        uint8_t byte = (uint8_t)*b->at;
        b->at++;
        b->len--;
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) {
            *out = value;
            return true;
        }
    }
    return false;
}

static bool take_bytes(struct weir_bytes *b, uint64_t len, struct weir_bytes *out)
{
    if (len > b->len)
        return false;
    *out = (struct weir_bytes){b->at, (size_t)len};
    b->at += len;
    b->len -= (size_t)len;
    return true;
}

static bool take_field(struct weir_bytes *b, struct tiny_field *out)
{
    uint64_t tag, len = 0;
    struct weir_bytes skipped;
    *out = (struct tiny_field){0};
    if (!take_varint(b, &tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX)
        return false;
    out->number = (uint32_t)(tag >> 3);
    switch (tag & 7) {
    case WIRE_VARINT:
        return take_varint(b, &out->value);
    case WIRE_BYTES:
        return take_varint(b, &len) && take_bytes(b, len, &out->bytes);
    case WIRE_8:
        return take_bytes(b, 8, &skipped);
    case WIRE_4:
        return take_bytes(b, 4, &skipped);
    default:
        return false;
    }
}

bool tiny_next(struct weir_bytes *bytes, struct tiny_field *out)
{
    if (!bytes->at || bytes->len == 0)
        return false;
    if (take_field(bytes, out))
        return true;
    *bytes = (struct weir_bytes){NULL, 0};
    return false;
}

static uint8_t *room_for(struct tiny *t, size_t len)
{
    size_t size = t->size ? t->size : 256;
    while (size - t->len < len)
        size *= 2;
    if (size > t->size) {
        uint8_t *larger = t->failed ? NULL : realloc(t->at, size);
        t->failed = !larger;
        if (!larger)
            return NULL;
        t->at = larger;
        t->size = size;
    }
    return t->at + t->len;
}

static void add_varint(struct tiny *t, uint64_t value)
{
    uint8_t *to = room_for(t, 10);
    if (!to)
        return;
    for (; value >= 128; value >>= 7, t->len++)
        *to++ = (uint8_t)(value | 128);
    *to = (uint8_t)value;
    t->len++;
}

void tiny_number(struct tiny *t, uint32_t field, uint64_t value)
{
    add_varint(t, (uint64_t)field << 3 | WIRE_VARINT);
    add_varint(t, value);
}

void tiny_bytes(struct tiny *t, uint32_t field, const void *bytes, size_t len)
{
    add_varint(t, (uint64_t)field << 3 | WIRE_BYTES);
    add_varint(t, len);
    uint8_t *to = room_for(t, len);
    if (!to || len == 0)
        return;
    memcpy(to, bytes, len);
    t->len += len;
}

void tiny_text(struct tiny *t, uint32_t field, const char *text)
{
    tiny_bytes(t, field, text, strlen(text));
}
