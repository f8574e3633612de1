/* The driver of one connection and its companions: it blocks only in poll(2), and that one wait covers everything. */
#include "drive/core.h"
#include "drive/loop.h"
#include "stream/near.h"
#include "stream/wait.h"
#include "tbl/limits.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>

#define FDS_MAX (LIMIT_WATCHED + 2 * (LIMIT_COMPANIONS + 1) + 2)

struct poll_driver {
    struct core core; /* first */
    int jobs;         /* descriptor, -1: none yet */
};

/* What is known of others that wait for this place. */
enum busy { BUSY_WATCH, BUSY_HOLD, BUSY_CONFIRM, BUSY_TOLD };

struct run {
    struct poll_driver *driver;
    struct slot *main; /* NULL once it has ended */
    const struct watch *watch;
    int stop;
    enum busy busy;
    uint64_t busy_at; /* BUSY_HOLD: look again then */
    bool park;
    struct stream_near near; /* of `main` */
    uint64_t lonely_until;   /* only children are left: they are killed then; 0: not so */
    /* One wait. fds[i] belongs to slots[i]; NULL: watch or jobs. */
    struct pollfd fds[FDS_MAX];
    struct slot *slots[FDS_MAX];
    nfds_t count;
};

static int no_watch(struct core *core, struct slot *slot)
{
    (void)core;
    (void)slot;
    return 0;
}

static void no_unwatch(struct core *core, struct slot *slot)
{
    (void)core;
    (void)slot;
}

static int watch_jobs(struct core *core, int fd)
{
    ((struct poll_driver *)core)->jobs = fd;
    return 0;
}

int poll_driver_new(const struct weir_service *service, struct poll_driver **out)
{
    struct poll_driver *driver = calloc(1, sizeof(*driver));
    if (!driver)
        return -ENOMEM;
    int rc = core_init(&driver->core, service, LIMIT_COMPANIONS);
    if (rc < 0) {
        free(driver);
        return rc;
    }
    driver->core.watch = no_watch;
    driver->core.unwatch = driver->core.unwatch_out = no_unwatch;
    driver->core.watch_jobs = watch_jobs;
    driver->jobs = -1;
    *out = driver;
    return 0;
}

struct weir_driver *poll_driver_base(struct poll_driver *driver)
{
    return &driver->core.base;
}

void poll_driver_free(struct poll_driver *driver)
{
    if (!driver)
        return;
    core_done(&driver->core);
    free(driver);
}

uint64_t poll_driver_idle(struct poll_driver *driver)
{
    core_read_clocks(&driver->core);
    return core_idle(&driver->core);
}

static void close_slot(struct run *run, struct slot *slot)
{
    if (slot == run->main)
        run->main = NULL;
    core_close(&run->driver->core, slot);
}

static void step_slot(struct run *run, struct slot *slot)
{
    struct core *core = &run->driver->core;
    if (!slot->conn) {
        if (child_step(slot))
            close_slot(run, slot);
        return;
    }
    if (slot->dialling && !dial_step(core, slot))
        return;
    enum step step = core_step(core, slot);
    if (step == STEP_CLOSED)
        close_slot(run, slot);
    else if (step == STEP_AGAIN)
        core_ready(core, slot);
}

/* One pass: what becomes ready meanwhile waits for the next, after a look at the descriptors. */
static void run_ready(struct run *run)
{
    struct core *core = &run->driver->core;
    struct slot *last = core->ready_last, *slot = NULL;
    while (slot != last && (slot = core_next_ready(core)))
        step_slot(run, slot);
}

/* Children that nobody talks to any more may end by themselves for a moment; then the place is more important. */
static void end_lonely_children(struct run *run)
{
    struct core *core = &run->driver->core;
    for (struct slot *slot = core->first; slot; slot = slot->next)
        if (slot->conn)
            return;
    if (!run->lonely_until)
        run->lonely_until = core->base.now.mono_ns + LIMIT_LONELY_CHILD_MS * WEIR_NS_PER_MS;
    while (core->first && core->base.now.mono_ns >= run->lonely_until)
        close_slot(run, core->first);
}

