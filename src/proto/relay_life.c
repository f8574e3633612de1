/* How a relayed connection begins and ends. */
#include "proto/proxy_v2.h"
#include "proto/relay.h"
#include "tbl/limits.h"

#include <errno.h>
#include <stdlib.h>

struct relay *relay_new(struct weir_conn *client, const struct weir_relay_options *options)
{
    struct relay *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->options = options;
    r->driver = weir_conn_driver(client);
    r->client.conn = client;
    r->holders = 1;
    r->opened_ns = r->heard_ns = r->driver->now.mono_ns;
    r->counts = options->counts ? options->counts(options->arg, r->driver) : NULL;
    if (r->counts) {
        relay_count(&r->counts->connections, 1);
        relay_count(&r->counts->open, 1);
    }
    return r;
}

static void report(const struct relay *r)
{
    const struct weir_relay_options *o = r->options;
    const struct weir_relay_end end = {
        .client = r->peer,
        .client_port = r->port,
        .target = r->tried > 0 ? o->targets[r->tried - 1] : "-",
        .why = r->why,
        .side = r->blame,
        .silence = r->silence,
        .to_target = r->client.passed,
        .to_client = r->target.passed,
        .duration_ns = r->driver->now.mono_ns - r->opened_ns,
    };
    if (r->counts) {
        relay_count(&r->counts->open, (uint64_t)-1);
        relay_count(&r->counts->errors, r->why != WEIR_DONE);
    }
    if (o->ended)
        o->ended(o->arg, &end);
}

static void drop(struct relay *r)
{
    if (--r->holders > 0)
        return;
    report(r);
    free(r);
}

/* The first reason is the cause of those that follow. */
static void blame(struct relay *r, enum weir_relay_side side, int why)
{
    if (why == WEIR_DONE || r->why != WEIR_DONE)
        return;
    r->why = why;
    r->blame = side;
}

/* At once, and not to be mistaken for an end that was meant. */
static void cut_off(struct weir_conn *conn, int why)
{
    if (!conn)
        return;
    weir_conn_reset(conn, why);
    weir_conn_abort(conn, why);
}

static bool dial_one(struct relay *r)
{
    const struct weir_relay_options *o = r->options;
    unsigned ms = o->connect_ms ? o->connect_ms : LIMIT_DIAL_MS;
    r->holders++;
    r->target_known = true;
    r->in_dial = true;
    r->target.conn = r->driver->ops->dial(r->driver, o->targets[r->tried++], &relay_target, r);
    r->in_dial = false;
    if (!r->target.conn && r->target_known)
        r->holders--; /* its close() was never called */
    if (r->target.conn)
        weir_conn_arm(r->client.conn, r->driver->now.mono_ns + ms * WEIR_NS_PER_MS);
    return r->target.conn != NULL;
}

void relay_dial(struct relay *r, int why)
{
    while (r->tried < r->options->target_count) {
        if (dial_one(r))
            return;
        why = -ENOMEM;
    }
    r->phase = RELAY_OVER;
    blame(r, WEIR_RELAY_DIAL, why);
    cut_off(r->client.conn, why);
}

static void introduce(struct relay *r, struct weir_conn *target)
{
    uint8_t header[PROXY_V2_BYTES_MAX];
    struct weir_address client = {0}, server = {0};
    if (r->driver->ops->ends)
        r->driver->ops->ends(r->driver, r->client.conn, &client, &server);
    weir_out_copy(weir_conn_out(target), header, proxy_v2(header, &client, &server));
}

void relay_connected(struct relay *r, struct weir_conn *target)
{
    r->phase = RELAY_OPEN;
    r->heard_ns = r->driver->now.mono_ns;
    if (r->options->proxy_v2)
        introduce(r, target);
    weir_conn_resume(r->client.conn);
    relay_arm(r);
}

/*
 * One that has said all it had to say and broke then, when it was written to, leaves an answer behind, which the other gets to read. Else
 * the other's talk is cut in the middle and it is told so, after the bytes that came before.
 */
static void pass_on(struct relay *r, const struct side *gone, struct side *other, int why)
{
    if (why == WEIR_DONE || r->phase == RELAY_OVER || !other->conn)
        return;
    r->phase = RELAY_OVER;
    if (gone->ended)
        weir_conn_linger(other->conn, why, LIMIT_RELAY_LINGER_BYTES, LIMIT_RELAY_LINGER_MS);
    else
        weir_conn_reset(other->conn, why);
}

void relay_client_gone(struct relay *r, int why)
{
    if (r->driver->ops->peer(r->driver, r->client.conn, r->peer, sizeof(r->peer), &r->port) < 0)
        r->peer[0] = '\0';
    r->client.conn = NULL;
    blame(r, WEIR_RELAY_CLIENT, why);
    if (r->phase == RELAY_DIALLING) {
        r->phase = RELAY_OVER;
        if (r->target.conn)
            weir_conn_abort(r->target.conn, -ECANCELED);
    }
    pass_on(r, &r->client, &r->target, why);
    drop(r);
}

void relay_target_gone(struct relay *r, int why)
{
    bool failed = r->phase == RELAY_DIALLING;
    r->target.conn = NULL;
    r->target_known = false;
    if (!r->in_dial && failed)
        relay_dial(r, why);
    if (!failed) {
        blame(r, WEIR_RELAY_TARGET, why);
        pass_on(r, &r->target, &r->client, why);
    }
    drop(r);
}

void relay_cut(struct relay *r)
{
    r->phase = RELAY_OVER;
    r->silence = true;
    blame(r, WEIR_RELAY_CLIENT, -ETIMEDOUT);
    cut_off(r->client.conn, -ETIMEDOUT);
    cut_off(r->target.conn, -ETIMEDOUT);
}

void relay_finish(struct relay *r)
{
    r->phase = RELAY_OVER;
    weir_conn_finish(r->client.conn, WEIR_DONE);
    if (r->target.conn)
        weir_conn_finish(r->target.conn, WEIR_DONE);
}
