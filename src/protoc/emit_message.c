/* The source's side of a message: functions, defaults, table. */
#include "protoc/emit.h"

#include <stdlib.h>
#include <string.h>

static void emit_default_object(struct emit *e, const struct proto_message *m,
                                const struct proto_field *field)
{
    static const char *const types[] = {
        [PROTOBUF_C_TYPE_INT32] = "int32_t",
        [PROTOBUF_C_TYPE_SINT32] = "int32_t",
        [PROTOBUF_C_TYPE_SFIXED32] = "int32_t",
        [PROTOBUF_C_TYPE_INT64] = "int64_t",
        [PROTOBUF_C_TYPE_SINT64] = "int64_t",
        [PROTOBUF_C_TYPE_SFIXED64] = "int64_t",
        [PROTOBUF_C_TYPE_UINT32] = "uint32_t",
        [PROTOBUF_C_TYPE_FIXED32] = "uint32_t",
        [PROTOBUF_C_TYPE_UINT64] = "uint64_t",
        [PROTOBUF_C_TYPE_FIXED64] = "uint64_t",
        [PROTOBUF_C_TYPE_FLOAT] = "float",
        [PROTOBUF_C_TYPE_DOUBLE] = "double",
        [PROTOBUF_C_TYPE_BOOL] = "protobuf_c_boolean",
        [PROTOBUF_C_TYPE_BYTES] = "ProtobufCBinaryData",
    };
    const char *name = name_default(e, m, field);
    if (field->type == PROTO_STRING) {
        emit(e, "char $s[] = $q;\n", name, field->default_text);
        return;
    }
    if (field->type == PROTO_BYTES) {
        char *out = schema_take(e->schema, strlen(field->default_text) + 1, 1);
        ssize_t len = out ? schema_unescape(field->default_text, out) : 0;
        emit(e, "uint8_t $s_data[] = {", name);
        for (ssize_t i = 0; i < len; i++)
            emit(e, "$u, ", (unsigned)(uint8_t)out[i]);
        emit(e, "0};\n");
    }
    const char *type = field->type == PROTO_ENUM
                           ? name_type(e->schema, field->enumeration->full_name)
                           : types[schema_type(field->type)];
    emit(e, "static const $s $s = ", type, name);
    emit_default(e, m, field);
    emit(e, ";\n");
}

static void emit_bodies(struct emit *e, const struct proto_message *m)
{
    /* Of a union, {0} clears the first member alone. */
    if (m->oneof_count > 0)
        emit(
            e,
            "void $l__init($T *message)\n{\n    weir_message_init(&$l__descriptor, message);\n}\n");
    else
        emit(e, "void $l__init($T *message)\n{\n    static const $T init_value = $U__INIT;\n"
                "    *message = init_value;\n}\n");
    emit(e, "size_t $l__get_packed_size(const $T *message)\n{\n"
            "    return protobuf_c_message_get_packed_size(&message->base);\n}\n"
            "size_t $l__pack(const $T *message, uint8_t *out)\n{\n"
            "    return protobuf_c_message_pack(&message->base, out);\n}\n"
            "size_t $l__pack_to_buffer(const $T *message, ProtobufCBuffer *buffer)\n{\n"
            "    return protobuf_c_message_pack_to_buffer(&message->base, buffer);\n}\n"
            "$T *$l__unpack(ProtobufCAllocator *allocator, size_t len, const uint8_t *data)\n{\n"
            "    return ($T *)weir_message_unpack_by(&$l__descriptor, allocator, len, data);\n}\n"
            "void $l__free_unpacked($T *message, ProtobufCAllocator *allocator)\n{\n"
            "    if (message)\n"
            "        protobuf_c_message_free_unpacked(&message->base, allocator);\n}\n");
}

void emit_message_bodies(struct emit *e, const struct proto_message *m)
{
    for (unsigned i = 0; i < m->message_count; i++)
        emit_message_bodies(e, &m->messages[i]);
    emit_about(e, m->full_name);
    for (unsigned i = 0; i < m->field_count; i++)
        if (has_default_object(m, &m->fields[i]))
            emit_default_object(e, m, &m->fields[i]);
    emit_bodies(e, m);
    emit(e, "\n");
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = (*(const struct proto_field *const *)a)->number;
    uint32_t y = (*(const struct proto_field *const *)b)->number;
    return x < y ? -1 : x > y;
}

