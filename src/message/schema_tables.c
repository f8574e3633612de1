/* protobuf-c's tables, made at run time. Structs are laid out as a C compiler lays out those that src/protoc writes, so that the
 * same tables come of both (tests/protoc compares them). */
#include "message/schema.h"
#include "tbl/limits_message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- enums --- */

static int by_value(const void *a, const void *b)
{
    const ProtobufCEnumValue *x = a, *y = b;
    return x->value < y->value ? -1 : x->value > y->value;
}

static int by_value_name(const void *a, const void *b)
{
    return strcmp(((const ProtobufCEnumValueIndex *)a)->name,
                  ((const ProtobufCEnumValueIndex *)b)->name);
}

static unsigned index_of(const ProtobufCEnumValue *values, unsigned count, int value)
{
    ProtobufCEnumValue key = {NULL, NULL, value};
    const ProtobufCEnumValue *found = bsearch(&key, values, count, sizeof(key), by_value);
    return (unsigned)(found - values);
}

/* Of several names of one number the first counts; qsort() of the C library keeps their order (it merges). */
static unsigned sort_values(const struct proto_enum *e, ProtobufCEnumValue *values)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < e->value_count; i++)
        values[i] = (ProtobufCEnumValue){e->values[i].name, e->values[i].name, e->values[i].number};
    qsort(values, e->value_count, sizeof(*values), by_value);
    for (unsigned i = 0; i < e->value_count; i++)
        if (kept == 0 || values[kept - 1].value != values[i].value)
            values[kept++] = values[i];
    return kept;
}

static unsigned value_ranges(const ProtobufCEnumValue *values, unsigned count,
                             ProtobufCIntRange *ranges)
{
    unsigned made = 0;
    for (unsigned i = 0; i < count; i++)
        if (i == 0 || (int64_t)values[i - 1].value + 1 != values[i].value)
            ranges[made++] = (ProtobufCIntRange){values[i].value, i};
    ranges[made] = (ProtobufCIntRange){0, count};
    return made;
}

static int make_enum(struct weir_schema *s, struct proto_enum *e)
{
    ProtobufCEnumValue *values = schema_take(s, e->value_count, sizeof(*values));
    ProtobufCEnumValueIndex *names = schema_take(s, e->value_count, sizeof(*names));
    ProtobufCIntRange *ranges = schema_take(s, e->value_count + 1, sizeof(*ranges));
    if (!values || !names || !ranges)
        return -EPROTO;
    unsigned count = sort_values(e, values);
    for (unsigned i = 0; i < e->value_count; i++)
        names[i] = (ProtobufCEnumValueIndex){e->values[i].name,
                                             index_of(values, count, e->values[i].number)};
    qsort(names, e->value_count, sizeof(*names), by_value_name);
    *e->table = (ProtobufCEnumDescriptor){
        .magic = PROTOBUF_C__ENUM_DESCRIPTOR_MAGIC,
        .name = e->full_name,
        .short_name = e->name,
        .c_name = e->name,
        .package_name = e->file->package,
        .n_values = count,
        .values = values,
        .n_value_names = e->value_count,
        .values_by_name = names,
        .n_value_ranges = value_ranges(values, count, ranges),
        .value_ranges = ranges,
    };
    return 0;
}

/* --- fields --- */

struct layout {
    size_t size, align;
};

static size_t place(struct layout *l, size_t size, size_t align)
{
    size_t at = (l->size + align - 1) / align * align;
    l->size = at + size;
    l->align = align > l->align ? align : l->align;
    return at;
}

static struct layout value_layout(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_BYTES:
        return (struct layout){sizeof(ProtobufCBinaryData), _Alignof(ProtobufCBinaryData)};
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return (struct layout){sizeof(void *), _Alignof(void *)};
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return (struct layout){sizeof(uint64_t), _Alignof(uint64_t)};
    default:
        return (struct layout){sizeof(uint32_t), _Alignof(uint32_t)};
    }
}

static bool has_flag(const ProtobufCFieldDescriptor *f)
{
    return f->label == PROTOBUF_C_LABEL_OPTIONAL && f->type != PROTOBUF_C_TYPE_STRING &&
           f->type != PROTOBUF_C_TYPE_MESSAGE;
}

