/* Turns and I/O for one slot: the innermost loop of both drivers. */
#include "drive/core.h"
#include "tbl/limits.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

_Static_assert((unsigned)POLLIN == (unsigned)EPOLLIN && (unsigned)POLLOUT == (unsigned)EPOLLOUT &&
                   (unsigned)POLLERR == (unsigned)EPOLLERR &&
                   (unsigned)POLLHUP == (unsigned)EPOLLHUP &&
                   (unsigned)POLLRDHUP == (unsigned)EPOLLRDHUP,
               "poll and epoll speak the same bits");

/* An error, or a hang-up that nobody will notice by reading: it must reach close() even when the machine is paused. */
static void hang_up(struct slot *slot, unsigned events)
{
    if (slot->stream.in_kind == FD_NONE && (events & POLLERR))
        weir_conn_received(slot->conn, -EPIPE); /* the last reader of a pipe is gone */
    if (slot->stream.in_kind != FD_SOCKET || (slot->want & WEIR_IO_READ) ||
        weir_conn_patient(slot->conn))
        return; /* reading tells; a pipe's rest is still to be drained */
    int error = 0, unread = 0;
    socklen_t len = sizeof(error);
    if (events & POLLERR)
        getsockopt(slot->stream.in, SOL_SOCKET, SO_ERROR, &error, &len);
    else if (ioctl(slot->stream.in, FIONREAD, &unread) < 0 || unread > 0)
        return;
    weir_conn_received(slot->conn, error ? -error : -ECONNRESET);
}

/* Its descriptors are for waiting only: they tell that anything may have happened. Who reads will see it; for who does not, the
 * death of the other end is looked for here. */
static void shm_event(struct slot *slot)
{
    bool unread;
    slot->readable = slot->writable = true;
    if (!slot->conn || slot->dialling || (slot->want & WEIR_IO_READ) ||
        weir_conn_patient(slot->conn) || !stream_is_over(&slot->stream, &unread))
        return;
    slot->hung_up = true;
    if (!unread)
        weir_conn_received(slot->conn, -ECONNRESET);
}

void core_event(struct core *core, struct slot *slot, unsigned events)
{
    if (slot->stream.in_kind == FD_SHM)
        shm_event(slot);
    if (events & (POLLIN | POLLHUP | POLLERR | POLLRDHUP))
        slot->readable = true;
    if (events & (POLLOUT | POLLHUP | POLLERR))
        slot->writable = true;
    if (events & (POLLHUP | POLLERR | POLLRDHUP))
        slot->hung_up = true;
    if ((events & (POLLHUP | POLLERR)) && slot->conn && !slot->dialling)
        hang_up(slot, events);
    core_ready(core, slot);
}

/*
 * After a send that took less than it was given. Trying again at once would find the little room that the peer made meanwhile, again and
 * again; the kernel calls a socket writable when a third of it is free. poll(2) looks, and arms the edge that epoll then reports.
 */
static bool is_full(const struct slot *slot)
{
    struct pollfd wait = {.fd = slot->stream.out, .events = POLLOUT};
    return slot->stream.out_kind == FD_SOCKET && poll(&wait, 1, 0) == 0;
}

static ssize_t send_some(struct slot *slot)
{
    struct iovec iov[LIMIT_OUT_SPANS];
    const struct weir_span *file;
    int count = weir_conn_gather(slot->conn, iov, LIMIT_OUT_SPANS, &file);
    size_t len = 0;
    ssize_t n;
    if (count > 0) {
        for (int i = 0; i < count; i++)
            len += iov[i].iov_len;
        n = stream_try_writev(&slot->stream, iov, count, file != NULL);
    } else {
        len = file->len < LIMIT_TURN_FILE_BYTES ? file->len : LIMIT_TURN_FILE_BYTES;
        n = stream_try_sendfile(&slot->stream, file->fd, file->offset, len);
        if (n == 0)
            n = -EIO; /* the file is shorter than was promised: the peer must not take it for whole */
    }
    if (n == -EAGAIN || (n > 0 && (size_t)n < len && is_full(slot)))
        slot->writable = false;
    if (n != -EAGAIN)
        weir_conn_sent(slot->conn, n);
    return n;
}

