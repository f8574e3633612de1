#include "http/content.h"

#include "base/bytes.h"
#include "base/text.h"
#include "http/parts.h"
#include "http/range.h"

#include <errno.h>
#include <string.h>

static int send_piece(struct weir_exchange *x, const struct content *content, struct range range)
{
    const struct weir_span *whole = &content->whole;
    if (whole->kind == WEIR_SPAN_FILE)
        return weir_reply_file(x, whole->fd, whole->offset + range.first, range.len, whole->owner);
    return weir_reply_bytes(x, whole->bytes + range.first, (size_t)range.len, whole->owner);
}

static int set_lines(struct weir_exchange *x, const struct content *content, size_t len)
{
    return weir_reply_block(x, content->lines.at, len, content->whole.owner);
}

static int send_whole(struct weir_exchange *x, const struct content *content)
{
    int rc = set_lines(x, content, content->lines.len);
    return rc < 0 ? rc : send_piece(x, content, (struct range){0, content->whole.len});
}

static int send_not_modified(struct weir_exchange *x, const struct content *content)
{
    int rc = weir_reply_status(x, 304);
    if (rc == 0)
        rc = set_lines(x, content, content->lines_304);
    return rc < 0 ? rc : weir_reply_begin(x);
}

/* `range` NULL: none of it. */
static int set_content_range(struct weir_exchange *x, const struct range *range, uint64_t size)
{
    char value[80];
    struct text t;
    text_init(&t, value, sizeof(value));
    text_str(&t, "bytes ");
    if (range) {
        text_u64(&t, range->first);
        text_char(&t, '-');
        text_u64(&t, range->first + range->len - 1);
    } else {
        text_char(&t, '*');
    }
    text_char(&t, '/');
    text_u64(&t, size);
    return weir_reply_field(x, "Content-Range", text_end(&t));
}

static int send_beyond(struct weir_exchange *x, const struct content *content)
{
    int rc = set_content_range(x, NULL, content->whole.len);
    return rc < 0 ? rc : weir_reply_error(x, 416);
}

/* Who sent an If-Range has the other fields already (RFC 9110 section 15.3.7). */
static int send_part(struct weir_exchange *x, const struct content *content, struct range range)
{
    bool again = x->known[FIELD_IF_RANGE];
    int rc = set_lines(x, content, again ? content->lines_304 : content->lines.len);
    if (rc == 0)
        rc = set_content_range(x, &range, content->whole.len);
    return rc < 0 ? rc : send_piece(x, content, range);
}

/* The line of that name, with its end; empty: there is none. */
static struct weir_bytes find_line(struct weir_bytes lines, struct weir_bytes name)
{
    while (lines.len > 0) {
        const char *end = memchr(lines.at, '\n', lines.len);
        size_t len = end ? (size_t)(end - lines.at) + 1 : lines.len;
        if (len > name.len && bytes_same((struct weir_bytes){lines.at, name.len}, name))
            return (struct weir_bytes){lines.at, len};
        lines.at += len;
        lines.len -= len;
    }
    return (struct weir_bytes){0};
}

/* All lines but that one: each part has it. */
static int set_lines_without(struct weir_exchange *x, const struct content *content,
                             struct weir_bytes line)
{
    const struct weir_bytes *lines = &content->lines;
    if (x->known[FIELD_IF_RANGE] || line.len == 0)
        return set_lines(x, content, line.len == 0 ? lines->len : content->lines_304);
    size_t before = (size_t)(line.at - lines->at), behind = lines->len - before - line.len;
    char *memory = weir_exchange_alloc(x, before + behind);
    if (!memory)
        return -ENOMEM;
    memcpy(memory, lines->at, before);
    memcpy(memory + before, line.at + line.len, behind);
    return weir_reply_block(x, memory, before + behind, NULL);
}

static int send_parts(struct weir_exchange *x, const struct content *content,
                      const struct ranges *ranges)
{
    struct weir_bytes name = BYTES("Content-Type:");
    struct weir_bytes line = find_line(content->lines, name), type = {0};
    if (line.len > name.len + 2)
        type = bytes_trim((struct weir_bytes){line.at + name.len, line.len - name.len - 2});
    int rc = set_lines_without(x, content, line);
    if (rc < 0)
        return rc;
    x->body = content->whole;
    x->body.len = 0;
    x->body.owner = weir_hold(content->whole.owner);
    rc = parts_set(x, ranges, type, content->whole.len);
    return rc < 0 ? rc : weir_reply_begin(x);
}

static int send_ranges(struct weir_exchange *x, const struct content *content,
                       const struct ranges *ranges)
{
    int rc = weir_reply_status(x, 206);
    if (rc < 0)
        return rc;
    return ranges->count == 1 ? send_part(x, content, ranges->at[0])
                              : send_parts(x, content, ranges);
}

/* Several parts of coded content would look like several parts, coded. */
static bool may_be_in_parts(const struct content *content)
{
    return find_line(content->lines, BYTES("Content-Encoding:")).len == 0;
}

/* More than one Range field is no range (RFC 9110 section 14.2 knows one), and only GET has any. */
static enum range_kind wanted_ranges(struct weir_exchange *x, const struct content *content,
                                     struct ranges *out)
{
    struct weir_bytes value, more;
    unsigned at = 0;
    if (x->method != WEIR_METHOD_GET || !exchange_each(x, FIELD_RANGE, &at, &value) ||
        exchange_each(x, FIELD_RANGE, &at, &more) || !condition_if_range(x, &content->validators))
        return RANGE_WHOLE;
    enum range_kind kind = range_read(value, content->whole.len, out);
    return kind == RANGE_PARTS && out->count > 1 && !may_be_in_parts(content) ? RANGE_WHOLE : kind;
}

int content_reply(struct weir_exchange *x, const struct content *content)
{
    if (!condition_any(x))
        return send_whole(x, content);
    struct ranges ranges;
    switch (condition_check(x, &content->validators)) {
    case 304:
        return send_not_modified(x, content);
    case 412:
        return weir_reply_error(x, 412);
    default:
        break;
    }
    switch (wanted_ranges(x, content, &ranges)) {
    case RANGE_PARTS:
        return send_ranges(x, content, &ranges);
    case RANGE_BEYOND:
        return send_beyond(x, content);
    case RANGE_FLOOD:
        exchange_struck(x, "ranges");
        break;
    case RANGE_WHOLE:
        break;
    }
    return send_whole(x, content);
}
