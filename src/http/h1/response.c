#include "http/h1/response.h"

#include "base/bytes.h"
#include "http/fields.h"
#include "tbl/limits.h"

#include <errno.h>

/* What the fields say of framing, before the rules are applied. */
struct framing {
    bool has_length, chunked, coded; /* coded: there is a Transfer-Encoding */
    bool close, keep;
    unsigned fields;
};

/* "HTTP/1.1 200 OK", the phrase may be missing (RFC 9112 section 4). */
static int read_status_line(struct response *r, const char *at, size_t len)
{
    if (len < 12 || memcmp(at, "HTTP/1.", 7) != 0 || at[8] != ' ')
        return -EPROTO;
    if (at[7] < '0' || at[7] > '9')
        return -EPROTO;
    r->minor = at[7] == '0' ? 0 : 1;
    unsigned status = 0;
    for (unsigned i = 9; i < 12; i++) {
        if (at[i] < '0' || at[i] > '9')
            return -EPROTO;
        status = status * 10 + (unsigned)(at[i] - '0');
    }
    if (status < 100 || status > 599 || (len > 12 && at[12] != ' '))
        return -EPROTO;
    r->status = (uint16_t)status;
    return field_value_run(at + 12, len - 12) == len - 12 ? 0 : -EPROTO;
}

static int take_length(struct response *r, struct framing *f, struct weir_bytes value)
{
    uint64_t length;
    if (bytes_u64(value, &length) < 0 || length > LIMIT_HTTP_RESPONSE_BYTES)
        return -EPROTO;
    if (f->has_length && length != r->length)
        return -EPROTO;
    f->has_length = true;
    r->length = length;
    return 0;
}

/* Chunked alone, or as the last of several; nothing may come behind it (RFC 9112 section 6.1). */
static int take_coding(struct framing *f, struct weir_bytes value)
{
    struct weir_bytes coding;
    f->coded = true;
    while (bytes_next(&value, &coding)) {
        if (f->chunked)
            return -EPROTO;
        f->chunked = bytes_same(coding, BYTES("chunked"));
    }
    return 0;
}

static void take_connection(struct framing *f, struct weir_bytes value)
{
    struct weir_bytes option;
    while (bytes_next(&value, &option)) {
        f->close |= bytes_same(option, BYTES("close"));
        f->keep |= bytes_same(option, BYTES("keep-alive"));
    }
}

/* One line without its end. */
static int read_field(struct response *r, struct framing *f, const char *at, size_t len)
{
    size_t name = field_run(at, len, BYTE_TOKEN);
    if (name == 0 || name == len || at[name] != ':' || name > LIMIT_HTTP_FIELD_NAME ||
        ++f->fields > LIMIT_HTTP_FIELDS)
        return -EPROTO;
    struct weir_bytes value = {at + name + 1, len - name - 1};
    if (field_value_run(value.at, value.len) < value.len)
        return -EPROTO;
    switch (field_id(at, name)) {
    case FIELD_CONTENT_LENGTH:
        return take_length(r, f, bytes_trim(value));
    case FIELD_TRANSFER_ENCODING:
        return take_coding(f, value);
    case FIELD_CONNECTION:
        take_connection(f, value);
        return 0;
    default:
        return 0;
    }
}

/* RFC 9112 section 6.3, in its order. */
static int decide(struct response *r, const struct framing *f, bool head_only)
{
    r->close = f->close || (r->minor == 0 && !f->keep);
    if (head_only || r->status < 200 || r->status == 204 || r->status == 304) {
        r->end = RESPONSE_EMPTY;
        return 0;
    }
    if (f->coded && (f->has_length || r->minor == 0))
        return -EPROTO;
    if (f->chunked) {
        r->end = RESPONSE_CHUNKED;
    } else if (f->has_length && !f->coded) {
        r->end = r->length > 0 ? RESPONSE_LENGTH : RESPONSE_EMPTY;
    } else {
        r->end = RESPONSE_CLOSE;
        r->close = true;
    }
    return 0;
}

int response_read(struct response *r, const char *bytes, size_t len, bool head_only)
{
    struct framing framing = {0};
    *r = (struct response){0};
    const char *line_end = memchr(bytes, '\n', len);
    int rc = read_status_line(r, bytes, (size_t)(line_end - bytes) - 1);
    size_t at = (size_t)(line_end - bytes) + 1;
    while (rc == 0 && at + 2 < len) {
        const char *end = memchr(bytes + at, '\n', len - at);
        rc = read_field(r, &framing, bytes + at, (size_t)(end - bytes) - 1 - at);
        at = (size_t)(end - bytes) + 1;
    }
    return rc < 0 ? rc : decide(r, &framing, head_only);
}
