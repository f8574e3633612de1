/*
 * message/wire.h: the wire format of protobuf, field by field: a reader that never leaves its bytes, and a bounded writer.
 * https://protobuf.dev/programming-guides/encoding
 */
#pragma once

#include <weir/base.h>

enum wire_type {
    WIRE_VARINT = 0,
    WIRE_64 = 1,
    WIRE_BYTES = 2,
    WIRE_GROUP = 3,
    WIRE_GROUP_END = 4,
    WIRE_32 = 5
};

struct wire {
    const uint8_t *at, *end; /* borrowed: the bytes of one message */
    const char *bad;         /* what is malformed; NULL: nothing */
};

struct wire_field {
    uint32_t number;
    enum wire_type type;
    uint64_t value;          /* WIRE_VARINT, WIRE_32, WIRE_64 */
    struct weir_bytes bytes; /* WIRE_BYTES; borrowed */
};

void wire_init(struct wire *, const void *bytes, size_t len);
/* The next field: false at the end, and where something is malformed (`bad`). Groups are: nothing here knows them. */
bool wire_next(struct wire *, struct wire_field *out);
/* One number of at most ten bytes: false and `bad` if there is none. */
bool wire_varint(struct wire *, uint64_t *out);

/* A buffer that grows up to a bound; what does not fit is left out, with all that follows, and `cut` says so. */
struct grow {
    char *at; /* malloc'ed, NULL at first; grow_done() */
    size_t len, size, max;
    bool cut;
};

void grow_init(struct grow *, size_t max);
void grow_add(struct grow *, const void *bytes, size_t len);
void grow_str(struct grow *, const char *string);
void grow_char(struct grow *, char);
void grow_fmt(struct grow *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void grow_varint(struct grow *, uint64_t);
void grow_number(struct grow *, uint32_t number, uint64_t value); /* WIRE_VARINT */
void grow_bytes(struct grow *, uint32_t number, const void *bytes, size_t len);
void grow_done(struct grow *);
