/* HTTP/2 as a protocol: opening, deadlines, leaving, ends. */
#include "h2/h2.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- ends --- */

static void goaway(struct h2 *h, uint32_t last_id, enum wire_error code)
{
    h2_put_goaway(h2_out(h), last_id, code);
}

static void end_all(struct h2 *h, int why)
{
    h->phase = H2_OVER;
    while (h->all) {
        h->blamed |= why != WEIR_DONE;
        h2_stream_end(h->all, why, WIRE_NO_ERROR);
    }
}

/* For the log: what struck was no single request. */
static void tell_limit(struct h2 *h, const char *limit)
{
    struct weir_exchange *x = exchange_new(h->conn, h->http);
    if (!x)
        return;
    x->h2 = true;
    x->started_ns = h2_now(h);
    x->status = 400;
    x->begun = true; /* the GOAWAY is its answer */
    exchange_struck(x, limit);
    exchange_end(x, -EPROTO);
    h->blamed = true;
}

void h2_fail(struct h2 *h, enum wire_error code, const char *limit)
{
    if (h->phase == H2_OVER)
        return;
    goaway(h, h->accepted_id, code);
    end_all(h, -EPROTO);
    if (limit)
        tell_limit(h, limit);
    weir_conn_linger(h->conn, code == WIRE_INTERNAL_ERROR ? -ENOMEM : -EPROTO,
                     LIMIT_HTTP_LINGER_BYTES, LIMIT_HTTP_LINGER_MS);
}

bool h2_flooded(struct h2 *h, enum h2_flood kind)
{
    const char *limit = h2_calm_count(&h->calm, kind, h2_now(h));
    if (limit)
        h2_fail(h, WIRE_ENHANCE_YOUR_CALM, limit);
    return limit;
}

/* Nothing is under way. A request that is on its way must not reset the connection: the GOAWAY says that it was not seen. */
static void finish(struct h2 *h)
{
    goaway(h, h->accepted_id, WIRE_NO_ERROR);
    h->phase = H2_OVER;
    if (h->peer_leaves)
        weir_conn_finish(h->conn, WEIR_DONE);
    else
        weir_conn_linger(h->conn, WEIR_DONE, LIMIT_HTTP_LINGER_BYTES, LIMIT_HTTP_LINGER_MS);
}

/* --- deadlines --- */

#define SEND_STEPS 4 /* a stalled peer is noticed a quarter of its time late at the most */

void h2_due(struct h2 *h, uint64_t at_ns)
{
    if (!h->due_ns || at_ns < h->due_ns)
        h->due_ns = at_ns;
}

static void sooner(uint64_t *at, uint64_t other)
{
    if (other && (!*at || other < *at))
        *at = other;
}

/* Of the peer that takes what is queued. */
static uint64_t send_step(struct h2 *h, uint64_t unsent)
{
    uint64_t now = h2_now(h);
    if (unsent == 0)
        return 0;
    if (h->queued - unsent != h->sent_mark) {
        h->sent_mark = h->queued - unsent;
        h->sent_ns = now;
    }
    uint64_t step = http_ns(h->http->send_ms, LIMIT_HTTP_SEND_MS) / SEND_STEPS;
    return now + step;
}

static bool peer_stalls(struct h2 *h)
{
    uint64_t unsent = weir_out_len(h2_out(h));
    return unsent > 0 && h->queued - unsent == h->sent_mark &&
           h2_now(h) >= h->sent_ns + http_ns(h->http->send_ms, LIMIT_HTTP_SEND_MS);
}

/* A client that has just connected may have its request on the way: it was accepted, so it is answered. How long that is believed; 0: no more. */
static uint64_t newcomer_ns(const struct h2 *h)
{
    uint64_t until = h->opened_ns + LIMIT_FIRST_BYTE_BUSY_MS * WEIR_NS_PER_MS;
    return h->last_id == 0 && h2_now(h) < until ? until : 0;
}

static void arm(struct h2 *h)
{
    const struct weir_http *http = h->http;
    uint64_t at = send_step(h, weir_out_len(h2_out(h)));
    if (h->phase == H2_PREFACE || h->phase == H2_SETTINGS ||
        (h->partial && weir_out_room(h2_out(h))))
        sooner(&at, h->since_ns + http_ns(http->head_ms, LIMIT_HTTP_HEAD_MS));
    if (h->streams > 0)
        sooner(&at, h->due_ns);
    else
        sooner(&at, h->idle_ns);
    sooner(&at, h->goaway_ns);
    sooner(&at, h2_owed_ns(h));
    sooner(&at, h2_silent_ns(h));
    if (weir_conn_leaving(h->conn))
        sooner(&at, newcomer_ns(h));
    weir_conn_arm(h->conn, at);
}

