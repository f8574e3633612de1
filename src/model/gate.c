#include "model/gate.h"

#include "tbl/limits.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define EVENTS_MAX 64 /* a wake-up's worth */

static char tag_stop, tag_socket;

static int collect_sockets(struct gate *gate)
{
    const struct worker *worker = gate->worker;
    unsigned count = 0;
    for (unsigned i = 0; i < worker->listener_count; i++)
        count += worker->listeners[i]->count;
    gate->sockets = calloc(count, sizeof(*gate->sockets));
    gate->fds = calloc(count, sizeof(*gate->fds));
    if (!gate->sockets || !gate->fds)
        return -ENOMEM;
    for (unsigned i = 0; i < worker->listener_count; i++) {
        for (unsigned k = 0; k < worker->listeners[i]->count; k++) {
            gate->sockets[gate->count] = (struct gate_socket){worker->listeners[i], k};
            gate->fds[gate->count++] = worker->listeners[i]->fds[k];
        }
    }
    return 0;
}

int gate_init(struct gate *gate, const struct worker *worker)
{
    *gate = (struct gate){.worker = worker};
    gate->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (gate->epoll < 0)
        return -errno;
    int rc = collect_sockets(gate);
    return rc < 0 ? rc : gate_add(gate, worker->stop, EPOLLIN, &tag_stop);
}

static void close_kept(struct gate *gate)
{
    while (gate->kept_at < gate->kept_count)
        stream_done(&gate->kept[gate->kept_at++]);
    free(gate->kept);
    gate->kept = NULL;
}

static void release_sockets(struct gate *gate)
{
    for (unsigned i = 0; i < gate->worker->listener_count; i++)
        listener_release(gate->worker->listeners[i]);
    gate->count = 0;
}

void gate_abandon(struct gate *gate, bool keep_sockets)
{
    close_kept(gate);
    if (!gate->shut && !keep_sockets)
        release_sockets(gate);
    if (gate->epoll >= 0)
        close(gate->epoll);
    gate->epoll = -1;
}

void gate_done(struct gate *gate)
{
    gate_abandon(gate, false);
    free(gate->sockets);
    free(gate->fds);
}

