/* Writes answers: heads by HPACK, content in frames as the windows allow, streams in the order of their priorities (RFC 9218). */
#include "base/bytes.h"
#include "base/text.h"
#include "h2/h2.h"

#include <errno.h>
#include <string.h>

void h2_send_reset(struct h2 *h, uint32_t id, uint32_t code)
{
    h2_put_number(h2_out(h), WIRE_RST_STREAM, id, code);
    h2_ended_add(&h->ended, id, true);
}

/* --- the lists of those that have something to send --- */

bool h2_any_ready(const struct h2 *h)
{
    return h->ready_count > 0;
}

void h2_ready(struct h2_stream *s)
{
    struct h2_list *list = &s->h2->ready[s->urgency];
    if (s->ready || s->sleeps || !s->x->begun)
        return;
    s->ready = true;
    s->ready_next = NULL;
    s->ready_prev = list->last;
    if (list->last)
        list->last->ready_next = s;
    else
        list->first = s;
    list->last = s;
    s->h2->ready_count++;
}

void h2_unready(struct h2_stream *s)
{
    struct h2_list *list = &s->h2->ready[s->urgency];
    if (!s->ready)
        return;
    s->ready = false;
    if (s->ready_prev)
        s->ready_prev->ready_next = s->ready_next;
    else
        list->first = s->ready_next;
    if (s->ready_next)
        s->ready_next->ready_prev = s->ready_prev;
    else
        list->last = s->ready_prev;
    s->h2->ready_count--;
}

/* --- field lines --- */

#define PACK_BATCH 32

/* Lines on their way into HPACK, so many at a time. Names are put in lower case (RFC 9113 section 8.2). */
struct pack {
    struct h2 *h;
    uint8_t *to;
    size_t len, size;
    unsigned count;
    size_t names_len;
    bool begun; /* the table may have changed */
    int error;
    const struct h2_key *key; /* of all lines; NULL: there are too many, or each head has its own */
    nghttp2_nv nv[PACK_BATCH];
    uint8_t names[LIMIT_HTTP_REPLY_NAME];
};

static void flush(struct pack *p)
{
    if (p->error || p->count == 0)
        return;
    p->begun = true;
    ssize_t n = h2_pack(&p->h->packer, p->key, p->nv, p->count, p->to + p->len, p->size - p->len);
    if (n < 0)
        p->error = (int)n;
    else
        p->len += (size_t)n;
    p->count = 0;
    p->names_len = 0;
}

/* More are to follow. */
static void flush_some(struct pack *p)
{
    p->key = NULL;
    flush(p);
}

static void pack_ready(struct pack *p, const char *name, size_t name_len, const char *value,
                       size_t value_len)
{
    if (p->count == PACK_BATCH)
        flush_some(p);
    p->nv[p->count++] = (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name,
                                     .namelen = name_len,
                                     .value = (uint8_t *)(uintptr_t)value,
                                     .valuelen = value_len};
}

/* Of HTTP/1.1's connection: whoever set them meant another version. */
static bool is_of_connection(const uint8_t *name, size_t len)
{
    struct weir_bytes n = {(const char *)name, len};
    return (len == 7 && bytes_equal(n, BYTES("upgrade"))) ||
           (len == 16 && bytes_equal(n, BYTES("proxy-connection")));
}

static void pack_field(struct pack *p, const char *name, size_t name_len, const char *value,
                       size_t value_len)
{
    if (p->count == PACK_BATCH || name_len > sizeof(p->names) - p->names_len)
        flush_some(p);
    if (name_len > sizeof(p->names)) {
        p->error = -ENOBUFS;
        return;
    }
    uint8_t *to = p->names + p->names_len;
    for (size_t i = 0; i < name_len; i++)
        to[i] = (uint8_t)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
    if (is_of_connection(to, name_len))
        return;
    p->names_len += name_len;
    pack_ready(p, (const char *)to, name_len, value, value_len);
}

