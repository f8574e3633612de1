/* Heads of requests: field lines out of HPACK (RFC 7541) and into an exchange, as RFC 9113 section 8 wants them. */
#include "base/bytes.h"
#include "h2/h2.h"
#include "http/target.h"

#include <string.h>

/* A head is built as text in the memory of its exchange: what comes before the request line, the line, the fields. */
struct build {
    struct h2 *h;
    struct weir_exchange *x; /* NULL: all is thrown away */
    char *at;
    size_t len, size;
    size_t fields_len;
    struct head_max {
        uint32_t line, fields, count;
    } max;
    enum http_error error; /* the first one: the rest is read for the table's sake */
    bool malformed;        /* ... and the stream is to be reset */
    bool trailers, fields; /* fields: the pseudo-fields are over */
    bool authority_set;    /* for there is an empty one, too */
    struct slice method, scheme, authority, path, protocol;
    unsigned cookies;
    struct h2_early *priority;
};

static void malformed(struct build *b)
{
    b->malformed = true;
}

static void refuse(struct build *b, enum http_error error)
{
    if (!b->error)
        b->error = error;
}

/* Room for so many bytes more; larger memory is a copy in the arena. */
static bool room_for(struct build *b, size_t len)
{
    if (len <= b->size - b->len)
        return true;
    size_t size = b->size * 2;
    while (size < b->len + len)
        size *= 2;
    char *at = arena_take(&b->x->arena, size);
    if (!at)
        return false;
    memcpy(at, b->at, b->len);
    b->at = at;
    b->size = size;
    return true;
}

static struct slice add(struct build *b, const void *bytes, size_t len)
{
    struct slice s = {(uint16_t)b->len, (uint16_t)len};
    if (b->len + len > UINT16_MAX || !room_for(b, len)) {
        refuse(b, HTTP_FIELDS_TOO_LARGE);
        return (struct slice){0};
    }
    if (len > 0)
        memcpy(b->at + b->len, bytes, len);
    b->len += len;
    return s;
}

static void add_field(struct build *b, enum field_id id, struct slice name, struct slice value)
{
    struct weir_exchange *x = b->x;
    x->fields[x->field_count++] = (struct field){
        .value = value, .name = name.at, .name_len = (uint8_t)name.len, .id = (uint8_t)id};
    if (!x->known[id])
        x->known[id] = x->field_count;
}

static struct weir_bytes text_of(const struct build *b, struct slice s)
{
    return (struct weir_bytes){b->at + s.at, s.len};
}

/* The request line as HTTP/1.1 would have it: logs show it, and the target is cut out of it. */
static void add_line(struct build *b)
{
    struct weir_exchange *x = b->x;
    bool plain = b->path.len == 0; /* of CONNECT */
    struct slice target = plain ? b->authority : b->path;
    if (b->method.len + target.len + 11u > b->max.line)
        refuse(b, HTTP_LINE_TOO_LONG);
    if (b->error || !room_for(b, b->method.len + target.len + 10u))
        return;
    x->line.at = (uint16_t)b->len;
    add(b, b->at + b->method.at, b->method.len);
    add(b, " ", 1);
    x->target = add(b, b->at + target.at, target.len);
    add(b, " HTTP/2.0", 9);
    x->line.len = (uint16_t)(b->len - x->line.at);
    x->method = (uint8_t)method_of(text_of(b, b->method));
    x->protocol = b->protocol;
    if (b->authority.len == 0)
        return;
    x->host = b->authority; /* RFC 9113 section 8.3.1: Host, for those who look at fields */
    add_field(b, FIELD_HOST, add(b, "host", 4), b->authority);
}

/* RFC 9113 section 8.3.1, and RFC 8441 section 4 */
static void end_pseudo(struct build *b)
{
    bool connect = b->x && bytes_equal(text_of(b, b->method), BYTES("CONNECT"));
    bool plain = connect && b->protocol.len == 0;
    b->fields = true;
    if (!b->x || b->trailers || b->error || b->malformed)
        return;
    if (b->method.len == 0 || (b->protocol.len > 0 && !connect) ||
        (plain && (b->path.len > 0 || b->scheme.len > 0 || b->authority.len == 0)) ||
        (!plain && (b->path.len == 0 || b->scheme.len == 0)))
        malformed(b);
    else
        add_line(b);
}

/* Too long for a line, and so for what is kept of a head; it was told all the same. */
static void refuse_line(struct build *b, struct slice *to)
{
    refuse(b, HTTP_LINE_TOO_LONG);
    *to = (struct slice){0, 1};
}

static void set_pseudo(struct build *b, struct slice *to, struct weir_bytes value)
{
    if (to->len > 0 || value.len == 0)
        malformed(b); /* told twice, or for nothing */
    else if (b->x && value.len > b->max.line)
        refuse_line(b, to);
    else if (b->x)
        *to = add(b, value.at, value.len);
}

