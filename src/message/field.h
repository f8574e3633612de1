/*
 * message/field.h: the members of a message's struct, by their descriptors.
 */
#pragma once

#include <weir/message.h>

/* Bytes of one value: of a member that is not repeated, of one element of one that is. */
static inline size_t field_size(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return 8;
    default:
        return 4;
    }
}

static inline void *field_at(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    return (char *)message + field->offset;
}

/* How many of a repeated one. */
static inline size_t *field_count(const ProtobufCMessage *message,
                                  const ProtobufCFieldDescriptor *field)
{
    return (size_t *)((char *)message + field->quantifier_offset);
}

/* The flag of an optional one, the case of a oneof. */
static inline uint32_t *field_mark(const ProtobufCMessage *message,
                                   const ProtobufCFieldDescriptor *field)
{
    return (uint32_t *)((char *)message + field->quantifier_offset);
}

/* The array of a repeated one, element by element. */
static inline void *field_element(const ProtobufCMessage *message,
                                  const ProtobufCFieldDescriptor *field, size_t index)
{
    return *(char **)field_at(message, field) + index * field_size(field->type);
}

/* Has a value that others are told of; of repeated ones: at least one. */
bool field_is_set(const ProtobufCMessage *, const ProtobufCFieldDescriptor *);
/* Its flag, or its case, if it has one. */
void field_mark_set(ProtobufCMessage *, const ProtobufCFieldDescriptor *);
/* A key and a value: the two fields of a map's messages; false: the field is no map. */
bool field_map(const ProtobufCFieldDescriptor *, const ProtobufCFieldDescriptor **out_key,
               const ProtobufCFieldDescriptor **out_value);
/* The field of that number, type and repetition; NULL: none. */
const ProtobufCFieldDescriptor *field_of(const ProtobufCMessageDescriptor *, unsigned number,
                                         ProtobufCType, bool repeated);
