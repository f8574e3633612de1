/* Reads requests: the head into an exchange, then the content for its handler. */
#include "base/bytes.h"
#include "http/h1/h1.h"

#include <weir/conn.h>

#include <errno.h>
#include <string.h>

void h1_arm_exchange(struct h1 *h, struct weir_conn *conn, unsigned ms, unsigned default_ms)
{
    uint64_t at = h1_after(conn, ms, default_ms);
    uint64_t own = h->exchange->deadline_ns;
    weir_conn_arm(conn, own && own < at ? own : at);
}

/* Content in hand is worth time: each byte moves the moment by which there must be more, up to the grace from now. */
static void content_came(struct h1 *h, const struct weir_conn *conn, size_t len)
{
    h->due_ns = http_pace_came(h1_http(conn), h->due_ns, weir_conn_now(conn).mono_ns, len);
}

void h1_arm_content(struct h1 *h, struct weir_conn *conn, bool fresh)
{
    if (fresh)
        h->due_ns = http_pace_begin(h1_http(conn), weir_conn_now(conn).mono_ns);
    uint64_t at = h1_after(conn, h1_http(conn)->body_ms, LIMIT_HTTP_BODY_MS);
    uint64_t own = h->exchange->deadline_ns;
    if (h->due_ns && h->due_ns < at)
        at = h->due_ns;
    weir_conn_arm(conn, own && own < at ? own : at);
    h->steps = false;
}

/* What stays of the connection after this request (RFC 9112 section 9.3). */
static void read_connection(struct weir_exchange *x)
{
    bool close = false, keep = false;
    struct weir_bytes value, option;
    for (unsigned at = 0; exchange_each(x, FIELD_CONNECTION, &at, &value);) {
        while (bytes_next(&value, &option)) {
            close |= bytes_same(option, BYTES("close"));
            keep |= bytes_same(option, BYTES("keep-alive"));
        }
    }
    x->close_asked = close || (x->minor == 0 && !keep);
    /* What comes behind CONNECT is for the far end of a tunnel that will not be. */
    x->close = x->close_asked || x->method == WEIR_METHOD_CONNECT;
}

/* The scheme asks for TLS, which is what runs a connection inside another one (RFC 9110 section 7.4). */
static bool is_misdirected(const struct weir_exchange *x)
{
    return x->https && !weir_conn_outer(x->conn);
}

static enum http_error read_request(struct h1 *h, struct weir_exchange *x, const char *bytes,
                                    size_t len)
{
    enum http_error error = head_read(x, bytes, len);
    if (!error && is_misdirected(x))
        error = HTTP_MISDIRECTED;
    if (!error)
        error = body_open(&h->body, x, http_body_max(x->http));
    if (!error)
        error = exchange_read_expect(x);
    if (!error)
        read_connection(x);
    return error;
}

/* The peer is still to send content that nobody will read, and the connection could not go on behind it. */
static bool too_much_to_drain(const struct h1 *h, const struct weir_exchange *x)
{
    return !body_done(&h->body) &&
           (x->expects || (h->body.step == BODY_CONTENT && h->body.left > LIMIT_HTTP_DRAIN_BYTES));
}

void h1_ask_content(struct h1 *h, struct weir_conn *conn)
{
    struct weir_exchange *x = h->exchange;
    if (!x->expects || x->undecided || x->head_sent)
        return;
    weir_out_copy(weir_conn_out(conn), "HTTP/1.1 100 Continue\r\n\r\n", 25);
    h->queued += 25;
    x->expects = false;
}

static void begin_content(struct h1 *h, struct weir_conn *conn, bool content_here)
{
    struct weir_exchange *x = h->exchange;
    if (x->begun && too_much_to_drain(h, x)) {
        x->close = true;
        exchange_struck(x, "drain");
        x->expects = false;
    }
    x->expects &= !content_here;
    h1_arm_content(h, conn, true);
}

/* The content is complete, or there is none. */
static int end_content(struct h1 *h)
{
    struct weir_exchange *x = h->exchange;
    h1_set_phase(h, H1_REPLY);
    int rc = x->handler && x->handler->end ? x->handler->end(x) : 0;
    return rc < 0 ? exchange_fail(x, rc) : 0;
}

