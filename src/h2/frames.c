/* Reads frames (RFC 9113 section 6), whole ones but for content, which goes on as it comes. */
#include "h2/h2.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What is told of a stream that is none: it was never opened. */
static bool is_idle(const struct h2 *h, uint32_t id)
{
    return id % 2 == 0 || id > h->last_id;
}

static void reset_stream(struct h2 *h, uint32_t id, enum wire_error code)
{
    struct h2_stream *s = h2_find(h, id);
    if (s)
        h2_stream_end(s, -EPROTO, code);
    else
        h2_send_reset(h, id, code);
    h2_flooded(h, H2_FLOOD_REFUSED);
}

/* --- content --- */

static bool windows_hold(struct h2 *h, struct h2_stream *s, const struct frame *f)
{
    if (f->len > h->recv_window) {
        h2_fail(h, WIRE_FLOW_CONTROL_ERROR, NULL);
        return false;
    }
    h->recv_window -= f->len;
    if (!s)
        return true;
    if (f->len > s->recv_window) {
        reset_stream(h, f->id, WIRE_FLOW_CONTROL_ERROR);
        return false;
    }
    s->recv_window -= f->len;
    return true;
}

/* DATA for a stream that takes none. */
static void stray_data(struct h2 *h, const struct h2_stream *s, uint32_t id)
{
    if (is_idle(h, id))
        h2_fail(h, WIRE_PROTOCOL_ERROR, NULL);
    else if (s || h2_ended_how(&h->ended, id) == H2_ENDED_LONG_AGO)
        reset_stream(h, id, WIRE_STREAM_CLOSED); /* RFC 9113 section 5.1, half-closed (remote) */
    else if (h2_ended_how(&h->ended, id) == H2_ENDED_WHOLE)
        h2_fail(h, WIRE_STREAM_CLOSED, NULL);
}

/* The head of a DATA frame, its padding's length included. Bytes used, 0: more are needed. */
static size_t begin_data(struct h2 *h, const struct frame *f, const uint8_t *at, size_t len)
{
    struct h2_stream *s = h2_find(h, f->id);
    struct h2_content data;
    int used = h2_content_read(f, at, len, &data);
    if (used < 0)
        h2_fail(h, (enum wire_error) - used, NULL);
    if (used <= 0)
        return used < 0 ? WIRE_HEAD : 0;
    bool stray = !s || s->heard;
    if (windows_hold(h, stray ? NULL : s, f) && stray)
        stray_data(h, s, f->id);
    if (h->phase == H2_OVER)
        return WIRE_HEAD;
    h->data = data;
    s = h2_find(h, f->id);
    /* Padding, and content for nobody: the peer may send on. */
    h2_give_back(h, s, f->len - data.left);
    if (data.left > 0)
        h->calm.work++;
    else if (!data.ends && h2_flooded(h, H2_FLOOD_EMPTY))
        return WIRE_HEAD;
    return (size_t)used;
}

/* Content of the DATA frame under way, then its padding, then its end. Bytes used. */
static size_t go_on_data(struct h2 *h, const uint8_t *at, size_t len)
{
    struct h2_content *data = &h->data;
    size_t n = data->left < len ? data->left : len;
    struct h2_stream *s = h2_find(h, data->id);
    bool open = s && !s->heard;
    data->left -= (uint32_t)n;
    if (n > 0 && open)
        h2_stream_content(s, at, n);
    else
        h2_give_back(h, NULL, n);
    size_t padding = data->left > 0 ? 0 : data->padding;
    padding = padding < len - n ? padding : len - n;
    data->padding -= (uint32_t)padding;
    if (data->left > 0 || data->padding > 0 || h->phase == H2_OVER)
        return n + padding;
    s = open ? h2_find(h, data->id) : NULL;
    if (data->ends && !s)
        h2_not_owed(h, data->id);
    data->id = 0;
    if (s && data->ends)
        h2_stream_heard(s);
    return n + padding;
}

/* --- heads --- */

/* A head that nobody wants, for the table's sake. false: the connection has failed. */
static bool skip_head(struct h2 *h, const struct h2_block *block)
{
    int error = h2_head_skip(h, block);
    if (error > H2_HEAD_FATAL)
        h2_fail(h, (enum wire_error)(error - H2_HEAD_FATAL), "h2-head");
    return error <= H2_HEAD_FATAL;
}