/* "A: b\r\nC: d\r\n" */
static void pack_lines(struct pack *p, const char *lines, size_t len)
{
    const char *end = len > 0 ? lines + len : lines;
    while (lines < end && !p->error) {
        const char *eol = memchr(lines, '\r', (size_t)(end - lines));
        const char *colon = eol ? memchr(lines, ':', (size_t)(eol - lines)) : NULL;
        if (!colon) {
            p->error = -EINVAL; /* a block that is none */
            return;
        }
        const char *value = colon + 1;
        while (value < eol && *value == ' ')
            value++;
        pack_field(p, lines, (size_t)(colon - lines), value, (size_t)(eol - value));
        lines = eol + 2;
    }
}

#define BLOCK_MAX (2 * LIMIT_HTTP_REPLY_FIELDS + 4096)

static void pack_own(struct pack *p, struct weir_exchange *x, char length[20],
                     char timing[TIMING_MAX])
{
    struct weir_bytes date = http_date(x->driver);
    struct text t;
    pack_ready(p, "date", 4, date.at, date.len);
    if (x->http->server)
        pack_ready(p, "server", 6, x->http->server, strlen(x->http->server));
    if (x->http->server_timing) {
        text_init(&t, timing, TIMING_MAX);
        http_timing(&t, x);
        if (t.len > 0)
            pack_ready(p, "server-timing", 13, timing, t.len);
    }
    uint64_t len = x->status == 205 ? 0 : x->reply_len;
    if (!status_has_framing(x->status) || len == WEIR_LENGTH_UNKNOWN)
        return;
    text_init(&t, length, 20);
    text_u64(&t, len);
    pack_ready(p, "content-length", 14, length, t.len);
}

/* Field by field: its arrays are large, and need no zeroes. */
static void begin_pack(struct pack *p, struct h2 *h, const struct h2_key *key,
                       uint8_t scratch[WIRE_HEAD + BLOCK_MAX])
{
    p->h = h;
    p->to = scratch + WIRE_HEAD;
    p->size = BLOCK_MAX;
    p->len = p->names_len = 0;
    p->count = 0;
    p->error = 0;
    p->begun = false;
    p->key = key;
}

/* What was packed so far is in the table, and the peer will never see it: no head can follow on this connection (RFC 7541 section 2.3). */
static int spoil(const struct pack *p)
{
    p->h->spoilt |= p->begun;
    return p->error;
}

static int put_head(struct h2_stream *s, const struct h2_key *key, bool ends)
{
    struct weir_exchange *x = s->x;
    uint8_t scratch[WIRE_HEAD + BLOCK_MAX];
    char status[3] = {(char)('0' + x->status / 100), (char)('0' + x->status / 10 % 10),
                      (char)('0' + x->status % 10)};
    char length[20], timing[TIMING_MAX];
    struct pack p;
    begin_pack(&p, s->h2, key, scratch);
    pack_ready(&p, ":status", 7, status, 3);
    pack_own(&p, x, length, timing);
    pack_lines(&p, x->block, x->block_len);
    pack_lines(&p, x->lines.at, x->lines.len);
    flush(&p);
    if (p.error)
        return spoil(&p);
    h2_put_block(h2_out(s->h2), s->id, p.to, p.len, ends);
    return 0;
}

static int send_head(struct h2_stream *s, bool ends)
{
    struct weir_exchange *x = s->x;
    const struct h2_key key = {
        {x->status, x->reply_len},
        {http_date(x->driver), {x->block, x->block_len}, {x->lines.at, x->lines.len}}};
    bool timed = x->http->server_timing; /* so each has another one */
    if (timed || !h2_put_again(&s->h2->packer, &key, h2_out(s->h2), s->id, ends)) {
        int rc = put_head(s, timed ? NULL : &key, ends);
        if (rc < 0)
            return rc;
    }
    x->head_sent = true;
    exchange_reached(x, TIME_FIRST);
    return 0;
}