/* A head has begun: it has its own deadline, that more bytes do not move. */
static void begin_head(struct h1 *h, struct weir_conn *conn)
{
    if (h->partial)
        return;
    h->partial = true;
    h->since_ns = weir_conn_now(conn).mono_ns;
    weir_conn_rest(conn, false);
    weir_conn_arm(conn, h1_after(conn, h1_http(conn)->head_ms, LIMIT_HTTP_HEAD_MS));
}

/* An empty line in front of a request line: some old clients end their content with one (RFC 9112 section 2.2). */
static ssize_t skip_empty_line(struct h1 *h, struct weir_conn *conn, const char *bytes, size_t len)
{
    if (len < 2) {
        begin_head(h, conn);
        return 0;
    }
    if (bytes[1] != '\n' || ++h->empty_lines > LIMIT_HTTP_EMPTY_LINES) {
        h1_refuse(h, conn, HTTP_REQUEST_LINE);
        return (ssize_t)len;
    }
    h->partial = false;
    weir_conn_rest(conn, true);
    if (weir_conn_leaving(conn))
        weir_conn_arm(conn, h1_after(conn, 0, LIMIT_FIRST_BYTE_BUSY_MS));
    else
        weir_conn_arm(conn, h1_after(conn, h1_http(conn)->idle_ms, LIMIT_HTTP_IDLE_MS));
    return 2;
}

/* For the log and the error page: what there is of a request line. */
static void show_line(struct weir_exchange *x, const char *bytes, size_t len)
{
    size_t n = field_run(bytes, len < LIMIT_LOG_FIELD ? len : LIMIT_LOG_FIELD, BYTE_VALUE);
    x->head = bytes;
    x->line = (struct slice){0, (uint16_t)n};
}

static void run_request(struct h1 *h, struct weir_conn *conn, bool content_here)
{
    int rc = exchange_start(h->exchange);
    if (rc == 0 && body_done(&h->body)) {
        rc = end_content(h);
    } else if (rc == 0) {
        h1_set_phase(h, H1_BODY);
        begin_content(h, conn, content_here);
    }
    if (rc < 0)
        h1_cut(h, conn, rc);
    else
        h1_settle(h, conn);
}

/* A whole head, or an error in front of one. */
static void take_head(struct h1 *h, struct weir_conn *conn, const char *bytes, size_t len,
                      size_t head_len, enum http_error error)
{
    struct weir_exchange *x = exchange_new(conn, h1_http(conn));
    if (!x) {
        h1_cut(h, conn, -ENOMEM);
        return;
    }
    x->started_ns = h->partial ? h->since_ns : weir_conn_now(conn).mono_ns;
    exchange_reached(x, TIME_RECEIVE);
    h->exchange = x;
    h->partial = false;
    h->empty_lines = 0;
    h->scan = (struct head_scan){0};
    h->more = len > head_len;
    if (error)
        show_line(x, bytes, len);
    else
        error = read_request(h, x, bytes, head_len);
    if (error)
        h1_refuse(h, conn, error);
    else
        run_request(h, conn, len > head_len);
    if (h->exchange && exchange_keep(h->exchange) < 0)
        h1_cut(h, conn, -ENOMEM);
    else if (h->exchange)
        weir_conn_rest(conn, false);
}

/* RFC 9113 section 3.3: a client that knows beforehand; over TLS it would have agreed upon it. true: it is one, or may be. */
static bool is_preface(struct h1 *h, struct weir_conn *conn, const char *bytes, size_t len)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    size_t n = len < sizeof(preface) - 1 ? len : sizeof(preface) - 1;
    if (!h1_http(conn)->http2 || weir_conn_outer(conn) || memcmp(bytes, preface, n) != 0)
        return false;
    if (n < sizeof(preface) - 1)
        begin_head(h, conn);
    else if (weir_conn_become(conn, h1_http(conn)->http2, h1_http(conn)) < 0)
        h1_cut(h, conn, -EBUSY);
    else
        h->succeeded = true;
    return true;
}

ssize_t h1_read_head(struct h1 *h, struct weir_conn *conn, const char *bytes, size_t len)
{
    if (!h->spoken && is_preface(h, conn, bytes, len))
        return 0;
    h->spoken = true;
    if (h->scan.at == 0 && bytes[0] == '\r')
        return skip_empty_line(h, conn, bytes, len);
    size_t head_len;
    const struct weir_http *http = h1_http(conn);
    struct head_limits max = HEAD_LIMITS_USUAL;
    if (http->line_max | http->fields_max)
        max = head_limits(http);
    enum http_error error = head_find(&h->scan, bytes, len, &max, &head_len);
    if (error == HTTP_LINE_TOO_LONG && field_run(bytes, len, BYTE_TOKEN) > LIMIT_HTTP_METHOD)
        error = HTTP_UNKNOWN_METHOD; /* RFC 9112 section 3 */
    if (!error && head_len == 0) {
        begin_head(h, conn);
        return 0;
    }
    take_head(h, conn, bytes, len, head_len, error);
    return error ? (ssize_t)len : (ssize_t)head_len;
}

