/* Load on an echo service: blocks that must come back as they were, or messages behind their length, one for one. */
#include "load/worker.h"

#include <weir/protocol.h>

#include <errno.h>
#include <string.h>

#define FRAME_HEAD 4u

struct blocks {
    size_t got;  /* of the block under way */
    size_t size; /* frame: of the message under way, its length included; 0: not known yet */
    size_t rest; /* of the last block: what is not queued yet */
};

static const struct load_target *target_of(const struct client *c)
{
    return c->worker->options->target;
}

/* The machine's config is its client, which is told of the end even where open() was never called. */
static struct client *client_of(const struct weir_conn *conn)
{
    return (struct client *)(uintptr_t)weir_conn_config(conn);
}

static void arm(struct weir_conn *conn)
{
    const struct client *c = client_of(conn);
    uint64_t ns = c->worker->options->timeout_ms * WEIR_NS_PER_MS;
    weir_conn_arm(conn, c->asked > 0 ? weir_conn_now(conn).mono_ns + ns : 0);
}

#define PIECE (LIMIT_OUT_BYTES / 4)

/* The queue is never full, or the answers would not be read: see http/h1/client.c. */
static void push(struct blocks *b, struct weir_conn *conn)
{
    const struct load_target *target = target_of(client_of(conn));
    struct weir_out *out = weir_conn_out(conn);
    size_t space = weir_out_space(out);
    size_t n = b->rest < PIECE ? b->rest : PIECE;
    while (b->rest > 0 && space > n) {
        weir_out_bytes(out, target->request + target->request_len - b->rest, n, NULL);
        b->rest -= n;
        space -= n;
        n = b->rest < PIECE ? b->rest : PIECE;
    }
}

static int blocks_ask(struct client *c)
{
    struct blocks *b = weir_conn_state(c->conn);
    if (b->rest > 0 || !weir_out_room(weir_conn_out(c->conn)))
        return -EAGAIN;
    b->rest = target_of(c)->request_len;
    push(b, c->conn);
    if (c->asked == 0)
        weir_conn_arm(c->conn, weir_conn_now(c->conn).mono_ns +
                                   c->worker->options->timeout_ms * WEIR_NS_PER_MS);
    return 0;
}

static int blocks_output(void *state, struct weir_conn *conn)
{
    push(state, conn);
    return client_fill(client_of(conn));
}

static void end_block(struct blocks *b, struct weir_conn *conn, size_t size)
{
    b->got = b->size = 0;
    client_answered(client_of(conn), 0, size);
    arm(conn);
}

static ssize_t echo_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    struct blocks *b = state;
    const struct client *c = client_of(conn);
    const struct load_target *target = target_of(c);
    size_t at = 0;
    while (at < len) {
        size_t n = target->size - b->got < len - at ? target->size - b->got : len - at;
        if (c->asked == 0)
            return -EPROTO; /* more than was sent */
        if (memcmp(bytes + at, target->request + b->got, n) != 0)
            return -EBADMSG;
        b->got += n;
        at += n;
        if (b->got == target->size)
            end_block(b, conn, target->size);
    }
    return (ssize_t)at;
}

/* The answer may be of another length; one of the same length need not be the same. */
static ssize_t frame_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    struct blocks *b = state;
    if (client_of(conn)->asked == 0)
        return -EPROTO;
    if (b->size == 0) {
        if (len < FRAME_HEAD)
            return 0;
        size_t message = (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 |
                         (size_t)bytes[3];
        if (message > LIMIT_FRAME_BYTES)
            return -EMSGSIZE;
        b->size = FRAME_HEAD + message;
    }
    size_t n = b->size - b->got < len ? b->size - b->got : len;
    b->got += n;
    if (b->got == b->size)
        end_block(b, conn, b->size);
    return (ssize_t)n;
}

static int blocks_eof(void *state, struct weir_conn *conn, size_t rest)
{
    const struct blocks *b = state;
    if (b->got > 0 || rest > 0)
        return -EPROTO;
    weir_conn_finish(conn, client_of(conn)->asked > 0 ? -ECONNRESET : WEIR_DONE);
    return 0;
}

static void blocks_close(void *state, struct weir_conn *conn, int why)
{
    (void)state;
    client_closed(client_of(conn), why);
}

static const struct weir_protocol echo_client = {
    .name = "echo client",
    .state_size = sizeof(struct blocks),
    .input_max = 1,
    .input = echo_input,
    .eof = blocks_eof,
    .output = blocks_output,
    .close = blocks_close,
};

static const struct weir_protocol frame_client = {
    .name = "frame client",
    .state_size = sizeof(struct blocks),
    .input_max = FRAME_HEAD,
    .input = frame_input,
    .eof = blocks_eof,
    .output = blocks_output,
    .close = blocks_close,
};

const struct talk talk_echo = {.protocol = &echo_client, .ask = blocks_ask};
const struct talk talk_frame = {.protocol = &frame_client, .ask = blocks_ask};
