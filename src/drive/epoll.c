/* The driver of every connection of a core: edge-triggered epoll, one registration a connection, no re-arming. */
#include "drive/core.h"
#include "drive/loop.h"
#include "stream/near.h"
#include "stream/wait.h"
#include "tbl/limits.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS 256 /* a wake-up's worth */

/* What an event's data says; anything above is a slot's address. */
enum { TAG_STOP = 1, TAG_JOBS = 2, TAG_LISTENER = 16, TAGS = 4096 };

struct loop {
    struct core core; /* first */
    const struct epoll_options *options;
    struct timers timers;
    int epoll;
    bool stopping;
    bool listening;    /* listeners are registered */
    bool clients_wait; /* a listener was readable */
    bool released;     /* listeners are closed */
    uint64_t quiet_at; /* stopping: if nobody came until then, listeners close */
    uint64_t drain_at; /* stopping: from then on also if somebody came, with nobody queued */
    uint64_t retry_at; /* not listening: look again then */
    unsigned closed;   /* slots closed since listening ended: there may be a place */
    struct near_luck luck;
};

static int control(struct loop *loop, int op, int fd, uint32_t events, uint64_t data)
{
    struct epoll_event event = {.events = events, .data.u64 = data};
    return epoll_ctl(loop->epoll, op, fd, &event) < 0 ? -errno : 0;
}

static int watch_fd(struct loop *loop, int fd, uint32_t events, struct slot *slot)
{
    return fd < 0 ? 0 : control(loop, EPOLL_CTL_ADD, fd, events, (uintptr_t)slot);
}

static int watch_slot(struct core *core, struct slot *slot)
{
    struct loop *loop = (struct loop *)core;
    int in = stream_wait_in(&slot->stream), out = stream_wait_out(&slot->stream);
    int rc;
    if (!slot->conn) {
        rc = watch_fd(loop, child_fd(slot->child), EPOLLIN, slot);
    } else if (in == out) {
        rc = watch_fd(loop, in, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, slot);
    } else {
        rc = watch_fd(loop, in, EPOLLIN | EPOLLET, slot);
        if (rc == 0)
            rc = watch_fd(loop, out, (uint32_t)stream_room_event(&slot->stream) | EPOLLET, slot);
    }
    slot->watched = true; /* also half-done: unwatch tolerates that */
    return rc;
}

/* Where helper threads may start programs, a child between fork and exec can hold a copy for a moment. */
static void unwatch_copied(struct core *core, int fd)
{
    if (core->jobs && fd >= 0)
        (void)control((struct loop *)core, EPOLL_CTL_DEL, fd, 0, 0);
}

/* Shared memory ends without being closed: its descriptor still tells of the other end's death. */
static void unwatch_out(struct core *core, struct slot *slot)
{
    if (slot->watched && slot->stream.out != slot->stream.in && slot->stream.out_kind != FD_SHM)
        unwatch_copied(core, slot->stream.out);
}

static void unwatch_slot(struct core *core, struct slot *slot)
{
    struct loop *loop = (struct loop *)core;
    timers_forget(&loop->timers, &slot->timer);
    if (!slot->watched)
        return;
    /* Closing a descriptor ends its registration, unless a child got a copy of it: ours are all O_CLOEXEC. */
    if (!slot->conn && slot->child)
        (void)control(loop, EPOLL_CTL_DEL, child_fd(slot->child), 0, 0);
    unwatch_copied(core, slot->stream.in);
    unwatch_out(core, slot);
    slot->watched = false;
    stream_unwatch(&slot->stream, loop->epoll);
}

static int watch_jobs(struct core *core, int fd)
{
    return control((struct loop *)core, EPOLL_CTL_ADD, fd, EPOLLIN, TAG_JOBS);
}

/* --- listeners --- */

static void stop_listening(struct loop *loop)
{
    if (!loop->listening)
        return;
    for (unsigned i = 0; i < loop->options->listener_count; i++)
        for (unsigned k = 0; k < loop->options->listeners[i]->count; k++)
            (void)control(loop, EPOLL_CTL_DEL, loop->options->listeners[i]->fds[k], 0, 0);
    loop->listening = false;
}

