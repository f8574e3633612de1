#include "http/h1/client.h"

#include "http/h1/body.h"
#include "http/h1/head.h"

#include <errno.h>

enum client_phase {
    CLIENT_HEAD,    /* between answers, or within a head */
    CLIENT_CONTENT, /* by length or in chunks */
    CLIENT_REST,    /* up to the connection's end */
    CLIENT_OVER,    /* the last answer was read */
};

struct client {
    const struct http1_client *config;
    struct http1_answer answer;
    struct head_scan scan;
    struct body body;
    uint64_t heads;      /* bit 0: the request that waits longest was a HEAD */
    const uint8_t *rest; /* of a long request: what is not queued yet */
    size_t rest_len;
    struct weir_ref *owner; /* held: of `rest` */
    uint8_t waiting;
    uint8_t phase;   /* enum client_phase */
    uint8_t interim; /* 1xx before the answer under way */
    bool leaving;
};

static void arm(struct client *c, struct weir_conn *conn)
{
    unsigned ms = c->waiting > 0 ? c->config->answer_ms : c->config->idle_ms;
    if (!ms)
        ms = c->waiting > 0 ? LIMIT_HTTP_RESPONSE_MS : LIMIT_HTTP_CLIENT_IDLE_MS;
    weir_conn_arm(conn, weir_conn_now(conn).mono_ns + ms * WEIR_NS_PER_MS);
}

static void over(struct client *c, struct weir_conn *conn)
{
    c->phase = CLIENT_OVER;
    weir_conn_finish(conn, c->waiting > 0 ? -ECONNRESET : WEIR_DONE);
}

/* The answer is complete: on to the next one. */
static int end_answer(struct client *c, struct weir_conn *conn)
{
    const struct http1_client_calls *calls = c->config->calls;
    bool last = c->answer.response.close;
    c->phase = last ? CLIENT_OVER : CLIENT_HEAD;
    c->waiting--;
    c->heads >>= 1;
    c->interim = 0;
    int rc = calls->answered ? calls->answered(c->config->arg, conn, &c->answer) : 0;
    if (rc < 0)
        return rc;
    if (last || (c->leaving && c->waiting == 0)) {
        over(c, conn);
        return 0;
    }
    weir_conn_rest(conn, c->waiting == 0);
    arm(c, conn);
    return 0;
}

static int begin_content(struct client *c, struct weir_conn *conn)
{
    const struct response *r = &c->answer.response;
    switch ((enum response_end)r->end) {
    case RESPONSE_EMPTY:
        return end_answer(c, conn);
    case RESPONSE_LENGTH:
        c->body = (struct body){.left = r->length, .step = BODY_CONTENT};
        break;
    case RESPONSE_CHUNKED:
        c->body = (struct body){.step = BODY_SIZE_FIRST};
        break;
    case RESPONSE_CLOSE:
        c->phase = CLIENT_REST;
        return 0;
    }
    c->phase = CLIENT_CONTENT;
    return 0;
}

/* An answer nobody asked for is the server's goodbye at best (408), and cannot be told from an answer to the next request. */
static ssize_t read_head(struct client *c, struct weir_conn *conn, const char *bytes, size_t len)
{
    const struct http1_client_calls *calls = c->config->calls;
    size_t head;
    if (c->waiting == 0)
        return -EPROTO;
    struct head_limits max = HEAD_LIMITS_USUAL;
    enum http_error error = head_find(&c->scan, bytes, len, &max, &head);
    if (error)
        return error == HTTP_LINE_TOO_LONG || error == HTTP_FIELDS_TOO_LARGE ? -EMSGSIZE : -EPROTO;
    if (head == 0)
        return 0;
    c->scan = (struct head_scan){0};
    c->answer = (struct http1_answer){.head = {bytes, head}, .head_len = head};
    int rc = response_read(&c->answer.response, bytes, head, c->heads & 1);
    if (rc < 0)
        return rc;
    if (c->answer.response.status < 200) { /* RFC 9110 section 15.2; no upgrade was asked for */
        bool too_many = ++c->interim > LIMIT_HTTP_INTERIM;
        return c->answer.response.status == 101 || too_many ? -EPROTO : (ssize_t)head;
    }
    rc = calls->head ? calls->head(c->config->arg, conn, &c->answer) : 0;
    c->answer.head = (struct weir_bytes){0};
    if (rc == 0)
        rc = begin_content(c, conn);
    return rc < 0 ? rc : (ssize_t)head;
}

static int give_content(struct client *c, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    const struct http1_client_calls *calls = c->config->calls;
    c->answer.content_len += len;
    arm(c, conn);
    return len > 0 && calls->content ? calls->content(c->config->arg, conn, bytes, len) : 0;
}

