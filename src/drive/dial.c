/* Connecting by name: weir_open() on a helper thread, so that neither names nor addresses stall the others. */
#include "drive/core.h"
#include "tbl/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct dial {
    struct weir_job job;
    struct core *core;
    struct slot *slot; /* NULL: nobody waits for it any more */
    struct weir_stream *stream;
    int result;
    char endpoint[];
};

static void dial_work(struct weir_job *job)
{
    struct dial *dial = (struct dial *)job;
    dial->result = weir_open(dial->endpoint, 0, LIMIT_DIAL_MS, &dial->stream);
}

static void dial_done(struct weir_job *job)
{
    struct dial *dial = (struct dial *)job;
    struct slot *slot = dial->slot;
    if (job->cancelled)
        dial->result = -ECANCELED;
    if (slot) {
        slot->dialling = false;
        slot->dial = NULL;
        if (dial->result < 0) {
            weir_conn_received(slot->conn, dial->result);
        } else {
            stream_take(&slot->stream, dial->stream);
            slot->stream.heap = false;
            free(dial->stream);
            dial->stream = NULL;
        }
        core_ready(dial->core, slot);
    }
    if (dial->result >= 0 && dial->stream)
        weir_close(dial->stream);
    free(dial);
}

void dial_cancel(struct slot *slot)
{
    slot->dial->slot = NULL;
    slot->dial = NULL;
}

struct weir_conn *core_dial(struct weir_driver *driver, const char *endpoint,
                            const struct weir_protocol *protocol, const void *config)
{
    struct core *core = (struct core *)driver;
    size_t size = strlen(endpoint) + 1;
    struct dial *dial = calloc(1, sizeof(*dial) + size);
    struct weir_conn *conn = weir_conn_new(driver, protocol, config);
    if (!dial || !conn)
        goto fail;
    memcpy(dial->endpoint, endpoint, size);
    dial->job.work = dial_work;
    dial->job.done = dial_done;
    dial->core = core;
    struct weir_stream none;
    stream_init_none(&none);
    struct slot *slot = core_add_companion(core, &none, conn);
    conn = NULL; /* taken over, also on failure */
    if (!slot)
        goto fail;
    int rc = driver->ops->submit(driver, &dial->job);
    if (rc < 0) {
        free(dial);
        weir_conn_received(slot->conn, rc); /* told to its close(), like any other failure */
        return slot->conn;
    }
    dial->slot = slot;
    slot->dial = dial;
    slot->dialling = true;
    return slot->conn;
fail:
    weir_conn_free(conn);
    free(dial);
    return NULL;
}
