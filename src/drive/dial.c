/*
 * Connecting by name. What can be connected to by an address is done here, waiting like any connection does, so that targets which
 * do not answer cost nobody else anything. Names are looked up on a helper; kinds that have no address (shm:, exec:, pipe:) are
 * opened there. With tls: the connection that was asked for is inside another one, which is what is connected.
 */
#include "drive/core.h"
#include "drive/tls.h"
#include "stream/transport.h"
#include "tbl/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct dial {
    struct weir_job job;
    struct core *core;
    struct slot *slot;          /* NULL: nobody waits for it any more */
    struct weir_conn *asked;    /* for this one: the slot's own, or inside it */
    bool helped;                /* the job is under way */
    bool connecting;            /* the slot's stream is */
    struct weir_stream *stream; /* a helper opened it */
    int error;                  /* so far */
    struct address_list list;
    size_t next;
    uint64_t until_ns; /* of it all */
    uint64_t step_ns;  /* of this address; or when to try it again */
    char endpoint[];
};

static void open_work(struct weir_job *job)
{
    struct dial *dial = (struct dial *)job;
    dial->error = weir_open(dial->endpoint, 0, LIMIT_DIAL_MS, &dial->stream);
}

static void lookup_work(struct weir_job *job)
{
    struct dial *dial = (struct dial *)job;
    dial->error = address_lookup_until(dial->endpoint, LIMIT_DIAL_MS, &dial->list);
}

static void dial_free(struct dial *dial)
{
    if (dial->stream)
        weir_close(dial->stream);
    free(dial);
}

/* 0: the slot's stream is connected; else why it cannot be. */
static void dial_end(struct slot *slot, int rc)
{
    struct dial *dial = slot->dial;
    slot->dial = NULL;
    slot->dialling = false;
    slot->readable = slot->writable = true; /* and what was heard of a hang-up meanwhile stays so */
    dial_free(dial);
    if (rc < 0)
        weir_conn_received(slot->conn, rc);
}

static void take_opened(struct dial *dial)
{
    struct slot *slot = dial->slot;
    stream_take(&slot->stream, dial->stream);
    slot->stream.heap = false;
    free(dial->stream);
    dial->stream = NULL;
    dial_end(slot, 0);
}

static void dial_done(struct weir_job *job)
{
    struct dial *dial = (struct dial *)job;
    struct slot *slot = dial->slot;
    struct core *core = dial->core;
    dial->helped = false;
    if (!slot) {
        dial_free(dial);
        return;
    }
    if (job->cancelled || dial->error < 0)
        dial_end(slot, job->cancelled ? -ECANCELED : dial->error);
    else if (dial->stream)
        take_opened(dial);
    core_ready(core, slot);
}

void dial_cancel(struct slot *slot)
{
    struct dial *dial = slot->dial;
    slot->dial = NULL;
    slot->dialling = false;
    dial->slot = NULL;
    if (!dial->helped)
        dial_free(dial);
}

uint64_t dial_deadline(const struct slot *slot)
{
    return slot->dial->helped ? 0 : slot->dial->step_ns;
}

/* That this machine has no such network says less than what a peer has answered. */
static void note_error(struct dial *dial, int error)
{
    bool weak = error == -ENETUNREACH || error == -EADDRNOTAVAIL || error == -EAFNOSUPPORT;
    if (!weak || dial->error == 0)
        dial->error = error;
}

/* Those that are left share the time that is left. */
static uint64_t share_ns(const struct dial *dial, uint64_t now)
{
    uint64_t left = dial->until_ns > now ? dial->until_ns - now : 0;
    uint64_t share = left / (dial->list.count - dial->next);
    uint64_t least = LIMIT_DIAL_SHARE_MS * WEIR_NS_PER_MS;
    share = share > least ? share : least;
    return now + (share < left ? share : left);
}

static void wait_connecting(struct slot *slot, uint64_t until_ns)
{
    slot->dial->connecting = true;
    slot->dial->step_ns = until_ns;
    slot->want = WEIR_IO_WRITE;
    slot->writable = false;
    slot->hung_up = false;
}

/* true: it is decided. */
static bool try_next(struct slot *slot, uint64_t now)
{
    struct dial *dial = slot->dial;
    const struct address_list *list = &dial->list;
    for (; dial->next < list->count; dial->next++) {
        size_t i = dial->next;
        const struct sockaddr *at = (const struct sockaddr *)&list->at[i];
        int rc = stream_connect_start(&slot->stream, at, list->len[i]);
        if (rc == 0) {
            dial_end(slot, 0);
            return true;
        }
        if (rc == -EINPROGRESS) {
            wait_connecting(slot, share_ns(dial, now));
            return false;
        }
        if (rc == -EAGAIN && at->sa_family == AF_UNIX && now < dial->until_ns) {
            dial->step_ns = now + LIMIT_DIAL_RETRY_MS * WEIR_NS_PER_MS;
            return false;
        }
        note_error(dial, rc == -EAGAIN && at->sa_family == AF_UNIX ? -ETIMEDOUT : rc);
    }
    dial_end(slot, dial->error ? dial->error : -EHOSTUNREACH);
    return true;
}

