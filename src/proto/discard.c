/* Discard (RFC 863): bytes are read and thrown away. */
#include "proto/quiet.h"

static int discard_open(void *state, struct weir_conn *conn, const void *config)
{
    quiet_open(state, conn, config);
    return 0;
}

static ssize_t discard_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    (void)bytes;
    quiet_heard(state, conn);
    return (ssize_t)len;
}

static void discard_expire(void *state, struct weir_conn *conn)
{
    (void)state;
    quiet_expire(conn);
}

static void discard_leave(void *state, struct weir_conn *conn, enum weir_leave why)
{
    (void)why;
    quiet_leave(state, conn);
}

const struct weir_protocol weir_discard = {
    .name = "discard",
    .state_size = sizeof(struct quiet),
    .input_max = 1,
    .open = discard_open,
    .input = discard_input,
    .expire = discard_expire,
    .leave = discard_leave,
};
