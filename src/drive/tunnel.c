#include "drive/tunnel.h"

#include "base/pool.h"
#include "stream/wait.h"
#include "tbl/limits.h"

#include <weir/conn.h>
#include <weir/driver.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define HOT_BYTES (32 * 1024) /* two records */

/* One thread may read while another writes: all but the waiting is under the lock. */
struct passage {
    struct tunnel base;
    struct weir_driver driver;
    pthread_mutex_t lock;
    struct weir_pool pool;
    struct weir_stream under;
    struct weir_tls *tls;    /* owned: a reference */
    struct weir_conn *outer; /* on the socket; NULL: it has ended */
    struct weir_conn *inner; /* what is read and written; as long as `outer` */
    uint8_t *to;             /* where the reader wants its bytes, while it is in a call */
    size_t room, got;
    int why;                  /* why it ended; WEIR_DONE: as was meant */
    int send_error;           /* the socket takes nothing any more: what is to be sent is dropped */
    bool opened, eof, closed; /* the inner one: hands were shaken; all was read; no more */
    bool woken;
    bool more;    /* the last read took all it had room for: there may be more inside */
    bool no_room; /* somebody waits until the socket takes bytes again */
    pid_t owner;  /* after a fork a copy is only closed */
    int always;   /* readable; -1: not made yet */
    bool told;    /* `always` is in in_set */
    uint32_t in_events, out_events; /* of the socket, in the sets */
    uint8_t hot[HOT_BYTES];
};

/* --- the inner machine: the reader's and the writer's side of it --- */

static struct passage *passage_of(const struct weir_conn *inner)
{
    return (struct passage *)weir_conn_config(inner);
}

static int end_open(void *state, struct weir_conn *conn, const void *config)
{
    (void)state, (void)config;
    passage_of(conn)->opened = true;
    weir_conn_rest(conn, false);
    return 0;
}

static ssize_t end_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    struct passage *p = passage_of(conn);
    (void)state;
    size_t n = p->room - p->got;
    n = n < len ? n : len;
    if (n > 0)
        memcpy(p->to + p->got, bytes, n);
    p->got += n;
    if (p->got == p->room)
        weir_conn_pause(conn);
    return (ssize_t)n;
}

static int end_eof(void *state, struct weir_conn *conn, size_t rest)
{
    (void)state, (void)rest;
    passage_of(conn)->eof = true;
    return 0;
}

/* Only who closes the stream ends it. */
static void end_leave(void *state, struct weir_conn *conn, enum weir_leave why)
{
    (void)state, (void)conn, (void)why;
}

static void end_close(void *state, struct weir_conn *conn, int why)
{
    struct passage *p = passage_of(conn);
    (void)state;
    p->closed = true;
    p->why = why;
}

static const struct weir_protocol end_protocol = {
    .name = "stream",
    .input_max = 1,
    .patient = true, /* whether anybody reads has nothing to do with whether anybody writes */
    .open = end_open,
    .input = end_input,
    .eof = end_eof,
    .leave = end_leave,
    .close = end_close,
};

/* --- what the machine may ask of this driver --- */

static struct weir_conn *no_adopt(struct weir_driver *driver, struct weir_stream *stream,
                                  const struct weir_protocol *protocol, const void *config)
{
    (void)driver, (void)protocol, (void)config;
    stream_done(stream);
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

/* There is nobody else to be kept waiting: slow work is done where it is asked for. */
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
    struct passage *p = (struct passage *)((char *)driver - offsetof(struct passage, driver));
    (void)conn;
    p->woken = true;
}

static int random_bytes(struct weir_driver *driver, void *bytes, size_t len)
{
    (void)driver;
    return getrandom(bytes, len, 0) == (ssize_t)len ? 0 : -EIO;
}

static int peer(struct weir_driver *driver, struct weir_conn *conn, char *text, size_t size,
                unsigned *out_port)
{
    struct passage *p = (struct passage *)((char *)driver - offsetof(struct passage, driver));
    (void)conn;
    *out_port = address_text(&p->under.peer, text, size);
    return 0;
}