bool dial_step(struct core *core, struct slot *slot)
{
    struct dial *dial = slot->dial;
    uint64_t now = core->base.now.mono_ns;
    int why = weir_conn_why(dial->asked);
    if (why < 0) { /* its machine does not want it any more */
        weir_conn_abort(slot->conn, why);
        dial_cancel(slot);
        return true;
    }
    if (dial->helped)
        return false;
    if (!dial->connecting)
        return now >= dial->step_ns && try_next(slot, now);
    int rc = stream_connected(&slot->stream);
    if (rc == -EINPROGRESS && now < dial->step_ns)
        return false;
    if (rc == 0) {
        dial_end(slot, 0);
        return true;
    }
    note_error(dial, rc == -EINPROGRESS ? -ETIMEDOUT : rc);
    if (slot->watched)
        core->unwatch(core, slot);
    stream_done(&slot->stream);
    stream_init_none(&slot->stream);
    dial->connecting = false;
    dial->next++;
    return try_next(slot, now);
}

static struct dial *dial_new(struct core *core, const char *endpoint)
{
    size_t size = strlen(endpoint) + 1;
    struct dial *dial = calloc(1, sizeof(*dial) + size);
    if (!dial)
        return NULL;
    memcpy(dial->endpoint, endpoint, size);
    dial->job.done = dial_done;
    dial->core = core;
    dial->until_ns = core->base.now.mono_ns + LIMIT_DIAL_MS * WEIR_NS_PER_MS;
    return dial;
}

/* Numbers need no helper; a name does, and so does what is no address. 0 or -errno. */
static int dial_begin(struct dial *dial)
{
    int rc = address_lookup_until(dial->endpoint, 0, &dial->list);
    if (rc != -ETIMEDOUT && rc != -EINVAL)
        return rc;
    dial->job.work = rc == -EINVAL ? open_work : lookup_work;
    rc = dial->core->base.ops->submit(&dial->core->base, &dial->job);
    dial->helped = rc == 0;
    return rc;
}

/* Takes `conn`. `error`: it cannot be, and has to be told so. */
static struct weir_conn *dial_for(struct core *core, const char *endpoint, struct weir_conn *conn,
                                  struct weir_conn *asked, int error)
{
    struct dial *dial = dial_new(core, endpoint);
    struct weir_stream none;
    stream_init_none(&none);
    if (!dial)
        weir_conn_free(conn);
    struct slot *slot = dial ? core_add_companion(core, &none, conn) : NULL;
    if (!slot) { /* the connection went with it */
        free(dial);
        return NULL;
    }
    dial->slot = slot;
    dial->asked = asked;
    slot->dial = dial;
    slot->dialling = true;
    int rc = error < 0 ? error : dial_begin(dial);
    if (rc < 0)
        dial_end(slot, rc); /* told to its close(), like any other failure */
    return asked;
}

/* The connection that is asked for waits inside one that speaks TLS. */
static struct weir_conn *dial_tls(struct core *core, const char *rest,
                                  const struct weir_protocol *protocol, const void *config)
{
    struct tls_name name;
    struct weir_tls *tls;
    int rc = tls_client_for(&core->tls, rest, &name, &tls);
    if (rc < 0) {
        struct weir_conn *conn = weir_conn_new(&core->base, protocol, config);
        return conn ? dial_for(core, rest, conn, conn, rc) : NULL;
    }
    struct weir_conn *conn = weir_conn_new(&core->base, &weir_tls_dialled, tls);
    if (!conn) {
        weir_tls_free(tls);
        return NULL;
    }
    struct weir_conn *inner = weir_conn_new_inner(conn, protocol, config);
    if (!inner) {
        weir_conn_free(conn);
        return NULL;
    }
    return dial_for(core, name.under, conn, inner, 0);
}

struct weir_conn *core_dial(struct weir_driver *driver, const char *endpoint,
                            const struct weir_protocol *protocol, const void *config)
{
    struct core *core = (struct core *)driver;
    const char *rest;
    if (endpoint_split(endpoint, &rest) == &tls_transport)
        return dial_tls(core, rest, protocol, config);
    struct weir_conn *conn = weir_conn_new(driver, protocol, config);
    return conn ? dial_for(core, endpoint, conn, conn, 0) : NULL;
}
