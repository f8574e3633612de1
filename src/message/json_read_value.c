/* One value of JSON, as a field's type has it. */
#include "base/bytes.h"
#include "message/field.h"
#include "message/json.h"
#include "message/number.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct weir_bytes string_of(json_t *json)
{
    return (struct weir_bytes){json_string_value(json), json_string_length(json)};
}

/* A whole number however it is written: 5, "5", 5.0, 5e0. 0; -EINVAL; -ERANGE. */
static int whole_of(json_t *json, double *out_real, int64_t *out, bool *out_exact)
{
    *out_exact = true;
    if (json_is_integer(json)) {
        *out = json_integer_value(json);
        return 0;
    }
    if (json_is_string(json)) {
        int rc = number_i64(string_of(json), out);
        if (rc == 0)
            return 0;
        if (number_double(string_of(json), out_real) < 0)
            return -EINVAL;
    } else if (json_is_real(json)) {
        *out_real = json_real_value(json);
    } else {
        return -EINVAL;
    }
    *out_exact = false;
    return *out_real == trunc(*out_real) ? 0 : -EINVAL;
}

static int read_signed(json_t *json, int64_t min, int64_t max, int64_t *out)
{
    double real = 0;
    bool exact;
    int64_t value = 0;
    int rc = whole_of(json, &real, &value, &exact);
    if (rc < 0)
        return rc;
    if (!exact) {
        if (real < -0x1p63 || real >= 0x1p63)
            return -ERANGE;
        value = (int64_t)real;
    }
    *out = value;
    return value < min || value > max ? -ERANGE : 0;
}

static int read_unsigned(json_t *json, uint64_t max, uint64_t *out)
{
    double real = 0;
    bool exact;
    int64_t value = 0;
    if (json_is_string(json) && number_u64(string_of(json), out) == 0)
        return *out > max ? -ERANGE : 0;
    int rc = whole_of(json, &real, &value, &exact);
    if (rc < 0)
        return rc;
    if (exact ? value < 0 : real < 0 || real >= 0x1p64)
        return -ERANGE;
    *out = exact ? (uint64_t)value : (uint64_t)real;
    return *out > max ? -ERANGE : 0;
}

static int read_integer(ProtobufCType type, json_t *json, void *at)
{
    int64_t i = 0;
    uint64_t u = 0;
    int rc;
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        rc = read_signed(json, INT64_MIN, INT64_MAX, &i);
        memcpy(at, &i, sizeof(i));
        return rc;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        rc = read_unsigned(json, UINT64_MAX, &u);
        memcpy(at, &u, sizeof(u));
        return rc;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        rc = read_unsigned(json, UINT32_MAX, &u);
        memcpy(at, &(uint32_t){(uint32_t)u}, sizeof(uint32_t));
        return rc;
    default:
        rc = read_signed(json, INT32_MIN, INT32_MAX, &i);
        memcpy(at, &(int32_t){(int32_t)i}, sizeof(int32_t));
        return rc;
    }
}

static int read_real(json_t *json, double *out)
{
    struct weir_bytes text = string_of(json);
    if (json_is_number(json)) {
        *out = json_number_value(json);
        return 0;
    }
    if (!json_is_string(json))
        return -EINVAL;
    if (bytes_equal(text, BYTES("NaN")))
        *out = NAN;
    else if (bytes_equal(text, BYTES("Infinity")))
        *out = INFINITY;
    else if (bytes_equal(text, BYTES("-Infinity")))
        *out = -INFINITY;
    else
        return number_double(text, out);
    return 0;
}

/* The shortest text of the largest float lies above it: what rounds to a float is one. */
#define FLOAT_END 0x1.ffffffp+127

static int read_float(json_t *json, float *out)
{
    double real = 0;
    int rc = read_real(json, &real);
    if (rc == 0 && isfinite(real) && fabs(real) >= FLOAT_END)
        return -ERANGE;
    *out = (float)real;
    return rc;
}