static void add_fd(struct run *run, int fd, short events, struct slot *slot)
{
    if (run->count == FDS_MAX)
        return;
    run->fds[run->count] = (struct pollfd){.fd = fd, .events = events};
    run->slots[run->count++] = slot;
}

/* Either descriptor tells of the other end's death, once it is worth knowing. */
static void add_shm_fds(struct run *run, struct slot *slot, bool in, bool out)
{
    if (out)
        add_fd(run, stream_wait_out(&slot->stream), stream_room_event(&slot->stream), slot);
    if (in || (!out && !slot->hung_up))
        add_fd(run, stream_wait_in(&slot->stream), POLLIN, slot);
}

/* No interest means no descriptor, or a hung-up one would spin; a socket stays, once, for its errors. */
static void add_slot_fds(struct run *run, struct slot *slot)
{
    if (!slot->conn) {
        add_fd(run, child_fd(slot->child), POLLIN, slot);
        return;
    }
    bool reads = slot->want & WEIR_IO_READ || slot->moves_in;
    bool writes = slot->want & WEIR_IO_WRITE || slot->moves_out;
    short in = reads && !slot->readable ? POLLIN : 0;
    short out = writes && !slot->writable ? POLLOUT : 0;
    int in_fd = stream_wait_in(&slot->stream), out_fd = stream_wait_out(&slot->stream);
    if (slot->stream.in_kind == FD_SHM) {
        add_shm_fds(run, slot, in != 0, out != 0);
        return;
    }
    if (in_fd >= 0 && in_fd == out_fd) {
        if (in || out || !slot->hung_up)
            add_fd(run, in_fd, (short)(in | out), slot);
        return;
    }
    if (in && in_fd >= 0)
        add_fd(run, in_fd, in, slot);
    /* A pipe without readers says so even when nothing is to be sent. */
    if (out_fd >= 0 && (out || slot->stream.in_kind == FD_NONE))
        add_fd(run, out_fd, out, slot);
}

static void collect_fds(struct run *run)
{
    run->count = 0;
    add_fd(run, run->stop, POLLIN, NULL);
    add_fd(run, run->driver->jobs, POLLIN, NULL);
    bool look = run->busy == BUSY_WATCH || run->busy == BUSY_CONFIRM;
    for (unsigned i = 0; look && i < run->watch->busy_count && i < LIMIT_WATCHED; i++)
        add_fd(run, run->watch->busy[i], POLLIN, NULL);
    for (struct slot *slot = run->driver->core.first; slot; slot = slot->next)
        add_slot_fds(run, slot);
}

static void sooner(uint64_t *first, uint64_t at)
{
    if (at && (!*first || at < *first))
        *first = at;
}

static int run_wait_ms(struct run *run)
{
    struct core *core = &run->driver->core;
    uint64_t first = 0, now = core->base.now.mono_ns;
    if (core->ready_first || run->busy == BUSY_CONFIRM)
        return 0;
    for (struct slot *slot = core->first; slot; slot = slot->next)
        sooner(&first, slot_deadline(slot));
    sooner(&first, core_idle(core));
    sooner(&first, run->lonely_until);
    if (run->busy == BUSY_HOLD)
        sooner(&first, run->busy_at);
    if (!first)
        return -1;
    uint64_t ms = first > now ? (first - now) / WEIR_NS_PER_MS + 1 : 0;
    return ms < 60000 ? (int)ms : 60000;
}

static void others_wait(struct run *run, bool readable)
{
    uint64_t now = run->driver->core.base.now.mono_ns;
    if (!readable) {
        run->busy = run->busy == BUSY_CONFIRM ? BUSY_WATCH : run->busy;
    } else if (run->busy == BUSY_WATCH && run->watch->confirm_ms > 0) {
        run->busy = BUSY_HOLD;
        run->busy_at = now + run->watch->confirm_ms * WEIR_NS_PER_MS;
    } else {
        run->busy = BUSY_TOLD;
        if (run->main)
            core_leave(&run->driver->core, run->main, WEIR_LEAVE_BUSY);
    }
}

