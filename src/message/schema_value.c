/* Small questions about declarations: types, labels, names in JSON, defaults. */
#include "base/bytes.h"
#include "message/number.h"
#include "message/schema.h"

#include <errno.h>
#include <math.h>
#include <string.h>

ProtobufCType schema_type(enum proto_type type)
{
    static const ProtobufCType types[] = {
        [PROTO_DOUBLE] = PROTOBUF_C_TYPE_DOUBLE,     [PROTO_FLOAT] = PROTOBUF_C_TYPE_FLOAT,
        [PROTO_INT64] = PROTOBUF_C_TYPE_INT64,       [PROTO_UINT64] = PROTOBUF_C_TYPE_UINT64,
        [PROTO_INT32] = PROTOBUF_C_TYPE_INT32,       [PROTO_FIXED64] = PROTOBUF_C_TYPE_FIXED64,
        [PROTO_FIXED32] = PROTOBUF_C_TYPE_FIXED32,   [PROTO_BOOL] = PROTOBUF_C_TYPE_BOOL,
        [PROTO_STRING] = PROTOBUF_C_TYPE_STRING,     [PROTO_MESSAGE] = PROTOBUF_C_TYPE_MESSAGE,
        [PROTO_BYTES] = PROTOBUF_C_TYPE_BYTES,       [PROTO_UINT32] = PROTOBUF_C_TYPE_UINT32,
        [PROTO_ENUM] = PROTOBUF_C_TYPE_ENUM,         [PROTO_SFIXED32] = PROTOBUF_C_TYPE_SFIXED32,
        [PROTO_SFIXED64] = PROTOBUF_C_TYPE_SFIXED64, [PROTO_SINT32] = PROTOBUF_C_TYPE_SINT32,
        [PROTO_SINT64] = PROTOBUF_C_TYPE_SINT64,
    };
    return types[type];
}

ProtobufCLabel schema_label(const struct proto_message *m, const struct proto_field *field)
{
    if (field->label == PROTO_REPEATED)
        return PROTOBUF_C_LABEL_REPEATED;
    if (field->label == PROTO_REQUIRED)
        return PROTOBUF_C_LABEL_REQUIRED;
    return m->file->proto3 && !field->proto3_optional ? PROTOBUF_C_LABEL_NONE
                                                      : PROTOBUF_C_LABEL_OPTIONAL;
}

void schema_json_name(const char *name, char *out)
{
    bool capital = false;
    for (; *name; name++) {
        bool lower = *name >= 'a' && *name <= 'z';
        if (*name != '_')
            *out++ = capital && lower ? (char)(*name - 'a' + 'A') : *name;
        capital = *name == '_';
    }
    *out = '\0';
}

static int hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* After a backslash: one to three octal digits, x and one or two hexadecimal ones, or a letter. */
static const char *unescape_one(const char *at, char *out)
{
    static const char letters[] = "a\ab\bf\fn\nr\rt\tv\v\\\\''\"\"?\?";
    int value = 0, digits = 0;
    if (*at == 'x' || *at == 'X') {
        for (at++; digits < 2 && hex_of(*at) >= 0; digits++)
            value = value * 16 + hex_of(*at++);
        *out = (char)value;
        return digits ? at : NULL;
    }
    for (; digits < 3 && *at >= '0' && *at <= '7'; digits++)
        value = value * 8 + (*at++ - '0');
    if (digits) {
        *out = (char)value;
        return value <= 255 ? at : NULL;
    }
    for (const char *letter = letters; *letter; letter += 2)
        if (*at == *letter) {
            *out = letter[1];
            return at + 1;
        }
    return NULL;
}

ssize_t schema_unescape(const char *text, char *out)
{
    char *start = out;
    while (*text) {
        if (*text != '\\') {
            *out++ = *text++;
            continue;
        }
        text = unescape_one(text + 1, out++);
        if (!text)
            return -EPROTO;
    }
    return out - start;
}

static int signed_of(const char *text, int64_t min, int64_t max, int64_t *out)
{
    return number_i64(bytes_str(text), out) == 0 && *out >= min && *out <= max ? 0 : -EPROTO;
}

static int unsigned_of(const char *text, uint64_t max, uint64_t *out)
{
    return number_u64(bytes_str(text), out) == 0 && *out <= max ? 0 : -EPROTO;
}

static int real_of(const char *text, double *out)
{
    bool minus = *text == '-';
    if (strcmp(text + minus, "inf") == 0)
        *out = minus ? -INFINITY : INFINITY;
    else if (strcmp(text, "nan") == 0 || strcmp(text, "-nan") == 0)
        *out = NAN;
    else
        return number_double(bytes_str(text), out) < 0 ? -EPROTO : 0;
    return 0;
}

int schema_number(enum proto_type type, const char *text, void *out)
{
    int64_t i = 0;
    uint64_t u = 0;
    double real = 0;
    int rc;
    switch (type) {
    case PROTO_INT64:
    case PROTO_SINT64:
    case PROTO_SFIXED64:
        rc = signed_of(text, INT64_MIN, INT64_MAX, &i);
        memcpy(out, &i, sizeof(i));
        return rc;
    case PROTO_UINT64:
    case PROTO_FIXED64:
        rc = unsigned_of(text, UINT64_MAX, &u);
        memcpy(out, &u, sizeof(u));
        return rc;
    case PROTO_INT32:
    case PROTO_SINT32:
    case PROTO_SFIXED32:
        rc = signed_of(text, INT32_MIN, INT32_MAX, &i);
        memcpy(out, &(int32_t){(int32_t)i}, sizeof(int32_t));
        return rc;
    case PROTO_UINT32:
    case PROTO_FIXED32:
        rc = unsigned_of(text, UINT32_MAX, &u);
        memcpy(out, &(uint32_t){(uint32_t)u}, sizeof(uint32_t));
        return rc;
    case PROTO_BOOL:
        i = strcmp(text, "true") == 0;
        memcpy(out, &(protobuf_c_boolean){(int)i}, sizeof(protobuf_c_boolean));
        return i || strcmp(text, "false") == 0 ? 0 : -EPROTO;
    case PROTO_FLOAT:
        rc = real_of(text, &real);
        memcpy(out, &(float){(float)real}, sizeof(float));
        return rc;
    case PROTO_DOUBLE:
        rc = real_of(text, &real);
        memcpy(out, &real, sizeof(real));
        return rc;
    default:
        return -EPROTO;
    }
}
