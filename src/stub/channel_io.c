/* A channel's bytes: a driver of one connection that runs only while somebody waits. */
#include "stream/sigpipe.h"
#include "stream/wait.h"
#include "stub/channel.h"
#include "tbl/limits.h"

#include <errno.h>

#define LATE_STEPS 1000 /* after a deadline: what has come by then is looked at, but not for ever */

/* --- what a machine may ask for: here nothing but a turn, and the next one is near --- */

static struct weir_conn *no_adopt(struct weir_driver *driver, struct weir_stream *stream,
                                  const struct weir_protocol *protocol, const void *config)
{
    (void)driver, (void)protocol, (void)config;
    (void)weir_close(stream);
    return NULL;
}

static struct weir_conn *no_dial(struct weir_driver *driver, const char *endpoint,
                                 const struct weir_protocol *protocol, const void *config)
{
    (void)driver, (void)endpoint, (void)protocol, (void)config;
    return NULL;
}

static int no_spawn(struct weir_driver *driver, const struct weir_spawn *spawn,
                    struct weir_conn *out_ends[3])
{
    (void)driver, (void)spawn, (void)out_ends;
    return -EOPNOTSUPP;
}

static int no_submit(struct weir_driver *driver, struct weir_job *job)
{
    (void)driver, (void)job;
    return -EOPNOTSUPP;
}

static int no_fill(struct weir_driver *driver, struct weir_conn *conn, const struct weir_span *file,
                   struct weir_out *out, size_t max, size_t *out_len)
{
    (void)driver, (void)conn, (void)file, (void)out, (void)max, (void)out_len;
    return -EOPNOTSUPP;
}

static void wake(struct weir_driver *driver, struct weir_conn *conn)
{
    (void)driver, (void)conn;
}

static int no_random(struct weir_driver *driver, void *bytes, size_t len)
{
    (void)driver, (void)bytes, (void)len;
    return -EOPNOTSUPP;
}

static int peer(struct weir_driver *driver, struct weir_conn *conn, char *text, size_t size,
                unsigned *out_port)
{
    (void)conn;
    *out_port = address_text(&((struct weir_rpc_channel *)driver)->stream->peer, text, size);
    return 0;
}

const struct weir_driver_ops channel_ops = {
    .name = "channel",
    .adopt = no_adopt,
    .dial = no_dial,
    .spawn = no_spawn,
    .submit = no_submit,
    .fill = no_fill,
    .wake = wake,
    .random = no_random,
    .peer = peer,
};

/* --- bytes --- */

/* Sockets and shared memory raise no signal. */
static ssize_t send_quietly(struct weir_stream *stream, const struct iovec *iov, int count)
{
    struct sigpipe mask;
    if (stream->out_kind == FD_SOCKET || stream->out_kind == FD_SHM)
        return stream_try_writev(stream, iov, count, false);
    sigpipe_hold(&mask);
    ssize_t n = stream_try_writev(stream, iov, count, false);
    sigpipe_release(&mask, n == -EPIPE);
    return n;
}

/* true: something came of it. */
static bool write_some(struct weir_rpc_channel *ch)
{
    struct iovec iov[LIMIT_OUT_SPANS];
    const struct weir_span *file;
    int count = weir_conn_gather(ch->conn, iov, LIMIT_OUT_SPANS, &file);
    ssize_t n = send_quietly(ch->stream, iov, count);
    if (n == -EAGAIN) {
        ch->writable = false;
        return false;
    }
    if (n < 0) {
        ch->send_error = (int)n;
        ch->readable = true;
        return true;
    }
    weir_conn_sent(ch->conn, n);
    /* An answer to it is not there yet: one wait, instead of a try and a wait. Shared memory is worth a longer look. */
    ch->readable = ch->stream->in_kind == FD_SHM;
    return true;
}

/* What a try has read goes to the machine. true: something came of it. */
static bool take(struct weir_rpc_channel *ch, ssize_t n)
{
    if (n == -EAGAIN) {
        ch->readable = false;
        if (ch->send_error)
            weir_conn_sent(ch->conn, ch->send_error);
        return ch->send_error;
    }
    /* A short read has emptied a socket. What comes of shared memory is found by looking again, not by waiting. */
    if (n > 0 && (size_t)n < ch->base.hot_size && ch->stream->in_kind == FD_SOCKET &&
        !ch->send_error)
        ch->readable = false;
    weir_conn_received(ch->conn, n);
    return true;
}

static bool read_some(struct weir_rpc_channel *ch,
                      ssize_t (*read)(struct weir_stream *, void *, size_t))
{
    struct iovec room = weir_conn_room(ch->conn);
    return take(ch, read(ch->stream, room.iov_base, room.iov_len));
}

