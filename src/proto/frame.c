/* Messages behind their length: four bytes, the most significant first. */
#include "proto/frame.h"

#include "proto/messages.h"
#include "tbl/limits.h"

#include <errno.h>

struct frame {
    struct messages messages; /* first: see messages.h */
    size_t bytes_max;
};

static int frame_open(void *state, struct weir_conn *conn, const void *config)
{
    static const struct weir_frame_options defaults;
    const struct weir_frame_options *options = config ? config : &defaults;
    struct frame *frame = state;
    unsigned idle_ms = options->idle_ms ? options->idle_ms : LIMIT_ECHO_IDLE_MS;

    frame->messages.send_back = weir_frame_send;
    frame->messages.idle_ns = idle_ms * WEIR_NS_PER_MS;
    frame->bytes_max = options->bytes_max && options->bytes_max < LIMIT_FRAME_BYTES
                           ? options->bytes_max
                           : LIMIT_FRAME_BYTES;
    return messages_open(&frame->messages, conn);
}

/* One message a call, as in line.c. The length is judged as soon as it is there, before a byte of the message is kept. */
static ssize_t frame_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    struct frame *frame = state;
    if (len < FRAME_HEAD)
        return messages_wait(&frame->messages, conn);
    size_t message = frame_length(bytes);
    if (message > frame->bytes_max)
        return -EMSGSIZE;
    if (len - FRAME_HEAD < message)
        return messages_wait(&frame->messages, conn);
    return messages_take(&frame->messages, conn, bytes + FRAME_HEAD, message, FRAME_HEAD + message);
}

const struct weir_protocol weir_frame = {
    .name = "frame",
    .state_size = sizeof(struct frame),
    .input_max = FRAME_HEAD + LIMIT_FRAME_BYTES,
    .open = frame_open,
    .input = frame_input,
    .expire = messages_expire,
    .leave = messages_leave,
    .close = messages_close,
};

int weir_frame_send(struct weir_conn *conn, const void *bytes, size_t len)
{
    struct weir_out *out = weir_conn_out(conn);
    if (len > LIMIT_FRAME_BYTES)
        return -EMSGSIZE;
    if (!weir_out_room(out))
        return -EAGAIN;
    uint8_t head[FRAME_HEAD];
    frame_put_u32(head, (uint32_t)len);
    weir_out_copy(out, head, FRAME_HEAD);
    weir_out_copy(out, bytes, len);
    weir_conn_wake(conn);
    return 0;
}
