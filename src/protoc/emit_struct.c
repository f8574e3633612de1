/* The header's side of a message: its struct, its initializer, its functions. */
#include "protoc/emit.h"
#include "protoc/places.h"

#include <string.h>

/* What was written above a declaration: it cannot end the comment, nor begin another. */
static void emit_comment(struct emit *e, const struct place *place, const char *indent)
{
    char last = 0;
    if (!place || place->comment.len == 0)
        return;
    emit(e, "$s/*", indent);
    for (size_t i = 0; i < place->comment.len; i++) {
        char c = place->comment.at[i];
        bool more = i + 1 < place->comment.len;
        if ((last == '*' && c == '/') || (last == '/' && c == '*'))
            grow_char(e->out, ' ');
        if (c == '\n' && more)
            emit(e, "\n$s *", indent);
        else if (c != '\n')
            grow_char(e->out, (unsigned char)c < ' ' || c == 0x7f ? ' ' : c);
        last = c;
    }
    emit(e, "$s*/\n", last == '/' || last == '\n' ? " " : "\n");
}

static const char *c_type(struct emit *e, const struct proto_field *field)
{
    switch (schema_type(field->type)) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return "int32_t ";
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return "int64_t ";
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return "uint32_t ";
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return "uint64_t ";
    case PROTOBUF_C_TYPE_FLOAT:
        return "float ";
    case PROTOBUF_C_TYPE_DOUBLE:
        return "double ";
    case PROTOBUF_C_TYPE_BOOL:
        return "protobuf_c_boolean ";
    case PROTOBUF_C_TYPE_STRING:
        return "char *";
    case PROTOBUF_C_TYPE_BYTES:
        return "ProtobufCBinaryData ";
    case PROTOBUF_C_TYPE_ENUM:
        return name_type(e->schema, field->enumeration->full_name);
    default:
        return name_type(e->schema, field->message->full_name);
    }
}

static void emit_member(struct emit *e, const struct proto_message *m,
                        const struct proto_field *field, const char *indent)
{
    const char *name = name_member(e->schema, field->name), *type = c_type(e, field);
    const char *space = field->type == PROTO_ENUM ? " " : field->type == PROTO_MESSAGE ? " *" : "";
    bool repeated = field->label == PROTO_REPEATED;
    emit_comment(e, place_field(e->places, m, field), indent);
    if (repeated)
        emit(e, "$ssize_t n_$s;\n", indent, name);
    if (has_flag(m, field))
        emit(e, "$sprotobuf_c_boolean has_$s;\n", indent, name);
    emit(e, "$s$s$s$s$s$s;\n", indent, type, space, repeated ? "*" : "", name,
         field->deprecated ? " PROTOBUF_C__DEPRECATED" : "");
}

static const char *oneof_upper(struct emit *e, const char *oneof)
{
    return name_word_upper(e->schema, oneof);
}

static void emit_case(struct emit *e, const struct proto_message *m, unsigned oneof)
{
    const char *name = oneof_upper(e, m->oneofs[oneof]);
    emit(e, "typedef enum {\n    $U__$s__NOT_SET = 0", name);
    for (unsigned i = 0; i < m->field_count; i++)
        if (m->fields[i].oneof == (int)oneof)
            emit(e, ",\n    $U__$s_$s = $u", name, name_plain_upper(e->schema, m->fields[i].name),
                 m->fields[i].number);
    emit(e, "\n        PROTOBUF_C__FORCE_ENUM_TO_BE_INT_SIZE($U__$s__CASE)\n} $T__$sCase;\n\n",
         name, name_word(e->schema, m->oneofs[oneof]));
}

static void emit_oneof(struct emit *e, const struct proto_message *m, unsigned oneof)
{
    emit(e, "    $T__$sCase $s_case;\n    union {\n", name_word(e->schema, m->oneofs[oneof]),
         name_member(e->schema, m->oneofs[oneof]));
    for (unsigned i = 0; i < m->field_count; i++)
        if (m->fields[i].oneof == (int)oneof)
            emit_member(e, m, &m->fields[i], "        ");
    emit(e, "    };\n");
}

static void emit_default_externs(struct emit *e, const struct proto_message *m)
{
    for (unsigned i = 0; i < m->field_count; i++) {
        const struct proto_field *field = &m->fields[i];
        if (field->default_text && field->type == PROTO_STRING)
            emit(e, "extern char $s[];\n", name_default(e, m, field));
        if (field->default_text && field->type == PROTO_BYTES)
            emit(e, "extern uint8_t $s_data[];\n", name_default(e, m, field));
    }
}

static void emit_init(struct emit *e, const struct proto_message *m)
{
    emit(e, "#define $U__INIT \\\n    { PROTOBUF_C_MESSAGE_INIT(&$l__descriptor)");
    for (unsigned i = 0; i < m->field_count; i++) {
        const struct proto_field *field = &m->fields[i];
        if (field->oneof >= 0)
            continue;
        emit(e, ", \\\n      ");
        if (field->label == PROTO_REPEATED) {
            emit(e, "0, NULL");
            continue;
        }
        if (has_flag(m, field))
            emit(e, "0, ");
        emit_default(e, m, field);
    }
    for (unsigned i = 0; i < m->oneof_count; i++)
        emit(e, ", \\\n      $U__$s__NOT_SET, {0}", oneof_upper(e, m->oneofs[i]));
    emit(e, " }\n\n");
}

void emit_struct(struct emit *e, const struct proto_message *m)
{
    for (unsigned i = 0; i < m->message_count; i++)
        emit_struct(e, &m->messages[i]);
    emit_about(e, m->full_name);
    for (unsigned i = 0; i < m->oneof_count; i++)
        emit_case(e, m, i);
    emit_comment(e, place_message(e->places, m), "");
    emit(e, "struct $T {\n    ProtobufCMessage base;\n");
    for (unsigned i = 0; i < m->field_count; i++)
        if (m->fields[i].oneof < 0)
            emit_member(e, m, &m->fields[i], "    ");
    for (unsigned i = 0; i < m->oneof_count; i++)
        emit_oneof(e, m, i);
    emit(e, "};\n");
    emit_default_externs(e, m);
    emit_init(e, m);
}

void emit_message_functions(struct emit *e, const struct proto_message *m)
{
    for (unsigned i = 0; i < m->message_count; i++)
        emit_message_functions(e, &m->messages[i]);
    emit_about(e, m->full_name);
    emit(e, "void $l__init($T *message);\n"
            "size_t $l__get_packed_size(const $T *message);\n"
            "size_t $l__pack(const $T *message, uint8_t *out);\n"
            "size_t $l__pack_to_buffer(const $T *message, ProtobufCBuffer *buffer);\n"
            "$T *$l__unpack(ProtobufCAllocator *allocator, size_t len, const uint8_t *data);\n"
            "void $l__free_unpacked($T *message, ProtobufCAllocator *allocator);\n"
            "typedef void (*$T_Closure)(const $T *message, void *closure_data);\n"
            "extern const ProtobufCMessageDescriptor $l__descriptor;\n");
    for (unsigned i = 0; i < m->enum_count; i++) {
        emit_about(e, m->enums[i].full_name);
        emit(e, "extern const ProtobufCEnumDescriptor $l__descriptor;\n");
    }
}
