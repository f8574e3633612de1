/* What members are before anything is set. */
#include "message/number.h"
#include "protoc/emit.h"

#include <math.h>
#include <string.h>

bool has_flag(const struct proto_message *m, const struct proto_field *field)
{
    return schema_label(m, field) == PROTOBUF_C_LABEL_OPTIONAL && field->oneof < 0 &&
           field->type != PROTO_STRING && field->type != PROTO_MESSAGE;
}

bool has_default_object(const struct proto_message *m, const struct proto_field *field)
{
    (void)m;
    return field->default_text != NULL;
}

const char *name_default(struct emit *e, const struct proto_message *m,
                         const struct proto_field *field)
{
    static const char tail[] = "__default_value";
    const char *lower = name_lower(e->schema, m->full_name);
    const char *member = name_member(e->schema, field->name);
    size_t size = strlen(lower) + strlen(member) + sizeof(tail) + 2;
    char *out = schema_take(e->schema, size, 1);
    if (!out)
        return "";
    stpcpy(stpcpy(stpcpy(stpcpy(out, lower), "__"), member), tail);
    return out;
}

static void emit_real(struct emit *e, const struct proto_field *field)
{
    char text[NUMBER_TEXT];
    double real = 0;
    float single = 0;
    if (schema_number(field->type, field->default_text,
                      field->type == PROTO_FLOAT ? (void *)&single : &real) < 0)
        return;
    if (field->type == PROTO_FLOAT)
        real = (double)single;
    if (isnan(real) || isinf(real)) {
        emit(e, isnan(real) ? "NAN" : real < 0 ? "-INFINITY" : "INFINITY");
        return;
    }
    if (field->type == PROTO_FLOAT)
        number_text_float(single, text);
    else
        number_text(real, text);
    emit(e, "$s$s$s", text, strpbrk(text, ".e") ? "" : ".0", field->type == PROTO_FLOAT ? "f" : "");
}

/* Literals that no compiler warns of. */
static void emit_integer(struct emit *e, const struct proto_field *field)
{
    bool wide = field->type == PROTO_UINT64 || field->type == PROTO_FIXED64;
    bool positive = wide || field->type == PROTO_UINT32 || field->type == PROTO_FIXED32;
    bool is32 = schema_type(field->type) == PROTOBUF_C_TYPE_INT32 || field->type == PROTO_SINT32 ||
                field->type == PROTO_SFIXED32;
    if (positive)
        emit(e, wide ? "$sull" : "$su", field->default_text);
    else if (strcmp(field->default_text, "-2147483648") == 0 && is32)
        emit(e, "(-2147483647 - 1)");
    else if (strcmp(field->default_text, "-9223372036854775808") == 0)
        emit(e, "(-9223372036854775807ll - 1)");
    else
        emit(e, is32 ? "$s" : "$sll", field->default_text);
}

static void emit_bytes(struct emit *e, const struct proto_message *m,
                       const struct proto_field *field)
{
    char *out = schema_take(e->schema, strlen(field->default_text) + 1, 1);
    ssize_t len = out ? schema_unescape(field->default_text, out) : 0;
    emit(e, "{$u, $s_data}", (unsigned)(len < 0 ? 0 : len), name_default(e, m, field));
}

static void emit_enum_value(struct emit *e, const struct proto_field *field)
{
    const struct proto_enum *en = field->enumeration;
    emit(e, "$s__$s", name_upper(e->schema, en->full_name),
         field->default_text ? field->default_text : en->values[0].name);
}

void emit_default(struct emit *e, const struct proto_message *m, const struct proto_field *field)
{
    bool none = !field->default_text;
    switch (field->type) {
    case PROTO_STRING:
        emit(e,
             none ? schema_label(m, field) == PROTOBUF_C_LABEL_NONE
                        ? "(char *)protobuf_c_empty_string"
                        : "NULL"
                  : "$s",
             none ? "" : name_default(e, m, field));
        break;
    case PROTO_BYTES:
        if (none)
            emit(e, "{0, NULL}");
        else
            emit_bytes(e, m, field);
        break;
    case PROTO_MESSAGE:
    case PROTO_GROUP:
        emit(e, "NULL");
        break;
    case PROTO_ENUM:
        emit_enum_value(e, field);
        break;
    case PROTO_BOOL:
        emit(e, none || strcmp(field->default_text, "true") != 0 ? "0" : "1");
        break;
    case PROTO_FLOAT:
    case PROTO_DOUBLE:
        if (none)
            emit(e, "0");
        else
            emit_real(e, field);
        break;
    default:
        if (none)
            emit(e, "0");
        else
            emit_integer(e, field);
        break;
    }
}
