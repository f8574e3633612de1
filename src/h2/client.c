/* The client side of HTTP/2: the machine, and what is asked of it. */
#include "h2/client_impl.h"

#include <errno.h>

static const struct h2_client_options *options_of(const struct h2_client *c)
{
    return weir_conn_config(c->conn);
}

/* --- streams --- */

struct h2_request *h2_client_find(const struct h2_client *c, uint32_t id)
{
    /* All are odd, so their halves tell them apart. */
    return id % 2 == 1 ? (struct h2_request *)call_table_find(&c->table, id / 2) : NULL;
}

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
    h2_client_unlist(s);
    if (s->id) {
        call_table_take(&c->table, s->entry.id);
        h2_ended_add(&c->ended, s->id, !s->given || !s->heard);
    }
    if (c->current == s)
        c->current = NULL;
    c->count--;
    s->client = NULL;
}

void h2_client_close(struct h2_request *s, int why, uint32_t code)
{
    unlink_stream(s);
    s->calls->closed(s, s->why ? s->why : why, code);
}

static void put_reset(struct h2_request *s, uint32_t code)
{
    struct h2_client *c = s->client;
    if (s->id && c->phase != CLIENT_OVER)
        h2_put_number(h2_client_out(c), WIRE_RST_STREAM, s->id, code);
}

void h2_client_reset(struct h2_request *s, int why, enum wire_error code)
{
    put_reset(s, code);
    h2_client_close(s, why, code);
}

void h2_client_check(struct h2_request *s, int rc)
{
    if (rc < 0 && s->client)
        h2_client_reset(s, rc, WIRE_CANCEL);
}

/* --- ends --- */

static void end_all(struct h2_client *c, int why)
{
    c->why = why;
    while (c->first)
        h2_client_close(c->first, why, WIRE_INTERNAL_ERROR);
}

void h2_client_fail(struct h2_client *c, enum wire_error code, struct h2_request *s)
{
    if (c->phase == CLIENT_OVER)
        return;
    h2_put_goaway(h2_client_out(c), 0, code);
    c->phase = CLIENT_OVER;
    c->why = code == WIRE_INTERNAL_ERROR ? -ENOMEM : -EPROTO;
    if (s)
        h2_client_close(s, -EBADMSG, code);
    end_all(c, c->why);
    weir_conn_finish(c->conn, c->why);
}

/* The latest are the first in the list, and those without a stream are later still. */
void h2_client_left(struct h2_client *c, uint32_t last_id)
{
    const struct h2_client_options *options = options_of(c);
    bool first = !c->leaving;
    c->leaving = true;
    c->accepted_id = last_id;
    if (first && options->leaving)
        options->leaving(options->arg);
    while (c->first && (!c->first->id || c->first->id > last_id))
        h2_client_close(c->first, -ESHUTDOWN, WIRE_REFUSED_STREAM);
}

/* --- the machine --- */

static int h2_open(void *state, struct weir_conn *conn, const void *config)
{
    struct h2_client *c = state;
    const struct h2_client_options *options = config;
    c->conn = conn;
    c->phase = CLIENT_SETTINGS;
    c->heard_ns = c->calm.since_ns = weir_conn_now(conn).mono_ns;
    c->send_window = c->first_window = WIRE_WINDOW;
    c->recv_window = LIMIT_H2_CLIENT_CONNECTION_WINDOW;
    c->streams_max = LIMIT_H2_CLIENT_STREAMS;
    c->accepted_id = WIRE_ID_MAX;
    c->next_id = 1;
    h2_client_hello(c);
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

static ssize_t h2_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    struct h2_client *c = state;
    c->heard_ns = weir_conn_now(conn).mono_ns;
    c->pinged = false;
    ssize_t n = h2_client_read(c, bytes, len);
    if (c->phase == CLIENT_OVER)
        return (ssize_t)len;
    arm(c);
    return n;
}

