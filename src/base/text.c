#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void text_init(struct text *t, char *buffer, size_t size)
{
    *t = (struct text){.at = buffer, .size = size};
}

void text_add(struct text *t, const char *bytes, size_t len)
{
    if (t->cut)
        return;
    size_t room = t->size - t->len;
    if (len > room) {
        t->cut = true;
        len = room;
    }
    if (len > 0)
        memcpy(t->at + t->len, bytes, len);
    t->len += len;
}

void text_str(struct text *t, const char *string)
{
    text_add(t, string, strlen(string));
}

void text_char(struct text *t, char c)
{
    text_add(t, &c, 1);
}

void text_u64(struct text *t, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    text_add(t, digits + at, sizeof(digits) - at);
}

void text_hex(struct text *t, uint64_t value)
{
    char digits[16];
    size_t at = sizeof(digits);
    do {
        digits[--at] = "0123456789abcdef"[value % 16];
        value /= 16;
    } while (value > 0);
    text_add(t, digits + at, sizeof(digits) - at);
}

void text_fmt(struct text *t, const char *format, ...)
{
    if (t->cut)
        return;
    size_t room = t->size - t->len;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->at + t->len, room, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= room) {
        /* vsnprintf has put a NUL into the last byte: give that byte up. */
        t->cut = true;
        t->len += room > 0 ? room - 1 : 0;
        return;
    }
    t->len += (size_t)n;
}

const char *text_end(struct text *t)
{
    if (t->size == 0)
        return "";
    if (t->len == t->size) {
        t->cut = true;
        t->len--;
    }
    t->at[t->len] = '\0';
    return t->at;
}
