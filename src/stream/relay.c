#include "stream/relay.h"

#include "stream/pump.h"
#include "stream/sigpipe.h"
#include "stream/wait.h"

#include <errno.h>

/* One direction. */
struct lane {
    struct pump pump;
    enum pump_state state;
    bool dropping; /* nobody reads on the other side any more */
    uint64_t
        paid_ns; /* by then the rate has room for all that was passed on; 0: there is no rate */
    bool ended;
};

struct relay {
    struct lane lanes[2];                /* a to b, b to a */
    const struct relay_options *options; /* borrowed: from the caller of relay_until() */
    int error;                           /* the first one */
};

static void lane_init(struct lane *l, struct weir_stream *from, struct weir_stream *to)
{
    *l = (struct lane){.state = PUMP_AGAIN};
    pump_init(&l->pump, from, to);
    l->ended = from->in_kind == FD_NONE;
    if (!l->ended && to->out_kind == FD_NONE) {
        l->dropping = true; /* a one-way end: what it is told goes nowhere */
        pump_drop(&l->pump);
    }
}

static void lane_end(struct lane *l)
{
    l->ended = true;
    /* A file has no other end that could see this one; an error has told it already. */
    (void)!stream_end(l->pump.to);
}

/*
 * Nobody reads at `to` any more. The writer at `from` gets to know where nature has a word for it. TCP has none: there the
 * bytes are read and thrown away, so that a peer who writes first and reads afterwards gets to the reading. A Unix socket is emptied
 * too: closed with bytes unread, it would reset the connection and with it the answer.
 * The other direction goes on: a child that closed its input still has something to say.
 */
static void lane_abandon(struct relay *r, struct lane *l)
{
    (void)!stream_end(l->pump.to);
    (void)stream_stop(l->pump.from);
    l->ended = l->pump.from->in_kind == FD_REGULAR || l->pump.from->in_kind == FD_NONE;
    l->dropping = true;
    pump_drop(&l->pump);
    /* Standard output is gone: whoever started us has stopped looking. */
    if (l->pump.to->standard)
        r->lanes[0].ended = r->lanes[1].ended = true;
}

static void lane_broken(struct relay *r, struct lane *l)
{
    int error = l->pump.error;
    if (l->dropping || l->pump.unsaid)
        l->pump.error = 0;
    if (l->dropping) {
        l->ended = true;
        return;
    }
    if (r->error == 0 && !l->pump.unsaid)
        r->error = error;
    if (l->pump.reading)
        lane_end(l);
    else
        lane_abandon(r, l);
}

/* A step goes at once; the next one waits until it is paid for. */
static void lane_pay(struct lane *l, uint64_t rate, uint64_t bytes)
{
    uint64_t now = deadline_now(), from = l->paid_ns > now ? l->paid_ns : now;
    l->paid_ns = from + (uint64_t)((double)bytes * (double)WEIR_NS_PER_S / (double)rate);
}

static bool lane_owes(const struct lane *l)
{
    return l->paid_ns > 0 && !l->ended && deadline_now() < l->paid_ns;
}

static void lane_step(struct relay *r, struct lane *l)
{
    uint64_t before = l->pump.bytes;
    l->state = pump_step(&l->pump);
    if (r->options->rate > 0 && l->pump.bytes > before)
        lane_pay(l, r->options->rate, l->pump.bytes - before);
    if (l->state == PUMP_END)
        lane_end(l);
    else if (l->state == PUMP_BROKEN)
        lane_broken(r, l);
    if (l->state == PUMP_BROKEN || l->state == PUMP_END)
        l->state = PUMP_AGAIN;
}

/* Where a lane waits: for input, and then also for the news that nobody reads what it would bring; or for room. */
static void lane_poll(const struct lane *l, struct pollfd fds[2])
{
    fds[0] = fds[1] = (struct pollfd){.fd = -1};
    if (l->ended || lane_owes(l))
        return;
    if (l->state == PUMP_WRITE) {
        fds[1] = (struct pollfd){.fd = l->pump.to->out, .events = stream_room_event(l->pump.to)};
        return;
    }
    fds[0] = (struct pollfd){.fd = l->pump.from->in, .events = POLLIN};
    if (!l->dropping)
        fds[1] = (struct pollfd){.fd = stream_wait_out(l->pump.to),
                                 .events = stream_gone_event(l->pump.to)};
}