static int read_enum(struct json_reader *r, const struct json_path *path,
                     const ProtobufCFieldDescriptor *field, json_t *json, int *out)
{
    const ProtobufCEnumDescriptor *type = field->descriptor;
    int64_t number;
    if (json_is_null(json)) { /* google.protobuf.NullValue */
        *out = 0;
        return 0;
    }
    if (json_is_string(json)) {
        const ProtobufCEnumValue *value =
            protobuf_c_enum_descriptor_get_value_by_name(type, json_string_value(json));
        if (value) {
            *out = value->value;
            return 0;
        }
    }
    int rc = read_signed(json, INT32_MIN, INT32_MAX, &number);
    if (rc < 0)
        return json_fail(&r->why, path, -EINVAL, "%.100s has no such value", type->name);
    *out = (int)number;
    return 0;
}

static int read_string(struct json_reader *r, const struct json_path *path, json_t *json, char **at)
{
    struct weir_bytes text = string_of(json);
    if (!json_is_string(json))
        return json_fail(&r->why, path, -EINVAL, "wants a string, in quotes");
    if (memchr(text.at, '\0', text.len))
        return json_fail(&r->why, path, -EINVAL,
                         "a string with a NUL in it, which C would cut there");
    char *copy = json_take(r, path, text.len + 1);
    if (!copy)
        return -EMSGSIZE;
    memcpy(copy, text.at, text.len);
    *at = copy;
    return 0;
}

static int read_bytes(struct json_reader *r, const struct json_path *path, json_t *json,
                      ProtobufCBinaryData *at)
{
    struct weir_bytes text = string_of(json);
    if (!json_is_string(json))
        return json_fail(&r->why, path, -EINVAL, "wants bytes in base64, in quotes");
    if (text.len == 0) {
        *at = (ProtobufCBinaryData){0, NULL};
        return 0;
    }
    uint8_t *bytes = json_take(r, path, text.len / 4 * 3 + 3);
    if (!bytes)
        return -EMSGSIZE;
    ssize_t len = json_base64_read(text, bytes);
    if (len <= 0) {
        free(bytes);
        *at = (ProtobufCBinaryData){0, NULL};
        return len < 0 ? json_fail(&r->why, path, -EINVAL, "is no base64") : 0;
    }
    *at = (ProtobufCBinaryData){(size_t)len, bytes};
    return 0;
}

static int wrong_number(struct json_reader *r, const struct json_path *path, int rc, bool whole)
{
    return json_fail(&r->why, path, -EINVAL, "%s",
                     rc == -ERANGE ? "a number out of the range of its type"
                     : whole       ? "wants a whole number"
                                   : "wants a number");
}

int json_read_value(struct json_reader *r, const struct json_path *path,
                    const ProtobufCFieldDescriptor *field, json_t *json, void *at)
{
    int rc;
    switch (field->type) {
    case PROTOBUF_C_TYPE_FLOAT:
        rc = read_float(json, at);
        return rc < 0 ? wrong_number(r, path, rc, false) : 0;
    case PROTOBUF_C_TYPE_DOUBLE:
        rc = read_real(json, at);
        return rc < 0 ? wrong_number(r, path, rc, false) : 0;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)at = json_is_true(json);
        return json_is_boolean(json) ? 0 : json_fail(&r->why, path, -EINVAL, "wants true or false");
    case PROTOBUF_C_TYPE_ENUM:
        return read_enum(r, path, field, json, at);
    case PROTOBUF_C_TYPE_STRING:
        return read_string(r, path, json, at);
    case PROTOBUF_C_TYPE_BYTES:
        return read_bytes(r, path, json, at);
    case PROTOBUF_C_TYPE_MESSAGE:
        return json_read_message(r, path, field->descriptor, json, at);
    default:
        rc = read_integer(field->type, json, at);
        return rc < 0 ? wrong_number(r, path, rc, true) : 0;
    }
}
