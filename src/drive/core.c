#include "drive/core.h"

#include "drive/tls.h"
#include "stream/value.h"
#include "tbl/limits.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define POOL_KEPT 64 /* 256 KiB a thread at the most stays for the next answers */

void core_read_clocks(struct core *core)
{
    struct timespec mono, wall;
    clock_gettime(CLOCK_MONOTONIC, &mono);
    clock_gettime(CLOCK_REALTIME, &wall);
    core->base.now.mono_ns = (uint64_t)mono.tv_sec * WEIR_NS_PER_S + (uint64_t)mono.tv_nsec;
    core->base.now.wall_ns = wall.tv_sec * (int64_t)WEIR_NS_PER_S + wall.tv_nsec;
}

void core_ready(struct core *core, struct slot *slot)
{
    if (slot->ready)
        return;
    slot->ready = true;
    slot->next_ready = NULL;
    if (core->ready_last)
        core->ready_last->next_ready = slot;
    else
        core->ready_first = slot;
    core->ready_last = slot;
}

struct slot *core_next_ready(struct core *core)
{
    struct slot *slot = core->ready_first;
    if (!slot)
        return NULL;
    core->ready_first = slot->next_ready;
    if (!core->ready_first)
        core->ready_last = NULL;
    slot->ready = false;
    return slot;
}

static void forget_ready(struct core *core, struct slot *slot)
{
    if (!slot->ready)
        return;
    struct slot *before = NULL, *at = core->ready_first;
    while (at != slot) {
        before = at;
        at = at->next_ready;
    }
    if (before)
        before->next_ready = slot->next_ready;
    else
        core->ready_first = slot->next_ready;
    if (core->ready_last == slot)
        core->ready_last = before;
    slot->ready = false;
}

static void unlink_slot(struct core *core, struct slot *slot)
{
    *(slot->prev ? &slot->prev->next : &core->first) = slot->next;
    *(slot->next ? &slot->next->prev : &core->last) = slot->prev;
}

static void link_last(struct core *core, struct slot *slot)
{
    slot->next = NULL;
    slot->prev = core->last;
    *(core->last ? &core->last->next : &core->first) = slot;
    core->last = slot;
}

void core_touch(struct core *core, struct slot *slot)
{
    if (core->last == slot)
        return;
    unlink_slot(core, slot);
    link_last(core, slot);
}

static struct slot *add_slot(struct core *core, struct weir_stream *stream, struct weir_conn *conn)
{
    struct slot *slot = calloc(1, sizeof(*slot));
    if (!slot) {
        weir_conn_free(conn);
        stream_done(stream);
        return NULL;
    }
    stream_take(&slot->stream, stream);
    slot->conn = conn;
    slot->readable = true;
    slot->writable = true;
    if (conn)
        weir_conn_set_slot(conn, slot);
    link_last(core, slot);
    core->count++;
    core_ready(core, slot);
    return slot;
}

static struct weir_conn *new_conn(struct core *core, const struct weir_stream *stream)
{
    const struct weir_service *service = core->service;
    const struct weir_way *way = service->ways ? &service->ways[stream->way] : NULL;
    if (way && way->protocol)
        return weir_conn_new(&core->base, way->protocol, way->config);
    return weir_conn_new(&core->base, service->protocol, service->config);
}

struct slot *core_add(struct core *core, struct weir_stream *stream, struct weir_conn *conn)
{
    if (conn)
        weir_conn_move(conn, &core->base);
    else
        conn = new_conn(core, stream);
    if (!conn) {
        stream_done(stream);
        return NULL;
    }
    return add_slot(core, stream, conn);
}

struct slot *core_add_companion(struct core *core, struct weir_stream *stream,
                                struct weir_conn *conn)
{
    if (core->companions >= core->companions_max) {
        weir_conn_free(conn);
        stream_done(stream);
        return NULL;
    }
    struct slot *slot = add_slot(core, stream, conn);
    if (slot) {
        slot->companion = true;
        core->companions++;
    }
    return slot;
}

