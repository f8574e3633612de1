/*
 * pool: an acceptor and a bounded number of threads. A thread has a connection only while there is work for it; one at
 * rest is parked with the acceptor, which watches it and queues it again when it speaks, when its deadline comes, or
 * when its place is wanted. So a few threads serve thousands of connections that say little.
 *
 * All accounts are the acceptor's alone: threads get guests from the queue and give them back (handoff.h).
 */
#include "model/handoff.h"
#include "model/news.h"
#include "model/serve.h"
#include "tbl/limits.h"

#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define EVENTS_MAX 64 /* guests taken up in one go */

struct host;

struct acceptor {
    struct gate gate;
    struct handoff handoff;
    const struct worker *worker; /* borrowed */
    struct timers timers;        /* of parked guests */
    struct guest *oldest, *newest;
    unsigned open, max;   /* guests in all */
    unsigned leaving;     /* asked to leave, not back yet */
    uint64_t asked_ns;    /* when the last one was asked to */
    uint64_t again_ns;    /* when to ask another, 0: no need */
    unsigned room;        /* the queue takes at least this many */
    int busy;             /* eventfd, readable: somebody waits and nobody is parked */
    int leave;            /* eventfd, always readable: for guests whose place is wanted */
    bool raised;          /* busy is readable */
    bool wanted;          /* somebody waits for a place */
    atomic_bool stopping; /* connections at rest end instead of parking */
    struct host *hosts;
    unsigned host_count;
    sem_t ready; /* a host has started, or not */
};

/* One thread. */
struct host {
    struct acceptor *acceptor;
    pthread_t thread;
    int rc; /* of its start */
};

/* --- threads --- */

static void look_after(struct acceptor *acceptor, struct poll_driver *driver, struct guest *guest)
{
    struct watch watch = {.stop = acceptor->worker->stop,
                          .busy = guest->leave ? &acceptor->leave : &acceptor->busy,
                          .busy_count = 1};
    if (acceptor->worker->service->talk) {
        serve_client(driver, acceptor->worker, &guest->stream, &watch);
        guest->closed = true;
        return;
    }
    bool park = !guest->leave && !atomic_load(&acceptor->stopping);
    struct weir_stream stream;
    stream_take(&stream, &guest->stream);
    guest->closed = poll_drive(driver, &stream, guest->conn, &watch, park, &guest->conn,
                               &guest->stream) == POLL_CLOSED;
}

/* The next guest; while there is none, and else each second, the service writes out what it put off. */
static struct guest *next_guest(struct acceptor *acceptor, struct poll_driver *driver,
                                uint64_t *idle_ns, bool *out_over)
{
    uint64_t now = poll_driver_base(driver)->now.mono_ns;
    if (now < *idle_ns) {
        struct guest *guest = handoff_take(&acceptor->handoff, now, out_over);
        if (guest || *out_over)
            return guest;
    }
    *idle_ns = now + WEIR_NS_PER_S;
    return handoff_take(&acceptor->handoff, poll_driver_idle(driver), out_over);
}

static void *run_host(void *arg)
{
    struct host *host = arg;
    struct acceptor *acceptor = host->acceptor;
    struct poll_driver *driver;
    int rc = host->rc = poll_driver_new(acceptor->worker->service, &driver);
    sem_post(&acceptor->ready);
    if (rc < 0)
        return NULL;
    uint64_t idle_ns = 0;
    for (bool over = false; !over;) {
        struct guest *guest = next_guest(acceptor, driver, &idle_ns, &over);
        if (!guest)
            continue;
        look_after(acceptor, driver, guest);
        handoff_return(&acceptor->handoff, guest);
    }
    poll_driver_free(driver);
    return NULL;
}

static int start_host(struct acceptor *acceptor, const pthread_attr_t *attributes)
{
    struct host *host = &acceptor->hosts[acceptor->host_count];
    *host = (struct host){.acceptor = acceptor};
    int error = pthread_create(&host->thread, attributes, run_host, host);
    if (error)
        return -error;
    while (sem_wait(&acceptor->ready) < 0)
        ; /* interrupted */
    if (host->rc == 0)
        acceptor->host_count++;
    else
        pthread_join(host->thread, NULL);
    return host->rc;
}

static int start_hosts(struct acceptor *acceptor)
{
    unsigned wanted = acceptor->worker->server->workers;
    acceptor->hosts = calloc(wanted, sizeof(*acceptor->hosts));
    if (!acceptor->hosts)
        return -ENOMEM;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, LIMIT_STACK_BYTES);
    int rc = 0;
    while (acceptor->host_count < wanted && rc == 0)
        rc = start_host(acceptor, &attributes);
    pthread_attr_destroy(&attributes);
    if (rc < 0 && acceptor->host_count > 0) {
        news_say(acceptor->worker, WEIR_REPORT_WARNING,
                 "only %u of %u threads could be started: %s", acceptor->host_count, wanted,
                 strerror(-rc));
        rc = 0;
    }
    return rc;
}

