/*
 * Bytes from one connection to another within the kernel, by way of a pipe, which splice(2) asks for. A pipe is held only while bytes are
 * in it; those that are empty wait for the next who needs one.
 */
#include "drive/core.h"
#include "tbl/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define SPLICE_FLAGS (SPLICE_F_MOVE | SPLICE_F_NONBLOCK)

struct duct {
    struct duct *next; /* of those that are empty */
    int ends[2];
    size_t size, held;
};

static void duct_free(struct duct *duct)
{
    close(duct->ends[0]);
    close(duct->ends[1]);
    free(duct);
}

/* What a user's pipes hold is bounded; beyond that new ones hold two pages (pipe(7)), and copying is cheaper. */
static struct duct *duct_new(void)
{
    struct duct *duct = calloc(1, sizeof(*duct));
    if (!duct)
        return NULL;
    if (pipe2(duct->ends, O_NONBLOCK | O_CLOEXEC) < 0) {
        free(duct);
        return NULL;
    }
    (void)fcntl(duct->ends[1], F_SETPIPE_SZ, LIMIT_DUCT_BYTES);
    int size = fcntl(duct->ends[1], F_GETPIPE_SZ);
    if (size < LIMIT_PIPE_DEFAULT) {
        duct_free(duct);
        return NULL;
    }
    duct->size = (size_t)size;
    return duct;
}

static struct duct *duct_take(struct core *core)
{
    struct duct *duct = core->ducts;
    if (!duct)
        return duct_new();
    core->ducts = duct->next;
    core->duct_count--;
    return duct;
}

/* Its place is where a helper that reads the slot's file would be: no connection has both. */
static bool get_duct(struct core *core, struct slot *slot)
{
    struct duct *duct = slot->fill ? NULL : duct_take(core);
    if (!duct)
        return false;
    slot->duct = duct;
    slot->ducted = true;
    return true;
}

static void duct_give(struct core *core, struct duct *duct)
{
    if (duct->held > 0 || core->duct_count >= LIMIT_DUCTS_KEPT) {
        duct_free(duct);
        return;
    }
    duct->next = core->ducts;
    core->ducts = duct;
    core->duct_count++;
}

void move_forget(struct core *core, struct slot *slot)
{
    if (!slot->ducted)
        return;
    duct_give(core, slot->duct);
    slot->duct = NULL;
    slot->ducted = false;
}

void move_done(struct core *core)
{
    while (core->ducts) {
        struct duct *next = core->ducts->next;
        duct_free(core->ducts);
        core->ducts = next;
    }
}

/* May the kernel move bytes there by itself and never wait? Only where O_NONBLOCK is ours. */
static bool can(const struct weir_stream *stream, int kind)
{
    return !stream->lent && (kind == FD_SOCKET || kind == FD_NONBLOCK || kind == FD_PIPE);
}

static bool is_refusal(int error)
{
    return error == EINVAL || error == EOPNOTSUPP || error == ENOSYS || error == EPERM;
}

/* As after a short send: tried again at once, it would find only what little room there is by now. */
static bool is_full(const struct weir_stream *stream)
{
    struct pollfd wait = {.fd = stream->out, .events = POLLOUT};
    return poll(&wait, 1, 0) == 0;
}

/* From the duct on. 0; -EAGAIN: no room; else `to` broke, and knows. */
static int drain(struct core *core, struct slot *from, struct slot *to)
{
    struct duct *duct = from->duct;
    while (duct->held > 0) {
        ssize_t n = splice(duct->ends[0], NULL, to->stream.out, NULL, duct->held, SPLICE_FLAGS);
        if (n > 0) {
            duct->held -= (size_t)n;
            if (duct->held == 0 || !is_full(&to->stream))
                continue;
        } else if (n < 0 && errno == EINTR) {
            continue;
        } else if (n < 0 && errno != EAGAIN) {
            weir_conn_sent(to->conn, errno == ECONNRESET ? -EPIPE : -errno);
            core_ready(core, to);
            return -EPIPE;
        }
        if (stream_widen_out(&to->stream))
            continue;
        to->writable = false;
        to->moves_out = true;
        return -EAGAIN;
    }
    return 0;
}

/* Into the duct. > 0; 0: nothing there now; -ENODATA: the end or an error, which reading tells; -EOPNOTSUPP. */
static ssize_t fill(struct core *core, struct slot *from)
{
    if (!from->readable)
        return 0;
    if (!from->ducted && !get_duct(core, from))
        return -EOPNOTSUPP;
    ssize_t n =
        splice(from->stream.in, NULL, from->duct->ends[1], NULL, from->duct->size, SPLICE_FLAGS);
    if (n > 0) {
        from->duct->held = (size_t)n;
        return n;
    }
    if (n == 0)
        return -ENODATA;
    if (errno == EAGAIN || errno == EINTR) {
        from->readable = errno == EINTR;
        return 0;
    }
    if (is_refusal(errno))
        return -EOPNOTSUPP;
    weir_conn_received(from->conn, -errno);
    core_ready(core, from);
    return -ENODATA;
}

static ssize_t move(struct core *core, struct slot *from, struct slot *to)
{
    size_t moved = 0;
    for (;;) {
        int rc = from->ducted ? drain(core, from, to) : 0;
        if (rc == -EAGAIN)
            return (ssize_t)moved;
        if (rc < 0) {
            move_forget(core, from);
            return rc;
        }
        if (moved >= LIMIT_TURN_BYTES)
            break;
        ssize_t n = fill(core, from);
        if (n > 0) {
            moved += (size_t)n;
            continue;
        }
        from->moves_in = true;
        move_forget(core, from);
        if (n < 0 && moved == 0)
            return n;
        if (n == 0)
            return (ssize_t)moved;
        break;
    }
    core_ready(core, from); /* there is more, once the others had their turn */
    return (ssize_t)moved;
}

ssize_t core_move(struct weir_driver *driver, struct weir_conn *from_conn,
                  struct weir_conn *to_conn)
{
    struct core *core = (struct core *)driver;
    struct slot *from = weir_conn_slot(from_conn), *to = weir_conn_slot(to_conn);
    if (!from || !to || !can(&from->stream, from->stream.in_kind) ||
        !can(&to->stream, to->stream.out_kind))
        return -EOPNOTSUPP;
    stream_forbid_wait_in(&from->stream);
    stream_forbid_wait_out(&to->stream);
    from->moves_in = to->moves_out = false;
    if (!to->writable) {
        to->moves_out = true;
        return 0;
    }
    return move(core, from, to);
}