static void remove_slot(struct core *core, struct slot *slot)
{
    core->unwatch(core, slot);
    forget_ready(core, slot);
    unlink_slot(core, slot);
    core->count--;
    if (slot->companion)
        core->companions--;
}

void core_close(struct core *core, struct slot *slot)
{
    if (!slot->conn) {
        core->unwatch(core, slot); /* while its descriptor is open */
        child_cancel(slot);
    } else if (slot->dialling) {
        dial_cancel(slot);
    } else if (slot->fill && !slot->ducted) {
        fill_cancel(slot);
    }
    if (slot->conn && weir_conn_is_reset(slot->conn))
        stream_reset(&slot->stream);
    weir_conn_free(slot->conn); /* its close() may still wake companions, which stay linked */
    remove_slot(core, slot);
    move_forget(core, slot);
    stream_done(&slot->stream);
    free(slot);
}

void core_release(struct core *core, struct slot *slot, struct weir_conn **out_conn,
                  struct weir_stream *out_stream)
{
    if (slot->fill && !slot->ducted)
        fill_cancel(slot); /* all was sent without it */
    remove_slot(core, slot);
    weir_conn_set_slot(slot->conn, NULL);
    *out_conn = slot->conn;
    stream_take(out_stream, &slot->stream);
    free(slot);
}

uint64_t slot_deadline(const struct slot *slot)
{
    if (!slot->conn)
        return 0; /* a child is bounded by who started it */
    return slot->dialling ? dial_deadline(slot) : weir_conn_deadline(slot->conn);
}

uint64_t core_idle(struct core *core)
{
    const struct weir_service *service = core->service;
    return service->idle ? service->idle(&core->base, service->arg) : 0;
}

static struct weir_conn *core_adopt(struct weir_driver *driver, struct weir_stream *stream,
                                    const struct weir_protocol *protocol, const void *config)
{
    struct core *core = (struct core *)driver;
    struct weir_stream value;
    bool heap = stream->heap;
    /* Its machine has a driver already; what is to be driven here is dialled. */
    if (stream->tunnelled) {
        (void)weir_close(stream);
        return NULL;
    }
    stream_take(&value, stream);
    if (heap)
        free(stream);
    struct weir_conn *conn = weir_conn_new(driver, protocol, config);
    if (!conn) {
        stream_done(&value);
        return NULL;
    }
    return core_add_companion(core, &value, conn) ? conn : NULL;
}

int core_lend(struct core *core, struct weir_job *job)
{
    if (!core->jobs) {
        int rc = jobs_new(&core->jobs);
        if (rc < 0)
            return rc;
        rc = core->watch_jobs(core, jobs_fd(core->jobs));
        if (rc < 0) {
            jobs_free(core->jobs);
            core->jobs = NULL;
            return rc;
        }
    }
    return jobs_submit(core->jobs, job);
}

static int core_submit(struct weir_driver *driver, struct weir_job *job)
{
    struct core *core = (struct core *)driver;
    return brief_take(core, job) ? 0 : core_lend(core, job);
}

static void core_post(struct weir_driver *driver, struct weir_job *job)
{
    jobs_post(((struct core *)driver)->jobs, job);
}

static void core_wake(struct weir_driver *driver, struct weir_conn *conn)
{
    struct slot *slot = weir_conn_slot(conn);
    if (slot)
        core_ready((struct core *)driver, slot);
}