static const struct weir_driver_ops tunnel_ops = {
    .name = "tunnel",
    .adopt = no_adopt,
    .dial = no_dial,
    .spawn = no_spawn,
    .submit = no_submit,
    .fill = no_fill,
    .wake = wake,
    .random = random_bytes,
    .peer = peer,
};

/* --- bytes between the machine and the socket --- */

static void read_clocks(struct passage *p)
{
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    p->driver.now.mono_ns = deadline_now();
    p->driver.now.wall_ns = wall.tv_sec * (int64_t)WEIR_NS_PER_S + wall.tv_nsec;
}

static bool waits_inside(const struct passage *p)
{
    return p->outer &&
           (weir_out_len(weir_conn_out(p->outer)) > 0 || weir_out_len(weir_conn_out(p->inner)) > 0);
}

/* Nobody takes it; what has come can be read all the same, as of any socket. */
static void drop_output(struct passage *p, int error)
{
    p->send_error = error;
    weir_conn_sent(p->outer, (ssize_t)weir_out_len(weir_conn_out(p->outer)));
}

/* true: something moved. */
static bool send_some(struct passage *p)
{
    struct iovec iov[LIMIT_OUT_SPANS];
    const struct weir_span *file;
    if (p->send_error) {
        drop_output(p, p->send_error);
        return true;
    }
    int count = weir_conn_gather(p->outer, iov, LIMIT_OUT_SPANS, &file);
    ssize_t n = stream_try_writev(&p->under, iov, count, false);
    if (n == -EAGAIN)
        return false;
    if (n < 0)
        drop_output(p, (int)n);
    else
        weir_conn_sent(p->outer, n);
    return true;
}

static bool receive_some(struct passage *p)
{
    struct iovec room = weir_conn_room(p->outer);
    ssize_t n = stream_try_read(&p->under, room.iov_base, room.iov_len);
    if (n == -EAGAIN)
        return false;
    weir_conn_received(p->outer, n);
    return true;
}

static void free_conns(struct passage *p)
{
    weir_conn_free(p->outer); /* its machine frees the inner one */
    p->outer = p->inner = NULL;
}

/* Until nothing moves, or the reader has something. Only who may read takes bytes off the socket. */
static void move(struct passage *p, bool may_read)
{
    while (p->outer) {
        read_clocks(p);
        p->woken = false;
        unsigned want = weir_conn_turn(p->outer);
        if (want & WEIR_IO_CLOSE) {
            free_conns(p);
            return;
        }
        bool again = p->woken;
        if (want & WEIR_IO_WRITE)
            again |= send_some(p);
        if (want & WEIR_IO_END) {
            (void)!stream_end(&p->under);
            weir_conn_ended(p->outer);
            again = true;
        }
        if ((want & WEIR_IO_READ) && may_read && p->got == 0)
            again |= receive_some(p);
        if (!again)
            return;
    }
}

/* --- the descriptors to wait on --- */

static void watch_socket(struct passage *p, int set, uint32_t events, uint32_t *now)
{
    struct epoll_event event = {.events = events};
    if (events == *now)
        return;
    if (epoll_ctl(set, EPOLL_CTL_MOD, p->under.in, &event) == 0)
        *now = events;
}

/* What lies inside already is told by a descriptor that always is readable. */
static void watch_always(struct passage *p, bool told)
{
    struct epoll_event event = {.events = EPOLLIN};
    if (told == p->told)
        return;
    if (p->always < 0)
        p->always = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    if (p->always >= 0 &&
        epoll_ctl(p->base.in_set, told ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, p->always, &event) == 0)
        p->told = told;
}

/* After each call: errors and hang-ups are told of without being asked for. */
static void watch(struct passage *p)
{
    uint32_t in = p->eof || !p->outer ? 0 : EPOLLIN;
    watch_socket(p, p->base.in_set, in | (waits_inside(p) ? EPOLLOUT : 0), &p->in_events);
    watch_socket(p, p->base.out_set, p->no_room ? EPOLLOUT : 0, &p->out_events);
    watch_always(p, p->more || p->closed);
}

static int open_set(const struct passage *p, int *out)
{
    struct epoll_event event = {.events = 0};
    int set = epoll_create1(EPOLL_CLOEXEC);
    if (set < 0)
        return -errno;
    *out = set;
    return epoll_ctl(set, EPOLL_CTL_ADD, p->under.in, &event) < 0 ? -errno : 0;
}