static void place_field(struct layout *l, ProtobufCFieldDescriptor *f)
{
    struct layout value = value_layout(f->type);
    if (f->label == PROTOBUF_C_LABEL_REPEATED) {
        f->quantifier_offset = (unsigned)place(l, sizeof(size_t), _Alignof(size_t));
        value = (struct layout){sizeof(void *), _Alignof(void *)};
    } else if (has_flag(f)) {
        f->quantifier_offset = (unsigned)place(l, sizeof(protobuf_c_boolean), _Alignof(int));
    }
    f->offset = (unsigned)place(l, value.size, value.align);
}

/* A case, and a union of what is in it. */
static void place_oneof(struct layout *l, const struct proto_message *m, unsigned oneof,
                        ProtobufCFieldDescriptor *const *of)
{
    struct layout all = {0, 1};
    unsigned which = (unsigned)place(l, sizeof(int), _Alignof(int));
    for (unsigned i = 0; i < m->field_count; i++)
        if (m->fields[i].oneof == (int)oneof && of[i]) {
            struct layout value = value_layout(of[i]->type);
            all.size = value.size > all.size ? value.size : all.size;
            all.align = value.align > all.align ? value.align : all.align;
        }
    unsigned at = (unsigned)place(l, (all.size + all.align - 1) / all.align * all.align, all.align);
    for (unsigned i = 0; i < m->field_count; i++)
        if (m->fields[i].oneof == (int)oneof && of[i]) {
            of[i]->quantifier_offset = which;
            of[i]->offset = at;
        }
}

static const void *enum_default(struct weir_schema *s, const struct proto_field *field)
{
    const struct proto_enum *e = field->enumeration;
    int32_t *value = schema_take(s, 1, sizeof(*value));
    if (!value)
        return NULL;
    for (unsigned i = e->value_count; i > 0; i--)
        if (!field->default_text || strcmp(e->values[i - 1].name, field->default_text) == 0)
            *value = e->values[i - 1].number;
    return value;
}

static const void *bytes_default(struct weir_schema *s, const char *text)
{
    char *bytes = schema_take(s, strlen(text) + 1, 1);
    ProtobufCBinaryData *value = schema_take(s, 1, sizeof(*value));
    if (!bytes || !value)
        return NULL;
    value->len = (size_t)schema_unescape(text, bytes); /* schema_link() has tried it */
    value->data = (uint8_t *)bytes;
    return value;
}

static const void *number_default(struct weir_schema *s, const struct proto_field *field)
{
    void *value = schema_take(s, 1, sizeof(uint64_t));
    if (!value || schema_number(field->type, field->default_text, value) < 0)
        return NULL;
    return value;
}

/* protobuf-c writes the defaults of all members of a oneof one over the other when it has no init function to call, and then takes
 * them for values: those get none. */
static int default_of(struct weir_schema *s, const struct proto_field *field,
                      ProtobufCFieldDescriptor *f)
{
    bool text = field->default_text != NULL;
    if (field->oneof >= 0 || f->label == PROTOBUF_C_LABEL_REPEATED)
        return 0;
    if (f->type == PROTOBUF_C_TYPE_ENUM) {
        bool zero = !text && field->enumeration->values[0].number == 0;
        return zero || (f->default_value = enum_default(s, field)) ? 0 : -EPROTO;
    }
    if (f->type == PROTOBUF_C_TYPE_STRING && f->label == PROTOBUF_C_LABEL_NONE)
        f->default_value = &protobuf_c_empty_string;
    if (!text)
        return 0;
    f->default_value = f->type == PROTOBUF_C_TYPE_STRING  ? field->default_text
                       : f->type == PROTOBUF_C_TYPE_BYTES ? bytes_default(s, field->default_text)
                                                          : number_default(s, field);
    return f->default_value ? 0 : -EPROTO;
}

/* NULL where it is what protoc makes of the name. */
static int own_json_name(struct weir_schema *s, const struct proto_field *field, const char **out)
{
    *out = NULL;
    if (!field->json_name)
        return 0;
    char *made = schema_take(s, strlen(field->name) + 1, 1);
    if (!made)
        return -EPROTO;
    schema_json_name(field->name, made);
    *out = strcmp(made, field->json_name) == 0 ? NULL : field->json_name;
    return 0;
}

