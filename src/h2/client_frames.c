/* What a client reads: frames (RFC 9113 section 6), whole ones but for content, which goes on as it comes. */
#include "base/bytes.h"
#include "h2/client_impl.h"

#include <errno.h>

static bool flooded(struct h2_client *c, enum h2_flood kind)
{
    if (!h2_calm_count(&c->calm, kind, weir_conn_now(c->conn).mono_ns))
        return false;
    h2_client_fail(c, WIRE_ENHANCE_YOUR_CALM, NULL);
    return true;
}

/* What is told of a stream that is none: it was never opened. */
static bool is_idle(const struct h2_client *c, uint32_t id)
{
    return id % 2 == 0 || id >= c->next_id;
}

/* For a stream that has ended. false: the connection has failed for it. */
static bool stray(struct h2_client *c, uint32_t id)
{
    enum wire_error error = WIRE_NO_ERROR;
    if (is_idle(c, id))
        error = WIRE_PROTOCOL_ERROR;
    else if (h2_ended_how(&c->ended, id) == H2_ENDED_WHOLE)
        error = WIRE_STREAM_CLOSED; /* section 5.1, closed */
    if (error)
        h2_client_fail(c, error, NULL);
    return !error;
}

/* The peer's last frame on this stream. */
static void end_input(struct h2_client *c)
{
    struct h2_request *s = c->current;
    if (s->left > 0 && s->left != UINT64_MAX) { /* section 8.1.1 */
        h2_client_reset(s, -EBADMSG, WIRE_PROTOCOL_ERROR);
        return;
    }
    s->heard = true;
    c->calm.work++;
    h2_client_check(s, s->calls->end(s));
    if (c->current && s->given)
        h2_client_close(s, WEIR_DONE, WIRE_NO_ERROR);
}

/* --- heads --- */

struct head {
    struct h2_client *c;
    unsigned status; /* 0: not told yet */
    bool trailers;
    bool fields; /* pseudo-fields are over */
    bool length; /* content-length was told */
    bool malformed;
};

static void give(struct head *h, struct weir_bytes name, struct weir_bytes value)
{
    struct h2_request *s = h->c->current;
    s->fields_bytes += name.len + value.len + 32; /* section 6.5.2 counts so */
    int rc = s->fields_bytes > LIMIT_H2_CLIENT_FIELDS
                 ? -EMSGSIZE
                 : s->calls->field(s, name, value, h->trailers);
    if (rc < 0 && h->c->current && !s->why)
        s->why = rc;
}

static void read_status(struct head *h, struct weir_bytes name, struct weir_bytes value)
{
    bool number = value.len == 3;
    for (size_t i = 0; i < value.len; i++)
        number &= value.at[i] >= '0' && value.at[i] <= '9';
    if (h->trailers || h->fields || h->status || !number || value.at[0] == '0' ||
        !bytes_equal(name, BYTES(":status"))) {
        h->malformed = true;
        return;
    }
    for (size_t i = 0; i < 3; i++)
        h->status = h->status * 10 + (unsigned)(value.at[i] - '0');
    h->malformed |= h->status == 101; /* section 8.6 */
    if (h->status >= 200)
        give(h, name, value);
}

/* Where the status says that nothing comes, it is about another answer (RFC 9110 section 8.6). */
static void read_length(struct head *h, struct weir_bytes value)
{
    struct h2_request *s = h->c->current;
    uint64_t length;
    h->malformed |= h->length || bytes_u64(value, &length) < 0;
    h->length = true;
    if (!h->malformed && h->status != 204 && h->status != 304)
        s->left = length;
}

static void read_line(void *arg, struct weir_bytes name, struct weir_bytes value, bool valid)
{
    struct head *h = arg;
    struct h2_request *s = h->c->current;
    if (!s || s->why || h->malformed)
        return; /* the rest is read for the table's sake */
    if (valid && name.len > 0 && name.at[0] == ':') {
        read_status(h, name, value);
        return;
    }
    h->fields = true;
    h->malformed = !valid || (!h->status && !h->trailers);
    if (h->malformed || (!h->trailers && h->status < 200))
        return;
    if (!h->trailers && bytes_equal(name, BYTES("content-length")))
        read_length(h, value);
    if (!h->malformed)
        give(h, name, value);
}

/* All lines have come. */
static void end_head(struct head *h, bool ends)
{
    struct h2_client *c = h->c;
    struct h2_request *s = c->current;
    bool interim = !h->trailers && h->status < 200;
    if ((!h->trailers && !h->status) || (interim && ends) || (h->trailers && !ends))
        h->malformed = true; /* section 8.1 */
    if (h->malformed || s->why) {
        h2_client_reset(s, -EBADMSG, h->malformed ? WIRE_PROTOCOL_ERROR : WIRE_CANCEL);
        return;
    }
    if (interim)
        return;
    s->head_done = true;
    h2_client_check(s, s->calls->fields_end(s, h->trailers));
    if (c->current && ends)
        end_input(c);
}

