/* Types with a form of their own, from JSON. json_known_of() has seen to their shape. */
#include "message/field.h"
#include "message/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const ProtobufCFieldDescriptor *member(const ProtobufCMessage *m, unsigned number)
{
    return protobuf_c_message_descriptor_get_field(m->descriptor, number);
}

static int read_time(struct json_reader *r, const struct json_path *path, json_t *json,
                     bool duration, ProtobufCMessage *m)
{
    int64_t seconds = 0;
    int32_t nanos = 0;
    struct weir_bytes text = {json_string_value(json), json_string_length(json)};
    int rc = !json_is_string(json) ? -EINVAL
             : duration            ? json_duration_read(text, &seconds, &nanos)
                                   : json_timestamp_read(text, &seconds, &nanos);
    if (rc < 0)
        return json_fail(&r->why, path, -EINVAL,
                         duration ? "wants a duration such as \"3.5s\""
                                  : "wants a time such as \"2024-02-29T12:30:00Z\"");
    memcpy(field_at(m, member(m, 1)), &seconds, sizeof(seconds));
    memcpy(field_at(m, member(m, 2)), &nanos, sizeof(nanos));
    field_mark_set(m, member(m, 1));
    field_mark_set(m, member(m, 2));
    return 0;
}

/* fooBar.baz → foo_bar.baz */
static int read_path(struct json_reader *r, const struct json_path *path, const char *at,
                     size_t len, char **out)
{
    char *name = json_take(r, path, 2 * len + 1), *to = name;
    if (!name)
        return -EMSGSIZE;
    *out = name;
    for (size_t i = 0; i < len; i++) {
        if (at[i] == '_' || at[i] == '\0')
            return json_fail(&r->why, path, -EINVAL, "paths are in lowerCamelCase");
        if (at[i] >= 'A' && at[i] <= 'Z') {
            *to++ = '_';
            *to++ = (char)(at[i] - 'A' + 'a');
        } else {
            *to++ = at[i];
        }
    }
    return 0;
}

static int read_mask(struct json_reader *r, const struct json_path *up, json_t *json,
                     ProtobufCMessage *m)
{
    const ProtobufCFieldDescriptor *paths = member(m, 1);
    const char *at = json_string_value(json);
    size_t len = json_string_length(json), count = 1;
    if (!json_is_string(json))
        return json_fail(&r->why, up, -EINVAL, "wants paths such as \"name,address.street\"");
    if (len == 0)
        return 0;
    for (size_t i = 0; i < len; i++)
        count += at[i] == ',';
    char **array = json_take(r, up, count * sizeof(*array));
    if (!array)
        return -EMSGSIZE;
    *(char ***)field_at(m, paths) = array;
    for (size_t i = 0; i < count; i++) {
        const struct json_path path = {up, NULL, i};
        const char *comma = memchr(at, ',', len);
        size_t part = comma ? (size_t)(comma - at) : len;
        int rc = read_path(r, &path, at, part, &array[i]);
        *field_count(m, paths) += array[i] != NULL;
        if (rc < 0)
            return rc;
        at += part + (comma != NULL);
        len -= part + (comma != NULL);
    }
    return 0;
}

/* null 1, number 2, string 3, bool 4, Struct 5, ListValue 6 */
static int read_any_value(struct json_reader *r, const struct json_path *path, json_t *json,
                          ProtobufCMessage *m)
{
    unsigned kind = json_is_null(json)      ? 1
                    : json_is_number(json)  ? 2
                    : json_is_string(json)  ? 3
                    : json_is_boolean(json) ? 4
                    : json_is_object(json)  ? 5
                                            : 6;
    int rc = json_read_value(r, path, member(m, kind), json, field_at(m, member(m, kind)));
    if (rc == 0)
        field_mark_set(m, member(m, kind));
    return rc;
}

static int read_content(struct json_reader *r, const struct json_path *path,
                        const ProtobufCMessageDescriptor *type, json_t *json,
                        ProtobufCMessage **out)
{
    if (json_known_of(type) != JSON_PLAIN) {
        json_t *value = json_object_get(json, "value");
        const struct json_path inner = {path, "value", 0};
        if (!value)
            return json_fail(&r->why, path, -EINVAL, "an Any of %.100s wants a \"value\"",
                             type->name);
        return json_read_message(r, &inner, type, value, out);
    }
    ProtobufCMessage *content = json_take(r, path, type->sizeof_message);
    if (!content)
        return -EMSGSIZE;
    weir_message_init(type, content);
    int rc = json_read_fields(r, path, json, "@type", content);
    if (rc < 0)
        weir_message_free(content);
    else
        *out = content;
    return rc;
}

static int pack(struct json_reader *r, const struct json_path *path,
                const ProtobufCMessage *content, ProtobufCBinaryData *out)
{
    size_t len = protobuf_c_message_get_packed_size(content);
    if (len == 0)
        return 0;
    uint8_t *bytes = json_take(r, path, len);
    if (!bytes)
        return -EMSGSIZE;
    *out = (ProtobufCBinaryData){protobuf_c_message_pack(content, bytes), bytes};
    return 0;
}

static int read_packed(struct json_reader *r, const struct json_path *path, json_t *json,
                       ProtobufCMessage *m)
{
    json_t *type_url = json_object_get(json, "@type");
    const char *url = json_string_value(type_url), *slash = url ? strrchr(url, '/') : NULL;
    const ProtobufCMessageDescriptor *type = NULL;
    ProtobufCMessage *content;
    if (json_is_object(json) && json_object_size(json) == 0)
        return 0;
    if (!url)
        return json_fail(&r->why, path, -EINVAL,
                         "an Any wants \"@type\", and the fields of that type");
    if (slash && r->options->types)
        type = weir_schema_message(r->options->types, slash + 1);
    if (!type)
        return json_fail(&r->why, path, -ENOENT, "its type %.100s is not known", url);
    int rc = json_read_value(r, path, member(m, 1), type_url, field_at(m, member(m, 1)));
    if (rc == 0)
        rc = read_content(r, path, type, json, &content);
    if (rc < 0)
        return rc;
    rc = pack(r, path, content, field_at(m, member(m, 2)));
    weir_message_free(content);
    field_mark_set(m, member(m, 2));
    return rc;
}

int json_read_known(struct json_reader *r, const struct json_path *path, enum json_known known,
                    json_t *json, ProtobufCMessage *m)
{
    const ProtobufCFieldDescriptor *first = &m->descriptor->fields[0];
    int rc;
    switch (known) {
    case JSON_TIMESTAMP:
    case JSON_DURATION:
        return read_time(r, path, json, known == JSON_DURATION, m);
    case JSON_FIELD_MASK:
        return read_mask(r, path, json, m);
    case JSON_STRUCT:
        return json_read_map(r, path, first, json, m);
    case JSON_LIST:
        return json_read_list(r, path, first, json, m);
    case JSON_VALUE:
        return read_any_value(r, path, json, m);
    case JSON_ANY:
        return read_packed(r, path, json, m);
    default:
        rc = json_read_value(r, path, first, json, field_at(m, first));
        if (rc == 0)
            field_mark_set(m, first);
        return rc;
    }
}
