/* What a handler says of its answer. Nothing is sent here: the machine that carries the exchange looks at it. */
#include "base/bytes.h"
#include "http/exchange.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

int weir_reply_status(struct weir_exchange *x, unsigned status)
{
    if (x->begun)
        return -EALREADY;
    if (status < 200 || status > 599)
        return -EINVAL;
    x->status = (uint16_t)status;
    return 0;
}

/* Fields that the machine writes itself: two of them would let a reader disagree about where the message ends. */
static bool is_ours(struct weir_bytes name)
{
    enum field_id id = field_id(name.at, name.len);
    return id == FIELD_CONTENT_LENGTH || id == FIELD_TRANSFER_ENCODING || id == FIELD_CONNECTION ||
           bytes_same(name, BYTES("date")) || bytes_same(name, BYTES("keep-alive"));
}

static char *room_for(struct weir_exchange *x, struct lines *lines, size_t len)
{
    if (len > lines->size - lines->len) {
        size_t size = lines->size ? lines->size : 256;
        while (size < lines->len + len)
            size *= 2;
        if (size > LIMIT_HTTP_REPLY_FIELDS)
            return NULL;
        char *at = weir_exchange_alloc(x, size);
        if (!at)
            return NULL;
        if (lines->len > 0)
            memcpy(at, lines->at, lines->len);
        lines->at = at;
        lines->size = (uint32_t)size;
    }
    return lines->at + lines->len;
}

int reply_line(struct weir_exchange *x, struct lines *lines, struct weir_bytes name,
               struct weir_bytes value)
{
    char *at = room_for(x, lines, name.len + value.len + 4);
    if (!at)
        return -ENOBUFS;
    memcpy(at, name.at, name.len);
    memcpy(at + name.len, ": ", 2);
    memcpy(at + name.len + 2, value.at, value.len);
    memcpy(at + name.len + 2 + value.len, "\r\n", 2);
    lines->len += (uint32_t)(name.len + value.len + 4);
    return 0;
}

int reply_field_check(struct weir_bytes name, struct weir_bytes value)
{
    if (name.len == 0 || field_run(name.at, name.len, BYTE_TOKEN) < name.len ||
        field_value_run(value.at, value.len) < value.len || is_ours(name))
        return -EINVAL;
    return name.len > LIMIT_HTTP_REPLY_NAME || name.len + value.len > LIMIT_HTTP_REPLY_FIELDS
               ? -ENOBUFS
               : 0;
}

static struct weir_bytes next_line(struct weir_bytes *lines)
{
    const char *end = memchr(lines->at, '\n', lines->len);
    struct weir_bytes line = {lines->at, end ? (size_t)(end - lines->at) + 1 : lines->len};
    lines->at += line.len;
    lines->len -= line.len;
    return line;
}

static struct weir_bytes name_of(struct weir_bytes line)
{
    const char *colon = memchr(line.at, ':', line.len);
    return (struct weir_bytes){line.at, colon ? (size_t)(colon - line.at) : 0};
}

void reply_field_drop(struct weir_exchange *x, struct weir_bytes name)
{
    struct weir_bytes rest = {x->lines.at, x->lines.len};
    x->lines.len = 0;
    while (rest.len > 0) {
        struct weir_bytes line = next_line(&rest);
        if (bytes_same(name_of(line), name))
            continue;
        memmove(x->lines.at + x->lines.len, line.at, line.len);
        x->lines.len += (uint32_t)line.len;
    }
}

/* Fields that may be said more than once, by whoever has something to add. */
static bool adds_up(struct weir_bytes name)
{
    return bytes_same(name, BYTES("vary")) || bytes_same(name, BYTES("set-cookie")) ||
           bytes_same(name, BYTES("link"));
}

void reply_fields_yield(struct weir_exchange *x, struct weir_bytes lines)
{
    while (lines.len > 0 && x->lines.len > 0) {
        struct weir_bytes name = name_of(next_line(&lines));
        if (!adds_up(name))
            reply_field_drop(x, name);
    }
}