/* RFC 9113 section 6.8: what is on its way is still accepted, for a round trip. */
static void begin_leaving(struct h2 *h)
{
    h->phase = H2_LEAVING;
    if (h->streams == 0)
        return;
    goaway(h, WIRE_ID_MAX, WIRE_NO_ERROR);
    h->goaway_ns = h2_now(h) + LIMIT_H2_GOAWAY_MS * WEIR_NS_PER_MS;
}

/* Every call of the machine ends here. */
static void settle(struct h2 *h, uint64_t unsent_before)
{
    if (h->phase <= H2_OPEN && weir_conn_leaving(h->conn) && !h->partial && !newcomer_ns(h))
        begin_leaving(h);
    if (h->spoilt)
        h2_fail(h, WIRE_INTERNAL_ERROR, NULL);
    h->queued += weir_out_len(h2_out(h)) - unsent_before;
    if (h->phase == H2_OVER)
        return;
    bool idle = h->streams == 0 && h->phase >= H2_OPEN;
    if (idle && (h->peer_leaves || h->phase >= H2_LEAVING)) {
        finish(h);
        return;
    }
    if (!idle)
        h->idle_ns = 0;
    else if (!h->idle_ns)
        h->idle_ns = h2_now(h) + http_ns(h->http->idle_ms, LIMIT_HTTP_IDLE_MS);
    weir_conn_rest(h->conn, h->streams == 0 && !h->partial);
    arm(h);
}

/* --- the protocol --- */

/* RFC 9113 section 3.4: what our side says first. */
static void say_hello(struct h2 *h)
{
    const struct weir_http *http = h->http;
    uint32_t line = http_bounded(http->line_max, LIMIT_HTTP_LINE_BYTES, LIMIT_HTTP_LINE_MOST);
    uint32_t fields =
        http_bounded(http->fields_max, LIMIT_HTTP_FIELDS_BYTES, LIMIT_HTTP_FIELDS_MOST);
    uint8_t settings[5 * 6];
    h2_put_setting(settings, WIRE_MAX_CONCURRENT_STREAMS, LIMIT_H2_STREAMS);
    h2_put_setting(settings + 6, WIRE_INITIAL_WINDOW_SIZE, LIMIT_H2_WINDOW);
    h2_put_setting(settings + 12, WIRE_MAX_HEADER_LIST_SIZE, line + fields);
    h2_put_setting(settings + 18, WIRE_ENABLE_CONNECT_PROTOCOL, 1);
    h2_put_setting(settings + 24, WIRE_NO_RFC7540_PRIORITIES, 1);
    h2_put_frame(h2_out(h), WIRE_SETTINGS, 0, 0, settings, sizeof(settings));
    h2_put_number(h2_out(h), WIRE_WINDOW_UPDATE, 0, LIMIT_H2_WINDOW_ALL - WIRE_WINDOW);
}

static int h2_open(void *state, struct weir_conn *conn, const void *config)
{
    struct h2 *h = state;
    h->conn = conn;
    h->http = config;
    h->opened = true;
    h->send_window = h->first_window = WIRE_WINDOW;
    h->recv_window = LIMIT_H2_WINDOW_ALL;
    h->since_ns = h->calm.since_ns = h->opened_ns = h->heard_ns = h->sent_ns = h2_now(h);
    if (h->http->connection && weir_conn_before(conn) != &weir_http1) /* which said so */
        h->http->connection(h->http, conn, true, WEIR_DONE);
    h->admitted = !h->http->admit || h->http->admit(h->http, conn, &h->mark);
    say_hello(h);
    if (!h->admitted) {
        h2_fail(h, WIRE_ENHANCE_YOUR_CALM, "client-connections");
        return 0;
    }
    settle(h, 0);
    weir_conn_rest(conn, true);
    return 0;
}

static ssize_t h2_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    struct h2 *h = state;
    uint64_t before = weir_out_len(weir_conn_out(conn));
    h2_heard(h);
    ssize_t n = h2_read(h, bytes, len);
    if (h->phase == H2_OVER)
        return (ssize_t)len;
    /* A frame has begun: it has its own deadline, that more bytes do not move. */
    bool rest = (size_t)n < len && !h->data.id;
    if (rest && !h->partial && h->phase != H2_PREFACE)
        h->since_ns = h2_now(h);
    h->partial = rest;
    settle(h, before);
    return n;
}

/* Exchanges that wished something since. */
static void take_wishes(struct h2 *h)
{
    while (h->changed && weir_out_room(h2_out(h))) {
        struct h2_stream *s = h->changed;
        h->changed = s->changed;
        s->wishes = false;
        h2_stream_settle(s);
    }
}

static int h2_output(void *state, struct weir_conn *conn)
{
    struct h2 *h = state;
    if (!h->changed && h->ready_count == 0)
        return 0;
    uint64_t before = weir_out_len(weir_conn_out(conn));
    take_wishes(h);
    h2_send_ready(h);
    settle(h, before);
    return 0;
}