/* --- the stream's calls --- */

static struct passage *passage(struct tunnel *tunnel)
{
    return (struct passage *)tunnel;
}

static void leave(struct passage *p)
{
    watch(p);
    pthread_mutex_unlock(&p->lock);
}

static ssize_t read_now(struct passage *p, void *to, size_t room)
{
    p->to = to;
    p->room = room;
    p->got = 0;
    if (p->inner && !p->closed) {
        weir_conn_resume(p->inner);
        move(p, true);
    }
    size_t got = p->got;
    p->more = got == room;
    p->to = NULL;
    p->room = p->got = 0;
    if (got > 0)
        return (ssize_t)got;
    if (p->closed && p->why < 0 && !p->eof)
        return p->why;
    return p->eof || p->closed ? 0 : -EAGAIN;
}

static ssize_t tunnel_read(struct tunnel *tunnel, void *to, size_t room)
{
    struct passage *p = passage(tunnel);
    if (room == 0)
        return 0;
    pthread_mutex_lock(&p->lock);
    ssize_t n = read_now(p, to, room);
    leave(p);
    return n;
}

/* 0: nothing waits inside. */
static int flush_now(struct passage *p)
{
    move(p, false);
    p->no_room = waits_inside(p);
    if (p->send_error)
        return p->send_error;
    if (p->closed)
        return -EPIPE;
    return p->no_room ? -EAGAIN : 0;
}

static int tunnel_flush(struct tunnel *tunnel)
{
    struct passage *p = passage(tunnel);
    pthread_mutex_lock(&p->lock);
    int rc = flush_now(p);
    leave(p);
    return rc;
}

/* Once the last bytes are out, as much as a queue holds is taken. */
static ssize_t write_now(struct passage *p, const struct iovec *iov, int count)
{
    int rc = flush_now(p);
    if (rc < 0)
        return rc;
    struct weir_out *out = weir_conn_out(p->inner);
    size_t done = 0;
    for (int i = 0; i < count; i++) {
        size_t space = weir_out_space(out);
        size_t len = iov[i].iov_len < space ? iov[i].iov_len : space;
        if (len > 0)
            weir_out_copy(out, iov[i].iov_base, len);
        done += len;
        if (len < iov[i].iov_len)
            break;
    }
    weir_conn_wake(p->inner);
    move(p, false);
    return p->send_error ? p->send_error : (ssize_t)done;
}

static ssize_t tunnel_write(struct tunnel *tunnel, const struct iovec *iov, int count)
{
    struct passage *p = passage(tunnel);
    pthread_mutex_lock(&p->lock);
    ssize_t n = write_now(p, iov, count);
    leave(p);
    return n;
}

static int tunnel_end(struct tunnel *tunnel)
{
    struct passage *p = passage(tunnel);
    pthread_mutex_lock(&p->lock);
    if (p->inner && !p->closed) {
        weir_conn_end(p->inner);
        move(p, false);
    }
    leave(p);
    return 0;
}

static bool tunnel_gone(struct tunnel *tunnel)
{
    const struct passage *p = passage(tunnel);
    struct pollfd fd = {.fd = p->under.in};
    return poll(&fd, 1, 0) > 0 && fd.revents & (POLLERR | POLLHUP);
}

static const char *tunnel_why(const struct tunnel *tunnel)
{
    return weir_tls_complaint(((const struct passage *)tunnel)->tls);
}

/* --- its life --- */

/* Waits for the socket, for as long as the machine and the caller allow. The machine's deadline is told by its next turn. */
static int wait_socket(struct passage *p, short events, uint64_t deadline)
{
    uint64_t own = p->outer ? weir_conn_deadline(p->outer) : 0;
    uint64_t until = own ? deadline_min(own, deadline) : deadline;
    int rc = wait_fd(p->under.in, events, until);
    return rc == -ETIMEDOUT && deadline_left_ms(deadline) != 0 ? 0 : rc;
}

