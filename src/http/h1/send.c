/* Writes an answer: status line, fields, and content by length, in chunks, or up to the connection's end. */
#include "base/bytes.h"
#include "base/text.h"
#include "http/h1/h1.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* The longest status line (46), Date (37), Content-Length of 20 digits (38), Connection (24), the empty line. Exact, so
 * that a head with a small page behind it fits one reservation. */
#define HEAD_OWN_MAX (46 + 37 + 38 + 24 + 2)

static void add(struct text *t, struct weir_bytes bytes)
{
    text_add(t, bytes.at, bytes.len);
}

static void add_date(struct text *t, const struct weir_exchange *x)
{
    add(t, BYTES("Date: "));
    add(t, http_date(x->driver));
    add(t, BYTES("\r\n"));
}

/* Decides how the content will end, and says so. */
static void add_framing(struct text *t, struct weir_exchange *x)
{
    if (!status_has_framing(x->status))
        return;
    if (x->status == 205) {
        add(t, BYTES("Content-Length: 0\r\n"));
    } else if (x->reply_len != WEIR_LENGTH_UNKNOWN) {
        add(t, BYTES("Content-Length: "));
        text_u64(t, x->reply_len);
        add(t, BYTES("\r\n"));
    } else if (x->minor > 0) {
        x->chunked = true;
        add(t, BYTES("Transfer-Encoding: chunked\r\n"));
    } else {
        x->close = true; /* HTTP/1.0: its end is the connection's */
    }
}

static void add_timing(struct text *t, const struct weir_exchange *x)
{
    char value[TIMING_MAX];
    struct text timing;
    text_init(&timing, value, sizeof(value));
    http_timing(&timing, x);
    if (timing.len == 0)
        return;
    add(t, BYTES("Server-Timing: "));
    text_add(t, value, timing.len);
    add(t, BYTES("\r\n"));
}

static void write_head(struct text *t, struct weir_exchange *x)
{
    char buffer[STATUS_LINE_MAX];
    add(t, status_line(x->status, buffer));
    add_date(t, x);
    if (x->http->server) {
        add(t, BYTES("Server: "));
        text_str(t, x->http->server);
        add(t, BYTES("\r\n"));
    }
    text_add(t, x->block, x->block_len);
    text_add(t, x->lines.at, x->lines.len);
    if (x->http->server_timing)
        add_timing(t, x);
    add_framing(t, x);
    if (x->close)
        add(t, BYTES("Connection: close\r\n"));
    else if (x->minor == 0)
        add(t, BYTES("Connection: keep-alive\r\n"));
    add(t, BYTES("\r\n"));
    assert(!t->cut);
}

static size_t head_max(const struct weir_exchange *x)
{
    size_t server = x->http->server ? strlen(x->http->server) + 10 : 0;
    return HEAD_OWN_MAX + (x->http->server_timing ? TIMING_MAX + 17u : 0u) + server + x->block_len +
           x->lines.len;
}

/* The usual small answer: head and content in one copied piece, so that it is one span and one send. */
static bool send_small(struct weir_exchange *x, struct weir_out *out)
{
    size_t room = head_max(x);
    bool with_body = exchange_has_content(x) && x->body.kind == WEIR_SPAN_BYTES &&
                     x->body.len > 0 && room + x->body.len <= WEIR_OUT_RESERVE_MAX;
    if (with_body)
        room += x->body.len;
    if (room > WEIR_OUT_RESERVE_MAX)
        return false;
    char *at = weir_out_reserve(out, room);
    if (!at)
        return true; /* the queue has failed, and ends the connection */
    struct text text;
    text_init(&text, at, room);
    write_head(&text, x);
    if (with_body) {
        text_add(&text, (const char *)x->body.bytes, x->body.len);
        x->reply_sent = x->body.len;
        x->body_sent = true;
    }
    weir_out_commit(out, text.len);
    return true;
}