/* Bytes used; 0: more are needed, or it failed. */
static size_t read_headers(struct h2_client *c, const struct frame *f, const uint8_t *at,
                           size_t len)
{
    struct h2_block block;
    struct h2_request *s = h2_client_find(c, f->id);
    int error = h2_block_read(f, at, len, &block);
    if (error > 0)
        h2_client_fail(c, (enum wire_error)error, s);
    if (error != 0 || (!s && !stray(c, f->id)))
        return 0;
    bool heard = s && s->heard;
    struct head head = {.c = c, .trailers = s && s->head_done};
    c->current = heard ? NULL : s;
    error = h2_unpack(&c->unpacker, &block, read_line, &head);
    if (error)
        h2_client_fail(c, (enum wire_error)error, s);
    else if (heard)
        h2_client_reset(s, -EBADMSG, WIRE_STREAM_CLOSED);
    else if (c->current)
        end_head(&head, f->flags & WIRE_END_STREAM);
    else
        (void)flooded(c, H2_FLOOD_REFUSED);
    c->current = NULL;
    return block.used;
}

/* --- content --- */

/* false: it is more than was allowed, or than it may be now. */
static bool content_holds(struct h2_client *c, struct h2_request *s, const struct frame *f,
                          uint32_t content)
{
    if (f->len > c->recv_window) {
        h2_client_fail(c, WIRE_FLOW_CONTROL_ERROR, s);
        return false;
    }
    c->recv_window -= f->len;
    if (!s)
        return stray(c, f->id);
    s->recv_window -= f->len;
    if (s->recv_window < 0)
        h2_client_reset(s, -EBADMSG, WIRE_FLOW_CONTROL_ERROR);
    else if (s->heard)
        h2_client_reset(s, -EBADMSG, WIRE_STREAM_CLOSED);
    else if (!s->head_done || (s->left != UINT64_MAX && content > s->left))
        h2_client_reset(s, -EBADMSG, WIRE_PROTOCOL_ERROR); /* sections 8.1 and 8.1.1 */
    else if (s->left != UINT64_MAX)
        s->left -= content;
    return true;
}

/* So much of a stream's window is used; also by padding. */
static void used_of_stream(struct h2_client *c, struct h2_request *s, size_t len)
{
    if (!s->heard)
        h2_window_used(h2_client_out(c), s->id, len, LIMIT_H2_CLIENT_WINDOW, &s->recv_taken,
                       &s->recv_window);
}

/* The head of a DATA frame. Bytes used; 0: more are needed, or it failed. */
static size_t begin_data(struct h2_client *c, const struct frame *f, const uint8_t *at, size_t len)
{
    struct h2_request *s = h2_client_find(c, f->id);
    struct h2_content data;
    int used = h2_content_read(f, at, len, &data);
    if (used < 0)
        h2_client_fail(c, (enum wire_error) - used, s);
    if (used <= 0 || !content_holds(c, s, f, data.left))
        return 0;
    s = h2_client_find(c, f->id);
    c->data = data;
    /* Streams hold each other up on no account: the connection's window is given back at once. */
    h2_window_used(h2_client_out(c), 0, f->len, LIMIT_H2_CLIENT_CONNECTION_WINDOW, &c->recv_taken,
                   &c->recv_window);
    if (s)
        used_of_stream(c, s, f->len - data.left);
    if (data.left > 0)
        c->calm.work++;
    else if (!data.ends && flooded(c, H2_FLOOD_EMPTY))
        return 0;
    return (size_t)used;
}

/* Content of the DATA frame under way, then its padding, then its end. Bytes used. */
static size_t go_on_data(struct h2_client *c, const uint8_t *at, size_t len)
{
    struct h2_content *data = &c->data;
    size_t n = data->left < len ? data->left : len;
    struct h2_request *s = c->current = h2_client_find(c, data->id);
    data->left -= (uint32_t)n;
    if (n > 0 && s) {
        s->unread += n;
        h2_client_check(s, s->calls->data(s, at, n));
    }
    size_t padding = data->left > 0 ? 0 : data->padding;
    padding = padding < len - n ? padding : len - n;
    data->padding -= (uint32_t)padding;
    if (data->left == 0 && data->padding == 0) {
        data->id = 0;
        if (c->current && data->ends)
            end_input(c);
    }
    c->current = NULL;
    return n + padding;
}

