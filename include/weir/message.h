/*
 * weir/message.h: protobuf messages from strangers: checked, unpacked, and as JSON; types known at run time alone.
 *
 * Messages are those of libprotobuf-c; `protoc --weir_out=DIR FILE.proto` makes their structs. A program that uses this header
 * links with both: pkg-config --libs weir libprotobuf-c. Nothing here does I/O. `why` may be NULL; where something is wrong it
 * gets one line that says what and where, cut to `why_size`.
 */
#pragma once

#include "rpc.h"

#include <protobuf-c/protobuf-c.h>

/* What protobuf-c's tables have no word for, in fields that it leaves unused: reserved_flags of a field is made of these, reserved2
 * is its name in JSON (NULL: made from its name). */
#define WEIR_FIELD_MAP  1u /* its messages are a key and a value each */
#define WEIR_FIELD_UTF8 2u /* a string that must be UTF-8 */

/* --- from bytes --- */

/* 0 in any of them: the default. */
struct weir_message_limits {
    size_t bytes_max;   /* of the message: 4 MiB */
    size_t memory_max;  /* of its structs: 64 KiB and 64 times its bytes */
    unsigned depth_max; /* of messages inside messages: 100, and never more */
};

/* Whether the bytes are a message that can be unpacked: 0; -EMSGSIZE: longer, deeper or larger in memory than allowed; -EPROTO:
 * malformed, or a group or a message field given twice, which protobuf-c cannot do; -EILSEQ: a string of proto3 that is not UTF-8, or any with a NUL in it,
 * which C would cut there; -ENOMEM. `limits` may be NULL. */
WEIR_API WEIR_CHECKED int weir_message_check(const ProtobufCMessageDescriptor *, const void *bytes,
                                             size_t len, const struct weir_message_limits *,
                                             char *why, size_t why_size);
/* Checks, and unpacks. As above. The message is the caller's: weir_message_free(). */
WEIR_API WEIR_CHECKED int weir_message_unpack(const ProtobufCMessageDescriptor *, const void *bytes,
                                              size_t len, const struct weir_message_limits *,
                                              ProtobufCMessage **out, char *why, size_t why_size);
/* The same with the default limits, in the shape of protobuf_c_message_unpack(): generated code calls it. NULL: no. */
WEIR_API ProtobufCMessage *weir_message_unpack_by(const ProtobufCMessageDescriptor *,
                                                  ProtobufCAllocator *, size_t len,
                                                  const uint8_t *bytes);
/* A message with nothing set in the caller's memory of type->sizeof_message bytes: generated code calls it. */
WEIR_API void weir_message_init(const ProtobufCMessageDescriptor *, void *message);
/* The same, made with malloc(), as are those of the calls above. NULL: no memory. */
WEIR_API ProtobufCMessage *weir_message_new(const ProtobufCMessageDescriptor *);
WEIR_API void weir_message_free(ProtobufCMessage *); /* NULL is fine */

/* --- types known at run time --- */

/* A set of .proto files. Its types and services are borrowed from it. */
struct weir_schema;

WEIR_API WEIR_CHECKED int weir_schema_new(struct weir_schema **out); /* 0, -ENOMEM */
WEIR_API void weir_schema_free(struct weir_schema *);                /* NULL is fine */
/* Adds the files of a FileDescriptorSet (protoc --include_imports -o FILE), or one FileDescriptorProto, as server reflection gives
 * them. The bytes are copied; a file of a name that is there already is left out. 0; -EPROTO: `why` says what is wrong. */
WEIR_API WEIR_CHECKED int weir_schema_add_set(struct weir_schema *, const void *bytes, size_t len,
                                              char *why, size_t why_size);
WEIR_API WEIR_CHECKED int weir_schema_add_file(struct weir_schema *, const void *bytes, size_t len,
                                               char *why, size_t why_size);
/* A file that is imported and not there; NULL: all are. */
WEIR_API const char *weir_schema_missing(const struct weir_schema *);
/* Resolves what the files name of each other; nothing can be added any more. As above. The calls below find something only then. */
WEIR_API WEIR_CHECKED int weir_schema_link(struct weir_schema *, char *why, size_t why_size);
/* "package.Message"; NULL: none. Fields that are groups are left out. */
WEIR_API const ProtobufCMessageDescriptor *weir_schema_message(const struct weir_schema *,
                                                               const char *name);
/* One after the other, NULL: no more. Their `descriptor` and `file` are NULL. */
WEIR_API const struct weir_rpc_service *weir_schema_service(const struct weir_schema *,
                                                            size_t index);
/* "/package.Service/Method"; NULL: none. */
WEIR_API const struct weir_rpc_method *weir_schema_method(const struct weir_schema *,
                                                          const char *path);

/* --- JSON (https://protobuf.dev/programming-guides/json) --- */

/* All zero: names in lowerCamelCase, nothing that is not set, one line. */
struct weir_json_options {
    const struct weir_schema *types; /* of what is in a google.protobuf.Any; NULL: none is known */
    bool original_names;             /* writing: as in the .proto file; both are read */
    bool defaults;                   /* writing: also what is not set, where it has a default */
    bool ignore_unknown;             /* reading: names that the type does not have */
    unsigned indent;                 /* writing: spaces a level, a line a value; 0: one line */
    size_t bytes_max;                /* of the text; 0: 64 MiB */
};

/* A message as text, with a NUL behind it; free(*out). 0; -EILSEQ: a string that is not UTF-8; -ERANGE: a time, a duration or a number
 * that has no form in JSON; -EMSGSIZE: longer than bytes_max, or nested too deep; -ENOENT: an Any of a type that is not known; -EPROTO: an
 * Any whose bytes are not of its type; -ENOMEM. `why` names the field, "a.b[3].c: ...". */
WEIR_API WEIR_CHECKED int weir_json_write(const ProtobufCMessage *,
                                          const struct weir_json_options *, char **out,
                                          size_t *out_len, char *why, size_t why_size);
/* Text as a message: weir_message_free(). 0; -EINVAL: no JSON, or not of this type; -EMSGSIZE: longer than bytes_max, nested too deep, or
 * larger in memory than 64 KiB and 64 times the text; -ENOENT: an Any of a type that is not known; -ENOMEM. */
WEIR_API WEIR_CHECKED int weir_json_read(const ProtobufCMessageDescriptor *, const char *text,
                                         size_t len, const struct weir_json_options *,
                                         ProtobufCMessage **out, char *why, size_t why_size);
