/* The walk before an unpack. protobuf-c 1.4 recurses without a bound, allocates whatever a few bytes ask for, takes a bool of any
 * wire type, and merges messages wrongly: what it is given has passed here. */
#include "base/text.h"
#include "base/utf8.h"
#include "message/field.h"
#include "message/wire.h"
#include "tbl/limits_message.h"

#include <weir/message.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ALLOCATION 16 /* what malloc adds to each piece */
#define SCANNED                                                                                    \
    64 /* what protobuf-c notes of each field while it unpacks: 32 bytes, in slabs up to twice as large */

/* One message that is being walked. */
struct level {
    const ProtobufCMessageDescriptor *type;
    struct wire wire;
    const ProtobufCFieldDescriptor *field; /* in the message around it; NULL: the outermost */
    size_t seen_at;                        /* a bit a field, from here in `seen` */
};

struct check {
    struct level levels[LIMIT_MESSAGE_DEPTH + 1];
    unsigned depth; /* of the level at work */
    unsigned depth_max;
    size_t memory, memory_max;
    uint8_t *seen; /* `few`, or owned where those are too few */
    size_t seen_size;
    uint8_t few[64];
    struct text why;
};

static void say_path(struct check *c, const ProtobufCFieldDescriptor *last)
{
    const char *dot = "";
    for (unsigned i = 1; i <= c->depth; i++, dot = ".") {
        if (c->depth > 8 && i == 4) { /* both ends: what is wrong comes behind them */
            text_str(&c->why, " ... ");
            i = c->depth - 3;
        }
        text_str(&c->why, dot);
        text_str(&c->why, c->levels[i].field->name);
    }
    if (last) {
        text_str(&c->why, dot);
        text_str(&c->why, last->name);
    }
    text_str(&c->why, c->depth || last ? ": " : "");
}

static int fail(struct check *c, const ProtobufCFieldDescriptor *field, int error, const char *what)
{
    text_str(&c->why, c->levels[0].type->name);
    text_str(&c->why, ": ");
    say_path(c, field);
    text_str(&c->why, what);
    return error;
}

static int charge(struct check *c, const ProtobufCFieldDescriptor *field, size_t bytes)
{
    if (bytes > c->memory_max - c->memory)
        return fail(c, field, -EMSGSIZE, "its parts would take too much memory");
    c->memory += bytes;
    return 0;
}

static int enter(struct check *c, const ProtobufCFieldDescriptor *field,
                 const ProtobufCMessageDescriptor *type, const void *bytes, size_t len)
{
    struct level *outer = &c->levels[c->depth], *inner = field ? outer + 1 : outer;
    size_t at = field ? outer->seen_at + (outer->type->n_fields + 7) / 8 : 0;
    size_t need = at + (type->n_fields + 7) / 8;
    if (field && c->depth + 1 >= c->depth_max)
        return fail(c, field, -EMSGSIZE, "nested too deep");
    int rc = charge(c, field, type->sizeof_message + ALLOCATION + type->n_fields / 8);
    if (rc < 0)
        return rc;
    if (need > c->seen_size) {
        uint8_t *seen = realloc(c->seen == c->few ? NULL : c->seen, 2 * need);
        if (!seen)
            return fail(c, field, -ENOMEM, "no memory");
        if (c->seen == c->few)
            memcpy(seen, c->few, at);
        c->seen = seen;
        c->seen_size = 2 * need;
    }
    if (need > at)
        memset(c->seen + at, 0, need - at);
    *inner = (struct level){.type = type, .field = field, .seen_at = at};
    wire_init(&inner->wire, bytes, len);
    c->depth += field != NULL;
    return 0;
}

/* Sets the field's bit; true: it was set. */
static bool see(struct check *c, const ProtobufCFieldDescriptor *field)
{
    const struct level *l = &c->levels[c->depth];
    size_t bit = (size_t)(field - l->type->fields);
    uint8_t *byte = &c->seen[l->seen_at + bit / 8], mask = (uint8_t)(1u << bit % 8);
    bool was = *byte & mask;
    *byte |= mask;
    return was;
}