static int make_field(struct weir_schema *s, const struct proto_message *m,
                      const struct proto_field *field, ProtobufCFieldDescriptor *f)
{
    f->name = field->name;
    f->id = field->number;
    f->label = schema_label(m, field);
    f->type = schema_type(field->type);
    f->descriptor = field->type == PROTO_ENUM      ? (const void *)field->enumeration->table
                    : field->type == PROTO_MESSAGE ? field->message->table
                                                   : NULL;
    f->flags = (field->packed ? PROTOBUF_C_FIELD_FLAG_PACKED : 0u) |
               (field->deprecated ? PROTOBUF_C_FIELD_FLAG_DEPRECATED : 0u) |
               (field->oneof >= 0 ? PROTOBUF_C_FIELD_FLAG_ONEOF : 0u);
    bool map =
        field->type == PROTO_MESSAGE && field->message->map_entry && field->label == PROTO_REPEATED;
    bool utf8 = field->type == PROTO_STRING && m->file->proto3;
    f->reserved_flags = (map ? WEIR_FIELD_MAP : 0u) | (utf8 ? WEIR_FIELD_UTF8 : 0u);
    const char *json_name;
    int rc = own_json_name(s, field, &json_name);
    f->reserved2 = (void *)json_name;
    return rc < 0 ? rc : default_of(s, field, f);
}

/* --- messages --- */

static int by_id(const void *a, const void *b)
{
    uint32_t x = ((const ProtobufCFieldDescriptor *)a)->id;
    uint32_t y = ((const ProtobufCFieldDescriptor *)b)->id;
    return x < y ? -1 : x > y;
}

struct named {
    const char *name;
    unsigned at;
};

static int by_named(const void *a, const void *b)
{
    return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static unsigned *sort_names(struct weir_schema *s, const ProtobufCFieldDescriptor *fields,
                            unsigned count)
{
    struct named *names = schema_take(s, count, sizeof(*names));
    unsigned *sorted = schema_take(s, count, sizeof(*sorted));
    if (!names || !sorted)
        return NULL;
    for (unsigned i = 0; i < count; i++)
        names[i] = (struct named){fields[i].name, i};
    qsort(names, count, sizeof(*names), by_named);
    for (unsigned i = 0; i < count; i++)
        sorted[i] = names[i].at;
    return sorted;
}

static unsigned field_ranges(const ProtobufCFieldDescriptor *fields, unsigned count,
                             ProtobufCIntRange *ranges)
{
    unsigned made = 0;
    for (unsigned i = 0; i < count; i++)
        if (i == 0 || fields[i - 1].id + 1 != fields[i].id)
            ranges[made++] = (ProtobufCIntRange){(int)fields[i].id, i};
    ranges[made] = (ProtobufCIntRange){0, count};
    return made;
}

/* As src/protoc writes the struct: fields as declared, then the oneofs. `of` has the place of each. */
static size_t place_all(const struct proto_message *m, ProtobufCFieldDescriptor *const *of)
{
    struct layout l = {sizeof(ProtobufCMessage), _Alignof(ProtobufCMessage)};
    for (unsigned i = 0; i < m->field_count; i++)
        if (of[i] && m->fields[i].oneof < 0)
            place_field(&l, of[i]);
    for (unsigned i = 0; i < m->oneof_count; i++)
        place_oneof(&l, m, i, of);
    return (l.size + l.align - 1) / l.align * l.align;
}

/* Fields that are groups are left out: protobuf-c has no word for them. */
static int make_fields(struct weir_schema *s, const struct proto_message *m,
                       ProtobufCFieldDescriptor *fields, unsigned *out_count, size_t *out_size)
{
    ProtobufCFieldDescriptor **of = schema_take(s, m->field_count, sizeof(*of));
    unsigned count = 0;
    if (!of)
        return -EPROTO;
    for (unsigned i = 0; i < m->field_count; i++) {
        if (m->fields[i].type == PROTO_GROUP)
            continue;
        of[i] = &fields[count++];
        int rc = make_field(s, m, &m->fields[i], of[i]);
        if (rc < 0)
            return rc;
    }
    *out_size = place_all(m, of);
    *out_count = count;
    return 0;
}

static int make_message(struct weir_schema *s, struct proto_message *m)
{
    ProtobufCFieldDescriptor *fields = schema_take(s, m->field_count, sizeof(*fields));
    ProtobufCIntRange *ranges = schema_take(s, m->field_count + 1, sizeof(*ranges));
    unsigned count = 0, *sorted;
    size_t size = 0;
    if (!fields || !ranges || make_fields(s, m, fields, &count, &size) < 0)
        return -EPROTO;
    if (size > LIMIT_SCHEMA_STRUCT)
        return schema_fail(s, m->file, m->full_name, "a message of too many fields");
    qsort(fields, count, sizeof(*fields), by_id);
    if (!(sorted = sort_names(s, fields, count)))
        return -EPROTO;
    *m->table = (ProtobufCMessageDescriptor){
        .magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
        .name = m->full_name,
        .short_name = m->name,
        .c_name = m->name,
        .package_name = m->file->package,
        .sizeof_message = size,
        .n_fields = count,
        .fields = count ? fields : NULL, /* protobuf-c looks at the first of those it has */
        .fields_sorted_by_name = sorted,
        .n_field_ranges = field_ranges(fields, count, ranges),
        .field_ranges = count ? ranges : NULL,
    };
    for (unsigned i = 0; i < m->enum_count; i++)
        if (make_enum(s, &m->enums[i]) < 0)
            return -EPROTO;
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < m->message_count; i++)
        rc = make_message(s, &m->messages[i]);
    return rc;
}