static int h2_output(void *state, struct weir_conn *conn)
{
    struct h2_client *c = state;
    int rc = h2_client_send(c);
    if (rc < 0)
        return rc;
    arm(c);
    if (c->leaving && c->count == 0) { /* all is said */
        c->phase = CLIENT_OVER;
        c->why = -ENOTCONN;
        weir_conn_finish(conn, WEIR_DONE);
    }
    return 0;
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
        static const uint8_t nothing[8];
        c->pinged = true;
        h2_put_frame(h2_client_out(c), WIRE_PING, 0, 0, nothing, sizeof(nothing));
    }
    arm(c);
}

static void h2_leave(void *state, struct weir_conn *conn, enum weir_leave why)
{
    struct h2_client *c = state;
    (void)why;
    c->leaving = true;
    h2_put_goaway(h2_client_out(c), 0, WIRE_NO_ERROR);
    if (c->count == 0)
        weir_conn_finish(conn, WEIR_DONE);
}

static void h2_close(void *state, struct weir_conn *conn, int why)
{
    struct h2_client *c = state;
    const struct h2_client_options *options = weir_conn_config(conn);
    end_all(c, why == WEIR_DONE ? -ECONNRESET : why);
    h2_packer_done(&c->packer);
    h2_unpacker_done(&c->unpacker);
    if (options->closed)
        options->closed(options->arg, why);
}

const struct weir_protocol h2_client = {
    .name = "h2-client",
    .state_size = sizeof(struct h2_client),
    .input_max = LIMIT_H2_BLOCK + LIMIT_H2_FRAME + (LIMIT_H2_CONTINUATIONS + 3) * WIRE_HEAD + 256,
    .open = h2_open,
    .input = h2_input,
    .eof = h2_eof,
    .output = h2_output,
    .expire = h2_expire,
    .leave = h2_leave,
    .close = h2_close,
};

/* --- for those who ask --- */

/* 0, and it is under way, if without a stream. */
static int enter(struct h2_client *c, struct h2_request *s, bool body)
{
    if (c->phase == CLIENT_NONE || c->why)
        return -ENOTCONN;
    if (c->leaving || c->next_id > WIRE_ID_MAX)
        return -ESHUTDOWN;
    *s = (struct h2_request){.calls = s->calls, .body = body, .left = UINT64_MAX};
    link_stream(c, s);
    return 0;
}

int h2_client_submit(struct weir_conn *conn, struct h2_request *s, const struct h2_key *key,
                     const nghttp2_nv *fields, size_t count, bool body)
{
    int rc = enter(weir_conn_state(conn), s, body);
    if (rc < 0)
        return rc;
    rc = h2_client_begin(s, key, fields, count);
    if (rc < 0)
        unlink_stream(s);
    weir_conn_wake(conn);
    return rc;
}

int h2_client_submit_again(struct weir_conn *conn, struct h2_request *s, const struct h2_key *key,
                           bool body)
{
    int rc = enter(weir_conn_state(conn), s, body);
    if (rc < 0)
        return rc;
    if (!h2_client_begin_again(s, key)) {
        unlink_stream(s);
        return -EAGAIN;
    }
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
    h2_client_ready(s);
    weir_conn_wake(s->client->conn);
}

void h2_request_consumed(struct h2_request *s, size_t len)
{
    struct h2_client *c = s->client;
    if (!c)
        return;
    len = len < s->unread ? len : s->unread;
    s->unread -= len;
    if (s->heard || len == 0)
        return;
    h2_window_used(h2_client_out(c), s->id, len, LIMIT_H2_CLIENT_WINDOW, &s->recv_taken,
                   &s->recv_window);
    weir_conn_wake(c->conn);
}

void h2_request_drop(struct h2_request *s, uint32_t code)
{
    struct h2_client *c = s->client;
    if (!c)
        return;
    put_reset(s, code);
    unlink_stream(s);
    weir_conn_wake(c->conn);
}