/* --- settings --- */

static enum wire_error set_window(struct h2_client *c, uint32_t value)
{
    if (value > WIRE_WINDOW_MAX)
        return WIRE_FLOW_CONTROL_ERROR;
    int64_t change = (int64_t)value - c->first_window;
    c->first_window = value;
    for (struct h2_request *s = c->first; s; s = s->next) {
        if (!s->id)
            continue;
        s->send_window += change; /* may be below 0 (section 6.9.2) */
        if (s->send_window > WIRE_WINDOW_MAX)
            return WIRE_FLOW_CONTROL_ERROR;
        h2_client_ready(s);
    }
    return WIRE_NO_ERROR;
}

static enum wire_error set(struct h2_client *c, uint32_t id, uint32_t value)
{
    switch (id) {
    case WIRE_HEADER_TABLE_SIZE:
        h2_packer_allow(&c->packer, value);
        return WIRE_NO_ERROR;
    case WIRE_ENABLE_PUSH: /* a server has nothing to say of it (section 6.5.2) */
        return value > 0 ? WIRE_PROTOCOL_ERROR : WIRE_NO_ERROR;
    case WIRE_ENABLE_CONNECT_PROTOCOL:
    case WIRE_NO_RFC7540_PRIORITIES:
        return value > 1 ? WIRE_PROTOCOL_ERROR : WIRE_NO_ERROR;
    case WIRE_MAX_CONCURRENT_STREAMS:
        c->streams_max = value;
        return WIRE_NO_ERROR;
    case WIRE_INITIAL_WINDOW_SIZE:
        return set_window(c, value);
    case WIRE_MAX_FRAME_SIZE: /* ours are never larger than every peer takes */
        return value < 16384 || value > 0xffffff ? WIRE_PROTOCOL_ERROR : WIRE_NO_ERROR;
    default:
        return WIRE_NO_ERROR;
    }
}

static void read_settings(struct h2_client *c, const struct frame *f, const uint8_t *payload)
{
    enum wire_error error = WIRE_NO_ERROR;
    if (f->id != 0)
        error = WIRE_PROTOCOL_ERROR;
    else if (f->flags & WIRE_ACK)
        error = c->unsettled ? WIRE_NO_ERROR : WIRE_PROTOCOL_ERROR;
    else if (f->len / 6 > LIMIT_H2_CLIENT_SETTINGS)
        error = WIRE_ENHANCE_YOUR_CALM;
    for (size_t at = 0; at < f->len && !error; at += 6)
        error = set(c, wire_get16(payload + at), wire_get32(payload + at + 2));
    if (error)
        h2_client_fail(c, error, NULL);
    else if (f->flags & WIRE_ACK)
        c->unsettled--;
    else if (!flooded(c, H2_FLOOD_SETTINGS))
        h2_put_frame(h2_client_out(c), WIRE_SETTINGS, WIRE_ACK, 0, NULL, 0);
}

/* --- the rest --- */

/* All may go on. */
static void grow_connection(struct h2_client *c, uint32_t more)
{
    bool closed = c->send_window <= 0;
    enum wire_error error = h2_window_grow(&c->send_window, more);
    if (error)
        h2_client_fail(c, error, NULL);
    for (struct h2_request *s = closed ? c->first : NULL; s; s = s->next)
        h2_client_ready(s);
}

static void read_window_update(struct h2_client *c, const struct frame *f, const uint8_t *payload)
{
    uint32_t more = wire_get32(payload) & WIRE_WINDOW_MAX;
    struct h2_request *s = h2_client_find(c, f->id);
    enum wire_error error = s ? h2_window_grow(&s->send_window, more) : WIRE_NO_ERROR;
    if (f->id == 0)
        grow_connection(c, more);
    else if (is_idle(c, f->id))
        h2_client_fail(c, WIRE_PROTOCOL_ERROR, NULL);
    else if (error)
        h2_client_reset(s, -EBADMSG, error);
    else if (s)
        h2_client_ready(s);
    if (c->phase != CLIENT_OVER)
        (void)flooded(c, H2_FLOOD_WINDOWS);
}

static void read_reset(struct h2_client *c, const struct frame *f, const uint8_t *payload)
{
    uint32_t code = wire_get32(payload);
    struct h2_request *s = h2_client_find(c, f->id);
    if (is_idle(c, f->id)) {
        h2_client_fail(c, WIRE_PROTOCOL_ERROR, NULL);
        return;
    }
    if (!s) {
        (void)flooded(c, H2_FLOOD_RESETS);
        return;
    }
    h2_client_close(s,
                    code == WIRE_REFUSED_STREAM ? -ESHUTDOWN
                    : code == WIRE_NO_ERROR     ? WEIR_DONE
                                                : -ECANCELED,
                    code);
}