/* Sleeps in the read itself, where that is possible. */
static bool wait_read(struct weir_rpc_channel *ch, uint64_t deadline_ns)
{
    struct iovec room = weir_conn_room(ch->conn);
    uint64_t now = ch->base.now.mono_ns, left = deadline_ns > now ? deadline_ns - now : 0;
    return take(ch, stream_wait_read(ch->stream, &ch->near, room.iov_base, room.iov_len, left));
}

static bool move(struct weir_rpc_channel *ch, unsigned want)
{
    if ((want & WEIR_IO_WRITE) && ch->writable && !ch->send_error)
        return write_some(ch);
    if ((want & WEIR_IO_READ) && ch->readable)
        return read_some(ch, stream_try_read);
    if (ch->send_error)
        weir_conn_sent(ch->conn, ch->send_error);
    return ch->send_error;
}

/* --- the loop --- */

/* > 0: something can be tried; 0: time has passed; -errno. */
static int wait(struct weir_rpc_channel *ch, unsigned want, uint64_t deadline_ns)
{
    struct pollfd fds[2];
    uint64_t own = weir_conn_deadline(ch->conn);
    bool in = want & WEIR_IO_READ, out = want & WEIR_IO_WRITE;
    call_free(ch->over); /* what is asked is on its way: the peer works meanwhile */
    ch->over = NULL;
    deadline_ns = own ? deadline_min(own, deadline_ns) : deadline_ns;
    if (in && ch->stream->spin_us && read_some(ch, stream_spin_read))
        return 1;
    if (in && !out && wait_read(ch, deadline_ns))
        return 1;
    fds[0] = (struct pollfd){.fd = in ? stream_wait_in(ch->stream) : -1, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = out ? stream_wait_out(ch->stream) : -1,
                             .events = stream_room_event(ch->stream)};
    int rc = wait_fds(fds, out ? 2 : 1, deadline_ns);
    if (rc <= 0)
        return rc == -ETIMEDOUT ? 0 : rc;
    ch->readable |= in && fds[0].revents;
    ch->writable |= out && fds[1].revents;
    return rc;
}

#define TIMELY_TURNS 8

/* The clock is read when something may have taken time: a little sending does not. */
static unsigned turn(struct weir_rpc_channel *ch)
{
    if (!ch->timely || ++ch->turns > TIMELY_TURNS) {
        ch->base.now.mono_ns = deadline_now();
        ch->turns = 0;
    }
    ch->timely = false;
    ch->client.now_ns = ch->base.now.mono_ns;
    unsigned want = weir_conn_turn(ch->conn);
    if (want & WEIR_IO_CLOSE)
        (void)channel_disconnect(ch);
    return want;
}

static int pump(struct weir_rpc_channel *ch, bool (*enough)(void *), void *arg,
                uint64_t deadline_ns)
{
    bool looked = false;
    unsigned late = 0;
    while (ch->conn) {
        unsigned want = turn(ch);
        (void)rpc_client_settle(&ch->client);
        if (enough(arg) || !ch->conn)
            return 0;
        bool moved = move(ch, want);
        if (moved)
            ch->active_ns = ch->base.now.mono_ns;
        ch->timely = moved && (want & WEIR_IO_WRITE);
        if (ch->base.now.mono_ns >= deadline_ns && (moved ? ++late > LATE_STEPS : looked))
            return -EAGAIN;
        if (moved)
            continue;
        looked = true;
        int rc = wait(ch, want, deadline_ns);
        if (rc < 0)
            return rc;
    }
    (void)rpc_client_settle(&ch->client);
    return 0;
}

int channel_pump(struct weir_rpc_channel *ch, bool (*enough)(void *), void *arg,
                 uint64_t deadline_ns)
{
    ch->busy = true;
    int rc = pump(ch, enough, arg, deadline_ns);
    ch->busy = false;
    ch->timely = false;
    return rc;
}

bool channel_wait_beside(struct weir_rpc_channel *ch, int fd, uint64_t deadline_ns)
{
    struct pollfd fds[3] = {
        {.fd = fd, .events = POLLIN},
        {.fd = stream_wait_in(ch->stream), .events = POLLIN},
        {.fd = ch->writable ? -1 : stream_wait_out(ch->stream),
         .events = stream_room_event(ch->stream)},
    };
    if (wait_fds(fds, 3, deadline_ns) < 0)
        return false;
    ch->writable |= fds[2].revents != 0;
    return fds[0].revents;
}

void channel_push(struct weir_rpc_channel *ch)
{
    bool busy = ch->busy;
    if (busy)
        return; /* whoever waits will send it */
    ch->busy = true;
    while (ch->conn) {
        unsigned want = turn(ch);
        if (!ch->conn || !(want & WEIR_IO_WRITE) || !ch->writable || ch->send_error)
            break;
        if (write_some(ch))
            ch->active_ns = ch->base.now.mono_ns;
    }
    ch->busy = false;
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

void channel_look(struct weir_rpc_channel *ch)
{
    ch->readable = true;
    (void)channel_pump(ch, never, NULL, 0);
}