static void end_hosts(struct acceptor *acceptor)
{
    handoff_end(&acceptor->handoff);
    for (unsigned i = 0; i < acceptor->host_count; i++)
        pthread_join(acceptor->hosts[i].thread, NULL);
    free(acceptor->hosts);
}

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
    acceptor->room--;
    handoff_give(&acceptor->handoff, guest);
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
    for (struct guest *guest = handoff_collect(&acceptor->handoff); guest; guest = next) {
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
        send_to_thread(acceptor, guest);
        return;
    }
    unpark(acceptor, guest);
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
    int rc = on ? eventfd_write(acceptor->busy, 1) : eventfd_read(acceptor->busy, &value);
    if (rc == 0)
        acceptor->raised = on;
}

/* How many may be on their way out at once: half the threads, since a slow leaver holds one. */
static unsigned leaving_max(const struct acceptor *acceptor)
{
    return (acceptor->host_count + 1) / 2;
}

/* Somebody waits for a place: the one that has been parked longest leaves, and another if it takes its time over it.
 * If none is parked, threads let go of theirs. */
static void make_room(struct acceptor *acceptor)
{
    bool wanted = acceptor->wanted || acceptor->gate.retry_ns;
    raise_busy(acceptor, wanted && !acceptor->oldest && acceptor->leaving == 0);
    acceptor->again_ns = 0;
    if (!wanted || !acceptor->oldest || acceptor->leaving >= leaving_max(acceptor))
        return;
    uint64_t now = mono_ns(), next = acceptor->asked_ns + LIMIT_ACCEPT_RETRY_MS * WEIR_NS_PER_MS;
    if (acceptor->leaving > 0 && now < next) {
        acceptor->again_ns = next;
    } else if (acceptor->room > 0) {
        acceptor->asked_ns = now;
        acceptor->again_ns = now + LIMIT_ACCEPT_RETRY_MS * WEIR_NS_PER_MS;
        acceptor->leaving++;
        acceptor->oldest->leave = true;
        send_to_thread(acceptor, acceptor->oldest);
    }
}

static void stop_parked(struct acceptor *acceptor)
{
    atomic_store(&acceptor->stopping, true);
    while (acceptor->oldest && acceptor->room > 0)
        send_to_thread(acceptor, acceptor->oldest);
}

/* A machine may greet, so a thread opens the connection; a plain function waits for a client that speaks first. */
static void welcome(struct acceptor *acceptor, struct guest *guest)
{
    const struct weir_service *service = acceptor->worker->service;
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

static int wait_ms(const struct acceptor *acceptor)
{
    uint64_t first = timers_next(&acceptor->timers);
    if (acceptor->again_ns && (!first || acceptor->again_ns < first))
        first = acceptor->again_ns;
    return wait_ms_until(first);
}

static void wait_for_news(struct acceptor *acceptor)
{
    struct epoll_event events[EVENTS_MAX];
    bool full = acceptor->open >= acceptor->max;
    acceptor->room = handoff_room(&acceptor->handoff);
    if (acceptor->room == 0) {
        /* All threads have work and the queue is full: nothing can be taken up until one is free. */
        struct pollfd bell = {.fd = acceptor->handoff.bell, .events = POLLIN};
        (void)poll(&bell, 1, 1000);
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
        acceptor->room = handoff_room(&acceptor->handoff);
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

static int prepare(struct acceptor *acceptor)
{
    acceptor->busy = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    acceptor->leave = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    if (acceptor->busy < 0 || acceptor->leave < 0)
        return -errno;
    timers_init(&acceptor->timers, mono_ns());
    sem_init(&acceptor->ready, 0, 0);
    int rc = gate_init(&acceptor->gate, acceptor->worker);
    return rc < 0 ? rc : gate_add(&acceptor->gate, acceptor->handoff.bell, EPOLLIN, acceptor);
}

int pool_run(const struct worker *worker)
{
    struct acceptor *acceptor = calloc(1, sizeof(*acceptor));
    if (!acceptor)
        return -ENOMEM;
    acceptor->worker = worker;
    acceptor->max = worker->server->max_connections;
    int rc = handoff_init(&acceptor->handoff, worker->server->queue);
    if (rc == 0) {
        rc = prepare(acceptor);
        if (rc == 0)
            rc = start_hosts(acceptor);
        if (rc == 0)
            run(acceptor);
        end_hosts(acceptor);
        handoff_done(&acceptor->handoff);
    }
    free(acceptor);
    return rc; /* the process ends: its descriptors go with it */
}
