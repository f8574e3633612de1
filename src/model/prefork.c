/* prefork: each of these processes takes one connection after the other from a queue that all share. */
#include "model/sequential.h"
#include "tbl/limits.h"

/* A free process takes the client that waits within the time given here; if none does, all are busy, and the
 * connections that rest make room. */
int prefork_run(const struct worker *worker)
{
    return sequential_serve(worker, LIMIT_CONFIRM_MS);
}
