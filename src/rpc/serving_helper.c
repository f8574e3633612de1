/* Functions that wait, on helper threads. */
#include "rpc/server.h"

#include <errno.h>

void serving_helper_signal(struct weir_rpc_context *c)
{
    pthread_cond_signal(&c->changed);
}

void serving_helper_tell(struct weir_rpc_context *c)
{
    if (c->told || !c->x)
        return;
    c->told = true;
    struct weir_driver *driver = weir_exchange_driver(c->held);
    driver->ops->post(driver, &c->news);
}

/* On the connection's thread. */
static void helper_news(struct weir_job *news)
{
    struct weir_rpc_context *c =
        (struct weir_rpc_context *)((char *)news - offsetof(struct weir_rpc_context, news));
    serving_lock(c);
    c->told = false;
    if (c->x && (c->out.len > 0 || c->finished))
        serving_finish(c);
    if (c->x)
        weir_exchange_wake(c->x);
    serving_unlock(c);
}

static void run(struct weir_rpc_context *c)
{
    ProtobufCService *implementation = c->served->given.implementation;
    if (c->kind == SERVING_HELPER_CLOSURE) {
        implementation->invoke(implementation, c->index, c->input, serving_answered, c);
        return;
    }
    int code = c->row->answer(c, c->row->arg);
    serving_lock(c);
    if (code < 0 && c->code == WEIR_RPC_OK)
        serving_set_status(c, WEIR_RPC_UNKNOWN, "the method has failed");
    else if (code > 0 && c->code == WEIR_RPC_OK)
        serving_set_status(c, code <= WEIR_RPC_UNAUTHENTICATED ? code : (int)WEIR_RPC_UNKNOWN, "");
    serving_unlock(c);
}

/* A client that has gone before its turn came has nothing done for it. */
static void helper_work(struct weir_job *job)
{
    struct weir_rpc_context *c =
        (struct weir_rpc_context *)((char *)job - offsetof(struct weir_rpc_context, job));
    serving_lock(c);
    bool wanted = c->x && !c->ended;
    serving_unlock(c);
    serving_enter(c);
    if (wanted)
        run(c);
    serving_leave();
    serving_lock(c);
    if (wanted && !c->finished && c->kind == SERVING_HELPER_CLOSURE)
        serving_set_status(c, WEIR_RPC_UNKNOWN, "the service gave no answer");
    c->finished = true;
    serving_unlock(c);
}

static void helper_done(struct weir_job *job)
{
    struct weir_rpc_context *c =
        (struct weir_rpc_context *)((char *)job - offsetof(struct weir_rpc_context, job));
    serving_lock(c);
    c->finished = true; /* also where it was never begun: the driver ends */
    serving_finish(c);
    serving_unlock(c);
    weir_drop(&c->ref);
}

int serving_helper_start(struct weir_rpc_context *c)
{
    struct weir_driver *driver = weir_exchange_driver(c->held);
    if (!driver->ops->post)
        return -EOPNOTSUPP;
    c->job = (struct weir_job){.work = helper_work, .done = helper_done, .waits = true};
    c->news.done = helper_news;
    weir_hold(&c->ref);
    int rc = driver->ops->submit(driver, &c->job);
    if (rc < 0)
        c->ref.count--; /* stop() still has its own */
    return rc;
}