static int leave(struct check *c)
{
    const struct level *l = &c->levels[c->depth];
    for (unsigned i = 0; i < l->type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &l->type->fields[i];
        if (field->label == PROTOBUF_C_LABEL_REQUIRED && !see(c, field) && !field->default_value)
            return fail(c, field, -EPROTO, "is required and missing");
    }
    return 0;
}

static enum wire_type wire_type_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return WIRE_32;
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return WIRE_64;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return WIRE_BYTES;
    default:
        return WIRE_VARINT;
    }
}

/* Numbers one after the other, without tags. */
static int check_packed(struct check *c, const ProtobufCFieldDescriptor *field, struct weir_bytes b)
{
    enum wire_type type = wire_type_of(field->type);
    size_t count = type == WIRE_32 ? b.len / 4 : b.len / 8, width = type == WIRE_32 ? 4 : 8;
    if (type != WIRE_VARINT)
        return b.len % width ? fail(c, field, -EPROTO, "a number is cut off")
                             : charge(c, field, count * width);
    struct wire wire;
    uint64_t value;
    for (wire_init(&wire, b.at, b.len), count = 0; wire.at < wire.end; count++)
        if (!wire_varint(&wire, &value))
            return fail(c, field, -EPROTO, wire.bad);
        else if (field->type == PROTOBUF_C_TYPE_BOOL && value > 1)
            return fail(c, field, -EPROTO, "neither true nor false");
    if (field->type == PROTOBUF_C_TYPE_BOOL && count != b.len)
        return fail(c, field, -EPROTO, "neither true nor false");
    return charge(c, field, count * field_size(field->type));
}

static int check_string(struct check *c, const ProtobufCFieldDescriptor *field, struct weir_bytes b)
{
    /* Of a label of its own: proto3, also in the tables of protoc-c. */
    bool utf8 = field->reserved_flags & WEIR_FIELD_UTF8 || field->label == PROTOBUF_C_LABEL_NONE;
    if (b.len > 0 && memchr(b.at, '\0', b.len))
        return fail(c, field, -EILSEQ, "a string with a NUL in it");
    if (utf8 && !utf8_is_valid(b))
        return fail(c, field, -EILSEQ, "a string that is not UTF-8");
    return charge(c, field, b.len + 1 + ALLOCATION);
}

static int check_known(struct check *c, const ProtobufCFieldDescriptor *field,
                       const struct wire_field *f)
{
    enum wire_type type = wire_type_of(field->type);
    bool again = see(c, field), repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
    if (repeated && type != WIRE_BYTES && f->type == WIRE_BYTES)
        return check_packed(c, field, f->bytes);
    if (f->type != type)
        return fail(c, field, -EPROTO, "has the wire type of another kind of field");
    int rc = repeated ? charge(c, field, field_size(field->type)) : 0;
    if (rc < 0)
        return rc;
    switch (field->type) {
    case PROTOBUF_C_TYPE_BYTES:
        return charge(c, field, f->bytes.len + ALLOCATION);
    case PROTOBUF_C_TYPE_STRING:
        return check_string(c, field, f->bytes);
    case PROTOBUF_C_TYPE_MESSAGE:
        /* The two would have to be merged, and protobuf-c 1.4 then reads before its tables where a oneof is unset in both, and
         * loses numbers of proto3. No writer sends this. */
        if (again && !repeated)
            return fail(c, field, -EPROTO, "comes twice, though it is not repeated");
        return enter(c, field, field->descriptor, f->bytes.at, f->bytes.len);
    default:
        return 0;
    }
}

static int check_field(struct check *c, const struct wire_field *f)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(c->levels[c->depth].type, f->number);
    int rc = charge(c, field, SCANNED);
    if (rc == 0 && field)
        return check_known(c, field, f);
    /* Kept as it came: a note, and a copy of the value with its length. */
    size_t len = f->type == WIRE_BYTES ? f->bytes.len + 5 : 10;
    return rc < 0 ? rc : charge(c, NULL, sizeof(ProtobufCMessageUnknownField) + len + ALLOCATION);
}

