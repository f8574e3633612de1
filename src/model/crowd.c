#include "model/crowd.h"

#include "tbl/limits.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void raise_busy(struct crowd *crowd)
{
    if (!crowd->raised && eventfd_write(crowd->busy, 1) == 0)
        crowd->raised = true;
}

static void lower_busy(struct crowd *crowd)
{
    eventfd_t value;
    if (crowd->raised && eventfd_read(crowd->busy, &value) == 0)
        crowd->raised = false;
}

/* As many as there are places, or clients. true: there will be no more. */
static bool take_clients(struct crowd *crowd)
{
    for (unsigned n = 0; n < LIMIT_ACCEPT_BATCH && crowd->count < crowd->max; n++) {
        if (!crowd->holding) {
            int rc = gate_try(&crowd->gate, &crowd->client);
            if (rc < 0)
                return rc == -ESHUTDOWN;
            crowd->holding = true;
        }
        if (crowd->start(crowd, &crowd->client) < 0)
            return false;
        crowd->holding = false;
        crowd->count++;
    }
    return false;
}

static void reap(struct crowd *crowd)
{
    unsigned ended = crowd->reap(crowd);
    crowd->count -= ended;
    if (ended == 0)
        return;
    lower_busy(crowd); /* a knock will tell if even more wait */
    crowd->gate.retry_ns = 0;
}

static void run(struct crowd *crowd)
{
    for (;;) {
        reap(crowd);
        bool over = take_clients(crowd);
        if (over && crowd->count == 0)
            return;
        bool full = crowd->holding || crowd->count >= crowd->max;
        if (crowd->holding || crowd->gate.retry_ns)
            raise_busy(crowd); /* no process, thread or descriptor to be had */
        else if (!full)
            lower_busy(crowd);
        gate_mute(&crowd->gate, full && (crowd->raised || crowd->gate.stopping));
        struct epoll_event event;
        (void)gate_wait(&crowd->gate, &event, 1, crowd->holding ? LIMIT_ACCEPT_RETRY_MS : -1);
        if (full && crowd->gate.knock)
            raise_busy(crowd);
    }
}

int crowd_run(struct crowd *crowd, const struct worker *worker)
{
    crowd->max = worker->server->max_connections;
    crowd->busy = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int rc = crowd->busy < 0 ? -errno : gate_init(&crowd->gate, worker);
    if (rc == 0)
        rc = gate_add(&crowd->gate, crowd->ended, EPOLLIN, &crowd->ended);
    if (rc == 0)
        run(crowd);
    if (crowd->busy >= 0) {
        gate_done(&crowd->gate);
        close(crowd->busy);
    }
    close(crowd->ended);
    return rc;
}