/* Content without a taker is thrown away, within the bound: bytes used, or -EMSGSIZE. */
static ssize_t throw_away(struct h1 *h, size_t len)
{
    if (h->drained + len > LIMIT_HTTP_DRAIN_BYTES) { /* an answer under way goes out first */
        if (h->exchange)
            exchange_struck(h->exchange, "drain");
        return h->exchange && h->exchange->begun ? 0 : -EMSGSIZE;
    }
    h->drained += (uint32_t)len;
    return (ssize_t)len;
}

static ssize_t hand_over(struct h1 *h, const char *bytes, size_t len)
{
    const struct weir_handler *handler = h->exchange->handler;
    if (!handler || !handler->take)
        return throw_away(h, len);
    ssize_t n = handler->take(h->exchange, (const uint8_t *)bytes, len);
    return n > (ssize_t)len ? -EPROTO : n;
}

/* Goes on to the end of the content, of the bytes, or of what the handler takes. Returns the bytes used; *out_rc says
 * what went wrong: > 0 an http_error, < 0 the handler's -errno. */
static size_t read_content(struct h1 *h, struct weir_conn *conn, const char *bytes, size_t len,
                           ssize_t *out_rc)
{
    size_t at = 0;
    *out_rc = 0;
    while (at < len) {
        ssize_t n = body_frame(&h->body, bytes + at, len - at, http_body_max(h1_http(conn)));
        if (n < 0) {
            *out_rc = -n;
            return at;
        }
        at += (size_t)n;
        size_t piece = h->body.left < len - at ? (size_t)h->body.left : len - at;
        if (body_done(&h->body) || piece == 0)
            return at;
        n = h->exchange ? hand_over(h, bytes + at, piece) : throw_away(h, piece);
        if (n < 0) {
            *out_rc = n;
            return at;
        }
        at += (size_t)n;
        body_took(&h->body, (size_t)n);
        if ((size_t)n < piece) {
            h->held = true;
            return at;
        }
    }
    return at;
}

ssize_t h1_read_body(struct h1 *h, struct weir_conn *conn, const char *bytes, size_t len)
{
    ssize_t rc;
    size_t used = read_content(h, conn, bytes, len, &rc);
    content_came(h, conn, used);
    if (rc > 0 || rc == -EMSGSIZE) {
        h1_refuse_content(h, conn, rc > 0 ? (enum http_error)rc : HTTP_CONTENT_TOO_LARGE);
        return (ssize_t)len;
    }
    if (rc == 0 && body_done(&h->body)) {
        h->more = len > used;
        rc = end_content(h);
    } else if (rc < 0) {
        rc = exchange_fail(h->exchange, (int)rc);
    } else if (h->held) {
        h->paused = true;
        weir_conn_pause(conn);
        h1_arm_exchange(h, conn, h1_http(conn)->answer_ms, LIMIT_HTTP_ANSWER_MS);
    } else {
        h1_arm_content(h, conn, false);
    }
    if (rc < 0)
        h1_cut(h, conn, (int)rc);
    else
        h1_settle(h, conn);
    return (ssize_t)used;
}

ssize_t h1_read_drain(struct h1 *h, struct weir_conn *conn, const char *bytes, size_t len)
{
    ssize_t rc;
    size_t used = read_content(h, conn, bytes, len, &rc);
    if (rc != 0) {
        h1_linger(h, conn, -EPROTO);
        return (ssize_t)len;
    }
    if (body_done(&h->body)) {
        h1_set_phase(h, H1_HEAD);
        h->drained = 0;
        weir_conn_rest(conn, true);
        weir_conn_arm(conn, h1_after(conn, h1_http(conn)->idle_ms, LIMIT_HTTP_IDLE_MS));
        if (weir_conn_leaving(conn))
            h1_linger(h, conn, WEIR_DONE);
    }
    return (ssize_t)used;
}
