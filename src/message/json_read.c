/* JSON as messages. */
#include "message/field.h"
#include "message/json.h"
#include "tbl/limits_message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void *json_take(struct json_reader *r, const struct json_path *path, size_t len)
{
    void *at = NULL;
    if (len > r->memory_max - r->memory)
        (void)json_fail(&r->why, path, -EMSGSIZE, "its parts would take too much memory");
    else if (!(at = calloc(1, len ? len : 1)))
        (void)json_fail(&r->why, path, -ENOMEM, "no memory");
    else
        r->memory += len;
    return at;
}

/* --- lists and maps --- */

static bool takes_null(const ProtobufCFieldDescriptor *field)
{
    return json_is_null_value(field) || (field->type == PROTOBUF_C_TYPE_MESSAGE &&
                                         json_known_of(field->descriptor) == JSON_VALUE);
}

static void *take_array(struct json_reader *r, const struct json_path *path,
                        const ProtobufCFieldDescriptor *field, size_t count, ProtobufCMessage *m)
{
    void *array = json_take(r, path, count * field_size(field->type));
    *(void **)field_at(m, field) = array;
    return array;
}

int json_read_list(struct json_reader *r, const struct json_path *up,
                   const ProtobufCFieldDescriptor *field, json_t *json, ProtobufCMessage *m)
{
    size_t count = json_array_size(json);
    int rc = 0;
    if (!json_is_array(json))
        return json_fail(&r->why, up, -EINVAL, "wants a list, in [ ]");
    if (count == 0)
        return 0;
    if (!take_array(r, up, field, count, m))
        return -EMSGSIZE;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        const struct json_path path = {up, NULL, i};
        json_t *element = json_array_get(json, i);
        if (json_is_null(element) && !takes_null(field))
            return json_fail(&r->why, &path, -EINVAL, "null cannot be in a list");
        rc = json_read_value(r, &path, field, element, field_element(m, field, i));
        *field_count(m, field) += rc == 0;
    }
    return rc;
}

/* Of a map: strings whatever they stand for. */
static int read_key(struct json_reader *r, const struct json_path *path,
                    const ProtobufCFieldDescriptor *key, const char *text, ProtobufCMessage *entry)
{
    bool yes = strcmp(text, "true") == 0;
    json_t *json;
    if (key->type == PROTOBUF_C_TYPE_BOOL) {
        if (!yes && strcmp(text, "false") != 0)
            return json_fail(&r->why, path, -EINVAL, "a key that is neither true nor false");
        json = json_boolean(yes);
    } else {
        json = json_string_nocheck(text);
    }
    if (!json)
        return json_fail(&r->why, path, -ENOMEM, "no memory");
    int rc = json_read_value(r, path, key, json, field_at(entry, key));
    json_decref(json);
    return rc;
}

static int read_entry(struct json_reader *r, const struct json_path *path,
                      const ProtobufCFieldDescriptor *field, const char *name, json_t *json,
                      ProtobufCMessage **slot)
{
    const ProtobufCFieldDescriptor *key, *value;
    if (!field_map(field, &key, &value))
        return -EINVAL;
    if (json_is_null(json) && !takes_null(value))
        return json_fail(&r->why, path, -EINVAL, "null cannot be in a map");
    const ProtobufCMessageDescriptor *type = field->descriptor;
    ProtobufCMessage *entry = json_take(r, path, type->sizeof_message);
    if (!entry)
        return -EMSGSIZE;
    weir_message_init(type, entry);
    *slot = entry;
    int rc = read_key(r, path, key, name, entry);
    if (rc == 0)
        field_mark_set(entry, key);
    if (rc == 0)
        rc = json_read_value(r, path, value, json, field_at(entry, value));
    if (rc == 0)
        field_mark_set(entry, value);
    return rc;
}

