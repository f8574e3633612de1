/* Messages as JSON. */
#include "base/utf8.h"
#include "message/field.h"
#include "message/json.h"
#include "message/number.h"
#include "message/schema.h"
#include "tbl/limits_message.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- brackets, names, strings --- */

static void new_line(struct json_writer *w)
{
    if (w->options->indent == 0)
        return;
    grow_char(&w->out, '\n');
    for (unsigned i = 0; i < w->level * w->options->indent; i++)
        grow_char(&w->out, ' ');
}

void json_open(struct json_writer *w, char bracket)
{
    grow_char(&w->out, bracket);
    w->level++;
    w->first = true;
}

void json_close(struct json_writer *w, char bracket)
{
    w->level--;
    if (!w->first)
        new_line(w);
    grow_char(&w->out, bracket);
    w->first = false;
}

void json_next(struct json_writer *w)
{
    if (!w->first)
        grow_char(&w->out, ',');
    new_line(w);
    w->first = false;
}

static void escape(struct json_writer *w, char c)
{
    static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (const char *at = letters; *at; at += 2)
        if (*at == c) {
            grow_char(&w->out, '\\');
            grow_char(&w->out, at[1]);
            return;
        }
    grow_fmt(&w->out, "\\u%04x", (unsigned char)c);
}

static void quoted(struct json_writer *w, const char *text)
{
    const char *start = text;
    grow_char(&w->out, '"');
    for (; *text; text++) {
        if ((unsigned char)*text >= ' ' && *text != '"' && *text != '\\' && *text != 0x7f)
            continue;
        grow_add(&w->out, start, (size_t)(text - start));
        escape(w, *text);
        start = text + 1;
    }
    grow_add(&w->out, start, (size_t)(text - start));
    grow_char(&w->out, '"');
}

void json_name(struct json_writer *w, const char *name)
{
    json_next(w);
    quoted(w, name);
    grow_str(&w->out, w->options->indent ? ": " : ":");
}

int json_quoted(struct json_writer *w, const struct json_path *path, const char *text)
{
    text = text ? text : "";
    if (!utf8_is_valid((struct weir_bytes){text, strlen(text)}))
        return json_fail(&w->why, path, -EILSEQ, "a string that is not UTF-8");
    quoted(w, text);
    return 0;
}

/* --- values --- */

static int write_real(struct json_writer *w, double value, bool single)
{
    char text[NUMBER_TEXT];
    if (isnan(value))
        grow_str(&w->out, "\"NaN\"");
    else if (isinf(value))
        grow_str(&w->out, value < 0 ? "\"-Infinity\"" : "\"Infinity\"");
    else {
        if (single)
            number_text_float((float)value, text);
        else
            number_text(value, text);
        grow_str(&w->out, text);
    }
    return 0;
}

static int by_number(const void *key, const void *value)
{
    int x = *(const int *)key, y = ((const ProtobufCEnumValue *)value)->value;
    return x < y ? -1 : x > y;
}

static int write_enum(struct json_writer *w, const struct json_path *path,
                      const ProtobufCFieldDescriptor *field, int number)
{
    if (json_is_null_value(field)) {
        grow_str(&w->out, "null");
        return 0;
    }
    /* protobuf-c's own search does not find INT_MAX. */
    const ProtobufCEnumDescriptor *type = field->descriptor;
    const ProtobufCEnumValue *value =
        bsearch(&number, type->values, type->n_values, sizeof(*value), by_number);
    if (value)
        return json_quoted(w, path, value->name);
    grow_fmt(&w->out, "%d", number);
    return 0;
}

static int write_bytes(struct json_writer *w, const ProtobufCBinaryData *bytes)
{
    grow_char(&w->out, '"');
    json_base64(&w->out, bytes->data, bytes->data ? bytes->len : 0);
    grow_char(&w->out, '"');
    return 0;
}

/* Integers; of 64 bits in quotes, since many readers keep all numbers in doubles. */
static int write_integer(struct json_writer *w, ProtobufCType type, const void *at)
{
    switch (type) {
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        grow_fmt(&w->out, "%u", *(const uint32_t *)at);
        return 0;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        grow_fmt(&w->out, "\"%lld\"", (long long)*(const int64_t *)at);
        return 0;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        grow_fmt(&w->out, "\"%llu\"", (unsigned long long)*(const uint64_t *)at);
        return 0;
    default:
        grow_fmt(&w->out, "%d", *(const int32_t *)at);
        return 0;
    }
}

