/*
 * http/fields.h: what the bytes of a head may be, and names that weir itself looks at as small numbers.
 */
#pragma once

#include "tbl/fields.h"

#include <weir/base.h>

enum byte_class {
    BYTE_TOKEN = 1,  /* tchar, RFC 9110 section 5.6.2 */
    BYTE_VALUE = 2,  /* field-content, RFC 9110 section 5.5: VCHAR, SP, HTAB, obs-text */
    BYTE_TARGET = 4, /* visible ASCII but "#": a fragment is never sent (RFC 9112 section 3.2) */
};
extern const uint8_t byte_classes[256];

static inline bool byte_is(char c, enum byte_class class)
{
    return byte_classes[(uint8_t)c] & class;
}

enum field_id {
    FIELD_OTHER,
#define F(id, name) FIELD_##id,
    FIELDS(F)
#undef F
        FIELD_IDS
};

/* How many of the first bytes are of that class. */
size_t field_run(const char *bytes, size_t len, enum byte_class);
/* As field_run() for BYTE_VALUE, eight bytes at a time. */
size_t field_value_run(const char *bytes, size_t len);
/* In any case of letters. The name is a token. */
enum field_id field_id(const char *name, size_t len);
