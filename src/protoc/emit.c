#include "protoc/emit.h"

#include <stdarg.h>
#include <string.h>

/* As C writes it between quotes; octal, which ends after three digits whatever follows; no trigraph. */
static void quote(struct grow *out, const char *text, size_t len)
{
    grow_char(out, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= ' ' && c < 0x7f && !strchr("\"\\?", c))
            grow_char(out, (char)c);
        else
            grow_fmt(out, "\\%03o", c);
    }
    grow_char(out, '"');
}

/* INT32_MIN has no literal of its own. */
static void number(struct grow *out, int32_t value)
{
    if (value == INT32_MIN)
        grow_str(out, "(-2147483647 - 1)");
    else
        grow_fmt(out, "%d", value);
}

void emit(struct emit *e, const char *template, ...)
{
    va_list args;
    va_start(args, template);
    for (const char *at = template; *at; at++) {
        const char *end = strchrnul(at, '$');
        grow_add(e->out, at, (size_t)(end - at));
        if (!*end)
            break;
        at = end + 1;
        const char *text = *at == 'T'   ? e->type
                           : *at == 'l' ? e->lower
                           : *at == 'U' ? e->upper
                                        : "$";
        if (*at == 's' || *at == 'q')
            text = va_arg(args, const char *);
        if (*at == 'u')
            grow_fmt(e->out, "%u", va_arg(args, unsigned));
        else if (*at == 'i')
            number(e->out, va_arg(args, int32_t));
        else if (*at == 'q')
            quote(e->out, text, strlen(text));
        else
            grow_str(e->out, text);
    }
    va_end(args);
}

void emit_about(struct emit *e, const char *full_name)
{
    e->type = name_type(e->schema, full_name);
    e->lower = name_lower(e->schema, full_name);
    e->upper = name_upper(e->schema, full_name);
}
