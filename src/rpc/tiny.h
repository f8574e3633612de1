/*
 * rpc/tiny.h: protobuf's wire format, as little of it as the services that come with the server need: fields one after the other, and a
 * bounded builder. They have no generated code, so that building weir needs no protoc.
 */
#pragma once

#include <weir/base.h>

struct tiny_field {
    uint32_t number;
    uint64_t value;          /* of a varint or a fixed number */
    struct weir_bytes bytes; /* of what has a length; at NULL: it has none */
};
/* The next field; false at the end. *bytes is what is left; at NULL: it was malformed. */
bool tiny_next(struct weir_bytes *bytes, struct tiny_field *out);

/* Grows by malloc; `failed` stays. Zeroed at first; free(at). */
struct tiny {
    uint8_t *at;
    size_t len, size;
    bool failed;
};
void tiny_number(struct tiny *, uint32_t field, uint64_t value);
void tiny_bytes(struct tiny *, uint32_t field, const void *, size_t len);
void tiny_text(struct tiny *, uint32_t field, const char *);