static void read_pseudo(struct build *b, struct weir_bytes name, struct weir_bytes value)
{
    if (b->fields || b->trailers) {
        malformed(b);
    } else if (bytes_equal(name, BYTES(":method"))) {
        set_pseudo(b, &b->method, value);
    } else if (bytes_equal(name, BYTES(":path"))) {
        set_pseudo(b, &b->path, value);
    } else if (bytes_equal(name, BYTES(":scheme"))) {
        set_pseudo(b, &b->scheme, value);
    } else if (bytes_equal(name, BYTES(":protocol"))) {
        set_pseudo(b, &b->protocol, value);
    } else if (bytes_equal(name, BYTES(":authority"))) {
        if (b->authority_set)
            malformed(b);
        else if (value.len > 0) /* an empty one says nothing */
            set_pseudo(b, &b->authority, value);
        b->authority_set = true;
    } else {
        malformed(b);
    }
}

/* Host beside :authority must be the same (RFC 9113 section 8.3.1), and is there already. */
static bool is_second_host(struct build *b, struct weir_bytes value)
{
    if (!b->x->known[FIELD_HOST])
        return false;
    if (!bytes_same(text_of(b, b->x->host), value))
        malformed(b);
    return true;
}

static void store_field(struct build *b, enum field_id id, struct weir_bytes name,
                        struct weir_bytes value)
{
    if (b->x->field_count >= b->max.count) {
        refuse(b, HTTP_FIELDS_TOO_MANY);
        return;
    }
    struct slice n = add(b, name.at, name.len), v = add(b, value.at, value.len);
    if (b->error)
        return;
    add_field(b, id, n, v);
    if (id == FIELD_HOST)
        b->x->host = v;
    b->cookies += bytes_equal(name, BYTES("cookie"));
    if (b->priority && bytes_equal(name, BYTES("priority")))
        h2_priority_read(value, b->priority);
}

static void read_field(struct build *b, struct weir_bytes name, struct weir_bytes value)
{
    if (!b->fields)
        end_pseudo(b);
    b->fields_len += name.len + value.len + 4; /* as HTTP/1.1 counts them */
    if (b->fields_len > b->max.fields || name.len > LIMIT_HTTP_FIELD_NAME)
        refuse(b, HTTP_FIELDS_TOO_LARGE);
    if (!b->x || b->trailers || b->error || b->malformed)
        return;
    enum field_id id = field_id(name.at, name.len);
    if (id != FIELD_HOST || !is_second_host(b, value))
        store_field(b, id, name, value);
}

static void read_line(void *arg, struct weir_bytes name, struct weir_bytes value, bool valid)
{
    if (!valid)
        malformed(arg);
    else if (name.len > 0 && name.at[0] == ':')
        read_pseudo(arg, name, value);
    else
        read_field(arg, name, value);
}

static int unpack(struct build *b, const struct h2_block *block)
{
    int error = h2_unpack(&b->h->unpacker, block, read_line, b);
    return error ? H2_HEAD_FATAL + error : 0;
}

/* Several cookie fields are one that was cut for the table's sake (RFC 9113 section 8.2.3). */
static void join_cookies(struct build *b)
{
    struct weir_exchange *x = b->x;
    size_t from = b->len;
    uint8_t kept = 0;
    struct slice name = {0};
    size_t total = 0;
    for (uint8_t i = 0; i < x->field_count; i++)
        total += x->fields[i].value.len + 2u;
    if (b->len + total > UINT16_MAX || !room_for(b, total)) {
        refuse(b, HTTP_FIELDS_TOO_LARGE);
        return;
    }
    for (uint8_t i = 0; i < x->field_count; i++) {
        struct field field = x->fields[i];
        struct slice its = {field.name, field.name_len};
        if (!bytes_equal(text_of(b, its), BYTES("cookie"))) {
            x->fields[kept++] = field;
            continue;
        }
        if (name.len > 0)
            add(b, "; ", 2);
        name = its;
        add(b, b->at + field.value.at, field.value.len);
    }
    x->field_count = kept;
    memset(x->known, 0, sizeof(x->known));
    for (uint8_t i = 0; i < kept; i++)
        if (!x->known[x->fields[i].id])
            x->known[x->fields[i].id] = (uint8_t)(i + 1);
    add_field(b, FIELD_OTHER, name, (struct slice){(uint16_t)from, (uint16_t)(b->len - from)});
}