/* What a read of so much room has brought. */
static void received(struct slot *slot, ssize_t n, size_t room)
{
    /* A short read has emptied a socket: what comes later is a new edge (epoll(7)). */
    bool emptied = n > 0 && (size_t)n < room && slot->stream.in_kind == FD_SOCKET && !slot->hung_up;
    slot->readable = n != -EAGAIN && !emptied;
    if (n != -EAGAIN)
        weir_conn_received(slot->conn, n);
}

static ssize_t receive_some(struct slot *slot)
{
    struct iovec room = weir_conn_room(slot->conn);
    ssize_t n = stream_try_read(&slot->stream, room.iov_base, room.iov_len);
    received(slot, n, room.iov_len);
    return n;
}

bool core_wait_read(struct core *core, struct slot *slot, struct stream_near *near,
                    uint64_t left_ns)
{
    struct iovec room = weir_conn_room(slot->conn);
    ssize_t n = -EAGAIN;
    if (slot->stream.spin_us)
        n = stream_spin_read(&slot->stream, room.iov_base, room.iov_len);
    if (n == -EAGAIN)
        n = stream_wait_read(&slot->stream, near, room.iov_base, room.iov_len, left_ns);
    if (n == -EAGAIN)
        return false;
    received(slot, n, room.iov_len);
    core_ready(core, slot);
    return true;
}

void core_leave(struct core *core, struct slot *slot, enum weir_leave why)
{
    uint8_t bit = (uint8_t)(1u << why);
    if ((slot->leave | slot->left) & bit)
        return;
    slot->leave |= bit;
    core_ready(core, slot);
}

/* A request that has arrived unseen is read first: closing over it would reset the connection, answers and all. */
static void tell_leave(struct slot *slot)
{
    if (slot->want == 0)
        slot->want = (uint8_t)weir_conn_turn(slot->conn); /* a new one has not been asked yet */
    if ((slot->want & WEIR_IO_READ) &&
        (slot->stream.in_kind == FD_SOCKET || slot->stream.in_kind == FD_SHM))
        (void)receive_some(slot);
    if (slot->leave & 1u << WEIR_LEAVE_BUSY)
        weir_conn_leave(slot->conn, WEIR_LEAVE_BUSY);
    if (slot->leave & 1u << WEIR_LEAVE_STOP)
        weir_conn_leave(slot->conn, WEIR_LEAVE_STOP);
    slot->left |= slot->leave;
    slot->leave = 0;
}

/* A side with a descriptor of its own is closed by that, and the slot may go on with the other. */
static void end_out(struct core *core, struct slot *slot)
{
    core->unwatch_out(core, slot);
    (void)!stream_end(&slot->stream);
    weir_conn_ended(slot->conn);
    if (slot->stream.in_kind == FD_NONE)
        weir_conn_received(slot->conn, 0); /* there never was anything to read */
}

enum step core_step(struct core *core, struct slot *slot)
{
    slot->stream.alone = core->count == 1;
    if (slot->leave)
        tell_leave(slot);
    for (size_t moved = 0;;) {
        unsigned want = weir_conn_turn(slot->conn);
        slot->want = (uint8_t)want;
        if (want & WEIR_IO_CLOSE)
            return STEP_CLOSED;
        /* Only after a turn: what was received lies in the hot buffer, which the next connection reads into. */
        if (moved >= LIMIT_TURN_BYTES)
            return STEP_AGAIN;
        bool again = false;
        if ((want & WEIR_IO_WRITE) && slot->writable) {
            ssize_t n = send_some(slot);
            moved += n > 0 ? (size_t)n : 0;
            again |= n != -EAGAIN;
        }
        if (want & WEIR_IO_END) {
            end_out(core, slot);
            again = true;
        }
        if ((want & WEIR_IO_READ) && slot->readable && slot->stream.in_kind != FD_NONE) {
            ssize_t n = receive_some(slot);
            moved += n > 0 ? (size_t)n : 0;
            again |= n != -EAGAIN;
        }
        if (!again)
            return STEP_WAIT;
    }
}
