/*
 * message/json.h: what both directions of the JSON mapping share (https://protobuf.dev/programming-guides/json).
 *
 * Types with a form of their own are known by name and shape: a stranger's google.protobuf.Timestamp of other fields is a message
 * like any other.
 */
#pragma once

#include "base/text.h"
#include "message/wire.h"

#include <weir/message.h>

#include <jansson.h>

enum json_known {
    JSON_PLAIN, /* none of these */
    JSON_TIMESTAMP,
    JSON_DURATION,
    JSON_FIELD_MASK,
    JSON_STRUCT,
    JSON_VALUE,
    JSON_LIST,
    JSON_ANY,
    JSON_WRAPPER, /* a value alone */
};
enum json_known json_known_of(const ProtobufCMessageDescriptor *);
bool json_is_null_value(const ProtobufCFieldDescriptor *); /* google.protobuf.NullValue */

/* The way to where something is wrong; on the stack of who walks it. */
struct json_path {
    const struct json_path *up;
    const char *name; /* NULL: `index` */
    size_t index;
};
/* "a.b[3].c: what" into `why`; returns `error`. */
int json_fail(struct text *why, const struct json_path *, int error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* --- writing --- */

struct json_writer {
    struct grow out;
    const struct weir_json_options *options;
    struct text why;
    unsigned depth, level; /* of messages; of brackets */
    bool first;            /* nothing in the innermost brackets yet */
};
void json_open(struct json_writer *, char bracket);
void json_close(struct json_writer *, char bracket);
/* Before each element of a list; before each member of an object, with its name. */
void json_next(struct json_writer *);
void json_name(struct json_writer *, const char *name);
/* In quotes; -EILSEQ: no UTF-8. */
int json_quoted(struct json_writer *, const struct json_path *, const char *text);
int json_write_message(struct json_writer *, const struct json_path *, const ProtobufCMessage *);
int json_write_fields(struct json_writer *, const struct json_path *, const ProtobufCMessage *);
int json_write_value(struct json_writer *, const struct json_path *,
                     const ProtobufCFieldDescriptor *, const void *at);
int json_write_field(struct json_writer *, const struct json_path *, const ProtobufCMessage *,
                     const ProtobufCFieldDescriptor *);
/* Not for JSON_PLAIN. */
int json_write_known(struct json_writer *, const struct json_path *, enum json_known,
                     const ProtobufCMessage *);

/* --- reading --- */

struct json_reader {
    const struct weir_json_options *options;
    struct text why;
    unsigned depth;
    size_t memory, memory_max;
};
/* Memory that the message owns: NULL: more than may be (said). */
void *json_take(struct json_reader *, const struct json_path *, size_t len);
int json_read_message(struct json_reader *, const struct json_path *,
                      const ProtobufCMessageDescriptor *, json_t *, ProtobufCMessage **out);
/* The members of an object into a message; `skip`: one that is not a field. */
int json_read_fields(struct json_reader *, const struct json_path *, json_t *, const char *skip,
                     ProtobufCMessage *);
int json_read_value(struct json_reader *, const struct json_path *,
                    const ProtobufCFieldDescriptor *, json_t *, void *at);
int json_read_list(struct json_reader *, const struct json_path *, const ProtobufCFieldDescriptor *,
                   json_t *, ProtobufCMessage *);
int json_read_map(struct json_reader *, const struct json_path *, const ProtobufCFieldDescriptor *,
                  json_t *, ProtobufCMessage *);
int json_read_known(struct json_reader *, const struct json_path *, enum json_known, json_t *,
                    ProtobufCMessage *);

/* --- forms --- */

#define JSON_TIME_TEXT 40 /* room for any of the two, with its NUL */
/* "1972-01-01T10:00:20.021Z", "-3.5s": 0; -ERANGE: none that has that form. */
int json_timestamp_text(int64_t seconds, int32_t nanos, char out[JSON_TIME_TEXT]);
int json_duration_text(int64_t seconds, int32_t nanos, char out[JSON_TIME_TEXT]);
/* 0; -EINVAL: not of the form; -ERANGE. */
int json_timestamp_read(struct weir_bytes, int64_t *out_seconds, int32_t *out_nanos);
int json_duration_read(struct weir_bytes, int64_t *out_seconds, int32_t *out_nanos);
void json_base64(struct grow *, const uint8_t *bytes, size_t len);
/* Both alphabets, with padding or without: how many bytes, into `out` of len / 4 * 3 + 3; -EINVAL. */
ssize_t json_base64_read(struct weir_bytes, uint8_t *out);
