/*
 * pool: an acceptor and a bounded number of threads. A thread has a connection only while there is work for it; one at
 * rest is parked with the acceptor, which watches it and queues it again when it speaks, when its deadline comes, or
 * when its place is wanted. So a few threads serve thousands of connections that say little.
 *
 * All accounts are the acceptor's alone: threads (hosts.h) get guests from a queue and give them back (handoff.h).
 */
#include "model/gate.h"
#include "model/hosts.h"
#include "tbl/limits.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#define EVENTS_MAX 64 /* guests taken up in one go */

struct acceptor {
    struct gate gate;
    struct hosts hosts;
    struct timers timers; /* of parked guests */
    struct guest *oldest, *newest;
    unsigned open, max; /* guests in all */
    unsigned leaving;   /* asked to leave, not back yet */
    unsigned room;      /* the queue takes at least this many */
    uint64_t asked_ns;  /* when the last one was asked to leave */
    uint64_t again_ns;  /* when to ask another, 0: no need */
    uint64_t taken;     /* guests that threads have taken ... */
    uint64_t taken_ns;  /* ... and when that last moved, or the queue was empty */
    bool stalled;       /* guests wait and no thread gets free */
    bool wanted;        /* somebody waits for a place */
    bool raised;        /* hosts.busy is readable */
};

/* --- guests --- */

static void forget(struct acceptor *acceptor, struct guest *guest)
{
    if (guest->leave)
        acceptor->leaving--;
    free(guest);
    acceptor->open--;
    acceptor->wanted = false;    /* a knock will tell if more wait */
    acceptor->gate.retry_ns = 0; /* there is a descriptor now */
}

static void unpark(struct acceptor *acceptor, struct guest *guest)
{
    if (!guest->parked)
        return;
    guest->parked = false;
    timers_forget(&acceptor->timers, &guest->timer);
    *(guest->older ? &guest->older->newer : &acceptor->oldest) = guest->newer;
    *(guest->newer ? &guest->newer->older : &acceptor->newest) = guest->older;
}

static void send_to_thread(struct acceptor *acceptor, struct guest *guest)
{
    unpark(acceptor, guest);
    if (acceptor->room == acceptor->hosts.handoff.max)
        acceptor->taken_ns = mono_ns(); /* nobody waited before */
    acceptor->room--;
    handoff_give(&acceptor->hosts.handoff, guest);
}

/* One event, then silence until it is parked again: meanwhile it belongs to a thread. */
static bool watch_guest(struct acceptor *acceptor, struct guest *guest)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, .data.ptr = guest};
    int op = guest->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    guest->watched =
        epoll_ctl(acceptor->gate.epoll, op, stream_wait_in(&guest->stream), &event) == 0;
    return guest->watched;
}

/* It goes without its event having come. That could still come when it is closed and forgotten: close(2) ends what is registered only
 * with the last copy of the descriptor, and a program that another thread is just starting has one until exec. Not EPOLL_CTL_MOD: the
 * kernel adds EPOLLERR and EPOLLHUP to every mask. One that has spoken was disarmed for good by EPOLLONESHOT, and needs no call. */
static void unwatch_guest(struct acceptor *acceptor, struct guest *guest)
{
    if (guest->watched)
        (void)epoll_ctl(acceptor->gate.epoll, EPOLL_CTL_DEL, stream_wait_in(&guest->stream), NULL);
    guest->watched = false;
}

static void send_unheard(struct acceptor *acceptor, struct guest *guest)
{
    unwatch_guest(acceptor, guest);
    send_to_thread(acceptor, guest);
}

static void park(struct acceptor *acceptor, struct guest *guest)
{
    guest->parked = true;
    guest->newer = NULL;
    guest->older = acceptor->newest;
    *(acceptor->newest ? &acceptor->newest->newer : &acceptor->oldest) = guest;
    acceptor->newest = guest;
    guest->timer = (struct timer){0};
    if (guest->conn)
        guest->deadline_ns = weir_conn_deadline(guest->conn);
    if (!watch_guest(acceptor, guest))
        guest->deadline_ns = 1; /* nobody would see it speak: it leaves */
    if (guest->deadline_ns)
        timers_file(&acceptor->timers, &guest->timer, guest->deadline_ns);
}