static int start_listening(struct loop *loop)
{
    loop->listening = true;
    for (unsigned i = 0; i < loop->options->listener_count; i++) {
        for (unsigned k = 0; k < loop->options->listeners[i]->count; k++) {
            int rc = control(loop, EPOLL_CTL_ADD, loop->options->listeners[i]->fds[k],
                             EPOLLIN | EPOLLEXCLUSIVE, TAG_LISTENER + i);
            if (rc < 0 && rc != -EEXIST)
                return rc;
        }
    }
    return 0;
}

/* Those that have rested longest make room; as many as can be waiting in one batch. */
static void ask_oldest(struct loop *loop)
{
    unsigned asked = 0, seen = 0;
    for (struct slot *slot = loop->core.first;
         slot && asked < LIMIT_ASK_BATCH && seen < LIMIT_ASK_SCAN; slot = slot->next, seen++) {
        if (!slot->conn || slot->companion || (slot->left & 1u << WEIR_LEAVE_BUSY) ||
            !weir_conn_resting(slot->conn))
            continue;
        core_leave(&loop->core, slot, WEIR_LEAVE_BUSY);
        asked++;
    }
}

/* No slot, no descriptor or no memory: clients stay in the queue until something closes or a moment has passed. */
static void accept_later(struct loop *loop)
{
    stop_listening(loop);
    ask_oldest(loop);
    loop->clients_wait = false;
    loop->closed = 0;
    loop->retry_at = loop->core.base.now.mono_ns + LIMIT_ACCEPT_RETRY_MS * WEIR_NS_PER_MS;
}

static void release_listeners(struct loop *loop)
{
    stop_listening(loop);
    for (unsigned i = 0; i < loop->options->listener_count; i++)
        listener_release(loop->options->listeners[i]);
    loop->released = true;
}

/* Full is not crowded: nobody leaves for a client who is not there. */
static bool somebody_waits(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    return poll(&wait, 1, 0) == 1;
}

/* 0: a batch was taken, maybe more wait; -EAGAIN: nobody waits any more; else later. */
static int accept_from(struct loop *loop, struct weir_listener *listener, unsigned index)
{
    for (unsigned n = 0; n < LIMIT_ACCEPT_BATCH; n++) {
        struct weir_stream stream;
        if (loop->core.count - loop->core.companions >= loop->options->max_connections)
            return somebody_waits(listener->fds[index]) ? -EMFILE : -EAGAIN;
        int rc = listener_try_accept(listener, index, &stream);
        if (rc < 0)
            return rc;
        if (!core_add(&loop->core, &stream, NULL))
            return -ENOMEM;
    }
    return 0;
}

/* Stopping: they close when nobody has come for a moment, or all are taken and it has lasted long enough. */
static void drain(struct loop *loop, bool came)
{
    uint64_t now = loop->core.base.now.mono_ns;
    if (came && now < loop->drain_at)
        loop->quiet_at = now + LIMIT_DRAIN_QUIET_MS * WEIR_NS_PER_MS;
    else if (!loop->clients_wait && now >= loop->quiet_at)
        release_listeners(loop);
}

static void accept_clients(struct loop *loop)
{
    unsigned before = loop->core.count;
    loop->clients_wait = false;
    for (unsigned i = 0; i < loop->options->listener_count; i++) {
        struct weir_listener *listener = loop->options->listeners[i];
        for (unsigned k = 0; k < listener->count; k++) {
            int rc = accept_from(loop, listener, k);
            loop->clients_wait |= rc == 0;
            if (rc < 0 && rc != -EAGAIN) {
                accept_later(loop);
                if (loop->quiet_at < loop->retry_at)
                    loop->quiet_at = loop->retry_at; /* whoever waits is not gone */
                return;
            }
        }
    }
    if (loop->stopping)
        drain(loop, loop->core.count > before);
}

