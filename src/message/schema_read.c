/* Takes a FileDescriptorProto apart (google/protobuf/descriptor.proto says what its numbers mean). */
#include "base/utf8.h"
#include "message/schema.h"
#include "message/wire.h"
#include "tbl/limits_message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int schema_fail(struct weir_schema *s, const struct proto_file *file, const char *name,
                const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(s->why, sizeof(s->why), format, args);
    va_end(args);
    for (char *at = s->why; *at; at++) /* it quotes names that are none */
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = '?';
    s->where.file = file;
    s->where.name = name;
    return -EPROTO;
}

void *schema_take(struct weir_schema *s, size_t count, size_t size)
{
    void *at = count > s->arena.max / size ? NULL : arena_take(&s->arena, count ? count * size : 1);
    if (at)
        memset(at, 0, count * size);
    else
        (void)schema_fail(s, NULL, NULL, "the descriptors take more memory than they may");
    return at;
}

/* What is being read: errors name the file and the innermost declaration. */
struct reading {
    struct weir_schema *schema;
    struct proto_file *file;
    const char *scope; /* full name around it, "" at the top */
    unsigned depth;
};

static int wrong(const struct reading *r, const char *format, const char *detail)
{
    (void)schema_fail(r->schema, r->file, *r->scope ? r->scope : NULL, format, detail);
    return -EPROTO;
}

/* How many length-delimited fields of that number there are; the walk that fills them is the same. */
static unsigned count_of(struct weir_bytes bytes, uint32_t number)
{
    struct wire w;
    struct wire_field f;
    unsigned count = 0;
    for (wire_init(&w, bytes.at, bytes.len); wire_next(&w, &f);)
        count += f.number == number && f.type == WIRE_BYTES;
    return count;
}