struct named {
    const char *name;
    unsigned at;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static const char *label_name(ProtobufCLabel label)
{
    static const char *const names[] = {"REQUIRED", "OPTIONAL", "REPEATED", "NONE"};
    return names[label];
}

static const char *type_name(enum proto_type type)
{
    static const char *const names[] = {"INT32",    "SINT32", "SFIXED32", "INT64",  "SINT64",
                                        "SFIXED64", "UINT32", "FIXED32",  "UINT64", "FIXED64",
                                        "FLOAT",    "DOUBLE", "BOOL",     "ENUM",   "STRING",
                                        "BYTES",    "MESSAGE"};
    return names[schema_type(type)];
}

/* Offsets, descriptor and default: the lines of a row that depend on what the field is. */
static void emit_references(struct emit *e, const struct proto_message *m,
                            const struct proto_field *field)
{
    const char *name = name_member(e->schema, field->name);
    bool empty = field->type == PROTO_STRING && m->file->proto3 && !field->proto3_optional;
    if (field->label == PROTO_REPEATED)
        emit(e, "     .quantifier_offset = offsetof($T, n_$s),\n", name);
    else if (field->oneof >= 0)
        emit(e, "     .quantifier_offset = offsetof($T, $s_case),\n",
             name_member(e->schema, m->oneofs[field->oneof]));
    else if (has_flag(m, field))
        emit(e, "     .quantifier_offset = offsetof($T, has_$s),\n", name);
    emit(e, "     .offset = offsetof($T, $s),\n", name);
    if (field->type == PROTO_ENUM)
        emit(e, "     .descriptor = &$s__descriptor,\n",
             name_lower(e->schema, field->enumeration->full_name));
    if (field->type == PROTO_MESSAGE)
        emit(e, "     .descriptor = &$s__descriptor,\n",
             name_lower(e->schema, field->message->full_name));
    if (field->default_text)
        emit(e, "     .default_value = &$s,\n", name_default(e, m, field));
    else if (empty)
        emit(e, "     .default_value = &protobuf_c_empty_string,\n");
}

static void emit_flags(struct emit *e, const struct proto_message *m,
                       const struct proto_field *field)
{
    char *made = schema_take(e->schema, strlen(field->name) + 1, 1);
    bool map =
        field->type == PROTO_MESSAGE && field->message->map_entry && field->label == PROTO_REPEATED;
    emit(e, "     .flags = 0$s$s$s,\n", field->packed ? " | PROTOBUF_C_FIELD_FLAG_PACKED" : "",
         field->deprecated ? " | PROTOBUF_C_FIELD_FLAG_DEPRECATED" : "",
         field->oneof >= 0 ? " | PROTOBUF_C_FIELD_FLAG_ONEOF" : "");
    if (map)
        emit(e, "     .reserved_flags = WEIR_FIELD_MAP,\n");
    if (field->type == PROTO_STRING && m->file->proto3)
        emit(e, "     .reserved_flags = WEIR_FIELD_UTF8,\n");
    if (!made || !field->json_name)
        return;
    schema_json_name(field->name, made);
    if (strcmp(made, field->json_name) != 0)
        emit(e, "     .reserved2 = (void *)$q,\n", field->json_name);
}

static void emit_fields(struct emit *e, const struct proto_message *m,
                        const struct proto_field *const *sorted)
{
    emit(e, "static const ProtobufCFieldDescriptor $l__field_descriptors[] = {\n");
    for (unsigned i = 0; i < m->field_count; i++) {
        const struct proto_field *field = sorted[i];
        emit(e,
             "    {.name = $q,\n     .id = $u,\n     .label = PROTOBUF_C_LABEL_$s,\n"
             "     .type = PROTOBUF_C_TYPE_$s,\n",
             field->name, field->number, label_name(schema_label(m, field)),
             type_name(field->type));
        emit_references(e, m, field);
        emit_flags(e, m, field);
        emit(e, "    },\n");
    }
    emit(e, "};\n");
}

static void emit_indices(struct emit *e, const struct proto_message *m,
                         const struct proto_field *const *sorted)
{
    struct named *names = schema_take(e->schema, m->field_count, sizeof(*names));
    if (!names)
        return;
    for (unsigned i = 0; i < m->field_count; i++)
        names[i] = (struct named){sorted[i]->name, i};
    qsort(names, m->field_count, sizeof(*names), by_name);
    emit(e, "static const unsigned $l__field_indices_by_name[] = {\n");
    for (unsigned i = 0; i < m->field_count; i++)
        emit(e, "    $u, /* $s */\n", names[i].at, names[i].name);
    emit(e, "};\n");
}

static unsigned emit_ranges(struct emit *e, const struct proto_message *m,
                            const struct proto_field *const *sorted)
{
    unsigned made = 0;
    emit(e, "static const ProtobufCIntRange $l__number_ranges[] = {\n");
    for (unsigned i = 0; i < m->field_count; i++)
        if (i == 0 || sorted[i - 1]->number + 1 != sorted[i]->number) {
            emit(e, "    {$u, $u},\n", sorted[i]->number, i);
            made++;
        }
    emit(e, "    {0, $u},\n};\n", m->field_count);
    return made;
}

static void emit_descriptor(struct emit *e, const struct proto_message *m, unsigned ranges)
{
    emit(
        e,
        "const ProtobufCMessageDescriptor $l__descriptor = {\n"
        "    .magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,\n    .name = $q,\n    .short_name = $q,\n"
        "    .c_name = \"$T\",\n    .package_name = $q,\n    .sizeof_message = sizeof($T),\n",
        m->full_name, name_word(e->schema, m->name), e->file->package);
    if (m->field_count > 0)
        emit(e,
             "    .n_fields = $u,\n    .fields = $l__field_descriptors,\n"
             "    .fields_sorted_by_name = $l__field_indices_by_name,\n"
             "    .n_field_ranges = $u,\n    .field_ranges = $l__number_ranges,\n",
             m->field_count, ranges);
    emit(e, "    .message_init = (ProtobufCMessageInit)$l__init,\n};\n\n");
}

void emit_message_table(struct emit *e, const struct proto_message *m)
{
    const struct proto_field **sorted = schema_take(e->schema, m->field_count, sizeof(*sorted));
    unsigned ranges = 0;
    for (unsigned i = 0; i < m->message_count; i++)
        emit_message_table(e, &m->messages[i]);
    for (unsigned i = 0; i < m->enum_count; i++)
        emit_enum_table(e, &m->enums[i]);
    if (!sorted)
        return;
    for (unsigned i = 0; i < m->field_count; i++)
        sorted[i] = &m->fields[i];
    qsort(sorted, m->field_count, sizeof(*sorted), by_number);
    emit_about(e, m->full_name);
    if (m->field_count > 0) {
        emit_fields(e, m, sorted);
        emit_indices(e, m, sorted);
        ranges = emit_ranges(e, m, sorted);
    }
    emit_descriptor(e, m, ranges);
}