/* HEADERS behind the request's own: trailers, or a fault. */
static void read_trailers(struct h2 *h, struct h2_stream *s, const struct frame *f,
                          const struct h2_block *block)
{
    int error = h2_head_skip(h, block);
    if (error > H2_HEAD_FATAL)
        h2_fail(h, (enum wire_error)(error - H2_HEAD_FATAL), "h2-head");
    else if (s->heard)
        reset_stream(h, f->id, WIRE_STREAM_CLOSED);
    else if (error < 0 || !(f->flags & WIRE_END_STREAM) || /* RFC 9113 sections 8.1, 8.5 */
             s->x->method == WEIR_METHOD_CONNECT)
        reset_stream(h, f->id, WIRE_PROTOCOL_ERROR);
    else
        h2_stream_heard(s);
}

static void open_stream(struct h2 *h, const struct frame *f, const struct h2_block *block)
{
    bool ends = f->flags & WIRE_END_STREAM;
    struct h2_early priority = {.urgency = 3};
    struct weir_exchange *x = exchange_new(h->conn, h->http);
    if (!x) {
        h2_fail(h, WIRE_INTERNAL_ERROR, NULL);
        return;
    }
    x->started_ns = h->partial ? h->since_ns : h2_now(h);
    exchange_reached(x, TIME_RECEIVE);
    int error = h2_head_read(h, x, block, ends, &priority);
    h2_early_take(h, f->id, &priority);
    struct h2_stream *s = error > H2_HEAD_FATAL ? NULL : h2_stream_new(h, x, f->id, ends);
    if (!s) {
        exchange_end(x, error > H2_HEAD_FATAL ? -EPROTO : -ENOMEM);
        h->blamed = true;
        h2_fail(h,
                error > H2_HEAD_FATAL ? (enum wire_error)(error - H2_HEAD_FATAL)
                                      : WIRE_INTERNAL_ERROR,
                error == H2_HEAD_FATAL + WIRE_ENHANCE_YOUR_CALM ? "h2-head" : NULL);
        return;
    }
    s->urgency = priority.urgency;
    s->incremental = priority.incremental;
    if (error < 0) {
        reset_stream(h, f->id, (enum wire_error) - error);
        return;
    }
    h2_stream_start(s, (enum http_error)error);
}

/* 0: more is needed. */
static size_t read_headers(struct h2 *h, const struct frame *f, const uint8_t *at, size_t len)
{
    struct h2_block block;
    if (f->id % 2 == 0) {
        h2_fail(h, WIRE_PROTOCOL_ERROR, NULL);
        return 0;
    }
    int error = h2_block_read(f, at, len, &block);
    if (error > 0)
        h2_fail(h, (enum wire_error)error,
                error == WIRE_ENHANCE_YOUR_CALM ? "h2-continuation" : NULL);
    if (error != 0)
        return 0;
    struct h2_stream *s = h2_find(h, f->id);
    if (s) {
        read_trailers(h, s, f, &block);
    } else if (f->id <= h->last_id) {
        enum h2_ended_how how = h2_ended_how(&h->ended, f->id);
        if (how != H2_ENDED_BY_US) /* RFC 9113 sections 5.1 and 5.1.1 */
            h2_fail(h, how ? WIRE_STREAM_CLOSED : WIRE_PROTOCOL_ERROR, NULL);
        else if (skip_head(h, &block) && f->flags & WIRE_END_STREAM)
            h2_not_owed(h, f->id);
    } else if (h->phase == H2_LAST) {
        h->last_id = f->id;
        h2_ended_add(&h->ended, f->id, true);
        (void)skip_head(h, &block); /* the peer knows that nothing of it was done */
    } else if (h->streams >= LIMIT_H2_STREAMS) {
        h->last_id = f->id;
        if (skip_head(h, &block))
            reset_stream(h, f->id, WIRE_REFUSED_STREAM);
    } else {
        h->last_id = h->accepted_id = f->id;
        open_stream(h, f, &block);
    }
    return block.used;
}

/* --- settings --- */

static enum wire_error set_window(struct h2 *h, uint32_t value)
{
    if (value > WIRE_WINDOW_MAX)
        return WIRE_FLOW_CONTROL_ERROR;
    int64_t change = (int64_t)value - h->first_window;
    h->first_window = value;
    for (struct h2_stream *s = h->all; s; s = s->next) {
        s->send_window += change; /* may be below 0 (RFC 9113 section 6.9.2) */
        if (s->send_window > WIRE_WINDOW_MAX)
            return WIRE_FLOW_CONTROL_ERROR;
        if (change > 0)
            h2_ready(s);
    }
    return WIRE_NO_ERROR;
}