static void take_back(struct acceptor *acceptor)
{
    struct guest *next;
    for (struct guest *guest = handoff_collect(&acceptor->hosts.handoff); guest; guest = next) {
        next = guest->next;
        if (guest->closed)
            forget(acceptor, guest);
        else
            park(acceptor, guest);
    }
}

/* Its deadline came: its machine decides. A plain function that was never called is not called for silence. */
static void expire(struct acceptor *acceptor, struct guest *guest)
{
    if (guest->conn) {
        guest->leave = !guest->watched;
        acceptor->leaving += guest->leave;
        send_unheard(acceptor, guest);
        return;
    }
    unpark(acceptor, guest);
    unwatch_guest(acceptor, guest);
    stream_done(&guest->stream);
    forget(acceptor, guest);
}

static void run_timers(struct acceptor *acceptor)
{
    uint64_t now = mono_ns();
    struct timer *timer;
    while (acceptor->room > 0 && (timer = timers_due(&acceptor->timers, now))) {
        struct guest *guest = (struct guest *)((char *)timer - offsetof(struct guest, timer));
        if (guest->deadline_ns <= now)
            expire(acceptor, guest);
        else
            timers_file(&acceptor->timers, timer, guest->deadline_ns);
    }
}

/* --- places --- */

static void raise_busy(struct acceptor *acceptor, bool on)
{
    eventfd_t value;
    if (on == acceptor->raised)
        return;
    int rc =
        on ? eventfd_write(acceptor->hosts.busy, 1) : eventfd_read(acceptor->hosts.busy, &value);
    if (rc == 0)
        acceptor->raised = on;
}

/* How many may be on their way out at once: half the threads, since a slow leaver holds one. */
static unsigned leaving_max(const struct acceptor *acceptor)
{
    return (acceptor->hosts.count + 1) / 2;
}

static bool place_wanted(const struct acceptor *acceptor)
{
    return acceptor->wanted || acceptor->gate.retry_ns;
}

/* Threads let go of what rests with them: no thread gets free, or somebody waits for a place and none is parked. */
static void tell_threads(struct acceptor *acceptor)
{
    bool nobody_else = !acceptor->oldest && acceptor->leaving == 0;
    raise_busy(acceptor, acceptor->stalled || (place_wanted(acceptor) && nobody_else));
}

/* Somebody waits for a place: the one that has been parked longest leaves, and another if it takes its time over it. */
static void make_room(struct acceptor *acceptor)
{
    acceptor->again_ns = 0;
    if (!place_wanted(acceptor) || !acceptor->oldest || acceptor->leaving >= leaving_max(acceptor))
        return;
    uint64_t now = mono_ns(), next = acceptor->asked_ns + LIMIT_ACCEPT_RETRY_MS * WEIR_NS_PER_MS;
    if (acceptor->leaving > 0 && now < next) {
        acceptor->again_ns = next;
    } else if (acceptor->room > 0) {
        acceptor->asked_ns = now;
        acceptor->again_ns = now + LIMIT_ACCEPT_RETRY_MS * WEIR_NS_PER_MS;
        acceptor->leaving++;
        acceptor->oldest->leave = true;
        send_unheard(acceptor, acceptor->oldest);
    }
}

static void stop_parked(struct acceptor *acceptor)
{
    atomic_store(&acceptor->hosts.stopping, true);
    while (acceptor->oldest && acceptor->room > 0)
        send_unheard(acceptor, acceptor->oldest);
}

/* A machine may greet, so a thread opens the connection; a plain function waits for a client that speaks first. */
static void welcome(struct acceptor *acceptor, struct guest *guest)
{
    const struct weir_service *service = acceptor->gate.worker->service;
    acceptor->open++;
    if (service->talk && service->client_first && !acceptor->gate.stopping) {
        guest->deadline_ns = mono_ns() + LIMIT_TALK_QUIET_MS * WEIR_NS_PER_MS;
        park(acceptor, guest);
    } else {
        send_to_thread(acceptor, guest);
    }
}