static ssize_t read_content(struct client *c, struct weir_conn *conn, const uint8_t *bytes,
                            size_t len)
{
    size_t at = 0;
    int rc = 0;
    while (rc == 0 && !body_done(&c->body) && at < len) {
        ssize_t framing =
            body_frame(&c->body, (const char *)bytes + at, len - at, LIMIT_HTTP_RESPONSE_BYTES);
        if (framing < 0)
            return -EPROTO;
        at += (size_t)framing;
        if (c->body.step != BODY_CONTENT && c->body.step != BODY_CHUNK)
            continue;
        size_t n = len - at < c->body.left ? len - at : (size_t)c->body.left;
        rc = give_content(c, conn, bytes + at, n);
        body_took(&c->body, n);
        at += n;
    }
    if (rc == 0 && body_done(&c->body))
        rc = end_answer(c, conn);
    return rc < 0 ? rc : (ssize_t)at;
}

static ssize_t client_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    struct client *c = state;
    switch ((enum client_phase)c->phase) {
    case CLIENT_HEAD:
        return read_head(c, conn, (const char *)bytes, len);
    case CLIENT_CONTENT:
        return read_content(c, conn, bytes, len);
    case CLIENT_REST: {
        int rc = give_content(c, conn, bytes, len);
        return rc < 0 ? rc : (ssize_t)len;
    }
    case CLIENT_OVER:
        break;
    }
    return (ssize_t)len; /* behind the last answer: of no use */
}

static int client_open(void *state, struct weir_conn *conn, const void *config)
{
    struct client *c = state;
    c->config = config;
    arm(c, conn);
    return 0;
}

static int client_eof(void *state, struct weir_conn *conn, size_t rest)
{
    struct client *c = state;
    if (c->phase == CLIENT_REST)
        return end_answer(c, conn);
    if (c->phase == CLIENT_CONTENT || rest > 0)
        return -EPROTO;
    over(c, conn);
    return 0;
}

#define PIECE (LIMIT_OUT_BYTES / 4)

/*
 * A connection whose queue is full is not read from. A server may in turn read no more requests before its answers are
 * taken, and both would wait for ever. So the queue of a client is never full: long requests go in by pieces.
 */
static void push(struct client *c, struct weir_conn *conn)
{
    struct weir_out *out = weir_conn_out(conn);
    size_t space = weir_out_space(out);
    size_t n = c->rest_len < PIECE ? c->rest_len : PIECE;
    while (c->rest_len > 0 && space > n) {
        weir_out_bytes(out, c->rest, n, c->owner);
        c->rest += n;
        c->rest_len -= n;
        space -= n;
        n = c->rest_len < PIECE ? c->rest_len : PIECE;
    }
    if (c->rest_len == 0) {
        weir_drop(c->owner);
        c->owner = NULL;
    }
}

static int client_output(void *state, struct weir_conn *conn)
{
    struct client *c = state;
    const struct http1_client_calls *calls = c->config->calls;
    if (c->rest_len > 0)
        push(c, conn);
    if (c->phase == CLIENT_OVER || c->leaving || !calls->ready)
        return 0;
    return calls->ready(c->config->arg, conn);
}

static void client_expire(void *state, struct weir_conn *conn)
{
    struct client *c = state;
    c->phase = CLIENT_OVER;
    weir_conn_finish(conn, c->waiting > 0 ? -ETIMEDOUT : WEIR_DONE);
}

static void client_leave(void *state, struct weir_conn *conn, enum weir_leave why)
{
    struct client *c = state;
    (void)why;
    c->leaving = true;
    if (c->waiting == 0)
        over(c, conn);
}

static void client_close(void *state, struct weir_conn *conn, int why)
{
    const struct http1_client *config =
        weir_conn_config(conn); /* open() may never have been called */
    weir_drop(((struct client *)state)->owner);
    if (config->calls->closed)
        config->calls->closed(config->arg, conn, why);
}

_Static_assert(LIMIT_HTTP_PIPELINE + LIMIT_OUT_BYTES / PIECE < LIMIT_OUT_SPANS &&
                   LIMIT_HTTP_PIPELINE < 64,
               "a span for each request and piece, and a bit in `heads`");

const struct weir_protocol http1_client = {
    .name = "http/1.1 client",
    .state_size = sizeof(struct client),
    .input_max = LIMIT_HTTP_LINE_BYTES + LIMIT_HTTP_FIELDS_BYTES + 1,
    .open = client_open,
    .input = client_input,
    .eof = client_eof,
    .output = client_output,
    .expire = client_expire,
    .leave = client_leave,
    .close = client_close,
};

int http1_ask(struct weir_conn *conn, const void *request, size_t len, struct weir_ref *owner,
              bool head_only)
{
    struct client *c = weir_conn_state(conn);
    if (c->phase == CLIENT_OVER || c->leaving)
        return -ESHUTDOWN;
    if (c->waiting == LIMIT_HTTP_PIPELINE || c->rest_len > 0 || !weir_out_room(weir_conn_out(conn)))
        return -EAGAIN;
    c->rest = request;
    c->rest_len = len;
    c->owner = weir_hold(owner);
    push(c, conn);
    if (head_only)
        c->heads |= 1ull << c->waiting;
    if (c->waiting++ == 0) {
        arm(c, conn);
        weir_conn_rest(conn, false);
    }
    return 0;
}

unsigned http1_waiting(struct weir_conn *conn)
{
    return ((const struct client *)weir_conn_state(conn))->waiting;
}
