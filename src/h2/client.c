/* The client side of HTTP/2: the machine. */
#include "h2/client.h"

#include "base/bytes.h"
#include "tbl/limits_rpc.h"

#include <errno.h>
#include <stdlib.h>

struct h2_client {
    nghttp2_session *session;
    struct weir_conn *conn;
    struct h2_request *first;
    unsigned count;
    uint64_t heard_ns; /* of the peer, or since when somebody waits for it */
    bool pinged;       /* ... and nothing was heard since */
    bool leaving;      /* the peer said so */
    int why;           /* the connection ends with this; 0: it goes on */
};

static const struct h2_client_options *options_of(const struct h2_client *c)
{
    return weir_conn_config(c->conn);
}

/* --- streams --- */

static void link_stream(struct h2_client *c, struct h2_request *s)
{
    if (c->count == 0)
        c->heard_ns = weir_conn_now(c->conn).mono_ns;
    s->client = c;
    s->prev = NULL;
    s->next = c->first;
    if (c->first)
        c->first->prev = s;
    c->first = s;
    c->count++;
}

static void unlink_stream(struct h2_request *s)
{
    struct h2_client *c = s->client;
    *(s->prev ? &s->prev->next : &c->first) = s->next;
    if (s->next)
        s->next->prev = s->prev;
    c->count--;
    s->client = NULL;
}

static struct h2_request *stream_of(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

static void end_stream(struct h2_request *s, int why, uint32_t code)
{
    unlink_stream(s);
    s->calls->closed(s, s->why ? s->why : why, code);
}

static int check(struct h2_request *s, int rc)
{
    if (rc >= 0)
        return 0;
    if (!s->why)
        s->why = rc;
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* nghttp2 resets the stream */
}

/* The same where nghttp2 knows no such answer. */
static void check_frame(struct h2_request *s, int rc)
{
    if (rc >= 0 || !s->client)
        return;
    if (!s->why)
        s->why = rc;
    (void)nghttp2_submit_rst_stream(s->client->session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_CANCEL);
}

/* --- what nghttp2 tells --- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    (void)arg;
    struct h2_request *s = stream_of(session, frame->hd.stream_id);
    if (s) {
        s->interim = false;
        s->in_trailers = s->head_done;
    }
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *arg)
{
    (void)flags, (void)arg;
    struct h2_request *s = stream_of(session, frame->hd.stream_id);
    struct weir_bytes n = {(const char *)name, name_len}, v = {(const char *)value, value_len};
    if (!s || s->interim)
        return 0;
    if (!s->in_trailers && bytes_equal(n, BYTES(":status")) && v.len > 0 && v.at[0] == '1') {
        s->interim = true;
        return 0;
    }
    s->fields_bytes += name_len + value_len + 32; /* RFC 9113 section 6.5.2 counts so */
    if (s->fields_bytes > LIMIT_H2_CLIENT_FIELDS)
        return check(s, -EMSGSIZE);
    return check(s, s->calls->field(s, n, v, s->in_trailers));
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                   size_t len, void *arg)
{
    (void)flags, (void)arg;
    struct h2_request *s = stream_of(session, id);
    /* Streams hold each other up on no account: the connection's window is given back at once. */
    int rc = nghttp2_session_consume_connection(session, len);
    if (!s || rc != 0)
        return nghttp2_is_fatal(rc) ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
    s->unread += len;
    check_frame(s, s->calls->data(s, bytes, len));
    return 0;
}

static void take_goaway(struct h2_client *c)
{
    const struct h2_client_options *options = options_of(c);
    bool first = !c->leaving;
    c->leaving = true;
    if (first && options->leaving)
        options->leaving(options->arg);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    struct h2_client *c = arg;
    if (frame->hd.type == NGHTTP2_GOAWAY)
        take_goaway(c);
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    struct h2_request *s = stream_of(session, frame->hd.stream_id);
    if (s && frame->hd.type == NGHTTP2_HEADERS && !s->interim) {
        s->head_done = true;
        check_frame(s, s->calls->fields_end(s, s->in_trailers));
        s = stream_of(session, frame->hd.stream_id);
    }
    if (s && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) && !s->why)
        check_frame(s, s->calls->end(s));
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *arg)
{
    (void)arg;
    struct h2_request *s = stream_of(session, id);
    if (!s)
        return 0;
    (void)nghttp2_session_set_stream_user_data(session, id, NULL);
    int why = code == NGHTTP2_NO_ERROR ? WEIR_DONE : -ECANCELED;
    end_stream(s, code == NGHTTP2_REFUSED_STREAM ? -ESHUTDOWN : why, code);
    return 0;
}