/* --- services --- */

static char *path_of(struct weir_schema *s, const char *service, const char *method)
{
    size_t len = strlen(service), more = strlen(method);
    char *path = schema_take(s, len + more + 3, 1);
    if (path) {
        path[0] = '/';
        memcpy(path + 1, service, len);
        path[len + 1] = '/';
        memcpy(path + len + 2, method, more);
    }
    return path;
}

static int make_service(struct weir_schema *s, struct proto_service *service)
{
    struct weir_rpc_method *methods = schema_take(s, service->method_count, sizeof(*methods));
    if (!methods)
        return -EPROTO;
    for (unsigned i = 0; i < service->method_count; i++) {
        const struct proto_method *m = &service->methods[i];
        methods[i] = (struct weir_rpc_method){
            .path = path_of(s, service->full_name, m->name),
            .input = m->input->table,
            .output = m->output->table,
            .client_streaming = m->client_streaming,
            .server_streaming = m->server_streaming,
        };
        if (!methods[i].path)
            return -EPROTO;
    }
    service->table = &s->services[s->service_count++];
    *service->table = (struct weir_rpc_service){
        .name = service->full_name,
        .methods = methods,
        .method_count = service->method_count,
    };
    return 0;
}

/* --- all of them --- */

/* Tables point at each other, also in circles: room for each comes first. */
static int take_tables(struct weir_schema *s)
{
    size_t services = 0;
    for (size_t i = 0; i < s->symbol_count; i++) {
        struct symbol *symbol = &s->symbols[i];
        void *at = NULL;
        services += symbol->kind == SYMBOL_SERVICE;
        if (symbol->kind == SYMBOL_MESSAGE)
            at = ((struct proto_message *)symbol->at)->table =
                schema_take(s, 1, sizeof(ProtobufCMessageDescriptor));
        if (symbol->kind == SYMBOL_ENUM)
            at = ((struct proto_enum *)symbol->at)->table =
                schema_take(s, 1, sizeof(ProtobufCEnumDescriptor));
        if (symbol->kind != SYMBOL_SERVICE && !at)
            return -EPROTO;
    }
    s->services = schema_take(s, services, sizeof(*s->services));
    return s->services ? 0 : -EPROTO;
}

int schema_tables(struct weir_schema *s)
{
    int rc = take_tables(s);
    for (struct proto_file *file = s->files; rc == 0 && file; file = file->next) {
        for (unsigned i = 0; rc == 0 && i < file->message_count; i++)
            rc = make_message(s, &file->messages[i]);
        for (unsigned i = 0; rc == 0 && i < file->enum_count; i++)
            rc = make_enum(s, &file->enums[i]);
        for (unsigned i = 0; rc == 0 && i < file->service_count; i++)
            rc = make_service(s, &file->services[i]);
    }
    return rc;
}
