/* The relay: what one side sends is queued for the other. Back-pressure is a pause, made when the other's queue is full. */
#include "proto/relay.h"

#include "proto/relay_rate.h"
#include "tbl/limits.h"

#include <errno.h>

static struct relay *relay_of(void *state)
{
    return *(struct relay **)state;
}

static uint64_t now_ns(const struct relay *r)
{
    return r->driver->now.mono_ns;
}

static bool is_silent(const struct relay *r)
{
    return r->client.passed + r->target.passed == 0;
}

static void sooner(uint64_t *first, uint64_t at)
{
    if (at && (!*first || at < *first))
        *first = at;
}

/* When silence ends it; 0: never. One that was asked to leave before anybody said a word leaves soon. */
static uint64_t silence_at(const struct relay *r)
{
    unsigned ms = r->options->idle_ms ? r->options->idle_ms : LIMIT_RELAY_IDLE_MS;
    if (r->leaving && is_silent(r))
        return r->heard_ns + LIMIT_LEAVE_QUIET_MS * WEIR_NS_PER_MS;
    return ms == WEIR_RELAY_PATIENT ? 0 : r->heard_ns + ms * WEIR_NS_PER_MS;
}

void relay_arm(struct relay *r)
{
    uint64_t at = silence_at(r);
    sooner(&at, r->client.retry_ns);
    sooner(&at, r->target.retry_ns);
    if (r->client.conn && r->phase == RELAY_OPEN)
        weir_conn_arm(r->client.conn, at);
}

static bool shares(const struct weir_relay_options *o)
{
    return o->total && o->rate_total;
}

static void book(struct relay *r, struct side *from, size_t want)
{
    const struct weir_relay_options *o = r->options;
    uint64_t now = now_ns(r), own = 0, shared = 0;
    size_t n = want;
    if (o->rate && n > relay_rate_piece(o->rate))
        n = relay_rate_piece(o->rate);
    if (shares(o) && n > relay_rate_piece(o->rate_total))
        n = relay_rate_piece(o->rate_total);
    if (o->rate)
        own = relay_rate_book(&from->rate, o->rate, now, n);
    if (shares(o))
        shared = relay_rate_book(o->total, o->rate_total, now, n);
    uint64_t at = own > shared ? own : shared;
    from->booked = n;
    from->retry_ns = at > now ? relay_rate_wake(at) : 0;
}

/* As much of `want` bytes as the rates let pass now; 0: none before from->retry_ns. */
static size_t allowed(struct relay *r, struct side *from, size_t want)
{
    if (!r->options->rate && !shares(r->options))
        return want;
    if (from->booked == 0)
        book(r, from, want);
    if (from->retry_ns)
        return 0;
    size_t n = want < from->booked ? want : from->booked;
    from->booked -= n;
    return n;
}

static void count_passed(struct relay *r, struct side *from, size_t n)
{
    from->passed += n;
    r->heard_ns = now_ns(r);
    if (r->counts)
        relay_count(from == &r->client ? &r->counts->to_target : &r->counts->to_client, n);
}

/* Much at once: what follows need not come by here. */
static void consider_moving(struct relay *r, struct side *from, size_t len)
{
    if (len < LIMIT_RELAY_BULK || from->copies || !r->driver->ops->move || r->options->rate ||
        shares(r->options))
        return;
    from->moves = true;
    weir_conn_pause(from->conn);
}

static ssize_t pass(struct relay *r, struct side *from, struct side *to, const uint8_t *bytes,
                    size_t len)
{
    if (!to->conn || r->phase != RELAY_OPEN)
        return (ssize_t)len; /* nobody is left to read it */
    struct weir_out *out = weir_conn_out(to->conn);
    size_t space = weir_out_space(out);
    size_t n = space > 0 ? allowed(r, from, len < space ? len : space) : 0;
    if (n == 0) {
        weir_conn_pause(from->conn);
        from->held = space == 0;
        relay_arm(r);
        return 0;
    }
    weir_out_copy(out, bytes, n);
    weir_conn_wake(to->conn);
    count_passed(r, from, n);
    if (n == len)
        consider_moving(r, from, len);
    return (ssize_t)n;
}

/* What was copied before goes first. */
static void move_on(struct relay *r, struct side *from, struct side *to)
{
    if (r->phase != RELAY_OPEN || !to->conn || weir_out_len(weir_conn_out(to->conn)) > 0)
        return;
    ssize_t n = r->driver->ops->move(r->driver, from->conn, to->conn);
    if (n > 0)
        count_passed(r, from, (size_t)n);
    if (n >= 0)
        return;
    from->moves = false;
    from->copies = n != -ENODATA;
    weir_conn_resume(from->conn);
}