static int h2_eof(void *state, struct weir_conn *conn, size_t rest)
{
    struct h2 *h = state;
    uint64_t before = weir_out_len(weir_conn_out(conn));
    struct h2_stream *next;
    h->peer_leaves = true;
    h->partial = false;
    for (struct h2_stream *s = h->all; s; s = next) {
        next = s->next;
        if (!s->heard)
            h2_stream_end(s, -EPROTO, WIRE_CANCEL);
    }
    if (h->phase == H2_PREFACE || h->phase == H2_SETTINGS || (rest > 0 && h->streams == 0)) {
        h->phase = H2_OVER;
        weir_conn_finish(conn, rest > 0 ? -EPROTO : WEIR_DONE);
    }
    settle(h, before);
    return 0;
}

/* The peer takes nothing, nor would it take what is queued. */
static void give_up_sending(struct h2 *h)
{
    for (struct h2_stream *s = h->all; s; s = s->next)
        exchange_struck(s->x, "send-timeout");
    end_all(h, -ETIMEDOUT);
    weir_conn_abort(h->conn, -ETIMEDOUT);
}

static void expire_streams(struct h2 *h)
{
    struct h2_stream *next;
    uint64_t now = h2_now(h);
    if (!h->due_ns || h->due_ns > now)
        return;
    h->due_ns = 0;
    for (struct h2_stream *s = h->all; s; s = next) {
        next = s->next;
        uint64_t at = s->due_ns;
        sooner(&at, s->x->deadline_ns);
        if (at && at <= now)
            h2_stream_expire(s);
        else if (at)
            h2_due(h, at);
    }
}

static bool is_past(const struct h2 *h, uint64_t at_ns)
{
    return at_ns && at_ns <= h2_now(h);
}

static void h2_expire(void *state, struct weir_conn *conn)
{
    struct h2 *h = state;
    uint64_t before = weir_out_len(weir_conn_out(conn));
    bool greets = h->phase == H2_PREFACE || h->phase == H2_SETTINGS;
    uint64_t head_ns = h->since_ns + http_ns(h->http->head_ms, LIMIT_HTTP_HEAD_MS);
    if (peer_stalls(h) || h2_is_gone(h)) {
        give_up_sending(h);
        return;
    }
    if (greets && !h->partial && is_past(h, head_ns)) { /* it only knocked */
        h->phase = H2_OVER;
        weir_conn_finish(conn, WEIR_DONE);
    } else if (h->partial && weir_out_room(h2_out(h)) && is_past(h, head_ns)) {
        h2_fail(h, greets ? WIRE_SETTINGS_TIMEOUT : WIRE_ENHANCE_YOUR_CALM, "head-timeout");
    } else if (is_past(h, h->goaway_ns)) {
        h->goaway_ns = 0;
        h->phase = H2_LAST;
        goaway(h, h->accepted_id, WIRE_NO_ERROR);
    } else if (h->streams == 0 && is_past(h, h->idle_ns)) {
        finish(h);
    }
    if (h->phase != H2_OVER) {
        expire_streams(h);
        h2_pay_resets(h);
    }
    settle(h, before);
}

static void tell_leave(struct h2 *h)
{
    struct h2_stream *next;
    for (struct h2_stream *s = h->all; s; s = next) {
        next = s->next;
        if (s->x->handler && s->x->handler->leave)
            s->x->handler->leave(s->x);
    }
}

static void h2_leave(void *state, struct weir_conn *conn, enum weir_leave why)
{
    struct h2 *h = state;
    uint64_t before = weir_out_len(weir_conn_out(conn));
    (void)conn, (void)why;
    tell_leave(h);
    settle(h, before);
}

static void h2_close(void *state, struct weir_conn *conn, int why)
{
    struct h2 *h = state;
    end_all(h, why);
    h2_unpacker_done(&h->unpacker);
    h2_packer_done(&h->packer);
    free(h->again);
    free(h->early);
    if (h->admitted && h->http->released)
        h->http->released(h->http, h->mark);
    if (h->opened && h->http->connection)
        h->http->connection(h->http, conn, false, h->blamed ? WEIR_DONE : why);
}

const struct weir_protocol weir_http2 = {
    .name = "h2",
    .state_size = sizeof(struct h2),
    .input_max = LIMIT_H2_BLOCK + LIMIT_H2_FRAME + (LIMIT_H2_CONTINUATIONS + 3) * WIRE_HEAD + 256,
    .open = h2_open,
    .input = h2_input,
    .eof = h2_eof,
    .output = h2_output,
    .expire = h2_expire,
    .leave = h2_leave,
    .close = h2_close,
};
