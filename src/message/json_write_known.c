/* Types with a form of their own, to JSON. json_known_of() has seen to their shape: numbers of fields are those of
 * google/protobuf/(any, duration, field_mask, struct, timestamp, wrappers).proto. */
#include "message/field.h"
#include "message/json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const void *member(const ProtobufCMessage *m, unsigned number)
{
    return field_at(m, protobuf_c_message_descriptor_get_field(m->descriptor, number));
}

static const char *text_of(const ProtobufCMessage *m, unsigned number)
{
    const char *text = *(char *const *)member(m, number);
    return text ? text : "";
}

static int write_time(struct json_writer *w, const struct json_path *path,
                      const ProtobufCMessage *m, bool duration)
{
    char text[JSON_TIME_TEXT];
    int64_t seconds = *(const int64_t *)member(m, 1);
    int32_t nanos = *(const int32_t *)member(m, 2);
    int rc = duration ? json_duration_text(seconds, nanos, text)
                      : json_timestamp_text(seconds, nanos, text);
    if (rc < 0)
        return json_fail(&w->why, path, -ERANGE,
                         duration ? "a duration that cannot be"
                                  : "a time before the year 1 or after 9999");
    return json_quoted(w, path, text);
}

/* foo_bar.baz → fooBar.baz: only what comes back the same. */
static int add_path(struct json_writer *w, const struct json_path *path, const char *name)
{
    for (; *name; name++) {
        bool lower = name[1] >= 'a' && name[1] <= 'z';
        if ((*name >= 'A' && *name <= 'Z') || (*name == '_' && !lower) || *name == ',' ||
            (unsigned char)*name < ' ' || (unsigned char)*name >= 0x7f || strchr("\"\\", *name))
            return json_fail(&w->why, path, -ERANGE, "a path that has no form in JSON");
        if (*name == '_')
            grow_char(&w->out, (char)(*++name - 'a' + 'A'));
        else
            grow_char(&w->out, *name);
    }
    return 0;
}

static int write_mask(struct json_writer *w, const struct json_path *up, const ProtobufCMessage *m)
{
    const ProtobufCFieldDescriptor *paths = &m->descriptor->fields[0];
    int rc = 0;
    grow_char(&w->out, '"');
    for (size_t i = 0; rc == 0 && i < *field_count(m, paths); i++) {
        const struct json_path path = {up, NULL, i};
        grow_str(&w->out, i ? "," : "");
        rc = add_path(w, &path, *(char **)field_element(m, paths, i));
    }
    grow_char(&w->out, '"');
    return rc;
}

/* Of its six kinds: null 1, number 2, string 3, bool 4, Struct 5, ListValue 6. */
static int write_any_value(struct json_writer *w, const struct json_path *path,
                           const ProtobufCMessage *m)
{
    uint32_t kind = *field_mark(m, &m->descriptor->fields[0]);
    const ProtobufCFieldDescriptor *field =
        kind ? protobuf_c_message_descriptor_get_field(m->descriptor, kind) : NULL;
    if (!field || kind == 1) {
        grow_str(&w->out, "null");
        return 0;
    }
    if (kind == 2 && !isfinite(*(const double *)field_at(m, field)))
        return json_fail(&w->why, path, -ERANGE, "a Value that is no number JSON knows");
    return json_write_value(w, path, field, field_at(m, field));
}

static int write_content(struct json_writer *w, const struct json_path *path, const char *url,
                         const ProtobufCMessage *content)
{
    enum json_known known = json_known_of(content->descriptor);
    json_open(w, '{');
    json_name(w, "@type");
    int rc = json_quoted(w, path, url);
    if (rc == 0 && known == JSON_PLAIN) {
        rc = json_write_fields(w, path, content);
    } else if (rc == 0) {
        json_name(w, "value");
        rc = json_write_message(w, path, content);
    }
    json_close(w, '}');
    return rc;
}

static int write_packed(struct json_writer *w, const struct json_path *path,
                        const ProtobufCMessage *m)
{
    const char *url = text_of(m, 1), *slash = strrchr(url, '/');
    const ProtobufCBinaryData *bytes = member(m, 2);
    const ProtobufCMessageDescriptor *type = NULL;
    ProtobufCMessage *content;
    char why[128];
    if (!*url && bytes->len == 0) {
        grow_str(&w->out, "{}");
        return 0;
    }
    if (slash && w->options->types)
        type = weir_schema_message(w->options->types, slash + 1);
    if (!type)
        return json_fail(&w->why, path, -ENOENT, "its type %.100s is not known", url);
    int rc = weir_message_unpack(type, bytes->data, bytes->len, NULL, &content, why, sizeof(why));
    if (rc < 0)
        return json_fail(&w->why, path, rc == -ENOMEM ? rc : -EPROTO, "%s", why);
    rc = write_content(w, path, url, content);
    weir_message_free(content);
    return rc;
}

int json_write_known(struct json_writer *w, const struct json_path *path, enum json_known known,
                     const ProtobufCMessage *m)
{
    const ProtobufCFieldDescriptor *first = &m->descriptor->fields[0];
    switch (known) {
    case JSON_TIMESTAMP:
    case JSON_DURATION:
        return write_time(w, path, m, known == JSON_DURATION);
    case JSON_FIELD_MASK:
        return write_mask(w, path, m);
    case JSON_VALUE:
        return write_any_value(w, path, m);
    case JSON_ANY:
        return write_packed(w, path, m);
    default: /* a map, a list, a value alone */
        return json_write_field(w, path, m, first);
    }
}