static void read_goaway(struct h2_client *c, const struct frame *f, const uint8_t *payload)
{
    uint32_t last_id = wire_get32(payload) & WIRE_ID_MAX;
    bool even = last_id > 0 && last_id % 2 == 0;
    if (f->id != 0 || even || last_id > c->accepted_id) /* section 6.8: it only becomes less */
        h2_client_fail(c, WIRE_PROTOCOL_ERROR, NULL);
    else if (!flooded(c, H2_FLOOD_UNKNOWN))
        h2_client_left(c, last_id);
}

static void read_ping(struct h2_client *c, const struct frame *f, const uint8_t *payload)
{
    if (f->id != 0)
        h2_client_fail(c, WIRE_PROTOCOL_ERROR, NULL);
    else if (!(f->flags & WIRE_ACK) && !flooded(c, H2_FLOOD_PINGS))
        h2_put_frame(h2_client_out(c), WIRE_PING, WIRE_ACK, 0, payload, 8);
}

/* Section 5.3.2: read, and of no meaning. */
static void read_priority(struct h2_client *c, const struct frame *f)
{
    if (f->id == 0 || f->len != 5)
        h2_client_fail(c, f->id == 0 ? WIRE_PROTOCOL_ERROR : WIRE_FRAME_SIZE_ERROR, NULL);
    else
        (void)flooded(c, H2_FLOOD_PRIORITY);
}

/* One whole frame that is neither DATA nor HEADERS. */
static void read_frame(struct h2_client *c, const struct frame *f, const uint8_t *payload)
{
    if (!wire_len_valid(f)) {
        h2_client_fail(c, WIRE_FRAME_SIZE_ERROR, NULL);
        return;
    }
    switch (f->type) {
    case WIRE_PRIORITY:
        read_priority(c, f);
        break;
    case WIRE_RST_STREAM:
        read_reset(c, f, payload);
        break;
    case WIRE_SETTINGS:
        read_settings(c, f, payload);
        break;
    case WIRE_PING:
        read_ping(c, f, payload);
        break;
    case WIRE_GOAWAY:
        read_goaway(c, f, payload);
        break;
    case WIRE_WINDOW_UPDATE:
        read_window_update(c, f, payload);
        break;
    case WIRE_PUSH_PROMISE:    /* we have said that there shall be none */
    case WIRE_CONTINUATION:    /* behind nothing */
    case WIRE_PRIORITY_UPDATE: /* RFC 9218 section 7.1 */
        h2_client_fail(c, WIRE_PROTOCOL_ERROR, NULL);
        break;
    default: /* section 5.5 */
        (void)flooded(c, H2_FLOOD_UNKNOWN);
        break;
    }
}

/* One frame, or the beginning of one with content. Bytes used; 0: more are needed, or it failed. */
static size_t read_one(struct h2_client *c, const uint8_t *at, size_t len)
{
    if (c->data.id)
        return go_on_data(c, at, len);
    if (len < WIRE_HEAD)
        return 0;
    struct frame f = wire_read(at);
    bool settings = f.type == WIRE_SETTINGS && !(f.flags & WIRE_ACK);
    bool early = c->phase == CLIENT_SETTINGS && !settings; /* section 3.4 */
    if (early || f.len > LIMIT_H2_FRAME) {
        h2_client_fail(c, early ? WIRE_PROTOCOL_ERROR : WIRE_FRAME_SIZE_ERROR,
                       h2_client_find(c, f.id));
        return 0;
    }
    if (f.type == WIRE_DATA) {
        size_t used = begin_data(c, &f, at, len);
        if (used > 0 && c->data.left == 0 && c->data.padding == 0)
            (void)go_on_data(c, at, 0);
        return used;
    }
    if (len < WIRE_HEAD + f.len)
        return 0;
    if (f.type == WIRE_HEADERS)
        return read_headers(c, &f, at, len);
    if (c->phase == CLIENT_SETTINGS) {
        c->phase = CLIENT_OPEN;
        c->streams_max = UINT32_MAX; /* unless it says otherwise */
    }
    read_frame(c, &f, at + WIRE_HEAD);
    return WIRE_HEAD + f.len;
}

ssize_t h2_client_read(struct h2_client *c, const uint8_t *bytes, size_t len)
{
    size_t at = 0;
    while (at < len && c->phase != CLIENT_OVER && weir_out_room(h2_client_out(c))) {
        size_t n = read_one(c, bytes + at, len - at);
        if (n == 0)
            break;
        at += n;
    }
    return (ssize_t)at;
}
