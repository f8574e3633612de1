/* fork-wait: a child for each connection, and the server waits for it: what goes wrong in there stays in there. */
#include "model/serve.h"
#include "tbl/limits.h"

#include <errno.h>
#include <sys/wait.h>
#include <time.h>

/* No process to be had: the client is ours already, so it is tried until there is one. */
static pid_t start_child(struct gate *gate, struct weir_stream *client)
{
    for (;;) {
        struct watch watch = gate_watch(gate, 0);
        pid_t pid = serve_child(gate, client, &watch, -1);
        if (pid > 0)
            return pid;
        nanosleep(&(struct timespec){.tv_nsec = LIMIT_ACCEPT_RETRY_MS * (long)WEIR_NS_PER_MS},
                  NULL);
    }
}

int fork_wait_run(const struct worker *worker)
{
    struct gate gate;
    int rc = gate_init(&gate, worker);
    struct weir_stream client;
    while (rc == 0 && (rc = gate_next(&gate, NULL, &client)) == 0) {
        pid_t pid = start_child(&gate, &client);
        int status = 0;
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        serve_child_ended(worker, pid, status);
    }
    gate_done(&gate);
    return rc == -ESHUTDOWN ? 0 : rc;
}
