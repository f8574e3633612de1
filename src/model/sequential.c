/* sequential: the one worker looks after one connection at a time. The others wait in the kernel's queue. */
#include "model/sequential.h"

#include "model/serve.h"

#include <errno.h>

int sequential_serve(const struct worker *worker, unsigned confirm_ms)
{
    struct gate gate;
    struct poll_driver *driver = NULL;
    int rc = gate_init(&gate, worker);
    if (rc == 0)
        rc = poll_driver_new(worker->service, &driver);
    struct weir_stream client;
    while (rc == 0 && (rc = gate_next(&gate, driver, &client)) == 0) {
        struct watch watch = gate_watch(&gate, confirm_ms);
        serve_client(driver, worker, &client, &watch);
    }
    poll_driver_free(driver);
    gate_done(&gate);
    return rc == -ESHUTDOWN ? 0 : rc;
}

int sequential_run(const struct worker *worker)
{
    return sequential_serve(worker, 0);
}
