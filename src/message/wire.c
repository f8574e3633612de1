#include "message/wire.h"

#include "tbl/limits_message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void wire_init(struct wire *w, const void *bytes, size_t len)
{
    w->at = bytes;
    w->end = len > 0 ? w->at + len : w->at; /* NULL plus nothing is undefined */
    w->bad = NULL;
}

static bool bad(struct wire *w, const char *what)
{
    w->bad = what;
    return false;
}

bool wire_varint(struct wire *w, uint64_t *out)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (w->at == w->end)
            return bad(w, "a number is cut off");
        uint8_t byte = *w->at++;
        if (shift == 63 && byte > 1)
            return bad(w, "a number has more than 64 bits");
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = value;
            return true;
        }
    }
    return bad(w, "a number has more than ten bytes");
}

static bool fixed(struct wire *w, unsigned len, uint64_t *out)
{
    uint64_t value = 0;
    if ((size_t)(w->end - w->at) < len)
        return bad(w, "a number is cut off");
    for (unsigned i = 0; i < len; i++)
        value |= (uint64_t)w->at[i] << (8 * i);
    w->at += len;
    *out = value;
    return true;
}

/* Tags and lengths: five bytes at most, as everybody's readers have it. */
static bool short_varint(struct wire *w, uint64_t *out)
{
    const uint8_t *start = w->at;
    if (!wire_varint(w, out))
        return false;
    return w->at - start <= 5 || bad(w, "a tag or a length has more than five bytes");
}

static bool delimited(struct wire *w, struct weir_bytes *out)
{
    uint64_t len;
    if (!short_varint(w, &len))
        return false;
    if (len > (size_t)(w->end - w->at))
        return bad(w, "a length goes past the end");
    *out = (struct weir_bytes){(const char *)w->at, (size_t)len};
    w->at += len;
    return true;
}

bool wire_next(struct wire *w, struct wire_field *out)
{
    uint64_t tag;
    if (w->bad || w->at == w->end || !short_varint(w, &tag))
        return false;
    if (tag >> 3 == 0 || tag >> 3 > LIMIT_MESSAGE_NUMBER)
        return bad(w, "a field has a number that cannot be");
    *out = (struct wire_field){.number = (uint32_t)(tag >> 3), .type = tag & 7};
    switch (out->type) {
    case WIRE_VARINT:
        return wire_varint(w, &out->value);
    case WIRE_64:
        return fixed(w, 8, &out->value);
    case WIRE_BYTES:
        return delimited(w, &out->bytes);
    case WIRE_32:
        return fixed(w, 4, &out->value);
    case WIRE_GROUP:
    case WIRE_GROUP_END:
        return bad(w, "a group, which is not supported");
    default:
        return bad(w, "a wire type that does not exist");
    }
}

void grow_init(struct grow *g, size_t max)
{
    *g = (struct grow){.max = max};
}

/* Room for `len` more and a NUL. */
static bool room(struct grow *g, size_t len)
{
    if (g->cut || len >= g->max - g->len) {
        g->cut = true;
        return false;
    }
    if (len < g->size - g->len)
        return true;
    size_t size = g->size ? g->size : 256;
    while (size - g->len <= len)
        size *= 2;
    char *at = realloc(g->at, size);
    g->cut = !at;
    if (at) {
        g->at = at;
        g->size = size;
    }
    return at;
}

void grow_add(struct grow *g, const void *bytes, size_t len)
{
    if (!room(g, len))
        return;
    if (len > 0)
        memcpy(g->at + g->len, bytes, len);
    g->len += len;
    g->at[g->len] = '\0';
}

void grow_str(struct grow *g, const char *string)
{
    grow_add(g, string, strlen(string));
}

void grow_char(struct grow *g, char c)
{
    grow_add(g, &c, 1);
}

void grow_fmt(struct grow *g, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof(text))
        g->cut = true;
    else
        grow_add(g, text, (size_t)len);
}

void grow_varint(struct grow *g, uint64_t value)
{
    uint8_t bytes[10];
    size_t len = 0;
    for (; value >= 0x80; value >>= 7)
        bytes[len++] = (uint8_t)(value | 0x80);
    bytes[len++] = (uint8_t)value;
    grow_add(g, bytes, len);
}

void grow_number(struct grow *g, uint32_t number, uint64_t value)
{
    grow_varint(g, (uint64_t)number << 3 | WIRE_VARINT);
    grow_varint(g, value);
}

void grow_bytes(struct grow *g, uint32_t number, const void *bytes, size_t len)
{
    grow_varint(g, (uint64_t)number << 3 | WIRE_BYTES);
    grow_varint(g, len);
    grow_add(g, bytes, len);
}

void grow_done(struct grow *g)
{
    free(g->at);
    *g = (struct grow){.max = g->max};
}