static bool lane_ready(struct relay *r, struct lane *l, const struct pollfd fds[2])
{
    if (l->ended)
        return false;
    if (fds[0].revents)
        return true;
    if (l->state == PUMP_WRITE)
        return fds[1].revents != 0;
    if (!stream_is_gone(l->pump.to, fds[1].revents))
        return false;
    /* Hung up with nothing under way: no byte is lost, so it is no error. */
    if (stream_unread_out(l->pump.to) > 0) {
        l->pump.error = -EPIPE;
        r->error = r->error ? r->error : -EPIPE;
    }
    lane_abandon(r, l);
    return false;
}

/* When the first lane has paid for its last step. */
static uint64_t paid_at(const struct relay *r)
{
    uint64_t first = DEADLINE_NEVER;
    for (int i = 0; i < 2; i++)
        if (lane_owes(&r->lanes[i]))
            first = deadline_min(first, r->lanes[i].paid_ns);
    return first;
}

/* 0: some lane has something to do; -ETIMEDOUT: silence; -ECANCELED. */
static int relay_wait(struct relay *r, bool ready[2])
{
    struct pollfd fds[5];
    bool busy = false;
    uint64_t paid = paid_at(r), silence = deadline_in(r->options->idle_ms);
    for (int i = 0; i < 2; i++) {
        const struct lane *l = &r->lanes[i];
        lane_poll(l, &fds[2 * i]);
        busy |= !l->ended && !lane_owes(l) && l->state == PUMP_AGAIN;
    }
    fds[4] = (struct pollfd){.fd = r->options->stop, .events = POLLIN};
    /* Who waits for the rate is not silent. */
    int rc = wait_fds(fds, 5, busy ? deadline_in(0) : paid != DEADLINE_NEVER ? paid : silence);
    if (rc < 0 && !((busy || paid != DEADLINE_NEVER) && rc == -ETIMEDOUT))
        return rc;
    if (rc > 0 && fds[4].revents)
        return -ECANCELED;
    for (int i = 0; i < 2; i++) {
        struct lane *l = &r->lanes[i];
        ready[i] = l->state == PUMP_AGAIN || lane_ready(r, l, &fds[2 * i]);
        ready[i] &= !lane_owes(l);
    }
    return 0;
}

static int relay_run(struct relay *r)
{
    bool ready[2] = {true, true};
    while (!r->lanes[0].ended || !r->lanes[1].ended) {
        for (int i = 0; i < 2; i++)
            if (ready[i] && !r->lanes[i].ended)
                lane_step(r, &r->lanes[i]);
        if (r->lanes[0].ended && r->lanes[1].ended)
            break;
        int rc = relay_wait(r, ready);
        if (rc < 0)
            return rc;
    }
    return r->error;
}

/* Reading a is the first lane's, writing to it the second's. */
static int side_error(const struct lane *reads, const struct lane *writes)
{
    if (reads->pump.error && reads->pump.reading)
        return reads->pump.error;
    return writes->pump.error && !writes->pump.reading ? writes->pump.error : 0;
}

int relay_until(struct weir_stream *a, struct weir_stream *b, const struct relay_options *options,
                struct weir_relay *out)
{
    struct relay r = {.options = options};
    struct sigpipe mask;
    lane_init(&r.lanes[0], a, b);
    lane_init(&r.lanes[1], b, a);
    sigpipe_hold(&mask);
    int rc = relay_run(&r);
    sigpipe_release(&mask, true); /* a lane can have met one and gone on */
    *out = (struct weir_relay){
        .a_to_b = r.lanes[0].pump.bytes,
        .b_to_a = r.lanes[1].pump.bytes,
        .a_error = side_error(&r.lanes[0], &r.lanes[1]),
        .b_error = side_error(&r.lanes[1], &r.lanes[0]),
    };
    pump_done(&r.lanes[0].pump);
    pump_done(&r.lanes[1].pump);
    return rc;
}

WEIR_API int weir_relay(struct weir_stream *a, struct weir_stream *b, int idle_ms,
                        struct weir_relay *out)
{
    const struct relay_options options = {.idle_ms = idle_ms, .stop = -1};
    return relay_until(a, b, &options, out);
}