/* Bytes left unread would make the close a reset, which can take the last of ours with it. */
static void drain(struct passage *p)
{
    for (size_t all = 0; all < LIMIT_TUNNEL_DRAIN_BYTES;) {
        ssize_t n = stream_try_read(&p->under, p->hot, sizeof(p->hot));
        if (n <= 0)
            return;
        all += (size_t)n;
    }
}

/* close_notify, and what was written before it. */
static int finish(struct passage *p, uint64_t deadline)
{
    bool unsent = waits_inside(p);
    if (p->opened && !p->closed)
        weir_conn_end(p->inner);
    for (;;) {
        int rc = flush_now(p);
        if (rc != -EAGAIN)
            return unsent && !p->closed ? rc : 0;
        rc = wait_socket(p, POLLOUT, deadline);
        if (rc < 0)
            return rc;
    }
}

static void passage_free(struct passage *p)
{
    free_conns(p);
    weir_tls_free(p->tls);
    pool_done(&p->pool);
    if (p->base.in_set >= 0)
        close(p->base.in_set);
    if (p->base.out_set >= 0)
        close(p->base.out_set);
    if (p->always >= 0)
        close(p->always);
    stream_done(&p->under);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static int tunnel_close(struct tunnel *tunnel, int timeout_ms)
{
    struct passage *p = passage(tunnel);
    bool bounded = timeout_ms >= 0 && timeout_ms < LIMIT_TUNNEL_CLOSE_MS;
    int rc = 0;
    if (getpid() == p->owner && p->outer) {
        rc = finish(p, deadline_in(bounded ? timeout_ms : LIMIT_TUNNEL_CLOSE_MS));
        drain(p);
    }
    passage_free(p);
    return rc;
}

static const struct tunnel_calls calls = {
    .read = tunnel_read,
    .write = tunnel_write,
    .flush = tunnel_flush,
    .end = tunnel_end,
    .gone = tunnel_gone,
    .why = tunnel_why,
    .close = tunnel_close,
};

/* 0: hands are shaken, and what had to be said is sent. */
static int shake_hands(struct passage *p, uint64_t deadline)
{
    for (;;) {
        move(p, true);
        if (p->closed)
            return p->why < 0 ? p->why : -EPROTO;
        if (p->opened && !waits_inside(p))
            return 0;
        short out = waits_inside(p) ? POLLOUT : 0;
        int rc = wait_socket(p, (short)((p->opened ? 0 : POLLIN) | out), deadline);
        if (rc < 0)
            return rc;
    }
}

static int begin(struct passage *p)
{
    p->outer = weir_conn_new(&p->driver, &weir_tls_machine, p->tls);
    p->inner = p->outer ? weir_conn_new_inner(p->outer, &end_protocol, p) : NULL;
    if (!p->inner)
        return -ENOMEM;
    int rc = open_set(p, &p->base.in_set);
    return rc < 0 ? rc : open_set(p, &p->base.out_set);
}

static struct passage *passage_new(struct weir_stream *under, struct weir_tls *tls)
{
    struct passage *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    pthread_mutex_init(&p->lock, NULL);
    pool_init(&p->pool, 16);
    p->base = (struct tunnel){&calls, -1, -1, &p->under};
    p->driver.ops = &tunnel_ops;
    p->driver.pool = &p->pool;
    p->driver.hot = p->hot;
    p->driver.hot_size = sizeof(p->hot);
    p->always = -1;
    p->owner = getpid();
    p->tls = tls;
    stream_take(&p->under, under);
    read_clocks(p);
    return p;
}

int tunnel_open(struct weir_stream *under, struct weir_tls *tls, uint64_t deadline,
                struct weir_stream *out)
{
    bool socket = under->in_kind == FD_SOCKET && under->out_kind == FD_SOCKET;
    struct passage *p = socket ? passage_new(under, tls) : NULL;
    if (!p) {
        stream_done(under);
        weir_tls_free(tls);
        return socket ? -ENOMEM : -EOPNOTSUPP;
    }
    stream_forbid_wait_in(&p->under);
    int rc = begin(p);
    if (rc == 0)
        rc = shake_hands(p, deadline);
    if (rc < 0) {
        passage_free(p);
        return rc;
    }
    watch(p);
    stream_init_tunnel(out, &p->base);
    return 0;
}