/* Their key has no status. */
static int send_trailers(struct h2_stream *s)
{
    struct weir_exchange *x = s->x;
    const struct h2_key key = {.part = {{x->trailers.at, x->trailers.len}}};
    uint8_t scratch[WIRE_HEAD + BLOCK_MAX];
    struct pack p;
    if (h2_put_again(&s->h2->packer, &key, h2_out(s->h2), s->id, true))
        return 0;
    begin_pack(&p, s->h2, &key, scratch);
    pack_lines(&p, x->trailers.at, x->trailers.len);
    flush(&p);
    if (p.error)
        return spoil(&p);
    h2_put_block(h2_out(s->h2), s->id, p.to, p.len, true);
    return 0;
}

/* --- content --- */

enum sent { SENT_ALL, SENT_SOME, SENT_WAITS, SENT_BLOCKED };

#define COPY_MAX 1024 /* shorter content costs less copied than as a span of its own */

static size_t window_of(const struct h2_stream *s)
{
    int64_t n = s->send_window < s->h2->send_window ? s->send_window : s->h2->send_window;
    if (n <= 0)
        return 0;
    return n < LIMIT_H2_FRAME ? (size_t)n : LIMIT_H2_FRAME;
}

/* The head of a frame; `len` bytes are to follow at once. */
static void begin_data(struct h2_stream *s, size_t len, bool ends)
{
    uint8_t head[WIRE_HEAD];
    s->send_window -= (int64_t)len;
    s->h2->send_window -= (int64_t)len;
    wire_write(head, len, WIRE_DATA, ends ? WIRE_END_STREAM : 0u, s->id);
    weir_out_copy(h2_out(s->h2), head, sizeof(head));
}

static int end_content(struct h2_stream *s)
{
    struct weir_exchange *x = s->x;
    x->body_sent = true;
    return x->trailers.len > 0 ? send_trailers(s) : 0;
}

/* A frame of content that was given whole. */
static int send_whole(struct h2_stream *s)
{
    struct weir_exchange *x = s->x;
    struct weir_out *out = h2_out(s->h2);
    struct weir_span *body = &x->body;
    size_t n = window_of(s);
    if (n == 0)
        return SENT_BLOCKED;
    n = body->len < n ? body->len : n;
    bool last = n == body->len;
    /* Without an owner it may be the exchange's own memory, which then lives until it is sent. */
    struct weir_ref *owner = body->owner ? body->owner : &x->ref;
    begin_data(s, n, last && x->trailers.len == 0);
    if (body->kind == WEIR_SPAN_FILE) {
        weir_out_file(out, body->fd, body->offset, n, owner);
        body->offset += n;
    } else if (n <= COPY_MAX) {
        weir_out_copy(out, body->bytes, n);
        body->bytes += n;
    } else {
        weir_out_bytes(out, body->bytes, n, owner);
        body->bytes += n;
    }
    body->len -= n;
    x->reply_sent += n;
    if (!last)
        return SENT_SOME;
    int rc = end_content(s);
    return rc < 0 ? rc : SENT_ALL;
}

/* A frame of content that its handler gives. */
static int send_given(struct h2_stream *s)
{
    struct weir_exchange *x = s->x;
    struct weir_out *out = h2_out(s->h2);
    size_t room = window_of(s), space = weir_out_space(out);
    space = space > LIMIT_H2_INPUT_ROOM ? space - LIMIT_H2_INPUT_ROOM : 1;
    room = room < space ? room : space;
    int flow = WEIR_FLOW_MORE;
    s->given |= x->reply_len == x->reply_sent;        /* all that was promised */
    if (!s->given && weir_out_len(&x->staged) == 0) { /* the end of it needs no window */
        flow = exchange_give(x, &x->staged, room > WEIR_GIVE_WHOLE ? room : WEIR_GIVE_WHOLE);
        if (flow < 0)
            return flow;
        if (x->reset)
            return -ECANCELED;
        s->given = flow == WEIR_FLOW_END;
    }
    size_t n = (size_t)weir_out_len(&x->staged);
    if (n > 0 && room == 0)
        return SENT_BLOCKED;
    bool last = s->given && n <= room;
    n = n < room ? n : room;
    if (n > 0 || (last && x->trailers.len == 0)) {
        begin_data(s, n, last && x->trailers.len == 0);
        for (size_t left = n; left > 0;)
            left -= weir_out_move(out, &x->staged, left);
    }
    if (last) {
        int rc = end_content(s);
        return rc < 0 ? rc : SENT_ALL;
    }
    return flow == WEIR_FLOW_WAIT && weir_out_len(&x->staged) == 0 ? SENT_WAITS : SENT_SOME;
}

