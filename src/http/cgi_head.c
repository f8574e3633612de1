#include "http/cgi_head.h"

#include "base/bytes.h"
#include "base/text.h"
#include "http/fields.h"
#include "tbl/limits.h"

#include <errno.h>

/* What becomes of a field. */
enum fate { TO_CLIENT, NOWHERE, STATUS, LOCATION, LENGTH, TYPE, REFUSED };

/* Hop by hop (RFC 9110 section 7.6.1), or ours. With a transfer coding the content would not be what its length says. */
static const struct {
    const char *name;
    enum fate fate;
} fates[] = {
    {"status", STATUS},
    {"location", LOCATION},
    {"content-length", LENGTH},
    {"content-type", TYPE},
    {"transfer-encoding", REFUSED},
    {"connection", NOWHERE},
    {"keep-alive", NOWHERE},
    {"proxy-connection", NOWHERE},
    {"proxy-authenticate", NOWHERE},
    {"te", NOWHERE},
    {"trailer", NOWHERE},
    {"upgrade", NOWHERE},
    {"date", NOWHERE},
    {"server", NOWHERE},
};
#define FATES (sizeof(fates) / sizeof(fates[0]))

struct line {
    struct weir_bytes name, value;
};

size_t cgi_head_find(size_t *scanned, const char *bytes, size_t len)
{
    while (*scanned < len) {
        const char *end = memchr(bytes + *scanned, '\n', len - *scanned);
        if (!end) {
            *scanned = len;
            return 0;
        }
        size_t at = (size_t)(end - bytes);
        bool empty = at == 0 || bytes[at - 1] == '\n' ||
                     (bytes[at - 1] == '\r' && (at == 1 || bytes[at - 2] == '\n'));
        *scanned = at + 1;
        if (empty)
            return at + 1;
    }
    return 0;
}

/* The next line without its end; false: the empty one, or no more. */
static bool next_line(const char *bytes, size_t len, size_t *at, struct weir_bytes *out)
{
    const char *end = *at < len ? memchr(bytes + *at, '\n', len - *at) : NULL;
    if (!end)
        return false;
    *out = (struct weir_bytes){bytes + *at, (size_t)(end - bytes) - *at};
    *at += out->len + 1;
    if (out->len > 0 && out->at[out->len - 1] == '\r')
        out->len--;
    return out->len > 0;
}

static bool split_line(struct weir_bytes line, struct line *out)
{
    size_t name = field_run(line.at, line.len, BYTE_TOKEN);
    if (name == 0 || name == line.len || line.at[name] != ':' || name > LIMIT_HTTP_FIELD_NAME)
        return false;
    out->name = (struct weir_bytes){line.at, name};
    out->value = bytes_trim((struct weir_bytes){line.at + name + 1, line.len - name - 1});
    return field_value_run(out->value.at, out->value.len) == out->value.len;
}

static enum fate fate_of(struct weir_bytes name)
{
    for (size_t i = 0; i < FATES; i++)
        if (bytes_same(name, bytes_str(fates[i].name)))
            return fates[i].fate;
    return TO_CLIENT;
}

/* Three digits, and perhaps a phrase, which nobody needs. */
static int read_status(struct weir_bytes value, uint16_t *out)
{
    uint64_t status;
    if (value.len < 3 || (value.len > 3 && value.at[3] != ' ') ||
        bytes_u64((struct weir_bytes){value.at, 3}, &status) < 0 || status < 200 || status > 599)
        return -EPROTO;
    *out = (uint16_t)status;
    return 0;
}

static int read_length(struct weir_bytes value, uint64_t *out)
{
    return bytes_u64(value, out) < 0 || *out > LIMIT_HTTP_RESPONSE_BYTES ? -EPROTO : 0;
}

static int take_line(struct cgi_head *head, const struct line *line, unsigned *seen)
{
    enum fate fate = fate_of(line->name);
    if (fate >= STATUS) { /* each of these once */
        if (*seen & 1u << fate)
            return -EPROTO;
        *seen |= 1u << fate;
    }
    switch (fate) {
    case STATUS:
        return read_status(line->value, &head->status);
    case LENGTH:
        return read_length(line->value, &head->length);
    case LOCATION:
        head->location = line->value;
        return line->value.len > 0 ? 0 : -EPROTO;
    case REFUSED:
        return -EPROTO;
    default:
        return 0;
    }
}

/* RFC 3875 section 6.2.2. Two slashes name another host; a fragment is for the client to keep. */
static bool is_local(const struct cgi_head *head)
{
    struct weir_bytes l = head->location;
    return head->status == 0 && l.len > 0 && l.at[0] == '/' && (l.len == 1 || l.at[1] != '/') &&
           field_run(l.at, l.len, BYTE_TARGET) == l.len;
}

int cgi_head_read(const char *bytes, size_t len, struct cgi_head *out)
{
    struct cgi_head head = {.length = UINT64_MAX};
    struct weir_bytes bare;
    struct line line;
    unsigned seen = 0, count = 0;
    for (size_t at = 0; next_line(bytes, len, &at, &bare);) {
        if (++count > LIMIT_HTTP_FIELDS || !split_line(bare, &line) ||
            take_line(&head, &line, &seen) < 0)
            return -EPROTO;
        head.lines_max += line.name.len + line.value.len + 4;
    }
    /* RFC 3875 section 6.2: one of these is what makes it an answer. */
    if (!(seen & (1u << STATUS | 1u << LOCATION | 1u << TYPE)))
        return -EPROTO;
    head.local = is_local(&head);
    *out = head;
    return 0;
}

void cgi_head_lines(const char *bytes, size_t len, struct text *out)
{
    struct weir_bytes bare;
    struct line line;
    for (size_t at = 0; next_line(bytes, len, &at, &bare);) {
        if (!split_line(bare, &line))
            return;
        enum fate fate = fate_of(line.name);
        if (fate != TO_CLIENT && fate != LOCATION && fate != TYPE)
            continue;
        text_add(out, line.name.at, line.name.len);
        text_str(out, ": ");
        text_add(out, line.value.at, line.value.len);
        text_str(out, "\r\n");
    }
}

int cgi_head_status(const char *bytes, size_t len)
{
    static const char shape[] = "HTTP/1.? ";
    for (size_t i = 0; i < len && i < sizeof(shape) - 1; i++)
        if (shape[i] == '?' ? bytes[i] < '0' || bytes[i] > '9' : bytes[i] != shape[i])
            return -EPROTO;
    const char *end = len > 0 ? memchr(bytes, '\n', len) : NULL;
    if (!end)
        return len < LIMIT_HTTP_LINE_BYTES ? 0 : -EPROTO;
    size_t line = (size_t)(end - bytes);
    line -= line > 0 && bytes[line - 1] == '\r';
    if (line < sizeof(shape) - 1)
        return -EPROTO;
    uint16_t status;
    struct weir_bytes rest = {bytes + sizeof(shape) - 1, line - (sizeof(shape) - 1)};
    if (field_value_run(rest.at, rest.len) < rest.len || read_status(rest, &status) < 0)
        return -EPROTO;
    return status;
}
