/* What no C can be made of: said here, at its line, rather than by the compiler in code that nobody wrote. */
#include "protoc/emit.h"
#include "protoc/places.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct taken {
    const char *name; /* in C */
    unsigned line;
    const char *from; /* in .proto */
};

struct collide {
    struct weir_schema *schema;
    const struct places *places;
    struct taken *at;
    size_t count, size;
    const char *why;
    unsigned line;
};

static void wrong(struct collide *c, unsigned line, const char *format, ...)
{
    char *text = schema_take(c->schema, 512, 1);
    va_list args;
    if (c->why)
        return;
    va_start(args, format);
    if (text)
        vsnprintf(text, 512, format, args);
    va_end(args);
    c->why = text ? text : "no memory";
    c->line = line;
}

static unsigned line_of(const struct place *place)
{
    return place ? place->line : 0;
}

static void take(struct collide *c, const char *name, const char *from, unsigned line)
{
    if (c->count < c->size)
        c->at[c->count++] = (struct taken){name, line, from};
}

static int by_name(const void *a, const void *b)
{
    const struct taken *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : x->line < y->line ? -1 : x->line > y->line;
}

static void judge(struct collide *c, const char *what)
{
    qsort(c->at, c->count, sizeof(*c->at), by_name);
    for (size_t i = 1; i < c->count; i++)
        if (strcmp(c->at[i - 1].name, c->at[i].name) == 0)
            wrong(c, c->at[i].line, "%.100s and %.100s would be the same %s in C: %.150s",
                  c->at[i - 1].from, c->at[i].from, what, c->at[i].name);
    c->count = 0;
}

static const char *joined(struct weir_schema *s, const char *before, const char *name,
                          const char *after)
{
    size_t size = strlen(before) + strlen(name) + strlen(after) + 1;
    char *out = schema_take(s, size, 1);
    if (!out)
        return "";
    snprintf(out, size, "%s%s%s", before, name, after);
    return out;
}

/* Members of the struct: names, n_ and has_ of them, _case of oneofs. */
static void members(struct collide *c, const struct proto_message *m)
{
    struct collide own = *c;
    own.count = 0;
    own.size = 2 * (size_t)m->field_count + m->oneof_count;
    own.at = schema_take(c->schema, own.size, sizeof(*own.at));
    if (!own.at)
        return;
    for (unsigned i = 0; i < m->field_count; i++) {
        const struct proto_field *field = &m->fields[i];
        const char *name = name_member(c->schema, field->name);
        unsigned line = line_of(place_field(c->places, m, field));
        if (field->type == PROTO_GROUP)
            wrong(&own, line, "%.100s.%.100s: groups are not supported", m->full_name, field->name);
        take(&own, name, field->name, line);
        if (field->label == PROTO_REPEATED)
            take(&own, joined(c->schema, "n_", name, ""), field->name, line);
        else if (has_flag(m, field))
            take(&own, joined(c->schema, "has_", name, ""), field->name, line);
    }
    for (unsigned i = 0; i < m->oneof_count; i++)
        take(&own, joined(c->schema, "", name_member(c->schema, m->oneofs[i]), "_case"),
             m->oneofs[i], line_of(place_message(c->places, m)));
    judge(&own, "member of a struct");
    if (!c->why && own.why) {
        c->why = own.why;
        c->line = own.line;
    }
}

static void of_message(struct collide *c, const struct proto_message *m,
                       void (*work)(struct collide *, const struct proto_message *))
{
    work(c, m);
    for (unsigned i = 0; i < m->message_count; i++)
        of_message(c, &m->messages[i], work);
}

/* Types: messages, enums, cases of oneofs. */
static void types(struct collide *c, const struct proto_message *m)
{
    unsigned line = line_of(place_message(c->places, m));
    const char *type = name_type(c->schema, m->full_name);
    take(c, type, m->full_name, line);
    for (unsigned i = 0; i < m->enum_count; i++)
        take(c, name_type(c->schema, m->enums[i].full_name), m->enums[i].full_name, line);
    for (unsigned i = 0; i < m->oneof_count; i++)
        take(c,
             joined(c->schema, joined(c->schema, type, "__", ""),
                    name_word(c->schema, m->oneofs[i]), "Case"),
             m->oneofs[i], line);
}

/* Functions and objects begin with the name in lower case. */
static void functions(struct collide *c, const struct proto_message *m)
{
    unsigned line = line_of(place_message(c->places, m));
    take(c, name_lower(c->schema, m->full_name), m->full_name, line);
    for (unsigned i = 0; i < m->enum_count; i++)
        take(c, name_lower(c->schema, m->enums[i].full_name), m->enums[i].full_name, line);
}

static size_t count_of(const struct proto_message *m)
{
    size_t count = 1 + m->enum_count + m->oneof_count;
    for (unsigned i = 0; i < m->message_count; i++)
        count += count_of(&m->messages[i]);
    return count;
}

static void all(struct collide *c, const struct proto_file *file,
                void (*work)(struct collide *, const struct proto_message *),
                const char *(*name)(struct weir_schema *, const char *))
{
    for (unsigned i = 0; i < file->message_count; i++)
        of_message(c, &file->messages[i], work);
    for (unsigned i = 0; name && i < file->enum_count; i++)
        take(c, name(c->schema, file->enums[i].full_name), file->enums[i].full_name,
             line_of(place_enum(c->places, file, &file->enums[i])));
    for (unsigned i = 0; name && i < file->service_count; i++)
        take(c, name(c->schema, file->services[i].full_name), file->services[i].full_name,
             line_of(place_service(c->places, &file->services[i])));
}

static void methods(struct collide *c, const struct proto_service *s)
{
    unsigned line = line_of(place_service(c->places, s));
    for (unsigned i = 0; i < s->method_count; i++)
        take(c, name_word_lower(c->schema, s->methods[i].name), s->methods[i].name, line);
    take(c, "init", "(the service itself)", 0);
    judge(c, "function");
}

const char *collide(struct weir_schema *s, const struct proto_file *file, unsigned *out_line)
{
    struct collide c = {.schema = s, .places = places_of(s, file)};
    c.size = file->enum_count + file->service_count;
    for (unsigned i = 0; i < file->message_count; i++)
        c.size += count_of(&file->messages[i]);
    for (unsigned i = 0; i < file->service_count; i++)
        c.size += file->services[i].method_count + 2;
    c.at = schema_take(s, c.size, sizeof(*c.at));
    if (!c.at)
        return "no memory";
    all(&c, file, members, NULL);
    all(&c, file, types, name_type);
    judge(&c, "type");
    all(&c, file, functions, name_lower);
    judge(&c, "function");
    for (unsigned i = 0; i < file->service_count; i++)
        methods(&c, &file->services[i]);
    *out_line = c.line;
    return c.why;
}