static int send_head(struct weir_exchange *x, struct weir_out *out)
{
    if (x->conn && weir_conn_leaving(x->conn))
        x->close = true;
    if (!send_small(x, out)) {
        size_t room = head_max(x);
        char *memory = weir_exchange_alloc(x, room);
        if (!memory)
            return -ENOMEM;
        struct text text;
        text_init(&text, memory, room);
        write_head(&text, x);
        weir_out_copy(out, text.at, text.len);
    }
    x->head_sent = true;
    exchange_reached(x, TIME_FIRST);
    if (!exchange_has_content(x))
        x->body_sent = true;
    return 0;
}

/* Content that was given whole. */
static void send_whole(struct weir_exchange *x, struct weir_out *out)
{
    /* Without an owner it may be the exchange's own memory, which then lives until it is sent. */
    struct weir_ref *owner = x->body.owner ? x->body.owner : &x->ref;
    if (x->body.kind == WEIR_SPAN_FILE)
        weir_out_file(out, x->body.fd, x->body.offset, x->body.len, owner);
    else
        weir_out_bytes(out, x->body.bytes, x->body.len, owner);
    x->reply_sent = x->body.len;
    x->body_sent = true;
}

/* One chunk of all that was staged. */
static void send_chunk(struct weir_exchange *x, struct weir_out *out)
{
    char line[24];
    struct text text;
    text_init(&text, line, sizeof(line));
    text_hex(&text, weir_out_len(&x->staged));
    text_str(&text, "\r\n");
    weir_out_copy(out, text.at, text.len);
    while (weir_out_move(out, &x->staged, SIZE_MAX) > 0)
        ;
    weir_out_copy(out, "\r\n", 2);
}

/* RFC 9110 section 6.5.1: nothing may be lost with trailers that somebody on the way drops, unless the client says that it wants them. */
static bool wants_trailers(const struct weir_exchange *x)
{
    struct weir_bytes value, coding;
    if (!weir_request_field(x, "te", &value))
        return false;
    while (bytes_next(&value, &coding))
        if (bytes_same(coding, BYTES("trailers")))
            return true;
    return false;
}

static void send_last_chunk(struct weir_exchange *x, struct weir_out *out)
{
    weir_out_copy(out, "0\r\n", 3);
    if (x->trailers.len > 0 && wants_trailers(x))
        weir_out_copy(out, x->trailers.at, x->trailers.len);
    weir_out_copy(out, "\r\n", 2);
}

static int send_given(struct weir_exchange *x, struct weir_out *out)
{
    int flow = exchange_gives(x) ? WEIR_FLOW_MORE : WEIR_FLOW_END;
    struct weir_out *to = x->chunked ? &x->staged : out;
    if (flow == WEIR_FLOW_END && x->reply_len != WEIR_LENGTH_UNKNOWN &&
        x->reply_sent < x->reply_len)
        return -EPROTO; /* promised, and nobody gives it */
    while (flow == WEIR_FLOW_MORE) {
        if (!weir_out_room(out) && x->reply_sent != x->reply_len)
            return WEIR_FLOW_WAIT;
        flow = exchange_give(x, to, weir_out_space(out));
        if (flow >= 0 && x->chunked && weir_out_len(to) > 0)
            send_chunk(x, out);
    }
    if (flow != WEIR_FLOW_END)
        return flow;
    if (x->chunked)
        send_last_chunk(x, out);
    x->body_sent = true;
    return WEIR_FLOW_END;
}

int h1_send(struct weir_exchange *x, struct weir_out *out)
{
    if (!x->begun)
        return WEIR_FLOW_WAIT;
    if (!x->head_sent) {
        int rc = send_head(x, out);
        if (rc < 0)
            return rc;
    }
    if (!x->body_sent) {
        if (x->body.len > 0) {
            send_whole(x, out);
        } else {
            int flow = send_given(x, out);
            if (flow != WEIR_FLOW_END)
                return flow;
        }
        /* A long one is over when the last byte has left: only then is its time known, and that it went out. */
        x->lasting = !weir_out_room(out);
    }
    return x->lasting && weir_out_len(out) > 0 ? WEIR_FLOW_WAIT : WEIR_FLOW_END;
}
