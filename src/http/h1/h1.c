/* HTTP/1.1 as a protocol: phases, deadlines, leaving. */
#include "http/h1/h1.h"

#include <assert.h>
#include <errno.h>

void h1_set_phase(struct h1 *h, enum h1_phase next)
{
    static const uint8_t edges[] = {
        [H1_HEAD] = 1 << H1_BODY | 1 << H1_REPLY | 1 << H1_OVER,
        [H1_BODY] = 1 << H1_REPLY | 1 << H1_DRAIN | 1 << H1_OVER,
        [H1_REPLY] = 1 << H1_HEAD | 1 << H1_OVER,
        [H1_DRAIN] = 1 << H1_HEAD | 1 << H1_OVER,
        [H1_OVER] = 1 << H1_OVER,
    };
    assert(edges[h->phase] & 1 << next);
    (void)edges;
    h->phase = (uint8_t)next;
}

uint64_t h1_after(const struct weir_conn *conn, unsigned configured_ms, unsigned default_ms)
{
    return weir_conn_now(conn).mono_ns + http_ns(configured_ms, default_ms);
}

#define SEND_STEPS 4 /* a stalled peer is noticed a quarter of its time late at the most */

/* The peer that takes the answer is looked at in steps; it is cut off when it takes nothing for send_ms. */
static void arm_send_step(struct h1 *h, struct weir_conn *conn)
{
    uint64_t step = http_ns(h1_http(conn)->send_ms, LIMIT_HTTP_SEND_MS) / SEND_STEPS;
    uint64_t at = weir_conn_now(conn).mono_ns + step;
    uint64_t own = h->exchange ? h->exchange->deadline_ns : 0;
    weir_conn_arm(conn, own && own < at ? own : at);
    h->steps = true;
}

static void note_sent(struct h1 *h, struct weir_conn *conn, uint64_t unsent)
{
    h->sent_mark = h->queued - (uint32_t)unsent;
    h->sent_ns = weir_conn_now(conn).mono_ns;
}

static void end_exchange(struct h1 *h, int why)
{
    struct weir_exchange *x = h->exchange;
    h->exchange = NULL;
    h->blamed |= x && why != WEIR_DONE;
    if (x)
        exchange_end(x, why);
}

static void finish(struct h1 *h, struct weir_conn *conn, int why)
{
    h1_set_phase(h, H1_OVER);
    weir_conn_finish(conn, why);
}

void h1_linger(struct h1 *h, struct weir_conn *conn, int why)
{
    h1_set_phase(h, H1_OVER);
    weir_conn_linger(conn, why, LIMIT_HTTP_LINGER_BYTES, LIMIT_HTTP_LINGER_MS);
}

/* The client knows the end of the content by that of the connection (RFC 9112 section 6.3), and must not take this one for it. */
static bool looks_whole(const struct weir_exchange *x)
{
    return x && x->head_sent && !x->body_sent && !x->chunked && x->reply_len == WEIR_LENGTH_UNKNOWN;
}

void h1_cut(struct h1 *h, struct weir_conn *conn, int why)
{
    bool reset = looks_whole(h->exchange);
    end_exchange(h, why);
    if (!reset) {
        finish(h, conn, why);
        return;
    }
    h1_set_phase(h, H1_OVER);
    weir_conn_reset(conn, why);
}

void h1_refuse(struct h1 *h, struct weir_conn *conn, enum http_error error)
{
    struct weir_exchange *x = h->exchange;
    if (!x) { /* no head was read: it is answered all the same */
        x = h->exchange = exchange_new(conn, h1_http(conn));
        if (x)
            x->started_ns = h->since_ns;
    }
    if (!x || exchange_refuse(x, error) < 0 || h1_send(x, weir_conn_out(conn)) < 0) {
        h1_cut(h, conn, -EPROTO);
        return;
    }
    end_exchange(h, -EPROTO);
    /* One that has been silent for so long has nothing on its way that could reset the connection; others want the place. */
    if (http_error_status(error) == 408)
        finish(h, conn, -ETIMEDOUT);
    else
        h1_linger(h, conn, -EPROTO);
}

void h1_refuse_content(struct h1 *h, struct weir_conn *conn, enum http_error error)
{
    struct weir_exchange *x = h->exchange;
    if (!x->begun || (x->handler && x->handler->take)) {
        h1_refuse(h, conn, error);
        return;
    }
    x->close = true;
    h->broken = true;
    h1_set_phase(h, H1_REPLY); /* nothing more of the request is read */
    h1_settle(h, conn);
}

/* The last answer of this connection is queued. A peer that may still be sending must not have it eaten by a reset. */
static void close_after_reply(struct h1 *h, struct weir_conn *conn, bool close_asked)
{
    bool more = h->more || !body_done(&h->body);
    if (more || (!close_asked && !weir_conn_leaving(conn)))
        h1_linger(h, conn, h->broken ? -EPROTO : WEIR_DONE);
    else
        finish(h, conn, WEIR_DONE);
}

