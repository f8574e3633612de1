/* Echo (RFC 862): bytes go back as they come. */
#include "proto/quiet.h"

static int echo_open(void *state, struct weir_conn *conn, const void *config)
{
    quiet_open(state, conn, config);
    return 0;
}

/* Takes only what the queue has room for: the rest waits here, then in the kernel, then in the peer. */
static ssize_t echo_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    struct weir_out *out = weir_conn_out(conn);
    size_t space = weir_out_space(out);
    size_t n = len < space ? len : space;
    weir_out_copy(out, bytes, n);
    quiet_heard(state, conn);
    return (ssize_t)n;
}

static int echo_eof(void *state, struct weir_conn *conn, size_t rest)
{
    (void)state;
    (void)
        rest; /* always 0: input takes every byte there is room for, and eof comes after the last */
    weir_conn_finish(conn, WEIR_DONE);
    return 0;
}

static void echo_expire(void *state, struct weir_conn *conn)
{
    (void)state;
    quiet_expire(conn);
}

static void echo_leave(void *state, struct weir_conn *conn, enum weir_leave why)
{
    (void)why;
    quiet_leave(state, conn);
}

const struct weir_protocol weir_echo = {
    .name = "echo",
    .state_size = sizeof(struct quiet),
    .input_max = 1,
    .open = echo_open,
    .input = echo_input,
    .eof = echo_eof,
    .expire = echo_expire,
    .leave = echo_leave,
};