static enum wire_error set(struct h2 *h, uint32_t id, uint32_t value)
{
    switch (id) {
    case WIRE_HEADER_TABLE_SIZE:
        h2_packer_allow(&h->packer, value);
        return WIRE_NO_ERROR;
    case WIRE_ENABLE_PUSH:
    case WIRE_ENABLE_CONNECT_PROTOCOL:
    case WIRE_NO_RFC7540_PRIORITIES:
        return value > 1 ? WIRE_PROTOCOL_ERROR : WIRE_NO_ERROR;
    case WIRE_INITIAL_WINDOW_SIZE:
        return set_window(h, value);
    case WIRE_MAX_FRAME_SIZE:
        return value < 16384 || value > 0xffffff ? WIRE_PROTOCOL_ERROR : WIRE_NO_ERROR;
    default:
        return WIRE_NO_ERROR; /* unknown, or nothing to us, who push nothing */
    }
}

static void read_settings(struct h2 *h, const struct frame *f, const uint8_t *payload)
{
    if (f->id != 0) {
        h2_fail(h, WIRE_PROTOCOL_ERROR, NULL);
        return;
    }
    if (f->flags & WIRE_ACK || h2_flooded(h, H2_FLOOD_SETTINGS))
        return;
    for (size_t at = 0; at < f->len; at += 6) {
        enum wire_error error = set(h, wire_get16(payload + at), wire_get32(payload + at + 2));
        if (error) {
            h2_fail(h, error, NULL);
            return;
        }
    }
    h2_put_frame(h2_out(h), WIRE_SETTINGS, WIRE_ACK, 0, NULL, 0);
}

/* --- the rest --- */

static void read_window_update(struct h2 *h, const struct frame *f, const uint8_t *payload)
{
    uint32_t more = wire_get32(payload) & WIRE_WINDOW_MAX;
    struct h2_stream *s = h2_find(h, f->id);
    enum wire_error error = WIRE_NO_ERROR;
    if (f->id == 0) {
        error = h2_window_grow(&h->send_window, more);
        if (error)
            h2_fail(h, error, NULL);
    } else if (is_idle(h, f->id)) {
        h2_fail(h, WIRE_PROTOCOL_ERROR, NULL);
    } else if (s) {
        error = h2_window_grow(&s->send_window, more);
        if (error)
            reset_stream(h, f->id, error);
        else
            h2_ready(s);
    }
    if (h->phase != H2_OVER)
        (void)h2_flooded(h, H2_FLOOD_WINDOWS);
}

static void read_reset(struct h2 *h, const struct frame *f)
{
    struct h2_stream *s = h2_find(h, f->id);
    if (f->id == 0 || is_idle(h, f->id)) {
        h2_fail(h, WIRE_PROTOCOL_ERROR, NULL);
        return;
    }
    if (s)
        h2_stream_end(s, -ECANCELED, WIRE_NO_ERROR);
    h2_not_owed(h, f->id);
    (void)h2_flooded(h, H2_FLOOD_RESETS);
}

static void read_ping(struct h2 *h, const struct frame *f, const uint8_t *payload)
{
    if (f->id != 0)
        h2_fail(h, WIRE_PROTOCOL_ERROR, NULL);
    else if (!(f->flags & WIRE_ACK) && !h2_flooded(h, H2_FLOOD_PINGS))
        h2_put_frame(h2_out(h), WIRE_PING, WIRE_ACK, 0, payload, 8);
}

static void read_goaway(struct h2 *h, const struct frame *f)
{
    if (f->id != 0) {
        h2_fail(h, WIRE_PROTOCOL_ERROR, NULL);
        return;
    }
    h->peer_leaves = true;
}

/* RFC 9113 section 5.3.2: read, and of no meaning. */
static void read_priority(struct h2 *h, const struct frame *f)
{
    if (f->id == 0)
        h2_fail(h, WIRE_PROTOCOL_ERROR, NULL);
    else if (f->len != 5)
        h2_fail(h, WIRE_FRAME_SIZE_ERROR, NULL);
    else
        (void)h2_flooded(h, H2_FLOOD_PRIORITY);
}

static void reprioritize(struct h2_stream *s, struct h2_early priority)
{
    bool ready = s->ready;
    h2_unready(s);
    s->urgency = priority.urgency;
    s->incremental = priority.incremental;
    if (ready)
        h2_ready(s);
}