static void look_at(struct run *run)
{
    bool busy = false;
    for (nfds_t i = 0; i < run->count; i++) {
        unsigned events = (unsigned short)run->fds[i].revents;
        if (run->slots[i]) {
            if (events)
                core_event(&run->driver->core, run->slots[i], events);
        } else if (i == 0) {
            if (events) {
                run->stop = -1;
                if (run->main)
                    core_leave(&run->driver->core, run->main, WEIR_LEAVE_STOP);
            }
        } else if (i == 1) {
            if (events)
                jobs_collect(run->driver->core.jobs);
        } else {
            busy |= events != 0;
        }
    }
    if (run->busy == BUSY_WATCH || run->busy == BUSY_CONFIRM)
        others_wait(run, busy);
}

static void expire(struct run *run)
{
    struct core *core = &run->driver->core;
    uint64_t now = core->base.now.mono_ns;
    if (run->busy == BUSY_HOLD && now >= run->busy_at)
        run->busy = BUSY_CONFIRM;
    for (struct slot *slot = core->first; slot; slot = slot->next) {
        uint64_t at = slot_deadline(slot);
        if (at && at <= now)
            core_ready(core, slot);
    }
}

/* Looks again and again before it sleeps, where the stream asks for that (weir_set_spin()); a peer on this core gets its turn meanwhile. */
static int look_again(struct run *run)
{
    uint64_t end = deadline_now() + run->main->stream.spin_us * 1000u;
    int n;
    do {
        sched_yield();
        n = poll(run->fds, run->count, 0);
    } while (n == 0 && deadline_now() < end);
    return n;
}

/* The one slot there is, when nothing but bytes for it can happen: one system call then waits and reads. NULL: there is more to wait for. */
static struct slot *only_reader(const struct run *run)
{
    struct slot *slot = run->main;
    bool others = run->stop >= 0 || run->driver->jobs >= 0 || run->watch->busy_count > 0 ||
                  run->driver->core.count != 1;
    if (others || !slot || !slot->conn || slot->dialling || slot->hung_up || slot->readable ||
        slot->want != WEIR_IO_READ || slot->moves_in || slot->moves_out ||
        slot->stream.in_kind != FD_SOCKET)
        return NULL;
    return slot;
}

static bool read_once(struct run *run, int timeout)
{
    struct slot *slot = timeout != 0 ? only_reader(run) : NULL;
    uint64_t left_ns = timeout < 0 ? UINT64_MAX : (unsigned)timeout * WEIR_NS_PER_MS;
    if (!slot || !core_wait_read(&run->driver->core, slot, &run->near, left_ns))
        return false;
    core_read_clocks(&run->driver->core);
    return true;
}

static void wait_once(struct run *run)
{
    int timeout = run_wait_ms(run), n = 0;
    if (read_once(run, timeout)) {
        expire(run);
        return;
    }
    collect_fds(run);
    if (timeout != 0 && run->main && run->main->stream.spin_us)
        n = look_again(run);
    if (n == 0)
        n = poll(run->fds, run->count, timeout);
    core_read_clocks(&run->driver->core);
    if (n >= 0)
        look_at(run);
    expire(run);
}

static bool can_park(const struct run *run)
{
    const struct core *core = &run->driver->core;
    return run->park && run->main && core->count == 1 && !core->ready_first &&
           !run->main->readable && weir_conn_resting(run->main->conn);
}

/* Until all are closed, or the main one rests and may be parked. */
static enum poll_end run_all(struct run *run)
{
    for (;;) {
        run_ready(run);
        if (!run->main)
            end_lonely_children(run);
        if (!run->driver->core.first)
            return POLL_CLOSED;
        if (can_park(run))
            return POLL_RESTS;
        wait_once(run);
    }
}

enum poll_end poll_drive(struct poll_driver *driver, struct weir_stream *stream,
                         struct weir_conn *conn, const struct watch *watch, bool park,
                         struct weir_conn **out_conn, struct weir_stream *out_stream)
{
    struct core *core = &driver->core;
    core_read_clocks(core);
    struct run run = {.driver = driver, .watch = watch, .stop = watch->stop, .park = park};
    run.main = core_add(core, stream, conn);
    enum poll_end how = run_all(&run);
    near_done(&run.near);
    if (how == POLL_RESTS)
        core_release(core, run.main, out_conn, out_stream);
    return how;
}
