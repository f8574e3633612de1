#include "message/json.h"

#include "message/field.h"

#include <stdarg.h>
#include <string.h>

static const struct {
    const char *name;
    enum json_known known;
    struct {
        ProtobufCType type;
        bool repeated;
    } fields[6]; /* by number, from 1 */
    unsigned count;
} rows[] = {
    {"Timestamp", JSON_TIMESTAMP, {{PROTOBUF_C_TYPE_INT64, 0}, {PROTOBUF_C_TYPE_INT32, 0}}, 2},
    {"Duration", JSON_DURATION, {{PROTOBUF_C_TYPE_INT64, 0}, {PROTOBUF_C_TYPE_INT32, 0}}, 2},
    {"FieldMask", JSON_FIELD_MASK, {{PROTOBUF_C_TYPE_STRING, 1}}, 1},
    {"Struct", JSON_STRUCT, {{PROTOBUF_C_TYPE_MESSAGE, 1}}, 1},
    {"ListValue", JSON_LIST, {{PROTOBUF_C_TYPE_MESSAGE, 1}}, 1},
    {"Any", JSON_ANY, {{PROTOBUF_C_TYPE_STRING, 0}, {PROTOBUF_C_TYPE_BYTES, 0}}, 2},
    {"DoubleValue", JSON_WRAPPER, {{PROTOBUF_C_TYPE_DOUBLE, 0}}, 1},
    {"FloatValue", JSON_WRAPPER, {{PROTOBUF_C_TYPE_FLOAT, 0}}, 1},
    {"Int64Value", JSON_WRAPPER, {{PROTOBUF_C_TYPE_INT64, 0}}, 1},
    {"UInt64Value", JSON_WRAPPER, {{PROTOBUF_C_TYPE_UINT64, 0}}, 1},
    {"Int32Value", JSON_WRAPPER, {{PROTOBUF_C_TYPE_INT32, 0}}, 1},
    {"UInt32Value", JSON_WRAPPER, {{PROTOBUF_C_TYPE_UINT32, 0}}, 1},
    {"BoolValue", JSON_WRAPPER, {{PROTOBUF_C_TYPE_BOOL, 0}}, 1},
    {"StringValue", JSON_WRAPPER, {{PROTOBUF_C_TYPE_STRING, 0}}, 1},
    {"BytesValue", JSON_WRAPPER, {{PROTOBUF_C_TYPE_BYTES, 0}}, 1},
    {"Value",
     JSON_VALUE,
     {{PROTOBUF_C_TYPE_ENUM, 0},
      {PROTOBUF_C_TYPE_DOUBLE, 0},
      {PROTOBUF_C_TYPE_STRING, 0},
      {PROTOBUF_C_TYPE_BOOL, 0},
      {PROTOBUF_C_TYPE_MESSAGE, 0},
      {PROTOBUF_C_TYPE_MESSAGE, 0}},
     6},
};

/* All of the one oneof. */
static bool is_value(const ProtobufCMessageDescriptor *type)
{
    for (unsigned i = 0; i < type->n_fields; i++)
        if (!(type->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) ||
            type->fields[i].quantifier_offset != type->fields[0].quantifier_offset)
            return false;
    return true;
}

/* The fields of a Struct are a map from strings. */
static bool is_struct(const ProtobufCMessageDescriptor *type)
{
    const ProtobufCFieldDescriptor *key, *value;
    return field_map(&type->fields[0], &key, &value) && key->type == PROTOBUF_C_TYPE_STRING &&
           value->type == PROTOBUF_C_TYPE_MESSAGE;
}

static bool has_shape(const ProtobufCMessageDescriptor *type, size_t row)
{
    if (type->n_fields != rows[row].count)
        return false;
    for (unsigned i = 0; i < rows[row].count; i++)
        if (!field_of(type, i + 1, rows[row].fields[i].type, rows[row].fields[i].repeated))
            return false;
    return (rows[row].known != JSON_VALUE || is_value(type)) &&
           (rows[row].known != JSON_STRUCT || is_struct(type));
}

enum json_known json_known_of(const ProtobufCMessageDescriptor *type)
{
    static const char package[] = "google.protobuf.";
    if (strncmp(type->name, package, sizeof(package) - 1) != 0)
        return JSON_PLAIN;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (strcmp(type->name + sizeof(package) - 1, rows[i].name) == 0)
            return has_shape(type, i) ? rows[i].known : JSON_PLAIN;
    return JSON_PLAIN;
}

bool json_is_null_value(const ProtobufCFieldDescriptor *field)
{
    return field->type == PROTOBUF_C_TYPE_ENUM &&
           strcmp(((const ProtobufCEnumDescriptor *)field->descriptor)->name,
                  "google.protobuf.NullValue") == 0;
}

static void say_part(struct text *why, const struct json_path *path, bool first)
{
    if (!path->name) {
        text_fmt(why, "[%zu]", path->index);
        return;
    }
    text_str(why, first ? "" : ".");
    for (const char *at = path->name; *at; at++) /* names can come from the peer's text */
        text_char(why, (unsigned char)*at < ' ' || *at == 0x7f ? '?' : *at);
}

/* All of it up to eight parts, else both ends: what is wrong comes behind it, and is not to be cut. `below`: parts that follow. */
static unsigned say_path(struct text *why, const struct json_path *path, unsigned below)
{
    if (!path)
        return below;
    unsigned all = say_path(why, path->up, below + 1), at = all - below;
    if (all <= 8 || at <= 3 || at > all - 4)
        say_part(why, path, path->up == NULL);
    else if (at == 4)
        text_str(why, " ... ");
    return all;
}

int json_fail(struct text *why, const struct json_path *path, int error, const char *format, ...)
{
    char text[256];
    va_list args;
    if (why->len > 0)
        return error; /* the innermost has said it */
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    for (char *at = text; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = '?';
    (void)say_path(why, path, 0);
    text_str(why, path ? ": " : "");
    text_str(why, text);
    return error;
}
