#include "message/field.h"

#include <string.h>

static bool is_zero(const void *at, size_t len)
{
    static const char zeroes[sizeof(ProtobufCBinaryData)];
    return memcmp(at, zeroes, len) == 0;
}

static bool has_value(const ProtobufCFieldDescriptor *field, const void *at)
{
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        const char *text = *(char *const *)at;
        return text &&
               (field->label == PROTOBUF_C_LABEL_NONE ? *text : text != field->default_value);
    }
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return *(void *const *)at != NULL;
    if (field->type == PROTOBUF_C_TYPE_BYTES)
        return ((const ProtobufCBinaryData *)at)->len > 0;
    return !is_zero(at, field_size(field->type));
}

bool field_is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    const void *at = field_at(message, field);
    bool pointer = field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE;
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        return *field_mark(message, field) == field->id && (!pointer || *(void *const *)at);
    switch (field->label) {
    case PROTOBUF_C_LABEL_REPEATED:
        return *field_count(message, field) > 0;
    case PROTOBUF_C_LABEL_REQUIRED:
        return !pointer || *(void *const *)at;
    case PROTOBUF_C_LABEL_OPTIONAL:
        return pointer ? has_value(field, at) : *field_mark(message, field) != 0;
    default:
        return has_value(field, at);
    }
}

void field_mark_set(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        *field_mark(message, field) = field->id;
    else if (field->label == PROTOBUF_C_LABEL_OPTIONAL && field->quantifier_offset)
        *field_mark(message, field) = 1;
}

const ProtobufCFieldDescriptor *field_of(const ProtobufCMessageDescriptor *type, unsigned number,
                                         ProtobufCType kind, bool repeated)
{
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(type, number);
    bool many = field && field->label == PROTOBUF_C_LABEL_REPEATED;
    return field && field->type == kind && many == repeated ? field : NULL;
}

bool field_map(const ProtobufCFieldDescriptor *field, const ProtobufCFieldDescriptor **out_key,
               const ProtobufCFieldDescriptor **out_value)
{
    const ProtobufCMessageDescriptor *entry = field->descriptor;
    if (!(field->reserved_flags & WEIR_FIELD_MAP) || field->type != PROTOBUF_C_TYPE_MESSAGE ||
        field->label != PROTOBUF_C_LABEL_REPEATED || entry->n_fields != 2)
        return false;
    *out_key = &entry->fields[0];
    *out_value = &entry->fields[1];
    return true;
}