/* nghttp2 resets the stream for it. That goes out later, if the connection lives so long; what is told is the same either way. */
static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int error,
                            void *arg)
{
    (void)error, (void)arg;
    struct h2_request *s = stream_of(session, frame->hd.stream_id);
    if (s && !s->why)
        s->why = -EBADMSG;
    return 0;
}

/* A request that never became a stream: the peer has said meanwhile that it leaves. */
static int on_frame_not_sent(nghttp2_session *session, const nghttp2_frame *frame, int error,
                             void *arg)
{
    struct h2_client *c = arg;
    (void)error;
    if (frame->hd.type != NGHTTP2_HEADERS)
        return 0;
    for (struct h2_request *s = c->first; s; s = s->next) {
        if (s->id != frame->hd.stream_id)
            continue;
        (void)nghttp2_session_set_stream_user_data(session, s->id, NULL);
        end_stream(s, -ESHUTDOWN, NGHTTP2_REFUSED_STREAM);
        break;
    }
    return 0;
}

static ssize_t on_ready(nghttp2_session *session, int32_t id, uint8_t *buffer, size_t max,
                        uint32_t *flags, nghttp2_data_source *source, void *arg)
{
    (void)buffer, (void)source, (void)arg;
    struct h2_request *s = stream_of(session, id);
    bool last = false;
    if (!s)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    size_t n = s->calls->ready(s, max, &last);
    if (n == 0 && !last)
        return NGHTTP2_ERR_DEFERRED;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY | (last ? (uint32_t)NGHTTP2_DATA_FLAG_EOF : 0u);
    return (ssize_t)n;
}

static int on_give(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head, size_t len,
                   nghttp2_data_source *source, void *arg)
{
    (void)source;
    struct h2_client *c = arg;
    struct h2_request *s = stream_of(session, frame->hd.stream_id);
    struct weir_out *out = weir_conn_out(c->conn);
    if (!s)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (weir_out_len(out) >= LIMIT_H2_CLIENT_QUEUE || !weir_out_room(out))
        return NGHTTP2_ERR_WOULDBLOCK; /* nghttp2 asks again when it is asked again */
    weir_out_copy(out, head, 9);       /* no padding was asked for */
    if (len > 0)
        s->calls->give(s, out, len);
    return 0;
}

/* --- the machine --- */