/* true: there will be no more. */
static bool take_clients(struct acceptor *acceptor)
{
    for (unsigned n = 0; n < LIMIT_ACCEPT_BATCH; n++) {
        if (acceptor->open >= acceptor->max || acceptor->room == 0)
            return false;
        struct guest *guest = calloc(1, sizeof(*guest));
        if (!guest) {
            gate_later(&acceptor->gate);
            return false;
        }
        int rc = gate_try(&acceptor->gate, &guest->stream);
        if (rc < 0) {
            free(guest);
            return rc == -ESHUTDOWN;
        }
        welcome(acceptor, guest);
    }
    return false;
}

/* --- the loop --- */

static void look_at_queue(struct acceptor *acceptor)
{
    uint64_t taken, now = mono_ns();
    bool late = now - acceptor->taken_ns >= LIMIT_STALL_MS * WEIR_NS_PER_MS;
    acceptor->room = handoff_room(&acceptor->hosts.handoff, late, &taken);
    bool moves = taken != acceptor->taken || acceptor->room == acceptor->hosts.handoff.max;
    acceptor->stalled = late && !moves;
    if (moves) {
        acceptor->taken = taken;
        acceptor->taken_ns = now;
    }
}

static void sooner(uint64_t *first, uint64_t at)
{
    if (at && (!*first || at < *first))
        *first = at;
}

static int wait_ms(const struct acceptor *acceptor)
{
    uint64_t first = timers_next(&acceptor->timers);
    sooner(&first, acceptor->again_ns);
    if (acceptor->room < acceptor->hosts.handoff.max && !acceptor->stalled)
        sooner(&first, acceptor->taken_ns + LIMIT_STALL_MS * WEIR_NS_PER_MS);
    return wait_ms_until(first);
}

static void wait_for_news(struct acceptor *acceptor)
{
    struct epoll_event events[EVENTS_MAX];
    bool full = acceptor->open >= acceptor->max;
    look_at_queue(acceptor);
    tell_threads(acceptor);
    if (acceptor->room == 0) {
        /* All threads have work and the queue is full: nothing can be taken up until one is free. */
        struct pollfd bell = {.fd = acceptor->hosts.handoff.bell, .events = POLLIN};
        (void)poll(&bell, 1, LIMIT_STALL_MS);
        return;
    }
    gate_mute(&acceptor->gate, full && (acceptor->wanted || acceptor->gate.stopping));
    int max = acceptor->room < EVENTS_MAX ? (int)acceptor->room : EVENTS_MAX;
    int n = gate_wait(&acceptor->gate, events, max, wait_ms(acceptor));
    acceptor->wanted |= full && acceptor->gate.knock;
    for (int i = 0; i < n; i++) {
        struct guest *guest = events[i].data.ptr;
        if (events[i].data.ptr != acceptor && guest->parked)
            send_to_thread(acceptor, guest);
    }
}

static void run(struct acceptor *acceptor)
{
    for (;;) {
        take_back(acceptor);
        look_at_queue(acceptor);
        run_timers(acceptor);
        if (acceptor->gate.stopping)
            stop_parked(acceptor);
        bool over = take_clients(acceptor);
        if (over && acceptor->open == 0)
            return;
        make_room(acceptor);
        wait_for_news(acceptor);
    }
}

static int accept_all(struct acceptor *acceptor, const struct worker *worker)
{
    acceptor->max = worker->server->max_connections;
    timers_init(&acceptor->timers, mono_ns());
    int rc = gate_init(&acceptor->gate, worker);
    if (rc == 0)
        rc = gate_add(&acceptor->gate, acceptor->hosts.handoff.bell, EPOLLIN, acceptor);
    if (rc == 0)
        run(acceptor);
    gate_done(&acceptor->gate);
    return rc;
}

int pool_run(const struct worker *worker)
{
    struct acceptor *acceptor = calloc(1, sizeof(*acceptor));
    if (!acceptor)
        return -ENOMEM;
    int rc = hosts_start(&acceptor->hosts, worker);
    if (rc == 0)
        rc = accept_all(acceptor, worker);
    hosts_end(&acceptor->hosts);
    free(acceptor);
    return rc;
}