static char *copy_text(const struct reading *r, struct weir_bytes bytes)
{
    if (memchr(bytes.at, '\0', bytes.len) || !utf8_is_valid(bytes)) {
        (void)wrong(r, "%s", "a name is not text");
        return NULL;
    }
    char *text = arena_copy(&r->schema->arena, bytes.at, bytes.len);
    if (!text)
        (void)wrong(r, "%s", "the descriptors take more memory than they may");
    return text;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* [A-Za-z_][A-Za-z0-9_]*, with `dots` several of them between dots. Names end up in C source and in messages to people. */
static bool is_name(const char *text, bool dots)
{
    bool start = true;
    for (; *text; text++) {
        if (dots && *text == '.' && !start)
            start = true;
        else if (is_letter(*text) || (!start && *text >= '0' && *text <= '9'))
            start = false;
        else
            return false;
    }
    return !start;
}

static char *read_name(const struct reading *r, struct weir_bytes bytes, bool dots)
{
    char *text = copy_text(r, bytes);
    if (text && !is_name(text, dots)) {
        (void)wrong(r, "'%.80s' is no name", text);
        return NULL;
    }
    return text;
}

/* ".package.Name" */
static char *read_type_name(const struct reading *r, struct weir_bytes bytes)
{
    char *text = copy_text(r, bytes);
    if (text && (*text != '.' || !is_name(text + 1, true))) {
        (void)wrong(r, "'%.80s' is no full name of a type", text);
        return NULL;
    }
    return text;
}

static const char *join(const struct reading *r, const char *name)
{
    size_t scope = strlen(r->scope), len = strlen(name);
    char *full = schema_take(r->schema, scope + len + 2, 1);
    if (full)
        snprintf(full, scope + len + 2, "%s%s%s", r->scope, scope ? "." : "", name);
    return full;
}

/* The name of a declaration comes first, since everything inside it carries it. */
static int read_names(const struct reading *r, struct weir_bytes bytes, const char **out_name,
                      const char **out_full)
{
    struct wire w;
    struct wire_field f;
    const char *name = NULL;
    for (wire_init(&w, bytes.at, bytes.len); wire_next(&w, &f);)
        if (f.number == 1 && f.type == WIRE_BYTES && !(name = read_name(r, f.bytes, false)))
            return -EPROTO;
    if (w.bad)
        return wrong(r, "malformed: %s", w.bad);
    if (!name)
        return wrong(r, "%s", "a declaration has no name");
    *out_name = name;
    *out_full = join(r, name);
    return *out_full ? 0 : -EPROTO;
}

/* FieldOptions: packed 2, deprecated 3. */
static void read_field_options(struct proto_field *field, struct weir_bytes bytes, int *packed)
{
    struct wire w;
    struct wire_field f;
    for (wire_init(&w, bytes.at, bytes.len); wire_next(&w, &f);) {
        if (f.number == 2 && f.type == WIRE_VARINT)
            *packed = f.value != 0;
        if (f.number == 3 && f.type == WIRE_VARINT)
            field->deprecated = f.value != 0;
    }
}

static bool is_packable(const struct proto_field *field)
{
    return field->label == PROTO_REPEATED && field->type != PROTO_STRING &&
           field->type != PROTO_BYTES && field->type != PROTO_MESSAGE && field->type != PROTO_GROUP;
}

static int field_number(struct proto_field *field, const struct wire_field *f)
{
    switch (f->number) {
    case 3:
        field->number = f->value > LIMIT_MESSAGE_NUMBER ? 0 : (uint32_t)f->value;
        break;
    case 4:
        field->label = f->value > PROTO_REPEATED ? 0 : (enum proto_label)f->value;
        break;
    case 5:
        field->type = f->value > PROTO_SINT64 ? 0 : (enum proto_type)f->value;
        break;
    case 9:
        field->oneof = f->value > INT32_MAX ? INT32_MAX : (int)f->value;
        break;
    case 17:
        field->proto3_optional = f->value != 0;
        break;
    }
    return 0;
}

static int field_text(const struct reading *r, struct proto_field *field,
                      const struct wire_field *f, int *packed)
{
    const char **slot = NULL;
    switch (f->number) {
    case 1:
        return (field->name = read_name(r, f->bytes, false)) ? 0 : -EPROTO;
    case 6:
        return (field->type_name = read_type_name(r, f->bytes)) ? 0 : -EPROTO;
    case 7:
        slot = &field->default_text;
        break;
    case 10:
        slot = &field->json_name;
        break;
    case 8:
        read_field_options(field, f->bytes, packed);
        return 0;
    default:
        return 0;
    }
    return (*slot = copy_text(r, f->bytes)) ? 0 : -EPROTO;
}

/* FieldDescriptorProto: name 1, number 3, label 4, type 5, type_name 6, default_value 7, options 8, oneof_index 9, json_name 10,
 * proto3_optional 17. */
static int read_field(const struct reading *r, struct weir_bytes bytes, struct proto_field *field)
{
    struct wire w;
    struct wire_field f;
    int packed = -1, rc = 0;
    *field = (struct proto_field){.oneof = -1};
    for (wire_init(&w, bytes.at, bytes.len); rc == 0 && wire_next(&w, &f);)
        rc = f.type == WIRE_VARINT  ? field_number(field, &f)
             : f.type == WIRE_BYTES ? field_text(r, field, &f, &packed)
                                    : 0;
    if (rc < 0)
        return rc;
    if (w.bad)
        return wrong(r, "malformed: %s", w.bad);
    if (!field->name)
        return wrong(r, "%s", "a field has no name");
    if (!field->number || !field->label || !field->type)
        return wrong(r, "field '%.80s' has no number, label or type that can be", field->name);
    bool named =
        field->type == PROTO_MESSAGE || field->type == PROTO_ENUM || field->type == PROTO_GROUP;
    if (named != (field->type_name != NULL))
        return wrong(r, "field '%.80s' lacks the name of its type, or has one too many",
                     field->name);
    if (field->default_text && (field->label == PROTO_REPEATED || field->type == PROTO_MESSAGE ||
                                field->type == PROTO_GROUP || r->file->proto3))
        return wrong(r, "field '%.80s' can have no default", field->name);
    field->packed = is_packable(field) && (packed < 0 ? r->file->proto3 : packed);
    return 0;
}

/* EnumValueDescriptorProto: name 1, number 2. */
static int read_value(const struct reading *r, struct weir_bytes bytes, struct proto_value *value)
{
    struct wire w;
    struct wire_field f;
    for (wire_init(&w, bytes.at, bytes.len); wire_next(&w, &f);) {
        if (f.number == 1 && f.type == WIRE_BYTES && !(value->name = read_name(r, f.bytes, false)))
            return -EPROTO;
        if (f.number == 2 && f.type == WIRE_VARINT)
            value->number = (int32_t)f.value;
    }
    if (w.bad)
        return wrong(r, "malformed: %s", w.bad);
    return value->name ? 0 : wrong(r, "%s", "a value of an enum has no name");
}

/* EnumDescriptorProto: name 1, value 2. */
static int read_enum(const struct reading *outer, struct weir_bytes bytes, struct proto_enum *e)
{
    struct reading r = *outer;
    struct wire w;
    struct wire_field f;
    unsigned at = 0;
    int rc = read_names(&r, bytes, &e->name, &e->full_name);
    if (rc < 0)
        return rc;
    r.scope = e->full_name;
    e->file = r.file;
    e->value_count = count_of(bytes, 2);
    if (e->value_count == 0)
        return wrong(&r, "%s", "an enum without values");
    if (!(e->values = schema_take(r.schema, e->value_count, sizeof(*e->values))))
        return -EPROTO;
    for (wire_init(&w, bytes.at, bytes.len); rc == 0 && wire_next(&w, &f);)
        if (f.number == 2 && f.type == WIRE_BYTES)
            rc = read_value(&r, f.bytes, &e->values[at++]);
    return rc;
}

/* MessageOptions: map_entry 7. */
static bool is_map_entry(struct weir_bytes bytes)
{
    struct wire w;
    struct wire_field f;
    bool map = false;
    for (wire_init(&w, bytes.at, bytes.len); wire_next(&w, &f);)
        if (f.number == 7 && f.type == WIRE_VARINT)
            map = f.value != 0;
    return map;
}

/* OneofDescriptorProto: name 1. */
static const char *read_oneof(const struct reading *r, struct weir_bytes bytes)
{
    const char *name = NULL, *full;
    return read_names(r, bytes, &name, &full) < 0 ? NULL : name;
}

/* protoc makes a oneof of its own for each proto3 `optional`, after all others: they are left out here. */
static int settle_oneofs(const struct reading *r, struct proto_message *m)
{
    unsigned real = 0;
    for (unsigned i = 0; i < m->field_count; i++) {
        struct proto_field *field = &m->fields[i];
        if (field->oneof >= 0 && (unsigned)field->oneof >= m->oneof_count)
            return wrong(r, "field '%.80s' is in a oneof that does not exist", field->name);
        if (field->oneof >= 0 && field->label != PROTO_OPTIONAL)
            return wrong(r, "field '%.80s' of a oneof is required or repeated", field->name);
        if (field->proto3_optional)
            field->oneof = -1;
        else if (field->oneof >= (int)real)
            real = (unsigned)field->oneof + 1;
    }
    m->oneof_count = real;
    return 0;
}

static int take_parts(const struct reading *r, struct proto_message *m, struct weir_bytes bytes)
{
    m->field_count = count_of(bytes, 2);
    m->message_count = count_of(bytes, 3);
    m->enum_count = count_of(bytes, 4);
    m->oneof_count = count_of(bytes, 8);
    m->fields = schema_take(r->schema, m->field_count, sizeof(*m->fields));
    m->messages = schema_take(r->schema, m->message_count, sizeof(*m->messages));
    m->enums = schema_take(r->schema, m->enum_count, sizeof(*m->enums));
    m->oneofs = schema_take(r->schema, m->oneof_count, sizeof(*m->oneofs));
    return m->fields && m->messages && m->enums && m->oneofs ? 0 : -EPROTO;
}

/* DescriptorProto: name 1, field 2, nested_type 3, enum_type 4, options 7, oneof_decl 8. */
static int read_message(const struct reading *outer, struct weir_bytes bytes,
                        struct proto_message *m, struct proto_message *parent)
{
    struct reading r = *outer;
    struct wire w;
    struct wire_field f;
    unsigned fields = 0, messages = 0, enums = 0, oneofs = 0;
    int rc = read_names(&r, bytes, &m->name, &m->full_name);
    if (rc < 0)
        return rc;
    if (++r.depth > LIMIT_SCHEMA_NESTED)
        return wrong(&r, "%s", "types declared inside types, too deep");
    r.scope = m->full_name;
    m->file = r.file;
    m->parent = parent;
    rc = take_parts(&r, m, bytes);
    for (wire_init(&w, bytes.at, bytes.len); rc == 0 && wire_next(&w, &f);) {
        if (f.type != WIRE_BYTES)
            continue;
        if (f.number == 2)
            rc = read_field(&r, f.bytes, &m->fields[fields++]);
        else if (f.number == 3)
            rc = read_message(&r, f.bytes, &m->messages[messages++], m);
        else if (f.number == 4)
            rc = read_enum(&r, f.bytes, &m->enums[enums++]);
        else if (f.number == 8)
            rc = (m->oneofs[oneofs++] = read_oneof(&r, f.bytes)) ? 0 : -EPROTO;
        else if (f.number == 7)
            m->map_entry = is_map_entry(f.bytes);
    }
    return rc < 0 ? rc : settle_oneofs(&r, m);
}

/* MethodDescriptorProto: name 1, input_type 2, output_type 3, client_streaming 5, server_streaming 6. */
static int read_method(const struct reading *r, struct weir_bytes bytes, struct proto_method *m)
{
    struct wire w;
    struct wire_field f;
    for (wire_init(&w, bytes.at, bytes.len); wire_next(&w, &f);) {
        bool text = f.type == WIRE_BYTES, number = f.type == WIRE_VARINT;
        if (text && f.number == 1 && !(m->name = read_name(r, f.bytes, false)))
            return -EPROTO;
        if (text && f.number == 2 && !(m->input_name = read_type_name(r, f.bytes)))
            return -EPROTO;
        if (text && f.number == 3 && !(m->output_name = read_type_name(r, f.bytes)))
            return -EPROTO;
        if (number && f.number == 5)
            m->client_streaming = f.value != 0;
        if (number && f.number == 6)
            m->server_streaming = f.value != 0;
    }
    if (w.bad)
        return wrong(r, "malformed: %s", w.bad);
    if (!m->name || !m->input_name || !m->output_name)
        return wrong(r, "%s", "a method without a name, or without its messages");
    return 0;
}

/* ServiceDescriptorProto: name 1, method 2. */
static int read_service(const struct reading *outer, struct weir_bytes bytes,
                        struct proto_service *service)
{
    struct reading r = *outer;
    struct wire w;
    struct wire_field f;
    unsigned at = 0;
    int rc = read_names(&r, bytes, &service->name, &service->full_name);
    if (rc < 0)
        return rc;
    r.scope = service->full_name;
    service->file = r.file;
    service->method_count = count_of(bytes, 2);
    service->methods = schema_take(r.schema, service->method_count, sizeof(*service->methods));
    if (!service->methods)
        return -EPROTO;
    for (wire_init(&w, bytes.at, bytes.len); rc == 0 && wire_next(&w, &f);)
        if (f.number == 2 && f.type == WIRE_BYTES)
            rc = read_method(&r, f.bytes, &service->methods[at++]);
    return rc;
}

/* A path that protoc could have been given: it becomes a part of the names of files, and stands in quotes in C. */
static bool is_path(const char *text)
{
    if (!*text || *text == '/' || strlen(text) > 1024)
        return false;
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at < ' ' || strchr("\"\\*?<>|", *at) || *at == 0x7f)
            return false;
    for (const char *part = text; part;) {
        const char *slash = strchrnul(part, '/');
        if (slash - part == 2 && memcmp(part, "..", 2) == 0)
            return false;
        part = *slash ? slash + 1 : NULL;
    }
    return true;
}

