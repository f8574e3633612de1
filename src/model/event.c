/* event: one loop looks after all connections of this process; there is a process a core. */
#include "drive/loop.h"
#include "model/model.h"

int event_run(const struct worker *worker)
{
    return epoll_drive(&(struct epoll_options){.service = worker->service,
                                               .listeners = worker->listeners,
                                               .listener_count = worker->listener_count,
                                               .max_connections = worker->server->max_connections,
                                               .stop = worker->stop});
}