int json_write_value(struct json_writer *w, const struct json_path *path,
                     const ProtobufCFieldDescriptor *field, const void *at)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_FLOAT:
        return write_real(w, (double)*(const float *)at, true);
    case PROTOBUF_C_TYPE_DOUBLE:
        return write_real(w, *(const double *)at, false);
    case PROTOBUF_C_TYPE_BOOL:
        grow_str(&w->out, *(const protobuf_c_boolean *)at ? "true" : "false");
        return 0;
    case PROTOBUF_C_TYPE_ENUM:
        return write_enum(w, path, field, *(const int *)at);
    case PROTOBUF_C_TYPE_STRING:
        return json_quoted(w, path, *(char *const *)at);
    case PROTOBUF_C_TYPE_BYTES:
        return write_bytes(w, at);
    case PROTOBUF_C_TYPE_MESSAGE:
        if (!*(ProtobufCMessage *const *)at)
            return json_fail(&w->why, path, -EPROTO, "a message that is not there");
        return json_write_message(w, path, *(ProtobufCMessage *const *)at);
    default:
        return write_integer(w, field->type, at);
    }
}

/* --- lists and maps --- */

static int write_list(struct json_writer *w, const struct json_path *up, const ProtobufCMessage *m,
                      const ProtobufCFieldDescriptor *field)
{
    int rc = 0;
    json_open(w, '[');
    for (size_t i = 0; rc == 0 && i < *field_count(m, field); i++) {
        const struct json_path path = {up, NULL, i};
        json_next(w);
        rc = json_write_value(w, &path, field, field_element(m, field, i));
    }
    json_close(w, ']');
    return rc;
}

struct entry {
    const ProtobufCMessage *message;
    const ProtobufCFieldDescriptor *key;
    size_t at;
    bool superseded; /* the same key comes again: the last one counts */
};

static int by_key(const void *a, const void *b)
{
    const struct entry *x = *(struct entry *const *)a, *y = *(struct entry *const *)b;
    const void *k = field_at(x->message, x->key), *l = field_at(y->message, y->key);
    int order;
    if (x->key->type == PROTOBUF_C_TYPE_STRING) {
        const char *s = *(char *const *)k, *t = *(char *const *)l;
        order = strcmp(s ? s : "", t ? t : "");
    } else {
        order = memcmp(k, l, field_size(x->key->type));
    }
    return order ? order : x->at < y->at ? -1 : x->at > y->at;
}

static bool same_key(struct entry *a, struct entry *b)
{
    struct entry *x = a, y = *b, *z = &y;
    y.at = a->at;
    return by_key(&x, &z) == 0;
}

/* Keys are strings in JSON, whatever they are in the map. */
static int write_key(struct json_writer *w, const struct json_path *path, const struct entry *e)
{
    const void *at = field_at(e->message, e->key);
    struct json_writer text = *w;
    grow_init(&text.out, 64);
    if (e->key->type == PROTOBUF_C_TYPE_STRING) {
        const char *key = *(char *const *)at;
        if (!utf8_is_valid((struct weir_bytes){key, key ? strlen(key) : 0}))
            return json_fail(&w->why, path, -EILSEQ, "a key that is not UTF-8");
        json_name(w, key ? key : "");
        return 0;
    }
    int rc = json_write_value(&text, path, e->key, at);
    if (rc == 0 && text.out.cut)
        rc = json_fail(&w->why, path, -ENOMEM, "no memory");
    if (rc == 0) {
        if (*text.out.at == '"') /* a number of 64 bits has its quotes already */
            text.out.at[text.out.len - 1] = '\0';
        json_name(w, text.out.at + (*text.out.at == '"'));
    }
    grow_done(&text.out);
    return rc;
}

static int write_entries(struct json_writer *w, const struct json_path *up, struct entry *entries,
                         size_t count, const ProtobufCFieldDescriptor *value)
{
    int rc = 0;
    json_open(w, '{');
    for (size_t i = 0; rc == 0 && i < count; i++) {
        const struct json_path path = {up, NULL, i};
        if (entries[i].superseded)
            continue;
        rc = write_key(w, &path, &entries[i]);
        if (rc == 0 && value->type == PROTOBUF_C_TYPE_MESSAGE &&
            !*(void **)field_at(entries[i].message, value))
            grow_str(&w->out, "{}"); /* an entry without a value has an empty one */
        else if (rc == 0)
            rc = json_write_value(w, &path, value, field_at(entries[i].message, value));
    }
    json_close(w, '}');
    return rc;
}

