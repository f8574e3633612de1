#include "protoc/places.h"

#include "message/wire.h"

#include <stdlib.h>
#include <string.h>

#define PATH_BYTES 256 /* of 32 types inside types, ten bytes each level at most */

static int by_path(const void *a, const void *b)
{
    const struct weir_bytes *x = &((const struct place *)a)->path,
                            *y = &((const struct place *)b)->path;
    size_t least = x->len < y->len ? x->len : y->len;
    int order = least ? memcmp(x->at, y->at, least) : 0;
    return order ? order : x->len < y->len ? -1 : x->len > y->len;
}

/* SourceCodeInfo.Location: path 1, span 2 (its first number is the line, from 0), leading_comments 3. */
static struct place read_place(struct weir_bytes bytes)
{
    struct place place = {.line = 0};
    struct wire w, span;
    struct wire_field f;
    uint64_t line;
    for (wire_init(&w, bytes.at, bytes.len); wire_next(&w, &f);) {
        if (f.type != WIRE_BYTES)
            continue;
        if (f.number == 1)
            place.path = f.bytes;
        if (f.number == 3)
            place.comment = f.bytes;
        wire_init(&span, f.bytes.at, f.bytes.len);
        if (f.number == 2 && wire_varint(&span, &line) && line < INT32_MAX)
            place.line = (unsigned)line + 1;
    }
    return place;
}

const struct places *places_of(struct weir_schema *s, const struct proto_file *file)
{
    struct places *places = schema_take(s, 1, sizeof(*places));
    struct wire w;
    struct wire_field f;
    size_t count = 0;
    for (wire_init(&w, file->locations.at, file->locations.len); wire_next(&w, &f);)
        count += f.number == 1 && f.type == WIRE_BYTES;
    struct place *at = schema_take(s, count, sizeof(*at));
    if (!places || !at)
        return NULL;
    for (wire_init(&w, file->locations.at, file->locations.len); wire_next(&w, &f);)
        if (f.number == 1 && f.type == WIRE_BYTES)
            at[places->count++] = read_place(f.bytes);
    qsort(at, places->count, sizeof(*at), by_path);
    places->at = at;
    return places;
}

struct path {
    uint8_t bytes[PATH_BYTES];
    size_t len;
};

static void step(struct path *path, unsigned number)
{
    for (; number >= 0x80 && path->len < PATH_BYTES; number >>= 7)
        path->bytes[path->len++] = (uint8_t)(number | 0x80);
    if (path->len < PATH_BYTES)
        path->bytes[path->len++] = (uint8_t)number;
}

static const struct place *find(const struct places *places, const struct path *path)
{
    struct place key = {.path = {(const char *)path->bytes, path->len}};
    return places ? bsearch(&key, places->at, places->count, sizeof(key), by_path) : NULL;
}

/* FileDescriptorProto.message_type is 4, DescriptorProto.nested_type 3. */
static void to_message(struct path *path, const struct proto_message *m)
{
    if (m->parent)
        to_message(path, m->parent);
    step(path, m->parent ? 3 : 4);
    step(path, (unsigned)(m - (m->parent ? m->parent->messages : m->file->messages)));
}

const struct place *place_message(const struct places *places, const struct proto_message *m)
{
    struct path path = {.len = 0};
    to_message(&path, m);
    return find(places, &path);
}

const struct place *place_field(const struct places *places, const struct proto_message *m,
                                const struct proto_field *field)
{
    struct path path = {.len = 0};
    to_message(&path, m);
    step(&path, 2);
    step(&path, (unsigned)(field - m->fields));
    return find(places, &path);
}

const struct place *place_enum(const struct places *places, const struct proto_file *file,
                               const struct proto_enum *e)
{
    struct path path = {.len = 0};
    step(&path, 5);
    step(&path, (unsigned)(e - file->enums));
    return e >= file->enums && e < file->enums + file->enum_count ? find(places, &path) : NULL;
}

const struct place *place_service(const struct places *places, const struct proto_service *service)
{
    struct path path = {.len = 0};
    step(&path, 6);
    step(&path, (unsigned)(service - service->file->services));
    return find(places, &path);
}