static void next_request(struct h1 *h, struct weir_conn *conn)
{
    if (!body_done(&h->body)) {
        h1_set_phase(h, H1_DRAIN);
        weir_conn_arm(conn, h1_after(conn, h1_http(conn)->body_ms, LIMIT_HTTP_BODY_MS));
    } else {
        h1_set_phase(h, H1_HEAD);
        h->drained = 0;
        weir_conn_rest(conn, true);
        weir_conn_arm(conn, h1_after(conn, h1_http(conn)->idle_ms, LIMIT_HTTP_IDLE_MS));
    }
    h->held = false;
    if (h->paused) {
        h->paused = false;
        weir_conn_resume(conn);
    }
    /* leave() came when this answer had already said that the connection stays. The next request may be here, unread:
     * closing over it would reset the connection and eat the answer. It is answered, or a moment passes. */
    if (h->phase == H1_HEAD && weir_conn_leaving(conn))
        weir_conn_arm(conn, h1_after(conn, 0, LIMIT_FIRST_BYTE_BUSY_MS));
}

static void end_reply(struct h1 *h, struct weir_conn *conn)
{
    bool close = h->exchange->close, close_asked = h->exchange->close_asked;
    end_exchange(h, WEIR_DONE);
    if (close)
        close_after_reply(h, conn, close_asked);
    else
        next_request(h, conn);
}

/* The exchange is not over: deadlines, and who is held back meanwhile. */
static void wait_for_handler(struct h1 *h, struct weir_conn *conn, bool moved)
{
    bool woken = h->exchange->woken;
    h->exchange->woken = false;
    if (h->phase == H1_BODY) {
        if (woken)
            h1_arm_content(h, conn, true);
        if (woken && h->held) {
            h->held = false;
            h->paused = false;
            weir_conn_resume(conn);
        }
        return;
    }
    if (moved)
        arm_send_step(h, conn);
    else if (!h->paused || woken)
        h1_arm_exchange(h, conn, h1_http(conn)->answer_ms, LIMIT_HTTP_ANSWER_MS);
    if (!h->paused) {
        h->paused = true;
        weir_conn_pause(conn);
    }
}

/* The client must not take the end for one that was meant. */
static void cut_by_handler(struct h1 *h, struct weir_conn *conn)
{
    end_exchange(h, -ECANCELED);
    h1_set_phase(h, H1_OVER);
    weir_conn_reset(conn, -ECANCELED);
}

void h1_settle(struct h1 *h, struct weir_conn *conn)
{
    struct weir_out *out = weir_conn_out(conn);
    if (h->phase == H1_BODY)
        h1_ask_content(h, conn);
    uint64_t before = weir_out_len(out);
    if (h->exchange->reset) {
        cut_by_handler(h, conn);
        return;
    }
    int flow = h1_send(h->exchange, out);
    bool moved = weir_out_len(out) != before;
    if (before == 0)
        note_sent(h, conn, 0); /* from now on the peer has something to take */
    h->queued += (uint32_t)(weir_out_len(out) - before);
    if (flow == WEIR_FLOW_END) {
        end_reply(h, conn);
    } else if (flow < 0) {
        h1_cut(h, conn, flow);
    } else {
        wait_for_handler(h, conn, moved);
    }
}

static int h1_open(void *state, struct weir_conn *conn, const void *config)
{
    struct h1 *h = state;
    (void)config; /* the connection keeps it */
    h->opened = true;
    if (h1_http(conn)->connection)
        h1_http(conn)->connection(h1_http(conn), conn, true, WEIR_DONE);
    h->since_ns = weir_conn_now(conn).mono_ns;
    h->admitted = !h1_http(conn)->admit || h1_http(conn)->admit(h1_http(conn), conn, &h->mark);
    if (!h->admitted) {
        h1_refuse(h, conn, HTTP_CLIENT_CONNECTIONS);
        return 0;
    }
    weir_conn_arm(conn, h1_after(conn, h1_http(conn)->head_ms, LIMIT_HTTP_HEAD_MS));
    return 0;
}

static ssize_t h1_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    struct h1 *h = state;
    switch ((enum h1_phase)h->phase) {
    case H1_HEAD:
        return h1_read_head(h, conn, (const char *)bytes, len);
    case H1_BODY:
        return h1_read_body(h, conn, (const char *)bytes, len);
    case H1_DRAIN:
        return h1_read_drain(h, conn, (const char *)bytes, len);
    default:
        return 0; /* paused or over: not called */
    }
}

static int h1_output(void *state, struct weir_conn *conn)
{
    struct h1 *h = state;
    if (h->exchange)
        h1_settle(h, conn);
    return 0;
}

static int h1_eof(void *state, struct weir_conn *conn, size_t rest)
{
    struct h1 *h = state;
    if (h->phase == H1_BODY)
        h1_refuse_content(h, conn, HTTP_INCOMPLETE);
    else if (h->phase == H1_HEAD && rest > 0)
        h1_refuse(h, conn, HTTP_INCOMPLETE);
    else
        finish(h, conn, h->phase == H1_DRAIN ? -EPROTO : WEIR_DONE);
    return 0;
}