static int set_calls(nghttp2_session_callbacks **out)
{
    nghttp2_session_callbacks *calls;
    if (nghttp2_session_callbacks_new(&calls) != 0)
        return -ENOMEM;
    nghttp2_session_callbacks_set_on_begin_headers_callback(calls, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(calls, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(calls, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(calls, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(calls, on_frame_not_sent);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(calls, on_invalid_frame);
    nghttp2_session_callbacks_set_send_data_callback(calls, on_give);
    *out = calls;
    return 0;
}

static int new_session(struct h2_client *c)
{
    nghttp2_session_callbacks *calls;
    nghttp2_option *option;
    int rc = set_calls(&calls);
    if (rc < 0)
        return rc;
    rc = nghttp2_option_new(&option);
    if (rc == 0) {
        nghttp2_option_set_no_auto_window_update(option, 1);
        nghttp2_option_set_no_closed_streams(option, 1);
        nghttp2_option_set_max_settings(option, LIMIT_H2_CLIENT_SETTINGS);
        nghttp2_option_set_max_outbound_ack(option, LIMIT_H2_CLIENT_ACKS);
        rc = nghttp2_session_client_new3(&c->session, calls, c, option, NULL);
        nghttp2_option_del(option);
    }
    nghttp2_session_callbacks_del(calls);
    return rc == 0 ? 0 : -ENOMEM;
}

static int h2_open(void *state, struct weir_conn *conn, const void *config)
{
    struct h2_client *c = state;
    const struct h2_client_options *options = config;
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, LIMIT_H2_CLIENT_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, LIMIT_H2_CLIENT_FIELDS},
    };
    c->conn = conn;
    c->heard_ns = weir_conn_now(conn).mono_ns;
    int rc = new_session(c);
    if (rc < 0)
        return rc;
    if (nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, settings, 3) != 0 ||
        nghttp2_session_set_local_window_size(c->session, NGHTTP2_FLAG_NONE, 0,
                                              LIMIT_H2_CLIENT_CONNECTION_WINDOW) != 0)
        return -ENOMEM;
    if (options->opened)
        options->opened(options->arg, conn);
    return 0;
}

/* When the peer is asked for a sign of life, or counts as dead; 0: never. */
static uint64_t ping_at(const struct h2_client *c)
{
    const struct h2_client_options *options = options_of(c);
    if (c->count == 0 || !options->ping_ms)
        return 0;
    uint64_t ms = options->ping_ms + (c->pinged ? (uint64_t)options->silent_ms : 0);
    return c->heard_ns + ms * WEIR_NS_PER_MS;
}

static void arm(struct h2_client *c)
{
    const struct h2_client_options *options = options_of(c);
    uint64_t at = ping_at(c), due = options->due ? options->due(options->arg) : 0;
    if (due && (!at || due < at))
        at = due;
    weir_conn_arm(c->conn, at);
    weir_conn_rest(c->conn, c->count == 0);
}

static void end_all(struct h2_client *c, int why)
{
    c->why = why;
    while (c->first) {
        struct h2_request *s = c->first;
        if (c->session)
            (void)nghttp2_session_set_stream_user_data(c->session, s->id, NULL);
        end_stream(s, why, NGHTTP2_INTERNAL_ERROR);
    }
}

/* Frames into the queue, but never so many that input would stop: two sides that both send much would wait for each other. */
static int flush(struct h2_client *c)
{
    struct weir_out *out = weir_conn_out(c->conn);
    while (weir_out_room(out) && weir_out_len(out) < LIMIT_H2_CLIENT_QUEUE) {
        const uint8_t *bytes;
        uint64_t before = weir_out_len(out);
        ssize_t n = nghttp2_session_mem_send(c->session, &bytes);
        if (n < 0)
            return n == NGHTTP2_ERR_NOMEM ? -ENOMEM : -EPROTO;
        if (n > 0)
            weir_out_copy(out, bytes, (size_t)n);
        else if (weir_out_len(out) == before)
            break;
    }
    return 0;
}

static ssize_t h2_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    struct h2_client *c = state;
    c->heard_ns = weir_conn_now(conn).mono_ns;
    c->pinged = false;
    ssize_t n = nghttp2_session_mem_recv(c->session, bytes, len);
    if (n < 0) {
        int why = n == NGHTTP2_ERR_NOMEM ? -ENOMEM : -EPROTO;
        (void)flush(c); /* the GOAWAY that says so */
        end_all(c, why);
        return why;
    }
    arm(c);
    return n;
}

static int h2_output(void *state, struct weir_conn *conn)
{
    struct h2_client *c = state;
    int rc = flush(c);
    if (rc == 0 && !nghttp2_session_want_read(c->session) &&
        !nghttp2_session_want_write(c->session)) {
        /* Both have said all: after a GOAWAY, or an error of the peer's that was answered with one. */
        bool broken = c->count > 0;
        end_all(c, -ECONNRESET);
        weir_conn_finish(conn, broken ? -EPROTO : WEIR_DONE);
        return 0;
    }
    if (rc == 0)
        arm(c);
    return rc;
}

static int h2_eof(void *state, struct weir_conn *conn, size_t rest)
{
    struct h2_client *c = state;
    (void)conn, (void)rest;
    bool early = c->count > 0;
    end_all(c, -ECONNRESET);
    return early ? -ECONNRESET : -EPIPE;
}