/* Room again is worth a turn when half the queue is free. */
static void go_on(struct relay *r, struct side *from, struct side *to)
{
    if (!from->conn || !to->conn)
        return;
    if (from->moves)
        move_on(r, from, to);
    if (!from->held || weir_out_space(weir_conn_out(to->conn)) < LIMIT_OUT_BYTES / 2)
        return;
    from->held = false;
    weir_conn_resume(from->conn);
}

static int go_on_both(struct relay *r)
{
    go_on(r, &r->client, &r->target);
    go_on(r, &r->target, &r->client);
    return 0;
}

static int pass_end(struct side *from, struct side *to)
{
    from->ended = true;
    if (to->conn)
        weir_conn_end(to->conn);
    return 0;
}

/* --- the client's machine --- */

static int client_open(void *state, struct weir_conn *conn, const void *config)
{
    struct relay *r = *(struct relay **)state = relay_new(conn, config);
    if (!r)
        return -ENOMEM;
    weir_conn_rest(conn, false);
    weir_conn_pause(conn); /* until there is somebody to send it to */
    relay_dial(r, -EINVAL);
    return 0;
}

static ssize_t client_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    struct relay *r = relay_of(state);
    (void)conn;
    return pass(r, &r->client, &r->target, bytes, len);
}

static int client_eof(void *state, struct weir_conn *conn, size_t rest)
{
    struct relay *r = relay_of(state);
    (void)conn, (void)rest;
    return pass_end(&r->client, &r->target);
}

static int client_output(void *state, struct weir_conn *conn)
{
    struct relay *r = relay_of(state);
    (void)conn;
    return go_on_both(r);
}

static void retry(struct relay *r, struct side *side)
{
    if (!side->retry_ns || side->retry_ns > now_ns(r))
        return;
    side->retry_ns = 0;
    if (side->conn)
        weir_conn_resume(side->conn);
}

static void client_expire(void *state, struct weir_conn *conn)
{
    struct relay *r = relay_of(state);
    (void)conn;
    if (r->phase == RELAY_DIALLING) {
        weir_conn_abort(r->target.conn, -ETIMEDOUT); /* its close() tries the next */
        return;
    }
    retry(r, &r->client);
    retry(r, &r->target);
    uint64_t at = silence_at(r);
    if (!at || at > now_ns(r))
        relay_arm(r);
    else if (r->leaving && is_silent(r))
        relay_finish(r);
    else
        relay_cut(r);
}

/* That another waits for its place is no reason: only the two ends know whether they are done. Nor is a stop, while it is in use; the
 * server bounds it by its grace. */
static void client_leave(void *state, struct weir_conn *conn, enum weir_leave why)
{
    struct relay *r = relay_of(state);
    (void)conn;
    if (why != WEIR_LEAVE_STOP)
        return;
    r->leaving = true;
    if (is_silent(r))
        r->heard_ns = now_ns(r);
    relay_arm(r);
}

static void client_close(void *state, struct weir_conn *conn, int why)
{
    struct relay *r = relay_of(state);
    (void)conn;
    if (r)
        relay_client_gone(r, why);
}

const struct weir_protocol weir_relay_protocol = {
    .name = "relay",
    .state_size = sizeof(struct relay *),
    .input_max = 1,
    .patient = true,
    .open = client_open,
    .input = client_input,
    .eof = client_eof,
    .output = client_output,
    .expire = client_expire,
    .leave = client_leave,
    .close = client_close,
};

/* --- the target's: its config is the relay, since close() can be all it sees --- */

static int target_open(void *state, struct weir_conn *conn, const void *config)
{
    struct relay *r = *(struct relay **)state = (struct relay *)config;
    weir_conn_rest(conn, false);
    relay_connected(r, conn);
    return 0;
}

static ssize_t target_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    struct relay *r = relay_of(state);
    (void)conn;
    return pass(r, &r->target, &r->client, bytes, len);
}

static int target_eof(void *state, struct weir_conn *conn, size_t rest)
{
    struct relay *r = relay_of(state);
    (void)conn, (void)rest;
    return pass_end(&r->target, &r->client);
}

static int target_output(void *state, struct weir_conn *conn)
{
    struct relay *r = relay_of(state);
    (void)conn;
    return go_on_both(r);
}

/* The client decides. */
static void target_leave(void *state, struct weir_conn *conn, enum weir_leave why)
{
    (void)state, (void)conn, (void)why;
}

static void target_close(void *state, struct weir_conn *conn, int why)
{
    (void)state;
    relay_target_gone((struct relay *)weir_conn_config(conn), why);
}

const struct weir_protocol relay_target = {
    .name = "relay-target",
    .state_size = sizeof(struct relay *),
    .input_max = 1,
    .patient = true,
    .open = target_open,
    .input = target_input,
    .eof = target_eof,
    .output = target_output,
    .leave = target_leave,
    .close = target_close,
};