int gate_add(struct gate *gate, int fd, uint32_t events, void *tag)
{
    struct epoll_event event = {.events = events, .data.ptr = tag};
    return epoll_ctl(gate->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

void gate_later(struct gate *gate)
{
    gate->retry_ns = mono_ns() + LIMIT_ACCEPT_RETRY_MS * WEIR_NS_PER_MS;
}

/* Registers the sockets while clients are worth waking up for. EXCLUSIVE: one of the processes that wait is woken. */
static void listen_if_wanted(struct gate *gate)
{
    bool wanted = !gate->muted && !gate->shut && !gate->retry_ns;
    if (wanted == gate->listening)
        return;
    for (unsigned i = 0; i < gate->count; i++) {
        int rc = 0;
        if (!wanted)
            (void)epoll_ctl(gate->epoll, EPOLL_CTL_DEL, gate->fds[i], NULL);
        else
            rc = gate_add(gate, gate->fds[i], EPOLLIN | EPOLLEXCLUSIVE, &tag_socket);
        if (rc == -ENOMEM || rc == -ENOSPC)
            gate_later(gate);
    }
    gate->listening = wanted;
}

static void shut(struct gate *gate)
{
    gate->shut = true;
    listen_if_wanted(gate);
    release_sockets(gate);
}

/* From the socket whose turn it is, or the next one that has somebody. */
static int accept_any(struct gate *gate, struct weir_stream *out)
{
    for (unsigned i = 0; i < gate->count; i++) {
        const struct gate_socket *socket = &gate->sockets[gate->next];
        gate->next = (gate->next + 1) % gate->count;
        int rc = listener_try_accept(socket->listener, socket->index, out);
        if (rc != -EAGAIN)
            return rc;
    }
    return -EAGAIN;
}

/* The rest of the queue at once, then the sockets close; what does not fit stays queued for now. */
static void keep_rest(struct gate *gate)
{
    gate->kept_at = gate->kept_count = 0;
    if (!gate->kept)
        gate->kept = calloc(LIMIT_DRAIN_KEPT, sizeof(*gate->kept));
    int rc = -ENOMEM;
    while (gate->kept && gate->kept_count < LIMIT_DRAIN_KEPT) {
        rc = accept_any(gate, &gate->kept[gate->kept_count]);
        if (rc < 0)
            break;
        gate->kept_count++;
    }
    if (rc == -EAGAIN)
        shut(gate);
    else if (rc < 0)
        gate_later(gate);
}

static bool take_kept(struct gate *gate, struct weir_stream *out)
{
    if (gate->kept_at == gate->kept_count)
        return false;
    stream_take(out, &gate->kept[gate->kept_at++]);
    return true;
}

int gate_try(struct gate *gate, struct weir_stream *out)
{
    if (take_kept(gate, out))
        return 0;
    if (gate->shut)
        return -ESHUTDOWN;
    if (gate->retry_ns && mono_ns() < gate->retry_ns)
        return -EAGAIN;
    gate->retry_ns = 0;
    if (gate->stopping && mono_ns() >= gate->drain_ns) {
        keep_rest(gate);
        return take_kept(gate, out) ? 0 : gate->shut ? -ESHUTDOWN : -EAGAIN;
    }
    int rc = accept_any(gate, out);
    if (rc == 0 && gate->stopping)
        gate->quiet_ns = mono_ns() + LIMIT_DRAIN_QUIET_MS * WEIR_NS_PER_MS;
    if (rc == 0)
        return 0;
    if (rc != -EAGAIN) {
        gate_later(gate);
        return -EAGAIN;
    }
    if (gate->stopping && mono_ns() >= gate->quiet_ns)
        shut(gate);
    return gate->shut ? -ESHUTDOWN : -EAGAIN;
}

void gate_mute(struct gate *gate, bool muted)
{
    gate->muted = muted;
}

static void see_stop(struct gate *gate)
{
    if (gate->stopping)
        return;
    gate->stopping = true;
    gate->drain_ns = mono_ns() + LIMIT_DRAIN_MS * WEIR_NS_PER_MS;
    gate->quiet_ns = mono_ns() + LIMIT_DRAIN_QUIET_MS * WEIR_NS_PER_MS;
    (void)epoll_ctl(gate->epoll, EPOLL_CTL_DEL, gate->worker->stop, NULL);
}

static int timeout_now(struct gate *gate, int timeout_ms)
{
    if (gate->kept_at < gate->kept_count && !gate->muted)
        return 0;
    uint64_t next_ns = gate->retry_ns;
    if (!next_ns && gate->stopping && !gate->shut)
        next_ns = gate->quiet_ns;
    int retry_ms = gate->muted ? -1 : wait_ms_until(next_ns);
    return timeout_ms < 0 || (retry_ms >= 0 && retry_ms < timeout_ms) ? retry_ms : timeout_ms;
}

int gate_wait(struct gate *gate, struct epoll_event *events, int max, int timeout_ms)
{
    struct epoll_event all[EVENTS_MAX];
    listen_if_wanted(gate);
    int n = epoll_wait(gate->epoll, all, max < EVENTS_MAX ? max : EVENTS_MAX,
                       timeout_now(gate, timeout_ms));
    if (gate->retry_ns && mono_ns() >= gate->retry_ns)
        gate->retry_ns = 0;
    gate->knock = false;
    int others = 0;
    for (int i = 0; i < n; i++) {
        if (all[i].data.ptr == &tag_stop)
            see_stop(gate);
        else if (all[i].data.ptr == &tag_socket)
            gate->knock = true;
        else
            events[others++] = all[i];
    }
    return others;
}

/* A worker that always finds a next client must see the stop too. */
static void look_for_stop(struct gate *gate)
{
    struct pollfd stop = {.fd = gate->worker->stop, .events = POLLIN};
    if (!gate->stopping && poll(&stop, 1, 0) > 0)
        see_stop(gate);
}

/* A worker that never waits must let the service write out what it put off, too. */
static void idle_each_second(struct gate *gate, struct poll_driver *driver)
{
    uint64_t now = poll_driver_base(driver)->now.mono_ns;
    if (now < gate->idle_ns)
        return;
    gate->idle_ns = now + WEIR_NS_PER_S;
    (void)poll_driver_idle(driver);
}

int gate_next(struct gate *gate, struct poll_driver *driver, struct weir_stream *out)
{
    for (;;) {
        look_for_stop(gate);
        if (driver)
            idle_each_second(gate, driver);
        int rc = gate_try(gate, out);
        if (rc != -EAGAIN)
            return rc;
        struct epoll_event event;
        uint64_t again_ns = driver ? poll_driver_idle(driver) : 0;
        (void)gate_wait(gate, &event, 1, wait_ms_until(again_ns));
    }
}

struct watch gate_watch(const struct gate *gate, unsigned confirm_ms)
{
    return (struct watch){.stop = gate->worker->stop,
                          .busy = gate->fds,
                          .busy_count = gate->count,
                          .confirm_ms = confirm_ms};
}
