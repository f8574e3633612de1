/*
 * protoc/emit.h: C source out of declarations. One emitter a file that is made; templates instead of printf, since nearly every
 * line names the message it is about.
 *
 * Names are those of protoc-c, so that code written for its structs compiles with these.
 */
#pragma once

#include "message/schema.h"
#include "message/wire.h"

struct emit {
    struct weir_schema *schema; /* its arena has the names, too */
    const struct proto_file *file;
    struct grow *out;
    const char *type, *lower, *upper; /* $T, $l, $U: C names of what is being emitted */
    const struct places *places;
};

/* $T $l $U as above; $s a string; $q the same in quotes, as C writes it; $u an unsigned; $i an int32_t; $$ a dollar. */
void emit(struct emit *, const char *template, ...);
/* Makes a declaration the one that $T, $l and $U mean. */
void emit_about(struct emit *, const char *full_name);
/* "my.Pkg_name.FooBar" → My__PkgName__FooBar, my__pkg_name__foo_bar, MY__PKG_NAME__FOO_BAR. In the schema's arena; "" if that is full. */
const char *name_type(struct weir_schema *, const char *full_name);
const char *name_lower(struct weir_schema *, const char *full_name);
const char *name_upper(struct weir_schema *, const char *full_name);
/* The member of a struct: in lower case, with a _ behind it where C, C++ or the struct itself uses the word. */
const char *name_member(struct weir_schema *, const char *name);
/* One word: FooBar, foo_bar, FOO_BAR. */
const char *name_word(struct weir_schema *, const char *name);
const char *name_word_lower(struct weir_schema *, const char *name);
const char *name_word_upper(struct weir_schema *, const char *name);
const char *name_plain_upper(struct weir_schema *, const char *name);
/* "dir/foo.proto" → dir_2ffoo_2eproto; and without its .proto. */
const char *name_of_file(struct weir_schema *, const char *path);
const char *name_stem(struct weir_schema *, const char *path);

/* NULL, or what no C can be made of: two things with one name, a group. `out_at` is the line of `out_file`, 0: unknown. */
const char *collide(struct weir_schema *, const struct proto_file *, unsigned *out_line);

void emit_header(struct emit *);
void emit_source(struct emit *);

void emit_enum(struct emit *, const struct proto_enum *);
void emit_enum_table(struct emit *, const struct proto_enum *);
void emit_struct(struct emit *, const struct proto_message *);
void emit_message_functions(struct emit *, const struct proto_message *);
void emit_message_bodies(struct emit *, const struct proto_message *);
void emit_message_table(struct emit *, const struct proto_message *);
void emit_service(struct emit *, const struct proto_service *);
void emit_service_table(struct emit *, const struct proto_service *);
/* What a member is before anything is set, as an initializer; and the object that its descriptor points at. */
void emit_default(struct emit *, const struct proto_message *, const struct proto_field *);
bool has_default_object(const struct proto_message *, const struct proto_field *);
const char *name_default(struct emit *, const struct proto_message *, const struct proto_field *);
bool has_flag(const struct proto_message *, const struct proto_field *);