/* Bytes are unsent, and the peer has taken none for send_ms. It has its own patience as long as it takes some. */
static bool peer_stalls(struct h1 *h, struct weir_conn *conn)
{
    uint64_t unsent = weir_out_len(weir_conn_out(conn));
    if (unsent == 0)
        return false;
    if (h->queued - (uint32_t)unsent != h->sent_mark) {
        note_sent(h, conn, unsent);
        return false;
    }
    return weir_conn_now(conn).mono_ns >=
           h->sent_ns + http_ns(h1_http(conn)->send_ms, LIMIT_HTTP_SEND_MS);
}

/* The handler did nothing in its time. */
static void answer_for_handler(struct h1 *h, struct weir_conn *conn)
{
    exchange_struck(h->exchange, "answer-timeout");
    if (exchange_fail(h->exchange, -ETIMEDOUT) < 0) {
        h1_cut(h, conn, -ETIMEDOUT);
        return;
    }
    h->exchange->close = true; /* output() sends it in this turn */
    h1_arm_exchange(h, conn, h1_http(conn)->send_ms, LIMIT_HTTP_SEND_MS);
}

/* The handler's own deadline; true: it was that. */
static bool expire_own(struct h1 *h, struct weir_conn *conn)
{
    struct weir_exchange *x = h->exchange;
    if (!x || !x->deadline_ns || x->deadline_ns > weir_conn_now(conn).mono_ns)
        return false;
    x->deadline_ns = 0;
    if (x->handler && x->handler->expire) {
        h1_arm_exchange(h, conn, h1_http(conn)->answer_ms, LIMIT_HTTP_ANSWER_MS);
        x->handler->expire(x);
    } else {
        answer_for_handler(h, conn);
    }
    return true;
}

/* The peer takes nothing, nor would it take what is queued. */
static void give_up_sending(struct h1 *h, struct weir_conn *conn)
{
    if (h->exchange)
        exchange_struck(h->exchange, "send-timeout");
    end_exchange(h, -ETIMEDOUT);
    h1_set_phase(h, H1_OVER);
    weir_conn_abort(conn, -ETIMEDOUT);
}

static void h1_expire(void *state, struct weir_conn *conn)
{
    struct h1 *h = state;
    if (peer_stalls(h, conn)) {
        give_up_sending(h, conn);
        return;
    }
    if (expire_own(h, conn))
        return;
    if (weir_out_len(weir_conn_out(conn)) > 0) {
        arm_send_step(h, conn);
    } else if (h->exchange && (h->phase == H1_REPLY || h->held)) {
        answer_for_handler(h, conn);
    } else if (h->phase == H1_BODY && h->steps) { /* it had to take before it could send */
        h1_arm_content(h, conn, true);
    } else if (h->phase == H1_BODY) {
        bool slow = h->due_ns && h->due_ns <= weir_conn_now(conn).mono_ns;
        h1_refuse(h, conn, slow ? HTTP_TOO_SLOW : HTTP_BODY_TIMEOUT);
    } else if (h->phase == H1_HEAD && h->partial) {
        h1_refuse(h, conn, HTTP_HEAD_TIMEOUT);
    } else {
        h1_cut(h, conn, h->phase == H1_HEAD ? WEIR_DONE : -ETIMEDOUT);
    }
}

static void h1_leave(void *state, struct weir_conn *conn, enum weir_leave why)
{
    struct h1 *h = state;
    (void)why;
    if (h->phase == H1_HEAD && !h->partial) {
        /* A client that has just connected may have its request on the way: it was accepted, so it is answered. */
        uint64_t at = h->since_ns + LIMIT_FIRST_BYTE_BUSY_MS * WEIR_NS_PER_MS;
        if (!h->spoken && weir_conn_now(conn).mono_ns < at)
            weir_conn_arm(conn, at);
        else
            finish(h, conn, WEIR_DONE);
    } else if (h->phase == H1_DRAIN) {
        h1_linger(h, conn, WEIR_DONE);
    } else if (h->exchange && h->exchange->handler && h->exchange->handler->leave) {
        h->exchange->handler->leave(h->exchange);
    }
}

static void h1_close(void *state, struct weir_conn *conn, int why)
{
    struct h1 *h = state;
    end_exchange(h, why);
    if (h->admitted && h1_http(conn)->released)
        h1_http(conn)->released(h1_http(conn), h->mark);
    if (h->opened && !(h->succeeded && why == WEIR_DONE) && h1_http(conn)->connection)
        h1_http(conn)->connection(h1_http(conn), conn, false, h->blamed ? WEIR_DONE : why);
}

const struct weir_protocol weir_http1 = {
    .name = "http/1.1",
    .state_size = sizeof(struct h1),
    .input_max = LIMIT_HTTP_LINE_MOST + LIMIT_HTTP_FIELDS_MOST + 1,
    .open = h1_open,
    .input = h1_input,
    .eof = h1_eof,
    .output = h1_output,
    .expire = h1_expire,
    .leave = h1_leave,
    .close = h1_close,
};