/* The head, and what is behind it when that is nothing. */
static int begin_answer(struct h2_stream *s)
{
    struct weir_exchange *x = s->x;
    bool gives = exchange_gives(x) && x->reply_len != 0;
    bool none = !exchange_has_content(x) || (x->body.len == 0 && !gives);
    bool promised =
        exchange_has_content(x) && none && x->reply_len != WEIR_LENGTH_UNKNOWN && x->reply_len > 0;
    if (promised)
        return -EPROTO; /* and nobody gives it */
    int rc = send_head(s, none && x->trailers.len == 0);
    if (rc < 0 || !none)
        return rc < 0 ? rc : SENT_SOME;
    rc = end_content(s);
    return rc < 0 ? rc : SENT_ALL;
}

static int send_one(struct h2_stream *s)
{
    struct weir_exchange *x = s->x;
    if (!x->head_sent) {
        int rc = begin_answer(s);
        if (rc != SENT_SOME)
            return rc;
    }
    return x->body.len > 0 ? send_whole(s) : send_given(s);
}

/* One step of a stream that is ready: its head, or a frame of content. */
static void step(struct h2_stream *s)
{
    int sent = send_one(s);
    switch (sent) {
    case SENT_ALL:
        h2_stream_end(s, WEIR_DONE, WIRE_NO_ERROR);
        break;
    case SENT_SOME:
        s->due_ns = 0;
        if (s->incremental) { /* the others of its kind are next */
            h2_unready(s);
            h2_ready(s);
        }
        break;
    case SENT_WAITS:
        h2_unready(s);
        s->sleeps = true;
        h2_stream_waits(s, H2_WAITS_HANDLER);
        break;
    case SENT_BLOCKED:
        if (s->send_window <= 0)
            h2_unready(s);
        if (s->waits != H2_WAITS_PEER || !s->due_ns)
            h2_stream_waits(s, H2_WAITS_PEER);
        break;
    default:
        h2_stream_end(s, sent,
                      sent == -ECANCELED ? (enum wire_error)s->x->reset_code : WIRE_INTERNAL_ERROR);
        break;
    }
}

/* There is content; whoever gives it is asked without a window, too. */
static bool has_content(const struct h2_stream *s)
{
    return s->x->body.len > 0 || weir_out_len(&s->x->staged) > 0;
}

/* The next that can go on; content needs the connection's window, too. */
static struct h2_stream *pick(const struct h2 *h)
{
    for (unsigned i = 0; i < H2_URGENCIES; i++) {
        struct h2_stream *s = h->ready[i].first;
        while (s && h->send_window <= 0 && s->x->head_sent && has_content(s))
            s = s->ready_next;
        if (s)
            return s;
    }
    return NULL;
}

void h2_send_ready(struct h2 *h)
{
    struct h2_stream *s;
    while (h->ready_count > 0 && !h->spoilt && h2_has_room(h) && (s = pick(h)))
        step(s);
    if (h->ready_count == 0 || !h2_has_room(h))
        return;
    for (unsigned i = 0; i < H2_URGENCIES; i++) /* the connection's window is closed */
        for (s = h->ready[i].first; s; s = s->ready_next)
            if (!s->due_ns)
                h2_stream_waits(s, H2_WAITS_PEER);
}
