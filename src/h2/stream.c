/* Streams: one request with its answer each. Content goes to the handler, and the peer may send more as it is taken. */
#include "h2/h2.h"

#include <errno.h>
#include <string.h>

static unsigned bucket_of(uint32_t id)
{
    return id / 2 % H2_BUCKETS;
}

struct h2_stream *h2_find(const struct h2 *h, uint32_t id)
{
    struct h2_stream *s = h->bucket[bucket_of(id)];
    while (s && s->id != id)
        s = s->in_bucket;
    return s;
}

/* Its exchange has a wish, and the machine is not just calling its handler. */
static void on_changed(struct weir_exchange *x)
{
    struct h2_stream *s = x->stream;
    if (s->busy || s->wishes)
        return;
    s->wishes = true;
    s->changed = s->h2->changed;
    s->h2->changed = s;
    weir_conn_wake(s->h2->conn);
}

struct h2_stream *h2_stream_new(struct h2 *h, struct weir_exchange *x, uint32_t id, bool ends)
{
    struct h2_stream *s = weir_exchange_alloc(x, sizeof(*s));
    if (!s)
        return NULL;
    *s = (struct h2_stream){.h2 = h,
                            .x = x,
                            .id = id,
                            .heard = ends,
                            .in_bucket = h->bucket[bucket_of(id)],
                            .next = h->all,
                            .left = x->length,
                            .send_window = h->first_window,
                            .recv_window = LIMIT_H2_WINDOW};
    out_init(&s->inbox, x->driver->pool);
    h->bucket[bucket_of(id)] = s;
    if (h->all)
        h->all->prev = s;
    h->all = s;
    h->streams++;
    x->changed = on_changed;
    x->stream = s;
    return s;
}

static void forget_wish(struct h2_stream *s)
{
    struct h2_stream **at = &s->h2->changed;
    while (*at != s)
        at = &(*at)->changed;
    *at = s->changed;
}

static void unlink_stream(struct h2_stream *s)
{
    struct h2 *h = s->h2;
    struct h2_stream **at = &h->bucket[bucket_of(s->id)];
    while (*at != s)
        at = &(*at)->in_bucket;
    *at = s->in_bucket;
    if (s->prev)
        s->prev->next = s->next;
    else
        h->all = s->next;
    if (s->next)
        s->next->prev = s->prev;
    if (s->wishes)
        forget_wish(s);
    h2_unready(s);
    h->streams--;
}

void h2_stream_end(struct h2_stream *s, int why, enum wire_error code)
{
    struct h2 *h = s->h2;
    struct weir_exchange *x = s->x;
    bool early = why == WEIR_DONE && !s->heard;
    unlink_stream(s);
    if (code != WIRE_NO_ERROR && h->phase != H2_OVER)
        h2_send_reset(h, s->id, code);
    else if (early && h->phase != H2_OVER)
        h2_owe_reset(h, s->id);
    else
        h2_ended_add(&h->ended, s->id, false);
    h2_give_back(h, NULL, (size_t)weir_out_len(&s->inbox));
    out_done(&s->inbox);
    h->calm.work += why == WEIR_DONE;
    exchange_end(x, why); /* and with it, as a rule, this memory */
}

void h2_give_back(struct h2 *h, struct h2_stream *s, size_t len)
{
    if (h->phase == H2_OVER)
        return;
    h2_window_used(h2_out(h), 0, len, LIMIT_H2_WINDOW_ALL, &h->recv_taken, &h->recv_window);
    if (s && !s->heard)
        h2_window_used(h2_out(h), s->id, len, LIMIT_H2_WINDOW, &s->recv_taken, &s->recv_window);
}

/* --- deadlines --- */

/* It may be silent for as long as it likes. Not while all of its answer is there, and the peer is waited for to take it. */
static bool lasts(const struct h2_stream *s, enum h2_wait waits)
{
    const struct weir_exchange *x = s->x;
    bool whole = x->whole || s->given || x->body.len > 0;
    return x->lasts && !(whole && waits == H2_WAITS_PEER);
}

static void arm(struct h2_stream *s, enum h2_wait waits, uint64_t at_ns)
{
    s->waits = (uint8_t)waits;
    if (lasts(s, waits)) {
        s->h2->lasting = true;
        s->due_ns = 0;
        if (s->x->deadline_ns)
            h2_due(s->h2, s->x->deadline_ns);
        return;
    }
    s->due_ns = at_ns;
    if (s->x->deadline_ns && s->x->deadline_ns < at_ns)
        at_ns = s->x->deadline_ns;
    h2_due(s->h2, at_ns);
}

