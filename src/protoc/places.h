/*
 * protoc/places.h: where in its file a declaration stands, and what was written above it (SourceCodeInfo).
 */
#pragma once

#include "message/schema.h"

struct place {
    struct weir_bytes path; /* numbers and indices from the file down, as packed varints */
    unsigned line;          /* from 1 */
    struct weir_bytes comment;
};
struct places {
    struct place *at; /* by path */
    size_t count;
};

/* Reads a file's locations into the schema's arena. NULL: no memory; a file without any has none. */
const struct places *places_of(struct weir_schema *, const struct proto_file *);
/* NULL: not known. */
const struct place *place_message(const struct places *, const struct proto_message *);
const struct place *place_field(const struct places *, const struct proto_message *,
                                const struct proto_field *);
const struct place *place_enum(const struct places *, const struct proto_file *,
                               const struct proto_enum *);
const struct place *place_service(const struct places *, const struct proto_service *);