static const char *read_path(const struct reading *r, struct weir_bytes bytes)
{
    const char *path = copy_text(r, bytes);
    if (path && !is_path(path)) {
        (void)wrong(r, "%s", "the name of a file that cannot be");
        return NULL;
    }
    return path;
}

/* What all the rest depends on: name 1, package 2, syntax 12; and SourceCodeInfo 9. */
static int read_head(const struct reading *r, struct weir_bytes bytes)
{
    struct wire w;
    struct wire_field f;
    struct proto_file *file = r->file;
    struct weir_bytes syntax = {"proto2", 6};
    file->package = "";
    for (wire_init(&w, bytes.at, bytes.len); wire_next(&w, &f);) {
        if (f.type != WIRE_BYTES)
            continue;
        if (f.number == 1 && !(file->name = read_path(r, f.bytes)))
            return -EPROTO;
        if (f.number == 2 && f.bytes.len > 0 && !(file->package = read_name(r, f.bytes, true)))
            return -EPROTO;
        if (f.number == 12)
            syntax = f.bytes;
        if (f.number == 9)
            file->locations = f.bytes;
    }
    if (w.bad)
        return wrong(r, "malformed: %s", w.bad);
    if (!file->name)
        return wrong(r, "%s", "a file without a name");
    file->proto3 = syntax.len == 6 && memcmp(syntax.at, "proto3", 6) == 0;
    if (!file->proto3 && (syntax.len != 6 || memcmp(syntax.at, "proto2", 6) != 0))
        return wrong(r, "%s", "its syntax is neither proto2 nor proto3");
    return 0;
}