int weir_reply_field(struct weir_exchange *x, const char *name, const char *value)
{
    struct weir_bytes n = bytes_str(name), v = bytes_str(value);
    if (x->begun)
        return -EALREADY;
    int rc = reply_field_check(n, v);
    return rc < 0 ? rc : reply_line(x, &x->lines, n, v);
}

/* Framing, routing, controls, authentication, and what says how to read the content come before it (RFC 9110 section 6.5.1). */
static bool is_early(struct weir_bytes name)
{
#define NAME(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }
    static const struct weir_bytes names[] = {NAME("accept-ranges"),
                                              NAME("age"),
                                              NAME("authorization"),
                                              NAME("cache-control"),
                                              NAME("content-encoding"),
                                              NAME("content-range"),
                                              NAME("content-type"),
                                              NAME("expires"),
                                              NAME("host"),
                                              NAME("location"),
                                              NAME("proxy-authenticate"),
                                              NAME("proxy-authorization"),
                                              NAME("retry-after"),
                                              NAME("set-cookie"),
                                              NAME("te"),
                                              NAME("trailer"),
                                              NAME("upgrade"),
                                              NAME("vary"),
                                              NAME("www-authenticate")};
#undef NAME
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (name.len == names[i].len && bytes_same(name, names[i]))
            return true;
    return false;
}

int weir_reply_trailer(struct weir_exchange *x, const char *name, const char *value)
{
    struct weir_bytes n = bytes_str(name), v = bytes_str(value);
    if (x->body_sent)
        return -EALREADY;
    int rc = is_early(n) ? -EINVAL : reply_field_check(n, v);
    return rc < 0 ? rc : reply_line(x, &x->trailers, n, v);
}

int weir_reply_block(struct weir_exchange *x, const char *lines, size_t len, struct weir_ref *owner)
{
    if (x->begun || x->block)
        return -EALREADY;
    if (len > LIMIT_HTTP_REPLY_FIELDS)
        return -ENOBUFS;
    x->block = lines;
    x->block_len = len;
    x->block_owner = weir_hold(owner);
    return 0;
}

int weir_reply_length(struct weir_exchange *x, uint64_t len)
{
    if (x->begun)
        return -EALREADY;
    x->reply_len = len;
    return 0;
}

/* A success would make a tunnel of the connection (RFC 9110 section 9.3.6): there are none here, but for the extended CONNECT. */
static int may_begin(const struct weir_exchange *x)
{
    if (x->begun)
        return -EALREADY;
    bool tunnel = x->method == WEIR_METHOD_CONNECT && x->status < 300 && x->protocol.len == 0;
    return tunnel ? -EOPNOTSUPP : 0;
}

int weir_reply_begin(struct weir_exchange *x)
{
    int rc = may_begin(x);
    if (rc < 0)
        return rc;
    x->begun = true;
    exchange_reached(x, TIME_OPEN);
    exchange_changed(x);
    return 0;
}

int weir_reply_bytes(struct weir_exchange *x, const void *bytes, size_t len, struct weir_ref *owner)
{
    int rc = may_begin(x);
    if (rc < 0)
        return rc;
    x->body = (struct weir_span){
        .kind = WEIR_SPAN_BYTES, .len = len, .bytes = bytes, .owner = weir_hold(owner)};
    x->reply_len = len;
    return weir_reply_begin(x);
}

int weir_reply_file(struct weir_exchange *x, int fd, uint64_t offset, uint64_t len,
                    struct weir_ref *owner)
{
    int rc = may_begin(x);
    if (rc < 0)
        return rc;
    if (len > SSIZE_MAX)
        return -EINVAL;
    x->body = (struct weir_span){
        .kind = WEIR_SPAN_FILE, .fd = fd, .len = len, .offset = offset, .owner = weir_hold(owner)};
    x->reply_len = len;
    return weir_reply_begin(x);
}

int weir_reply_redirect(struct weir_exchange *x, unsigned status, const char *location)
{
    int rc = weir_reply_field(x, "Location", location);
    return rc < 0 ? rc : weir_reply_error(x, status);
}