static void maybe_listen_again(struct loop *loop)
{
    if (loop->listening || loop->released)
        return;
    if (loop->closed == 0 && loop->core.base.now.mono_ns < loop->retry_at)
        return;
    if (start_listening(loop) < 0)
        accept_later(loop);
    else
        loop->clients_wait = true;
}

/* --- connections --- */

static void close_slot(struct loop *loop, struct slot *slot)
{
    core_close(&loop->core, slot);
    loop->closed++;
}

/* The connection waits: for its descriptor, for its deadline. */
static void settle(struct loop *loop, struct slot *slot)
{
    if (!slot->watched && watch_slot(&loop->core, slot) < 0) {
        close_slot(loop, slot);
        return;
    }
    uint64_t at = slot_deadline(slot);
    if (at)
        timers_file(&loop->timers, &slot->timer, at);
    if (loop->stopping && !slot->companion)
        core_leave(&loop->core, slot, WEIR_LEAVE_STOP);
}

/* A stream that connects is watched; what a helper does has none yet. */
static void settle_dialling(struct loop *loop, struct slot *slot)
{
    if (slot->stream.out >= 0 && !slot->watched && watch_slot(&loop->core, slot) < 0) {
        close_slot(loop, slot);
        return;
    }
    uint64_t at = slot_deadline(slot);
    if (at)
        timers_file(&loop->timers, &slot->timer, at);
}

static void step_slot(struct loop *loop, struct slot *slot)
{
    if (!slot->conn) {
        if (child_step(slot) || (!slot->watched && watch_slot(&loop->core, slot) < 0))
            close_slot(loop, slot);
        return;
    }
    if (slot->dialling && !dial_step(&loop->core, slot)) {
        settle_dialling(loop, slot);
        return;
    }
    core_touch(&loop->core, slot);
    switch (core_step(&loop->core, slot)) {
    case STEP_CLOSED:
        close_slot(loop, slot);
        break;
    case STEP_AGAIN:
        core_ready(&loop->core, slot);
        break;
    case STEP_WAIT:
        settle(loop, slot);
        break;
    }
}

/* One pass: what becomes ready meanwhile gets its turn after the next look at the descriptors. */
static void run_ready(struct loop *loop)
{
    struct slot *last = loop->core.ready_last, *slot = NULL;
    while (slot != last && (slot = core_next_ready(&loop->core)))
        step_slot(loop, slot);
}

static void run_timers(struct loop *loop)
{
    uint64_t now = loop->core.base.now.mono_ns;
    struct timer *timer;
    while ((timer = timers_due(&loop->timers, now))) {
        struct slot *slot = (struct slot *)((char *)timer - offsetof(struct slot, timer));
        uint64_t at = slot_deadline(slot);
        if (at && at <= now)
            core_ready(&loop->core, slot);
        else if (at)
            timers_file(&loop->timers, &slot->timer, at);
    }
}

static void begin_stop(struct loop *loop)
{
    loop->stopping = true;
    (void)control(loop, EPOLL_CTL_DEL, loop->options->stop, 0, 0);
    for (struct slot *slot = loop->core.first; slot; slot = slot->next)
        if (slot->conn && !slot->companion)
            core_leave(&loop->core, slot, WEIR_LEAVE_STOP);
    uint64_t now = loop->core.base.now.mono_ns;
    loop->quiet_at = now + LIMIT_DRAIN_QUIET_MS * WEIR_NS_PER_MS;
    loop->drain_at = now + LIMIT_DRAIN_MS * WEIR_NS_PER_MS;
    loop->clients_wait = true; /* what is queued is accepted and answered */
}

/* --- the loop --- */

static int due_ms(struct loop *loop)
{
    if (loop->core.ready_first || loop->core.brief_first || loop->clients_wait)
        return 0;
    uint64_t first = timers_next(&loop->timers), now = loop->core.base.now.mono_ns;
    uint64_t idle = core_idle(&loop->core);
    if (idle && (!first || idle < first))
        first = idle;
    if (loop->stopping && !loop->released && (!first || loop->quiet_at < first))
        first = loop->quiet_at;
    if (!loop->listening && !loop->released && (!first || loop->retry_at < first))
        first = loop->retry_at;
    if (!first)
        return -1;
    uint64_t ms = first > now ? (first - now) / WEIR_NS_PER_MS + 1 : 0;
    return ms < 60000 ? (int)ms : 60000;
}