static void h2_expire(void *state, struct weir_conn *conn)
{
    struct h2_client *c = state;
    const struct h2_client_options *options = options_of(c);
    uint64_t now = weir_conn_now(conn).mono_ns, at = ping_at(c);
    if (options->due && options->due(options->arg) && options->due(options->arg) <= now)
        options->expire(options->arg);
    if (at && at <= now && c->pinged) {
        end_all(c, -ETIMEDOUT);
        weir_conn_abort(conn, -ETIMEDOUT);
        return;
    }
    if (at && at <= now) {
        c->pinged = true;
        if (nghttp2_submit_ping(c->session, NGHTTP2_FLAG_NONE, NULL) != 0)
            weir_conn_abort(conn, -ENOMEM);
    }
    arm(c);
}

static void h2_leave(void *state, struct weir_conn *conn, enum weir_leave why)
{
    struct h2_client *c = state;
    (void)why;
    c->leaving = true;
    (void)nghttp2_submit_goaway(c->session, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, NULL, 0);
    if (c->count == 0)
        weir_conn_finish(conn, WEIR_DONE);
}

static void h2_close(void *state, struct weir_conn *conn, int why)
{
    struct h2_client *c = state;
    const struct h2_client_options *options = weir_conn_config(conn);
    end_all(c, why == WEIR_DONE ? -ECONNRESET : why);
    nghttp2_session_del(c->session);
    if (options->closed)
        options->closed(options->arg, why);
}

const struct weir_protocol h2_client = {
    .name = "h2-client",
    .state_size = sizeof(struct h2_client),
    .input_max = 1,
    .open = h2_open,
    .input = h2_input,
    .eof = h2_eof,
    .output = h2_output,
    .expire = h2_expire,
    .leave = h2_leave,
    .close = h2_close,
};

/* --- for those who ask --- */

int h2_client_submit(struct weir_conn *conn, struct h2_request *s, const nghttp2_nv *fields,
                     size_t count, bool body)
{
    struct h2_client *c = weir_conn_state(conn);
    const nghttp2_data_provider provider = {.source.ptr = NULL, .read_callback = on_ready};
    if (!c->session || c->why)
        return -ENOTCONN;
    if (c->leaving || !nghttp2_session_check_request_allowed(c->session))
        return -ESHUTDOWN;
    int32_t id =
        nghttp2_submit_request(c->session, NULL, fields, count, body ? &provider : NULL, s);
    if (id < 0)
        return id == NGHTTP2_ERR_STREAM_ID_NOT_AVAILABLE ? -ESHUTDOWN : -ENOMEM;
    s->id = id;
    s->fields_bytes = s->unread = 0;
    s->why = 0;
    s->head_done = s->interim = s->in_trailers = false;
    link_stream(c, s);
    weir_conn_wake(conn);
    return 0;
}

void h2_client_arm(struct weir_conn *conn)
{
    arm(weir_conn_state(conn));
}

bool h2_client_leaving(const struct weir_conn *conn)
{
    const struct h2_client *c = weir_conn_state((struct weir_conn *)(uintptr_t)conn);
    return c->leaving || c->why;
}

unsigned h2_client_count(const struct weir_conn *conn)
{
    return ((struct h2_client *)weir_conn_state((struct weir_conn *)(uintptr_t)conn))->count;
}

void h2_request_resume(struct h2_request *s)
{
    if (!s->client)
        return;
    (void)nghttp2_session_resume_data(s->client->session, s->id);
    weir_conn_wake(s->client->conn);
}

void h2_request_consumed(struct h2_request *s, size_t len)
{
    if (!s->client)
        return;
    len = len < s->unread ? len : s->unread;
    s->unread -= len;
    if (len > 0)
        (void)nghttp2_session_consume_stream(s->client->session, s->id, len);
    weir_conn_wake(s->client->conn);
}

void h2_request_drop(struct h2_request *s, uint32_t code)
{
    struct h2_client *c = s->client;
    if (!c)
        return;
    (void)nghttp2_session_set_stream_user_data(c->session, s->id, NULL);
    (void)nghttp2_submit_rst_stream(c->session, NGHTTP2_FLAG_NONE, s->id, code);
    unlink_stream(s);
    weir_conn_wake(c->conn);
}