void h2_stream_waits(struct h2_stream *s, enum h2_wait waits)
{
    const struct weir_http *http = s->h2->http;
    uint64_t now = h2_now(s->h2);
    uint64_t at;
    switch (waits) {
    case H2_WAITS_CONTENT:
        at = now + http_ns(http->body_ms, LIMIT_HTTP_BODY_MS);
        arm(s, waits, s->pace_ns && s->pace_ns < at ? s->pace_ns : at);
        break;
    case H2_WAITS_PEER:
        arm(s, waits, now + http_ns(http->send_ms, LIMIT_HTTP_SEND_MS));
        break;
    case H2_WAITS_HANDLER:
        arm(s, waits, now + http_ns(http->answer_ms, LIMIT_HTTP_ANSWER_MS));
        break;
    }
}

/* --- calls to its handler --- */

/* What a handler's call came to. false: the stream is over. */
static bool called(struct h2_stream *s, int rc)
{
    if (rc < 0) {
        rc = exchange_fail(s->x, rc);
        s->deaf = true;
    }
    s->busy = false;
    if (rc == 0)
        return true;
    h2_stream_end(s, rc, WIRE_INTERNAL_ERROR);
    return false;
}

static bool tell_end(struct h2_stream *s)
{
    const struct weir_handler *handler = s->x->handler;
    if (s->told || !s->heard || weir_out_len(&s->inbox) > 0 || s->deaf)
        return true;
    s->told = true;
    if (!handler || !handler->end)
        return true;
    s->busy = true;
    return called(s, handler->end(s->x));
}

/* Content that its handler would not take before. false: the stream is over. */
static bool offer_inbox(struct h2_stream *s)
{
    const struct weir_span *span;
    while (!s->deaf && (span = weir_out_first(&s->inbox))) {
        if (!s->x->handler || !s->x->handler->take) { /* another one answers now, without it */
            h2_give_back(s->h2, NULL, span->len);
            weir_out_skip(&s->inbox, span->len);
            continue;
        }
        s->busy = true;
        ssize_t n = s->x->handler->take(s->x, span->bytes, span->len);
        if (!called(s, n < 0 ? (int)n : (size_t)n > span->len ? -EPROTO : 0))
            return false;
        if (n <= 0)
            break;
        weir_out_skip(&s->inbox, (size_t)n);
        h2_give_back(s->h2, s, (size_t)n);
    }
    return tell_end(s);
}

/* Where it stands now: what there is to send goes, and what is waited for has a deadline. */
static void go_on(struct h2_stream *s)
{
    struct h2 *h = s->h2;
    if (s->x->deadline_ns)
        h2_due(h, s->x->deadline_ns);
    if (s->x->reset) {
        h2_stream_end(s, -ECANCELED, (enum wire_error)s->x->reset_code);
        return;
    }
    if (s->x->begun) {
        s->sleeps = false;
        if (s->waits != H2_WAITS_PEER || lasts(s, H2_WAITS_PEER))
            s->due_ns = 0;
        else if (s->due_ns)
            h2_due(h, s->due_ns);
        bool first = !h2_any_ready(h) && h2_has_room(h);
        h2_ready(s);
        if (first)
            h2_send_ready(h);
    } else if (!s->heard && weir_out_len(&s->inbox) == 0) {
        h2_stream_waits(s, H2_WAITS_CONTENT);
    } else {
        h2_stream_waits(s, H2_WAITS_HANDLER);
    }
}

/* RFC 9110 section 10.1.1; ":status: 100" as HPACK has it without its table. */
static void say_continue(struct h2_stream *s)
{
    static const uint8_t block[] = {0x08, 3, '1', '0', '0'};
    struct weir_exchange *x = s->x;
    bool wanted = x->handler && x->handler->take && !s->heard;
    if (!x->expects || x->undecided || x->head_sent || !wanted)
        return;
    h2_put_frame(h2_out(s->h2), WIRE_HEADERS, WIRE_END_HEADERS, s->id, block, sizeof(block));
    x->expects = false;
}

void h2_stream_settle(struct h2_stream *s)
{
    bool woken = s->x->woken;
    s->x->woken = false;
    say_continue(s);
    if (woken) /* it may have been silent for a reason */
        s->pace_ns = http_pace_begin(s->h2->http, h2_now(s->h2));
    if (woken && !offer_inbox(s))
        return;
    go_on(s);
}

void h2_stream_start(struct h2_stream *s, enum http_error error)
{
    struct weir_exchange *x = s->x;
    s->busy = true;
    s->deaf = error != HTTP_OK;
    int rc = error ? exchange_refuse(x, error) : exchange_start(x);
    if (!called(s, rc) || !tell_end(s))
        return;
    if (!s->heard)
        s->pace_ns = http_pace_begin(s->h2->http, h2_now(s->h2));
    x->expects &= !x->begun;
    say_continue(s);
    go_on(s);
}

/* --- content --- */