/* What only the whole of it shows: target and host, as HTTP/1.1 reads them. */
static enum http_error read_whole(struct build *b)
{
    struct weir_exchange *x = b->x;
    struct weir_bytes target = exchange_slice(x, x->target);
    struct weir_bytes scheme = text_of(b, b->scheme);
    if (x->method == WEIR_METHOD_OTHER)
        return HTTP_UNKNOWN_METHOD;
    if (field_run(target.at, target.len, BYTE_TARGET) < target.len)
        return HTTP_TARGET;
    if (x->protocol.len > 0)
        x->method =
            WEIR_METHOD_OPTIONS; /* its target is a path, as theirs: for the line below alone */
    bool split = (x->method == WEIR_METHOD_CONNECT || target.at[0] == '/' || target.at[0] == '*') &&
                 target_split(x);
    if (x->protocol.len > 0)
        x->method = WEIR_METHOD_CONNECT;
    if (!split)
        return HTTP_TARGET;
    if (x->method != WEIR_METHOD_CONNECT || x->protocol.len > 0) {
        if (!bytes_same(scheme, BYTES("http")) && !bytes_same(scheme, BYTES("https")))
            return HTTP_MISDIRECTED;
        if (!host_valid(exchange_slice(x, x->host)))
            return HTTP_HOST;
    }
    return HTTP_OK;
}

/* RFC 9113 section 8.1.1 */
static enum http_error read_length(struct build *b, bool ends)
{
    struct weir_exchange *x = b->x;
    struct weir_bytes value, more;
    unsigned at = 0;
    x->length = ends ? 0 : WEIR_LENGTH_UNKNOWN;
    if (!exchange_each(x, FIELD_CONTENT_LENGTH, &at, &value))
        return HTTP_OK;
    uint64_t length;
    if (bytes_u64(value, &length) < 0 || length == WEIR_LENGTH_UNKNOWN ||
        exchange_each(x, FIELD_CONTENT_LENGTH, &at, &more))
        return HTTP_LENGTH;
    if (ends && length > 0)
        malformed(b);
    x->length = length;
    return length > http_body_max(x->http) ? HTTP_CONTENT_TOO_LARGE : HTTP_OK;
}

static enum http_error finish(struct build *b, bool ends)
{
    if (!b->error && b->cookies > 1)
        join_cookies(b);
    exchange_head_made(b->x, b->at, b->len);
    enum http_error error = b->error;
    if (!error)
        error = read_whole(b);
    if (!error)
        error = read_length(b, ends);
    if (!error)
        error = exchange_read_expect(b->x);
    return error;
}

int h2_head_read(struct h2 *h, struct weir_exchange *x, const struct h2_block *block, bool ends,
                 struct h2_early *priority)
{
    const struct weir_http *http = x->http;
    struct build b = {
        .h = h,
        .x = x,
        .at = x->tail,
        .size = EXCHANGE_TAIL,
        .priority = priority,
        .max = {http_bounded(http->line_max, LIMIT_HTTP_LINE_BYTES, LIMIT_HTTP_LINE_MOST),
                http_bounded(http->fields_max, LIMIT_HTTP_FIELDS_BYTES, LIMIT_HTTP_FIELDS_MOST),
                http_bounded(http->field_count_max, LIMIT_HTTP_FIELDS, LIMIT_HTTP_FIELDS)}};
    if (h2_again(h, x, block, ends, priority))
        return HTTP_OK;
    x->h2 = true;
    x->minor = 1;
    x->line = (struct slice){0};
    int error = unpack(&b, block);
    if (error)
        return error;
    if (!b.fields)
        end_pseudo(&b);
    error = (int)finish(&b, ends);
    if (!b.malformed && error == HTTP_OK)
        h2_again_note(h, x, b.len, block, ends, priority);
    return b.malformed ? -WIRE_PROTOCOL_ERROR : error;
}

int h2_head_skip(struct h2 *h, const struct h2_block *block)
{
    struct build b = {
        .h = h, .trailers = true, .max = {UINT32_MAX, LIMIT_HTTP_FIELDS_MOST, UINT32_MAX}};
    int error = unpack(&b, block);
    if (error)
        return error;
    return b.malformed || b.error ? -WIRE_PROTOCOL_ERROR : 0;
}

/* A dictionary (RFC 8941 section 3.2): only "u" and "i" mean something, and only with values they can have. */
void h2_priority_read(struct weir_bytes value, struct h2_early *out)
{
    struct weir_bytes member;
    while (bytes_next(&value, &member)) {
        const char *semicolon = memchr(member.at, ';', member.len);
        if (semicolon)
            member.len = (size_t)(semicolon - member.at);
        if (member.len == 3 && memcmp(member.at, "u=", 2) == 0 && member.at[2] >= '0' &&
            member.at[2] < '0' + H2_URGENCIES)
            out->urgency = (uint8_t)(member.at[2] - '0');
        else if (bytes_equal(member, BYTES("i")) || bytes_equal(member, BYTES("i=?1")))
            out->incremental = true;
        else if (bytes_equal(member, BYTES("i=?0")))
            out->incremental = false;
    }
}
