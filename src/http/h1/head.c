#include "http/h1/head.h"

#include "base/bytes.h"
#include "http/carry.h"
#include "http/target.h"

#include <string.h>

struct head_limits head_limits(const struct weir_http *http)
{
    return (struct head_limits){
        .line = http_bounded(http->line_max, LIMIT_HTTP_LINE_BYTES, LIMIT_HTTP_LINE_MOST),
        .fields = http_bounded(http->fields_max, LIMIT_HTTP_FIELDS_BYTES, LIMIT_HTTP_FIELDS_MOST)};
}

/* Of so many bytes, the end of the line under way perhaps among them. */
static enum http_error over_limit(const struct head_scan *scan, size_t len,
                                  const struct head_limits *max)
{
    if (scan->first)
        return len - scan->first > max->fields ? HTTP_FIELDS_TOO_LARGE : HTTP_OK;
    return len > max->line ? HTTP_LINE_TOO_LONG : HTTP_OK;
}

enum http_error head_find(struct head_scan *scan, const char *bytes, size_t len,
                          const struct head_limits *max, size_t *out_len)
{
    *out_len = 0;
    if (len > 0 && !byte_is(bytes[0], BYTE_TOKEN))
        return HTTP_REQUEST_LINE; /* TLS or noise: no need to wait for a line's end */
    while (scan->at < len) {
        const char *end = memchr(bytes + scan->at, '\n', len - scan->at);
        if (!end) {
            scan->at = (uint16_t)len; /* cut only where it is over the limit */
            break;
        }
        size_t at = (size_t)(end - bytes);
        enum http_error error = over_limit(scan, at + 1, max);
        if (error)
            return error;
        if (at == scan->line || bytes[at - 1] != '\r')
            return HTTP_LINE_END;
        bool empty = at - scan->line == 1;
        scan->at = scan->line = (uint16_t)(at + 1);
        if (!scan->first)
            scan->first = scan->at;
        if (empty) {
            *out_len = scan->at;
            return HTTP_OK;
        }
    }
    return over_limit(scan, len, max);
}

/* "HTTP/1.1" and nothing else behind the target. */
static enum http_error read_version(struct weir_exchange *x, const char *at, size_t len)
{
    if (len != 8 || memcmp(at, "HTTP/", 5) != 0 || at[6] != '.' || at[5] < '0' || at[5] > '9' ||
        at[7] < '0' || at[7] > '9')
        return HTTP_REQUEST_LINE;
    if (at[5] != '1')
        return HTTP_VERSION;
    x->minor =
        at[7] == '0' ? 0 : 1; /* RFC 9110 section 2.5: a higher minor version is read as ours */
    return HTTP_OK;
}

static enum http_error read_request_line(struct weir_exchange *x, const char *line, size_t len)
{
    size_t method = field_run(line, len, BYTE_TOKEN);
    if (method == 0 || method == len || line[method] != ' ')
        return HTTP_REQUEST_LINE;
    size_t at = method + 1;
    size_t target = field_run(line + at, len - at, BYTE_TARGET);
    if (target == 0 || at + target == len)
        return HTTP_REQUEST_LINE;
    if (line[at + target] != ' ')
        return HTTP_TARGET;
    x->method = (uint8_t)method_of((struct weir_bytes){line, method});
    x->target = (struct slice){(uint16_t)at, (uint16_t)target};
    at += target + 1;
    enum http_error error = read_version(x, line + at, len - at);
    if (error)
        return error;
    if (x->method == WEIR_METHOD_OTHER)
        return HTTP_UNKNOWN_METHOD;
    return target_split(x) ? HTTP_OK : HTTP_TARGET;
}

/* The line that begins at `at`, of a head of `len` bytes. Its end is not looked for: a CR is in no name and no value, and the
 * head ends with one. */
static enum http_error read_field(struct weir_exchange *x, size_t at, size_t len,
                                  unsigned count_max, size_t *out_next)
{
    const char *head = x->head;
    size_t name = 0;
    while (byte_is(head[at + name], BYTE_TOKEN))
        name++;
    if (name == 0)
        return head[at] == ' ' || head[at] == '\t' ? HTTP_FOLDED : HTTP_FIELD_NAME;
    if (head[at + name] != ':')
        return HTTP_FIELD_NAME; /* also white space before the colon (RFC 9112 section 5.1) */
    if (name > LIMIT_HTTP_FIELD_NAME)
        return HTTP_FIELDS_TOO_LARGE;
    if (x->field_count == count_max)
        return HTTP_FIELDS_TOO_MANY;
    size_t from = at + name + 1, to = from + field_value_run(head + from, len - from);
    if (head[to] != '\r' || head[to + 1] != '\n')
        return HTTP_FIELD_VALUE;
    *out_next = to + 2;
    while (from < to && (head[from] == ' ' || head[from] == '\t'))
        from++;
    while (from < to && (head[to - 1] == ' ' || head[to - 1] == '\t'))
        to--;
    enum field_id id = field_id(head + at, name);
    struct field *field = &x->fields[x->field_count++];
    *field = (struct field){.value = {(uint16_t)from, (uint16_t)(to - from)},
                            .name = (uint16_t)at,
                            .name_len = (uint8_t)name,
                            .id = (uint8_t)id};
    if (!x->known[id])
        x->known[id] = x->field_count;
    return HTTP_OK;
}

/* RFC 9112 section 3.2: one Host, valid, and always there since HTTP/1.1; an absolute target goes before it. */
static enum http_error read_host(struct weir_exchange *x)
{
    struct weir_bytes value;
    unsigned at = 0;
    if (!exchange_each(x, FIELD_HOST, &at, &value))
        return x->minor == 0 ? HTTP_OK : HTTP_HOST;
    if (!host_valid(value))
        return HTTP_HOST;
    if (x->host.len == 0)
        x->host = x->fields[x->known[FIELD_HOST] - 1].value;
    return exchange_each(x, FIELD_HOST, &at, &value) ? HTTP_HOST : HTTP_OK;
}

enum http_error head_read(struct weir_exchange *x, const char *bytes, size_t len)
{
    x->head = bytes;
    const char *line_end = memchr(bytes, '\n', len);
    x->line.len = (uint16_t)(line_end - bytes - 1);
    enum http_error error = read_request_line(x, bytes, x->line.len);
    size_t at = x->line.len + 2u;
    unsigned count_max =
        http_bounded(x->http->field_count_max, LIMIT_HTTP_FIELDS, LIMIT_HTTP_FIELDS);
    while (!error && at + 2 < len)
        error = read_field(x, at, len, count_max, &at);
    return error ? error : read_host(x);
}