static void look_at(struct loop *loop, const struct epoll_event *events, int count)
{
    for (int i = 0; i < count; i++) {
        uint64_t data = events[i].data.u64;
        if (data == TAG_STOP)
            begin_stop(loop);
        else if (data == TAG_JOBS)
            jobs_collect(loop->core.jobs);
        else if (data < TAGS)
            loop->clients_wait = true;
        else
            core_event(&loop->core, (struct slot *)(uintptr_t)data, events[i].events);
    }
}

/* One client of a Unix socket has read its answer, and nothing else has happened: its next request may be near (near.h). */
static int look_near(struct loop *loop, struct epoll_event *events)
{
    uint64_t end = deadline_now() + LIMIT_NEAR_NS;
    int n;
    do
        n = epoll_wait(loop->epoll, events, EVENTS, 0);
    while (n == 0 && deadline_now() < end);
    near_looked(&loop->luck, n > 0);
    return n;
}

static bool is_answered(const struct epoll_event *event)
{
    const struct slot *slot = (const struct slot *)(uintptr_t)event->data.u64;
    return event->data.u64 >= TAGS && near_is_room(event->events) && slot->conn &&
           slot->stream.in_kind == FD_SOCKET && slot->stream.peer.family == AF_UNIX &&
           !slot->dialling && slot->writable;
}

/* Room where there was some is no news. */
static int wait_events(struct loop *loop, struct epoll_event *events)
{
    int n = epoll_wait(loop->epoll, events, EVENTS, due_ms(loop));
    if (n != 1 || !is_answered(events))
        return n;
    n = near_may_look(&loop->luck) ? look_near(loop, events) : 0;
    if (n != 0)
        return n;
    core_read_clocks(&loop->core);
    return epoll_wait(loop->epoll, events, EVENTS, due_ms(loop));
}

static bool finished(const struct loop *loop)
{
    return loop->stopping && (loop->options->cut || (loop->released && loop->core.count == 0));
}

static void run(struct loop *loop)
{
    struct epoll_event events[EVENTS];
    while (!finished(loop)) {
        int n = wait_events(loop, events);
        core_read_clocks(&loop->core);
        look_at(loop, events, n > 0 ? n : 0);
        maybe_listen_again(loop);
        if (loop->stopping && !loop->released && loop->core.base.now.mono_ns >= loop->quiet_at)
            loop->clients_wait = true;
        if (loop->clients_wait && (loop->listening || loop->stopping))
            accept_clients(loop);
        run_timers(loop);
        run_ready(loop);
        brief_run(&loop->core);
    }
}

int epoll_drive(const struct epoll_options *options)
{
    struct loop *loop = calloc(1, sizeof(*loop));
    if (!loop)
        return -ENOMEM;
    loop->options = options;
    int rc = core_init(&loop->core, options->service, UINT32_MAX);
    if (rc < 0)
        goto fail_loop;
    loop->core.base.shared = true;
    loop->core.watch = watch_slot;
    loop->core.unwatch = unwatch_slot;
    loop->core.unwatch_out = unwatch_out;
    loop->core.watch_jobs = watch_jobs;
    timers_init(&loop->timers, loop->core.base.now.mono_ns);
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    rc = loop->epoll < 0 ? -errno : control(loop, EPOLL_CTL_ADD, options->stop, EPOLLIN, TAG_STOP);
    if (rc == 0)
        rc = start_listening(loop);
    if (rc == 0)
        run(loop);
    core_done(&loop->core); /* its slots leave the set while there is one */
    if (loop->epoll >= 0)
        close(loop->epoll);
fail_loop:
    free(loop);
    return rc;
}
