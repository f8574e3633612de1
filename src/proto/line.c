/* Messages that end with a delimiter. */
#include "proto/messages.h"
#include "tbl/limits.h"

#include <errno.h>
#include <string.h>

struct line {
    struct messages messages; /* first: see messages.h */
    struct weir_bytes delimiter;
    size_t bytes_max;
    size_t
        scanned; /* bytes of the unfinished message that were searched, so that no byte is searched twice */
    bool strip_cr;
};

static int line_open(void *state, struct weir_conn *conn, const void *config)
{
    static const struct weir_line_options defaults;
    const struct weir_line_options *options = config ? config : &defaults;
    struct line *line = state;
    unsigned idle_ms = options->idle_ms ? options->idle_ms : LIMIT_ECHO_IDLE_MS;

    line->messages.send_back = weir_line_send;
    line->messages.idle_ns = idle_ms * WEIR_NS_PER_MS;
    line->delimiter = options->delimiter.len ? options->delimiter : (struct weir_bytes){"\n", 1};
    line->strip_cr = options->strip_cr;
    line->bytes_max = options->bytes_max && options->bytes_max < LIMIT_LINE_BYTES
                          ? options->bytes_max
                          : LIMIT_LINE_BYTES;
    if (line->delimiter.len > LIMIT_LINE_DELIMITER)
        return -EINVAL;
    return messages_open(&line->messages, conn);
}

static const uint8_t *find(struct weir_bytes delimiter, const uint8_t *bytes, size_t len)
{
    if (delimiter.len == 1)
        return memchr(bytes, delimiter.at[0], len);
    return memmem(bytes, len, delimiter.at, delimiter.len);
}

/* One message a call: the turn looks between them whether there still is room, and whether it was paused or finished. */
static ssize_t line_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    struct line *line = state;
    size_t overlap = line->delimiter.len - 1; /* a delimiter may have come in two pieces */
    size_t from = line->scanned > overlap ? line->scanned - overlap : 0;
    const uint8_t *end = find(line->delimiter, bytes + from, len - from);
    size_t message = end ? (size_t)(end - bytes) : len;
    size_t unit = end ? message + line->delimiter.len : len + 1; /* at least */
    if (unit > line->bytes_max)
        return -EMSGSIZE;
    if (!end) {
        line->scanned = len;
        return messages_wait(&line->messages, conn);
    }
    line->scanned = 0;
    if (line->strip_cr && message > 0 && bytes[message - 1] == '\r')
        message--;
    return messages_take(&line->messages, conn, bytes, message, unit);
}

const struct weir_protocol weir_line = {
    .name = "line",
    .state_size = sizeof(struct line),
    .input_max = LIMIT_LINE_BYTES,
    .open = line_open,
    .input = line_input,
    .expire = messages_expire,
    .leave = messages_leave,
    .close = messages_close,
};

int weir_line_send(struct weir_conn *conn, const void *bytes, size_t len)
{
    const struct line *line = weir_conn_state(conn);
    struct weir_out *out = weir_conn_out(conn);
    if (len > LIMIT_LINE_BYTES - line->delimiter.len)
        return -EMSGSIZE;
    if (len > 0 && find(line->delimiter, bytes, len))
        return -EINVAL;
    if (!weir_out_room(out))
        return -EAGAIN;
    weir_out_copy(out, bytes, len);
    weir_out_copy(out, line->delimiter.at, line->delimiter.len);
    weir_conn_wake(conn);
    return 0;
}