static int write_map(struct json_writer *w, const struct json_path *path, const ProtobufCMessage *m,
                     const ProtobufCFieldDescriptor *field, const ProtobufCFieldDescriptor *key,
                     const ProtobufCFieldDescriptor *value)
{
    size_t count = *field_count(m, field);
    struct entry *entries = calloc(count + 1, sizeof(*entries));
    struct entry **sorted = calloc(count + 1, sizeof(*sorted));
    int rc = entries && sorted ? 0 : -ENOMEM;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        entries[i] =
            (struct entry){*(ProtobufCMessage **)field_element(m, field, i), key, i, false};
        sorted[i] = &entries[i];
    }
    if (rc == 0) {
        qsort(sorted, count, sizeof(*sorted), by_key);
        for (size_t i = 1; i < count; i++)
            sorted[i - 1]->superseded = same_key(sorted[i - 1], sorted[i]);
        rc = write_entries(w, path, entries, count, value);
    }
    free(entries);
    free(sorted);
    return rc;
}

int json_write_field(struct json_writer *w, const struct json_path *path, const ProtobufCMessage *m,
                     const ProtobufCFieldDescriptor *field)
{
    const ProtobufCFieldDescriptor *key, *value;
    if (field_map(field, &key, &value))
        return write_map(w, path, m, field, key, value);
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return write_list(w, path, m, field);
    return json_write_value(w, path, field, field_at(m, field));
}

/* --- messages --- */

static int write_name(struct json_writer *w, const ProtobufCFieldDescriptor *field)
{
    char made[256];
    size_t len = strlen(field->name);
    if (w->options->original_names || (!field->reserved2 && len >= sizeof(made))) {
        json_name(w, field->name);
        return 0;
    }
    if (!field->reserved2)
        schema_json_name(field->name, made);
    json_name(w, field->reserved2 ? field->reserved2 : made);
    return 0;
}

/* Not set, but of a value all the same: not messages, nor what says whether it is set. */
static bool has_default(const ProtobufCFieldDescriptor *field)
{
    bool maybe = field->label == PROTOBUF_C_LABEL_OPTIONAL;
    return !(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
           (field->label == PROTOBUF_C_LABEL_REPEATED ||
            (field->type != PROTOBUF_C_TYPE_MESSAGE && !maybe));
}

int json_write_fields(struct json_writer *w, const struct json_path *up, const ProtobufCMessage *m)
{
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < m->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &m->descriptor->fields[i];
        const struct json_path path = {up, field->name, 0};
        if (!field_is_set(m, field) && !(w->options->defaults && has_default(field)))
            continue;
        rc = write_name(w, field);
        if (rc == 0)
            rc = json_write_field(w, &path, m, field);
        if (w->out.cut)
            return json_fail(&w->why, &path, -EMSGSIZE, "the text is longer than allowed");
    }
    return rc;
}

int json_write_message(struct json_writer *w, const struct json_path *path,
                       const ProtobufCMessage *m)
{
    if (w->depth >= LIMIT_MESSAGE_DEPTH)
        return json_fail(&w->why, path, -EMSGSIZE, "nested too deep");
    enum json_known known = json_known_of(m->descriptor);
    int rc;
    w->depth++;
    if (known != JSON_PLAIN) {
        rc = json_write_known(w, path, known, m);
    } else {
        json_open(w, '{');
        rc = json_write_fields(w, path, m);
        json_close(w, '}');
    }
    w->depth--;
    return rc;
}

int weir_json_write(const ProtobufCMessage *message, const struct weir_json_options *options,
                    char **out, size_t *out_len, char *why, size_t why_size)
{
    static const struct weir_json_options usual;
    struct json_writer w = {.options = options ? options : &usual, .first = true};
    char unheard[256];
    text_init(&w.why, why && why_size ? why : unheard,
              why && why_size ? why_size : sizeof(unheard));
    grow_init(&w.out, w.options->bytes_max ? w.options->bytes_max + 1 : LIMIT_JSON_BYTES);
    int rc = json_write_message(&w, NULL, message);
    if (rc == 0 && w.out.cut)
        rc = json_fail(&w.why, NULL, -EMSGSIZE, "the text is longer than allowed");
    text_end(&w.why);
    if (rc < 0) {
        grow_done(&w.out);
        return rc;
    }
    *out = w.out.at;
    *out_len = w.out.len;
    return 0;
}