static void refuse_content(struct h2_stream *s, enum http_error error)
{
    s->deaf = true;
    s->busy = true;
    int rc = exchange_refuse(s->x, error);
    s->busy = false;
    if (rc < 0)
        h2_stream_end(s, -EPROTO, WIRE_CANCEL);
    else
        go_on(s);
}

/* Nobody wants what comes. An answer that is to come still is not waited for when it is too much. */
static void throw_away(struct h2_stream *s)
{
    if (s->x->begun)
        return;
    if (s->came >= LIMIT_HTTP_DRAIN_BYTES) {
        exchange_struck(s->x, "drain");
        refuse_content(s, HTTP_CONTENT_TOO_LARGE);
    } else if (s->waits == H2_WAITS_CONTENT) {
        h2_stream_waits(s, H2_WAITS_CONTENT);
    }
}

/* Bytes its handler took; < 0: the stream is over. */
static ssize_t hand_over(struct h2_stream *s, const uint8_t *bytes, size_t len)
{
    const struct weir_handler *handler = s->x->handler;
    if (weir_out_len(&s->inbox) > 0)
        return 0;
    s->busy = true;
    ssize_t n = handler->take(s->x, bytes, len);
    if (!called(s, n < 0 ? (int)n : (size_t)n > len ? -EPROTO : 0))
        return -1;
    return n < 0 ? (ssize_t)len : n; /* < 0: it is answered with an error, and wants no more */
}

void h2_stream_content(struct h2_stream *s, const uint8_t *bytes, size_t len)
{
    struct h2 *h = s->h2;
    const struct weir_handler *handler = s->x->handler;
    if (s->left != WEIR_LENGTH_UNKNOWN && len > s->left) { /* RFC 9113 section 8.1.1 */
        h2_stream_end(s, -EPROTO, WIRE_PROTOCOL_ERROR);
        h2_give_back(h, NULL, len);
        return;
    }
    if (s->left != WEIR_LENGTH_UNKNOWN)
        s->left -= len;
    s->came += len;
    s->pace_ns = http_pace_came(h->http, s->pace_ns, h2_now(h), len);
    bool wanted = !s->deaf && handler && handler->take;
    if (s->came > http_body_max(h->http) && !s->deaf && !s->x->lasts) {
        refuse_content(s, HTTP_CONTENT_TOO_LARGE);
        h2_give_back(h, NULL, len);
        return;
    }
    if (!wanted) { /* its own window stays closed: so much and no more is thrown away */
        h2_give_back(h, NULL, len);
        throw_away(s);
        return;
    }
    ssize_t n = hand_over(s, bytes, len);
    h2_give_back(h, n < 0 ? NULL : s, n < 0 ? len : (size_t)n);
    if (n < 0)
        return;
    weir_out_copy(&s->inbox, bytes + n, len - (size_t)n);
    if (weir_out_failed(&s->inbox))
        h2_stream_end(s, -ENOMEM, WIRE_INTERNAL_ERROR);
    else
        h2_stream_settle(s);
}

void h2_stream_heard(struct h2_stream *s)
{
    if (s->left != WEIR_LENGTH_UNKNOWN && s->left > 0) { /* RFC 9113 section 8.1.1 */
        h2_stream_end(s, -EPROTO, WIRE_PROTOCOL_ERROR);
        return;
    }
    s->heard = true;
    if (tell_end(s))
        h2_stream_settle(s);
}

/* --- time --- */

/* The handler did nothing in its time. */
static void answer_for_handler(struct h2_stream *s)
{
    exchange_struck(s->x, "answer-timeout");
    s->deaf = true;
    s->busy = true;
    if (called(s, -ETIMEDOUT))
        go_on(s);
}

static void expire_own(struct h2_stream *s)
{
    const struct weir_handler *handler = s->x->handler;
    s->x->deadline_ns = 0;
    if (!handler || !handler->expire) {
        answer_for_handler(s);
        return;
    }
    s->busy = true;
    handler->expire(s->x);
    s->busy = false;
    s->x->woken = true;
    h2_stream_settle(s);
}

void h2_stream_expire(struct h2_stream *s)
{
    uint64_t now = h2_now(s->h2);
    bool stalls = s->waits == H2_WAITS_PEER && s->due_ns && s->due_ns <= now;
    if (!stalls && s->x->deadline_ns && s->x->deadline_ns <= now) {
        expire_own(s);
    } else if (s->due_ns && s->due_ns <= now) {
        s->due_ns = 0;
        if (s->waits == H2_WAITS_CONTENT) {
            bool slow = s->pace_ns && s->pace_ns <= now;
            refuse_content(s, slow ? HTTP_TOO_SLOW : HTTP_BODY_TIMEOUT);
        } else if (s->waits == H2_WAITS_PEER) {
            exchange_struck(s->x, "send-timeout");
            h2_stream_end(s, -ETIMEDOUT, WIRE_CANCEL);
        } else {
            answer_for_handler(s);
        }
    }
}