int json_read_map(struct json_reader *r, const struct json_path *up,
                  const ProtobufCFieldDescriptor *field, json_t *json, ProtobufCMessage *m)
{
    const char *name;
    json_t *value;
    if (!json_is_object(json))
        return json_fail(&r->why, up, -EINVAL, "wants an object, in { }");
    if (json_object_size(json) == 0)
        return 0;
    ProtobufCMessage **array = take_array(r, up, field, json_object_size(json), m);
    if (!array)
        return -EMSGSIZE;
    json_object_foreach(json, name, value)
    {
        const struct json_path path = {up, name, 0};
        size_t *count = field_count(m, field);
        int rc = read_entry(r, &path, field, name, value, &array[*count]);
        *count += array[*count] != NULL; /* also one that was begun: it is freed with the message */
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* --- names --- */

/* lowerCamelCase of a name is that text; without making it, since this is tried for each field. */
static bool is_camel_of(const char *name, const char *text)
{
    bool capital = false;
    for (; *name; name++) {
        bool lower = *name >= 'a' && *name <= 'z';
        if (*name != '_' && *text++ != (capital && lower ? (char)(*name - 'a' + 'A') : *name))
            return false;
        capital = *name == '_';
    }
    return *text == '\0';
}

static const ProtobufCFieldDescriptor *find(const ProtobufCMessageDescriptor *type,
                                            const char *name)
{
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        if (field->reserved2 ? strcmp(field->reserved2, name) == 0 : is_camel_of(field->name, name))
            return field;
    }
    return protobuf_c_message_descriptor_get_field_by_name(type, name);
}

/* --- messages --- */

struct object {
    const struct json_path *path;
    ProtobufCMessage *message;
    uint8_t *seen; /* a bit a field */
};

static bool see(struct object *o, const ProtobufCFieldDescriptor *field)
{
    size_t bit = (size_t)(field - o->message->descriptor->fields);
    bool was = o->seen[bit / 8] >> bit % 8 & 1;
    o->seen[bit / 8] |= (uint8_t)(1u << bit % 8);
    return was;
}

static int read_field(struct json_reader *r, struct object *o, const struct json_path *path,
                      const ProtobufCFieldDescriptor *field, json_t *json)
{
    const ProtobufCFieldDescriptor *key, *value;
    ProtobufCMessage *m = o->message;
    bool shared = field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
    if (see(o, field))
        return json_fail(&r->why, path, -EINVAL, "given twice, by both of its names");
    if (json_is_null(json) && (field->label == PROTOBUF_C_LABEL_REPEATED || !takes_null(field)))
        return 0; /* as if it were not there */
    if (shared && *field_mark(m, field) != 0)
        return json_fail(&r->why, path, -EINVAL, "another of the same oneof is given, too");
    if (field_map(field, &key, &value))
        return json_read_map(r, path, field, json, m);
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return json_read_list(r, path, field, json, m);
    int rc = json_read_value(r, path, field, json, field_at(m, field));
    if (rc == 0)
        field_mark_set(m, field);
    return rc;
}

static int read_members(struct json_reader *r, struct object *o, json_t *json, const char *skip)
{
    const char *name;
    json_t *value;
    json_object_foreach(json, name, value)
    {
        const struct json_path path = {o->path, name, 0};
        const ProtobufCFieldDescriptor *field;
        if (skip && strcmp(name, skip) == 0)
            continue;
        field = find(o->message->descriptor, name);
        if (!field && r->options->ignore_unknown)
            continue;
        if (!field)
            return json_fail(&r->why, &path, -EINVAL, "%.100s has no such field",
                             o->message->descriptor->name);
        int rc = read_field(r, o, &path, field, value);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int check_required(struct json_reader *r, struct object *o)
{
    const ProtobufCMessageDescriptor *type = o->message->descriptor;
    for (unsigned i = 0; i < type->n_fields; i++) {
        const struct json_path path = {o->path, type->fields[i].name, 0};
        if (type->fields[i].label == PROTOBUF_C_LABEL_REQUIRED && !see(o, &type->fields[i]))
            return json_fail(&r->why, &path, -EINVAL, "is required and missing");
    }
    return 0;
}

int json_read_fields(struct json_reader *r, const struct json_path *path, json_t *json,
                     const char *skip, ProtobufCMessage *m)
{
    struct object o = {.path = path, .message = m};
    if (!json_is_object(json))
        return json_fail(&r->why, path, -EINVAL, "wants an object of %.100s, in { }",
                         m->descriptor->name);
    o.seen = calloc(1, m->descriptor->n_fields / 8 + 1);
    if (!o.seen)
        return json_fail(&r->why, path, -ENOMEM, "no memory");
    int rc = read_members(r, &o, json, skip);
    if (rc == 0)
        rc = check_required(r, &o);
    free(o.seen);
    return rc;
}

int json_read_message(struct json_reader *r, const struct json_path *path,
                      const ProtobufCMessageDescriptor *type, json_t *json, ProtobufCMessage **out)
{
    enum json_known known = json_known_of(type);
    if (r->depth >= LIMIT_MESSAGE_DEPTH)
        return json_fail(&r->why, path, -EMSGSIZE, "nested too deep");
    ProtobufCMessage *m = json_take(r, path, type->sizeof_message);
    if (!m)
        return -EMSGSIZE;
    weir_message_init(type, m);
    r->depth++;
    int rc = known == JSON_PLAIN ? json_read_fields(r, path, json, NULL, m)
                                 : json_read_known(r, path, known, json, m);
    r->depth--;
    if (rc < 0)
        weir_message_free(m);
    else
        *out = m;
    return rc;
}

/* --- text --- */

/* Brackets inside brackets: jansson recurses for each. */
static bool too_deep(const char *text, size_t len)
{
    unsigned depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (quoted) {
            i += c == '\\';
            quoted = c != '"';
            continue;
        }
        quoted = c == '"';
        if (c == '{' || c == '[')
            depth++;
        if ((c == '}' || c == ']') && depth > 0)
            depth--;
        if (depth > LIMIT_JSON_DEPTH)
            return true;
    }
    return false;
}

static json_t *parse(struct json_reader *r, const char *text, size_t len, int *out_error)
{
    json_error_t error;
    json_t *json = NULL;
    size_t max = r->options->bytes_max ? r->options->bytes_max : LIMIT_JSON_BYTES;
    *out_error = -EMSGSIZE;
    if (len > max)
        (void)json_fail(&r->why, NULL, -EMSGSIZE, "the text is longer than allowed");
    else if (too_deep(text, len))
        (void)json_fail(&r->why, NULL, -EMSGSIZE, "nested too deep");
    else if (!(json = json_loadb(
                   text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error))) {
        bool memory = json_error_code(&error) == json_error_out_of_memory;
        *out_error = memory ? -ENOMEM : -EINVAL;
        (void)json_fail(&r->why, NULL, 0, "line %d, column %d: %.150s", error.line, error.column,
                        json_error_code(&error) == json_error_numeric_overflow
                            ? "a number too large for JSON here: put it in quotes"
                            : error.text);
    }
    return json;
}

int weir_json_read(const ProtobufCMessageDescriptor *type, const char *text, size_t len,
                   const struct weir_json_options *options, ProtobufCMessage **out, char *why,
                   size_t why_size)
{
    static const struct weir_json_options usual;
    struct json_reader r = {.options = options ? options : &usual};
    char unheard[256];
    int rc;
    text_init(&r.why, why && why_size ? why : unheard,
              why && why_size ? why_size : sizeof(unheard));
    r.memory_max = LIMIT_MESSAGE_SMALL + LIMIT_MESSAGE_GROWTH * len;
    json_t *json = parse(&r, text, len, &rc);
    if (json) {
        rc = json_read_message(&r, NULL, type, json, out);
        json_decref(json);
    }
    text_end(&r.why);
    return rc;
}