static int take_file_parts(const struct reading *r, struct weir_bytes bytes)
{
    struct proto_file *file = r->file;
    file->import_count = count_of(bytes, 3);
    r->schema->import_count += file->import_count;
    if (r->schema->import_count > LIMIT_SCHEMA_IMPORTS)
        return wrong(r, "%s", "more imports than are taken");
    file->message_count = count_of(bytes, 4);
    file->enum_count = count_of(bytes, 5);
    file->service_count = count_of(bytes, 6);
    file->imports = schema_take(r->schema, file->import_count, sizeof(*file->imports));
    file->import_public = schema_take(r->schema, file->import_count, sizeof(*file->import_public));
    file->messages = schema_take(r->schema, file->message_count, sizeof(*file->messages));
    file->enums = schema_take(r->schema, file->enum_count, sizeof(*file->enums));
    file->services = schema_take(r->schema, file->service_count, sizeof(*file->services));
    bool all =
        file->imports && file->import_public && file->messages && file->enums && file->services;
    return all ? 0 : -EPROTO;
}

/* dependency 3, message_type 4, enum_type 5, service 6, public_dependency 10. */
static int read_body(const struct reading *r, struct weir_bytes bytes)
{
    struct proto_file *file = r->file;
    struct wire w;
    struct wire_field f;
    unsigned imports = 0, messages = 0, enums = 0, services = 0;
    int rc = take_file_parts(r, bytes);
    for (wire_init(&w, bytes.at, bytes.len); rc == 0 && wire_next(&w, &f);) {
        if (f.number == 10 && f.type == WIRE_VARINT && f.value < file->import_count)
            file->import_public[f.value] = true;
        if (f.type != WIRE_BYTES)
            continue;
        if (f.number == 3) {
            file->imports[imports] = read_path(r, f.bytes);
            rc = file->imports[imports++] ? 0 : -EPROTO;
        }
        if (f.number == 4)
            rc = read_message(r, f.bytes, &file->messages[messages++], NULL);
        if (f.number == 5)
            rc = read_enum(r, f.bytes, &file->enums[enums++]);
        if (f.number == 6)
            rc = read_service(r, f.bytes, &file->services[services++]);
    }
    return rc;
}

int schema_read(struct weir_schema *s, const void *bytes, size_t len)
{
    struct weir_bytes all = {bytes, len};
    struct proto_file *file = schema_take(s, 1, sizeof(*file));
    if (!file)
        return -EPROTO;
    file->bytes = bytes;
    file->len = len;
    struct reading r = {.schema = s, .file = file, .scope = ""};
    if (len > LIMIT_SCHEMA_BYTES - s->bytes || s->file_count == LIMIT_SCHEMA_FILES)
        return wrong(&r, "%s", "more descriptors than are taken");
    int rc = read_head(&r, all);
    r.scope = file->package;
    if (rc == 0 && schema_file(s, file->name))
        return 0; /* again: what came first counts */
    if (rc == 0)
        rc = read_body(&r, all);
    if (rc < 0)
        return rc;
    s->bytes += len;
    s->file_count++;
    *s->files_end = file;
    s->files_end = &file->next;
    return 0;
}
