/*
 * message/schema.h: .proto files as values: what protoc and reflection say of them, read, resolved and checked.
 *
 * schema_read.c takes a FileDescriptorProto apart, schema_link.c finds the types that are named, schema_tables.c makes
 * protobuf-c's tables of them at run time, src/protoc writes the same as C. All of it lies in one capped arena and comes from
 * strangers: names are identifiers, numbers are in range, nothing is declared twice.
 */
#pragma once

#include "base/arena.h"

#include <weir/message.h>

/* FieldDescriptorProto.Type */
enum proto_type {
    PROTO_DOUBLE = 1,
    PROTO_FLOAT,
    PROTO_INT64,
    PROTO_UINT64,
    PROTO_INT32,
    PROTO_FIXED64,
    PROTO_FIXED32,
    PROTO_BOOL,
    PROTO_STRING,
    PROTO_GROUP,
    PROTO_MESSAGE,
    PROTO_BYTES,
    PROTO_UINT32,
    PROTO_ENUM,
    PROTO_SFIXED32,
    PROTO_SFIXED64,
    PROTO_SINT32,
    PROTO_SINT64
};

enum proto_label { PROTO_OPTIONAL = 1, PROTO_REQUIRED, PROTO_REPEATED };

struct proto_value {
    const char *name;
    int32_t number;
};

struct proto_enum {
    const char *name, *full_name;
    struct proto_file *file;
    struct proto_value *values; /* as declared */
    unsigned value_count;
    ProtobufCEnumDescriptor *table; /* schema_tables() */
};

struct proto_field {
    const char *name;
    const char *json_name;    /* NULL: not said */
    const char *type_name;    /* ".package.Name"; NULL: a scalar */
    const char *default_text; /* as descriptor.proto has it; NULL: none */
    uint32_t number;
    enum proto_type type;
    enum proto_label label;
    int oneof; /* which, -1: none; those of proto3 `optional` do not count */
    bool proto3_optional;
    bool packed; /* what counts, said or not */
    bool deprecated;
    struct proto_message *message; /* PROTO_MESSAGE, PROTO_GROUP; schema_link() */
    struct proto_enum *enumeration;
};

struct proto_message {
    const char *name, *full_name;
    struct proto_file *file;
    struct proto_message *parent; /* NULL: at the top of the file */
    struct proto_field *fields;   /* as declared */
    unsigned field_count;
    const char **oneofs; /* without those of proto3 `optional`, which protoc puts last */
    unsigned oneof_count;
    struct proto_message *messages;
    unsigned message_count;
    struct proto_enum *enums;
    unsigned enum_count;
    bool map_entry;
    ProtobufCMessageDescriptor *table; /* schema_tables() */
};

struct proto_method {
    const char *name, *input_name, *output_name;
    struct proto_message *input, *output; /* schema_link() */
    bool client_streaming, server_streaming;
};

struct proto_service {
    const char *name, *full_name;
    struct proto_file *file;
    struct proto_method *methods;
    unsigned method_count;
    struct weir_rpc_service *table; /* schema_tables() */
};

struct proto_file {
    const char *name, *package; /* package "": none */
    bool proto3;
    const uint8_t *bytes; /* borrowed: the caller's, for as long as the schema */
    size_t len;
    const char **imports;
    unsigned import_count;
    bool *import_public; /* of each */
    struct proto_message *messages;
    unsigned message_count;
    struct proto_enum *enums;
    unsigned enum_count;
    struct proto_service *services;
    unsigned service_count;
    struct weir_bytes locations; /* SourceCodeInfo; empty: none */
    struct proto_file *next;
};

enum symbol_kind { SYMBOL_MESSAGE, SYMBOL_ENUM, SYMBOL_SERVICE };
struct symbol {
    const char *name; /* full */
    enum symbol_kind kind;
    void *at;
    const struct proto_file *file;
};

struct weir_schema {
    struct arena arena;
    struct proto_file *files, **files_end; /* in the order they came */
    unsigned file_count;
    size_t import_count;        /* of all files */
    size_t bytes;               /* of all files */
    struct proto_file **sorted; /* by name; schema_link() */
    struct symbol *symbols;     /* by name; schema_link() */
    size_t symbol_count;
    bool linked;
    struct weir_rpc_service *services; /* schema_tables() */
    size_t service_count;
    struct schema_where { /* where something is wrong */
        const struct proto_file *file;
        const char *name; /* the full name it is in; NULL: none */
    } where;
    char why[256];
};

/* Notes what is wrong, in one line; returns -EPROTO. */
int schema_fail(struct weir_schema *, const struct proto_file *, const char *name,
                const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Zeroed memory of the arena; NULL: full (also noted). */
void *schema_take(struct weir_schema *, size_t count, size_t size);
/* Reads one FileDescriptorProto. */
int schema_read(struct weir_schema *, const void *bytes, size_t len);
/* Finds every type that is named, and checks what can only be checked then. All imports must be there. */
int schema_link(struct weir_schema *);
/* protobuf-c's tables of every type; after schema_link(). */
int schema_tables(struct weir_schema *);
/* The message, enum or service of that full name; NULL: none. */
const struct symbol *schema_find(const struct weir_schema *, const char *name);
struct proto_file *schema_file(const struct weir_schema *, const char *name);
/* What a type is to protobuf-c. Not for groups. */
ProtobufCType schema_type(enum proto_type);
/* How protobuf-c keeps a field. */
ProtobufCLabel schema_label(const struct proto_message *, const struct proto_field *);
/* lowerCamelCase, as protoc makes it: into `out` of strlen(name) + 1 bytes. */
void schema_json_name(const char *name, char *out);
/* The bytes of a default_text of PROTO_BYTES, without C's escapes, into `out` of strlen(text) + 1 bytes. How many; -EPROTO. */
ssize_t schema_unescape(const char *text, char *out);
/* Text of a number that is a default: 0, -EPROTO. `out` has room for what schema_type() says. */
int schema_number(enum proto_type, const char *text, void *out);