static int walk(struct check *c)
{
    for (;;) {
        struct level *l = &c->levels[c->depth];
        struct wire_field f;
        int rc = 0;
        if (wire_next(&l->wire, &f))
            rc = check_field(c, &f);
        else if (l->wire.bad)
            rc = fail(c, NULL, -EPROTO, l->wire.bad);
        else if ((rc = leave(c)) == 0 && c->depth-- == 0)
            return 0;
        if (rc < 0)
            return rc;
    }
}

static size_t memory_of(const struct weir_message_limits *limits, size_t len)
{
    if (limits && limits->memory_max)
        return limits->memory_max;
    return LIMIT_MESSAGE_SMALL + len * LIMIT_MESSAGE_GROWTH;
}

int weir_message_check(const ProtobufCMessageDescriptor *type, const void *bytes, size_t len,
                       const struct weir_message_limits *limits, char *why, size_t why_size)
{
    struct check c;
    size_t bytes_max = limits && limits->bytes_max ? limits->bytes_max : LIMIT_MESSAGE_BYTES;
    unsigned depth = limits ? limits->depth_max : 0;
    c.levels[0].type = type;
    c.depth = 0;
    c.depth_max = depth && depth < LIMIT_MESSAGE_DEPTH ? depth : LIMIT_MESSAGE_DEPTH;
    c.memory = 0;
    c.memory_max = memory_of(limits, len);
    c.seen = c.few;
    c.seen_size = sizeof(c.few);
    text_init(&c.why, why, why ? why_size : 0);
    int rc = len > bytes_max || len > INT32_MAX ? fail(&c, NULL, -EMSGSIZE, "too long")
                                                : enter(&c, NULL, type, bytes, len);
    if (rc == 0)
        rc = walk(&c);
    if (c.seen != c.few)
        free(c.seen);
    if (why && why_size)
        text_end(&c.why);
    return rc;
}

int weir_message_unpack(const ProtobufCMessageDescriptor *type, const void *bytes, size_t len,
                        const struct weir_message_limits *limits, ProtobufCMessage **out, char *why,
                        size_t why_size)
{
    int rc = weir_message_check(type, bytes, len, limits, why, why_size);
    if (rc < 0)
        return rc;
    /* What passed the check fails for want of memory alone. */
    ProtobufCMessage *message = protobuf_c_message_unpack(type, NULL, len, bytes);
    if (!message)
        return -ENOMEM;
    *out = message;
    return 0;
}

ProtobufCMessage *weir_message_unpack_by(const ProtobufCMessageDescriptor *type,
                                         ProtobufCAllocator *allocator, size_t len,
                                         const uint8_t *bytes)
{
    if (weir_message_check(type, bytes, len, NULL, NULL, 0) < 0)
        return NULL;
    return protobuf_c_message_unpack(type, allocator, len, bytes);
}

static void set_default(const ProtobufCFieldDescriptor *field, void *at)
{
    const void *value = field->default_value;
    if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE)
        memcpy(at, &value, sizeof(value));
    else
        memcpy(at, value, field_size(field->type));
}

void weir_message_init(const ProtobufCMessageDescriptor *type, void *message)
{
    memset(message, 0, type->sizeof_message);
    ((ProtobufCMessage *)message)->descriptor = type;
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        bool shared = field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
        if (field->default_value && field->label != PROTOBUF_C_LABEL_REPEATED && !shared)
            set_default(field, (char *)message + field->offset);
    }
}

ProtobufCMessage *weir_message_new(const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *message = malloc(type->sizeof_message);
    if (message)
        weir_message_init(type, message);
    return message;
}

void weir_message_free(ProtobufCMessage *message)
{
    protobuf_c_message_free_unpacked(message, NULL);
}
