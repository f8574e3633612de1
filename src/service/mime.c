#include "service/mime.h"

#include "base/bytes.h"
#include "tbl/mime.h"

#include <stdlib.h>
#include <string.h>

#define ENDING_MAX 16

struct row {
    const char *ending, *type;
};

static const struct row rows[] = {
#define T(ending, type) {ending, type},
    MIME_TYPES(T)
#undef T
};

static int compare(const void *key, const void *row)
{
    return strcmp(key, ((const struct row *)row)->ending);
}

const char *mime_type(struct weir_bytes name)
{
    char ending[ENDING_MAX + 1];
    const char *dot = name.len ? memrchr(name.at, '.', name.len) : NULL;
    size_t len = dot ? (size_t)(name.at + name.len - dot) - 1 : 0;
    if (len == 0 || len > ENDING_MAX || memchr(dot, '/', len + 1))
        return MIME_OTHER;
    for (size_t i = 0; i < len; i++) {
        char c = dot[1 + i];
        ending[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    ending[len] = '\0';
    const struct row *row =
        bsearch(ending, rows, sizeof(rows) / sizeof(rows[0]), sizeof(rows[0]), compare);
    return row ? row->type : MIME_OTHER;
}
