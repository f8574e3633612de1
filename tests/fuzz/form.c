/* Forms from a stranger, in pieces of any size: what is read does not depend on where they are cut, and nothing is longer than it may be. */
#include "service/form.h"

#include <weir/routes.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

struct source {
    const uint8_t *at;
    size_t left, piece;
};

static ssize_t give(void *arg, void *buffer, size_t len)
{
    struct source *source = arg;
    size_t n = source->left < source->piece ? source->left : source->piece;
    n = n < len ? n : len;
    if (n > 0)
        memcpy(buffer, source->at, n);
    source->at += n;
    source->left -= n;
    return (ssize_t)n;
}

static void mix(uint64_t *sum, const void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        *sum = (*sum ^ ((const uint8_t *)bytes)[i]) * 1099511628211u;
}

/* All of it, as a number; parts that fail half-way count by their error alone. */
static uint64_t read_form(struct weir_bytes type, struct source source, size_t step)
{
    static struct form form;
    uint8_t room[4096];
    struct weir_form_part part;
    uint64_t sum = 14695981039346656037u, before = sum;
    int rc = form_init(&form, type, give, &source);
    while (rc == 0 && (rc = form_next(&form, &part)) > 0) {
        ssize_t n;
        before = sum;
        mix(&sum, part.name, strlen(part.name) + 1);
        mix(&sum, part.type, strlen(part.type) + 1);
        if (part.filename)
            mix(&sum, part.filename, strlen(part.filename) + 1);
        while ((n = form_read(&form, room, step)) > 0) {
            if ((size_t)n > step)
                abort();
            mix(&sum, room, (size_t)n);
        }
        rc = (int)n;
        if (rc < 0)
            sum = before;
    }
    if (rc < 0 && form.parts > 0 && form_next(&form, &part) != rc)
        abort(); /* errors stay */
    mix(&sum, &rc, sizeof(rc));
    return sum;
}

/* The first line is the Content-Type, the byte before it how the rest is cut. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len < 1)
        return 0;
    size_t piece = 1 + bytes[0] % 64;
    bytes++;
    len--;
    const uint8_t *line = len > 0 ? memchr(bytes, '\n', len) : NULL;
    size_t type_len = line ? (size_t)(line - bytes) : len;
    char *type = malloc(type_len + 1); /* its very end is watched */
    memcpy(type, bytes, type_len);
    struct weir_bytes content_type = {type, type_len};
    struct source source = {bytes + type_len + (line != NULL), len - type_len - (line != NULL),
                            len + 1};
    uint64_t whole = read_form(content_type, source, 4096);
    source.piece = piece;
    uint64_t cut = read_form(content_type, source, piece);
    source.piece = 1;
    if (whole != cut || whole != read_form(content_type, source, 1))
        abort();
    free(type);
    return 0;
}