/* RFC 9218 section 7.1 */
static void read_priority_update(struct h2 *h, const struct frame *f, const uint8_t *payload)
{
    uint32_t id = f->len >= 4 ? wire_get32(payload) & WIRE_ID_MAX : 0;
    struct h2_early priority = {.id = id, .urgency = 3};
    if (f->id != 0 || (f->len >= 4 && id % 2 == 0)) {
        h2_fail(h, WIRE_PROTOCOL_ERROR, NULL);
        return;
    }
    if (f->len < 4) {
        h2_fail(h, WIRE_FRAME_SIZE_ERROR, NULL);
        return;
    }
    h2_priority_read((struct weir_bytes){(const char *)payload + 4, f->len - 4}, &priority);
    struct h2_stream *s = h2_find(h, id);
    enum wire_error error = WIRE_NO_ERROR;
    if (s)
        reprioritize(s, priority);
    else if (id > h->last_id)
        error = h2_early_keep(h, priority);
    if (error)
        h2_fail(h, error, NULL);
    else
        (void)h2_flooded(h, H2_FLOOD_PRIORITY);
}

/* One whole frame that is neither DATA nor HEADERS. */
static void read_frame(struct h2 *h, const struct frame *f, const uint8_t *payload)
{
    if (!wire_len_valid(f)) {
        h2_fail(h, WIRE_FRAME_SIZE_ERROR, NULL);
        return;
    }
    switch (f->type) {
    case WIRE_PRIORITY:
        read_priority(h, f);
        break;
    case WIRE_RST_STREAM:
        read_reset(h, f);
        break;
    case WIRE_SETTINGS:
        read_settings(h, f, payload);
        break;
    case WIRE_PING:
        read_ping(h, f, payload);
        break;
    case WIRE_GOAWAY:
        read_goaway(h, f);
        break;
    case WIRE_WINDOW_UPDATE:
        read_window_update(h, f, payload);
        break;
    case WIRE_PRIORITY_UPDATE:
        read_priority_update(h, f, payload);
        break;
    case WIRE_PUSH_PROMISE:
    case WIRE_CONTINUATION:
        h2_fail(h, WIRE_PROTOCOL_ERROR, NULL);
        break;
    default: /* RFC 9113 section 5.5 */
        (void)h2_flooded(h, H2_FLOOD_UNKNOWN);
        break;
    }
}

/* One frame, or the beginning of one with content. Bytes used; 0: more are needed, or it failed. */
static size_t read_one(struct h2 *h, const uint8_t *at, size_t len)
{
    if (h->data.id)
        return go_on_data(h, at, len);
    if (len < WIRE_HEAD)
        return 0;
    struct frame f = wire_read(at);
    if (h->phase == H2_SETTINGS && (f.type != WIRE_SETTINGS || f.flags & WIRE_ACK)) {
        h2_fail(h, WIRE_PROTOCOL_ERROR, NULL); /* RFC 9113 section 3.4 */
        return 0;
    }
    if (f.len > LIMIT_H2_FRAME) {
        h2_fail(h, WIRE_FRAME_SIZE_ERROR, NULL);
        return 0;
    }
    if (f.type == WIRE_DATA) {
        size_t used = begin_data(h, &f, at, len);
        if (used > 0 && h->phase != H2_OVER && f.len == (f.flags & WIRE_PADDED ? 1u : 0u))
            (void)go_on_data(h, at, 0);
        return used;
    }
    if (len < WIRE_HEAD + f.len)
        return 0;
    if (f.type == WIRE_HEADERS)
        return read_headers(h, &f, at, len);
    if (h->phase == H2_SETTINGS)
        h->phase = H2_OPEN;
    read_frame(h, &f, at + WIRE_HEAD);
    return WIRE_HEAD + f.len;
}

static size_t read_preface(struct h2 *h, const uint8_t *bytes, size_t len)
{
    size_t n = len < WIRE_PREFACE_LEN ? len : WIRE_PREFACE_LEN;
    if (memcmp(bytes, WIRE_PREFACE, n) != 0) {
        h2_fail(h, WIRE_PROTOCOL_ERROR, NULL);
        return 0;
    }
    if (n < WIRE_PREFACE_LEN)
        return 0;
    h->phase = H2_SETTINGS;
    return n;
}

ssize_t h2_read(struct h2 *h, const uint8_t *bytes, size_t len)
{
    size_t at = 0;
    while (at < len && h->phase != H2_OVER && weir_out_room(h2_out(h))) {
        size_t n = h->phase == H2_PREFACE ? read_preface(h, bytes + at, len - at)
                                          : read_one(h, bytes + at, len - at);
        if (n == 0)
            break;
        at += n;
        h->partial = false;
    }
    return (ssize_t)at;
}
