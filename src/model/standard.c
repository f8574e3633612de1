/* It runs in a worker, as any service does: so a stop is bounded by --grace, and a crash is reported. */
#include "model/standard.h"

#include "model/serve.h"
#include "stream/value.h"

#include <string.h>
#include <unistd.h>

bool standard_is_asked(const struct weir_server *server)
{
    return server->listen_count == 1 && strcmp(server->listen[0], STANDARD_NAME) == 0;
}

bool standard_is_open(void)
{
    return fd_is_open(STDIN_FILENO) && fd_is_open(STDOUT_FILENO);
}

static int standard_run(const struct worker *worker)
{
    struct weir_stream *opened;
    struct weir_stream client;
    const struct watch watch = {.stop = worker->stop};
    int rc = weir_open(STANDARD_NAME, 0, WEIR_FOREVER, &opened);
    if (rc < 0)
        return rc;
    stream_take(&client, opened);
    weir_close(opened);
    return serve_alone(worker, &client, &watch);
}

void standard_release(void)
{
    (void)!fd_release(STDIN_FILENO);
    (void)!fd_release(STDOUT_FILENO);
}

const struct model standard_model = {
    .info = {.name = "standard", .talk = true, .workers = 1, .max_connections = 1},
    .once = true,
    .run = standard_run,
};
