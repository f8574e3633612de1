#include "http/parts.h"

#include "base/bytes.h"
#include "base/text.h"
#include "tbl/limits_files.h"

#include <errno.h>

#define BOUNDARY_LEN 24
/* Around a part's type: two line ends, the boundary, Content-Type, Content-Range with three numbers, the empty line. */
#define HEAD_MAX (6 + BOUNDARY_LEN + 16 + 21 + 3 * 20 + 2 + 4)

_Static_assert(HEAD_MAX + LIMIT_MIME_TYPE_BYTES <= WEIR_GIVE_WHOLE, "heads are given whole");

struct part {
    struct weir_bytes head;
    struct range range;
};

struct parts {
    unsigned count, next;
    uint64_t given; /* of the part under way; its head went out when `headed` */
    bool headed;
    struct weir_bytes end; /* the last boundary */
    struct part at[];
};

/* It must not be in the content: nobody can know it beforehand. */
static int make_boundary(struct weir_exchange *x, char boundary[BOUNDARY_LEN])
{
    uint8_t dice[BOUNDARY_LEN];
    struct weir_driver *driver = x->driver;
    int rc = driver->ops->random ? driver->ops->random(driver, dice, sizeof(dice)) : -EIO;
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < BOUNDARY_LEN; i++)
        boundary[i] = "0123456789abcdefghijklmnopqrstuv"[dice[i] & 31];
    return 0;
}

/* From `at` to where the builder is now. */
static struct weir_bytes since(const struct text *t, size_t at)
{
    return (struct weir_bytes){t->at + at, t->len - at};
}

static void write_head(struct text *t, const char *boundary, struct weir_bytes type,
                       struct range range, uint64_t size)
{
    text_str(t, "\r\n--");
    text_add(t, boundary, BOUNDARY_LEN);
    if (type.len > 0) {
        text_str(t, "\r\nContent-Type: ");
        text_add(t, type.at, type.len);
    }
    text_str(t, "\r\nContent-Range: bytes ");
    text_u64(t, range.first);
    text_char(t, '-');
    text_u64(t, range.first + range.len - 1);
    text_char(t, '/');
    text_u64(t, size);
    text_str(t, "\r\n\r\n");
}

/* All heads, one behind the other; the sum of all lengths. */
static uint64_t write_all(struct parts *parts, struct text *t, const char *boundary,
                          struct weir_bytes type, uint64_t size)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < parts->count; i++) {
        struct part *part = &parts->at[i];
        size_t from = t->len;
        write_head(t, boundary, type, part->range, size);
        part->head = since(t, from);
        total += part->head.len + part->range.len;
    }
    size_t from = t->len;
    text_str(t, "\r\n--");
    text_add(t, boundary, BOUNDARY_LEN);
    text_str(t, "--\r\n");
    parts->end = since(t, from);
    return total + parts->end.len;
}

static int set_type(struct weir_exchange *x, const char *boundary)
{
    char value[64];
    struct text t;
    text_init(&t, value, sizeof(value));
    text_str(&t, "multipart/byteranges; boundary=");
    text_add(&t, boundary, BOUNDARY_LEN);
    return weir_reply_field(x, "Content-Type", text_end(&t));
}

int parts_set(struct weir_exchange *x, const struct ranges *ranges, struct weir_bytes type,
              uint64_t size)
{
    char boundary[BOUNDARY_LEN];
    struct parts *parts =
        weir_exchange_alloc(x, sizeof(*parts) + ranges->count * sizeof(struct part));
    size_t room = (ranges->count + 1) * (HEAD_MAX + type.len);
    char *memory = weir_exchange_alloc(x, room);
    if (!parts || !memory)
        return -ENOMEM;
    int rc = make_boundary(x, boundary);
    if (rc < 0)
        return rc;
    *parts = (struct parts){.count = ranges->count};
    for (unsigned i = 0; i < ranges->count; i++)
        parts->at[i] = (struct part){.range = ranges->at[i]};
    struct text t;
    text_init(&t, memory, room);
    uint64_t total = write_all(parts, &t, boundary, type, size);
    rc = set_type(x, boundary);
    if (rc == 0)
        rc = weir_reply_length(x, total);
    if (rc == 0)
        x->parts = parts;
    return rc;
}

/* Bytes of the content by reference; large ones in steps, so that the queue stays bounded. */
static size_t give_content(struct weir_exchange *x, struct weir_out *out, struct range range,
                           size_t room)
{
    size_t n = range.len < room ? (size_t)range.len : room;
    if (x->body.kind == WEIR_SPAN_FILE)
        weir_out_file(out, x->body.fd, x->body.offset + range.first, n, x->body.owner);
    else
        weir_out_bytes(out, x->body.bytes + range.first, n, x->body.owner);
    return n;
}

int parts_give(struct weir_exchange *x, struct weir_out *out, size_t room)
{
    struct parts *parts = x->parts;
    if (parts->next == parts->count) {
        if (parts->end.len > room)
            return WEIR_FLOW_WAIT;
        weir_out_copy(out, parts->end.at, parts->end.len);
        return WEIR_FLOW_END;
    }
    const struct part *part = &parts->at[parts->next];
    if (!parts->headed) {
        if (part->head.len > room)
            return WEIR_FLOW_WAIT;
        weir_out_copy(out, part->head.at, part->head.len);
        parts->headed = true;
        return WEIR_FLOW_MORE;
    }
    struct range rest = {part->range.first + parts->given, part->range.len - parts->given};
    parts->given += give_content(x, out, rest, room);
    if (parts->given == part->range.len) {
        parts->next++;
        parts->given = 0;
        parts->headed = false;
    }
    return WEIR_FLOW_MORE;
}
