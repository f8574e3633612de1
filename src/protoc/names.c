/* C names, as protoc-c makes them. */
#include "base/text.h"
#include "protoc/emit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

static char lower(char c)
{
    return is_upper(c) ? (char)(c + 32) : c;
}

/* foo_bar → FooBar. One part of a name, up to a dot or the end; returns where it ended. */
static const char *camel(struct text *t, const char *at)
{
    bool next = true;
    for (; *at && *at != '.'; at++) {
        if (*at != '_')
            text_char(t, next ? upper(*at) : *at);
        next = *at == '_';
    }
    return at;
}

/* FooBar → foo_bar, or FOO_BAR. */
static const char *snake(struct text *t, const char *at, char (*turn)(char))
{
    bool was_upper = true;
    for (; *at && *at != '.'; at++) {
        if (is_upper(*at) && !was_upper)
            text_char(t, '_');
        text_char(t, turn(*at));
        was_upper = is_upper(*at);
    }
    return at;
}

enum style { STYLE_CAMEL, STYLE_LOWER, STYLE_UPPER };

static const char *styled(struct weir_schema *s, const char *name, enum style style)
{
    size_t size = 3 * strlen(name) + 1; /* an underscore before each letter, two for a dot */
    char *out = schema_take(s, size, 1);
    struct text t;
    if (!out)
        return "";
    text_init(&t, out, size);
    for (const char *at = name; *at; at += *at == '.') {
        text_str(&t, at == name ? "" : "__");
        at = style == STYLE_CAMEL ? camel(&t, at)
                                  : snake(&t, at, style == STYLE_LOWER ? lower : upper);
    }
    return text_end(&t);
}

const char *name_type(struct weir_schema *s, const char *full_name)
{
    return styled(s, full_name, STYLE_CAMEL);
}

const char *name_lower(struct weir_schema *s, const char *full_name)
{
    return styled(s, full_name, STYLE_LOWER);
}

const char *name_upper(struct weir_schema *s, const char *full_name)
{
    return styled(s, full_name, STYLE_UPPER);
}

const char *name_word(struct weir_schema *s, const char *name)
{
    return styled(s, name, STYLE_CAMEL);
}

const char *name_word_lower(struct weir_schema *s, const char *name)
{
    return styled(s, name, STYLE_LOWER);
}

const char *name_word_upper(struct weir_schema *s, const char *name)
{
    return styled(s, name, STYLE_UPPER);
}

static const char *turned(struct weir_schema *s, const char *name, char (*turn)(char))
{
    size_t len = strlen(name);
    char *out = schema_take(s, len + 2, 1);
    for (size_t i = 0; out && i < len; i++)
        out[i] = turn(name[i]);
    return out ? out : "";
}

const char *name_plain_upper(struct weir_schema *s, const char *name)
{
    return turned(s, name, upper);
}

/* Words of C and C++ as protoc-c has them; then those of C11 and C23, macros that gcc defines without being asked or that headers
 * define for plain words, and the struct's own first member. In order. */
static const char *const taken[] = {
    "alignas",
    "alignof",
    "and",
    "and_eq",
    "asm",
    "auto",
    "base",
    "bitand",
    "bitor",
    "bool",
    "break",
    "case",
    "catch",
    "char",
    "class",
    "compl",
    "complex",
    "const",
    "const_cast",
    "constexpr",
    "continue",
    "default",
    "delete",
    "do",
    "double",
    "dynamic_cast",
    "else",
    "enum",
    "errno",
    "explicit",
    "extern",
    "false",
    "float",
    "for",
    "friend",
    "goto",
    "if",
    "imaginary",
    "inline",
    "int",
    "linux",
    "long",
    "mutable",
    "namespace",
    "new",
    "noreturn",
    "not",
    "not_eq",
    "nullptr",
    "operator",
    "or",
    "or_eq",
    "private",
    "protected",
    "public",
    "register",
    "reinterpret_cast",
    "restrict",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "static_assert",
    "static_cast",
    "struct",
    "switch",
    "template",
    "this",
    "thread_local",
    "throw",
    "true",
    "try",
    "typedef",
    "typeid",
    "typename",
    "typeof",
    "union",
    "unix",
    "unsigned",
    "using",
    "virtual",
    "void",
    "volatile",
    "wchar_t",
    "while",
    "xor",
    "xor_eq",
};

static int by_word(const void *a, const void *b)
{
    return strcmp(a, *(const char *const *)b);
}

const char *name_member(struct weir_schema *s, const char *name)
{
    char *out = (char *)turned(s, name, lower);
    if (bsearch(out, taken, sizeof(taken) / sizeof(*taken), sizeof(*taken), by_word))
        out[strlen(out)] = '_'; /* turned() has left room */
    return out;
}

const char *name_of_file(struct weir_schema *s, const char *path)
{
    size_t size = 3 * strlen(path) + 1;
    char *out = schema_take(s, size, 1);
    struct text t;
    if (!out)
        return "";
    text_init(&t, out, size);
    for (; *path; path++) {
        char c = *path;
        if ((c >= '0' && c <= '9') || is_upper(upper(c)))
            text_char(&t, c);
        else
            text_fmt(&t, "_%02x", (unsigned char)c);
    }
    return text_end(&t);
}

const char *name_stem(struct weir_schema *s, const char *path)
{
    size_t len = strlen(path);
    if (len > 6 && strcmp(path + len - 6, ".proto") == 0)
        len -= 6;
    char *out = arena_copy(&s->arena, path, len);
    return out ? out : "";
}