static int core_random(struct weir_driver *driver, void *bytes, size_t len)
{
    (void)driver;
    for (size_t done = 0; done < len;) {
        ssize_t n = getrandom((char *)bytes + done, len - done, 0);
        if (n < 0 && errno != EINTR)
            return -errno;
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

struct slot *slot_of(struct weir_conn *conn)
{
    for (struct weir_conn *outer; (outer = weir_conn_outer(conn));)
        conn = outer;
    return weir_conn_slot(conn);
}

static int core_peer(struct weir_driver *driver, struct weir_conn *conn, char *text, size_t size,
                     unsigned *out_port)
{
    (void)driver;
    struct slot *slot = slot_of(conn);
    if (!slot)
        return -ENOTCONN;
    *out_port = address_text(&slot->stream.peer, text, size);
    return 0;
}

static int core_local(struct weir_driver *driver, struct weir_conn *conn, char *text, size_t size,
                      unsigned *out_port)
{
    (void)driver;
    struct slot *slot = slot_of(conn);
    struct sockaddr_storage at;
    struct address address = {.family = AF_UNSPEC};
    socklen_t len = sizeof(at);
    if (!slot || slot->stream.in_kind != FD_SOCKET)
        return -ENOTCONN;
    if (getsockname(slot->stream.in, (struct sockaddr *)&at, &len) < 0)
        return -errno;
    address_from(&address, (struct sockaddr *)&at, len);
    *out_port = address_text(&address, text, size);
    return 0;
}

/* A connection within another one says its last word there: that may lie unread, and is short (an alert of TLS has 31 bytes at the most;
 * a request has more). */
static bool core_peer_ended(struct weir_driver *driver, struct weir_conn *conn)
{
    (void)driver;
    struct slot *slot = slot_of(conn);
    char bytes[32];
    if (!slot || slot->stream.in_kind != FD_SOCKET)
        return false;
    struct pollfd end = {.fd = slot->stream.in, .events = POLLRDHUP};
    ssize_t unread = recv(slot->stream.in, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
    return unread == 0 || (unread > 0 && unread < (ssize_t)sizeof(bytes) && weir_conn_outer(conn) &&
                           poll(&end, 1, 0) == 1);
}

static void core_ends(struct weir_driver *driver, struct weir_conn *conn,
                      struct weir_address *out_peer, struct weir_address *out_local)
{
    (void)driver;
    struct slot *slot = slot_of(conn);
    *out_peer = *out_local = (struct weir_address){.family = WEIR_FAMILY_NONE};
    if (slot)
        stream_ends(&slot->stream, out_peer, out_local);
}

static uint64_t core_clock(struct weir_driver *driver)
{
    (void)driver;
    struct timespec mono;
    clock_gettime(CLOCK_MONOTONIC, &mono);
    return (uint64_t)mono.tv_sec * WEIR_NS_PER_S + (uint64_t)mono.tv_nsec;
}

static const struct weir_driver_ops core_ops = {
    .name = "kernel",
    .adopt = core_adopt,
    .dial = core_dial,
    .spawn = core_spawn,
    .submit = core_submit,
    .post = core_post,
    .fill = core_fill,
    .wake = core_wake,
    .random = core_random,
    .peer = core_peer,
    .local = core_local,
    .peer_ended = core_peer_ended,
    .ends = core_ends,
    .move = core_move,
    .clock = core_clock,
};

int core_init(struct core *core, const struct weir_service *service, unsigned companions_max)
{
    sigset_t pipe_signal;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, NULL);
    memset(core, 0, sizeof(*core));
    core->service = service;
    core->companions_max = companions_max;
    pool_init(&core->pool, POOL_KEPT);
    core->base.ops = &core_ops;
    core->base.pool = &core->pool;
    core->base.hot_size = LIMIT_HOT_BYTES;
    core->base.hot = malloc(LIMIT_HOT_BYTES);
    if (!core->base.hot)
        return -ENOMEM;
    core_read_clocks(core);
    int rc = service->worker_start ? service->worker_start(&core->base, service->arg) : 0;
    if (rc < 0)
        free(core->base.hot);
    return rc;
}

void core_done(struct core *core)
{
    while (core->first)
        core_close(core, core->first);
    brief_cancel(core);
    jobs_free(core->jobs);
    if (core->service->worker_end)
        core->service->worker_end(&core->base, core->service->arg);
    move_done(core);
    tls_clients_free(core->tls);
    pool_done(&core->pool);
    free(core->base.hot);
}
