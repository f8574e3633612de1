#include "model/restart.h"

#include "tbl/limits.h"

void restart_started(struct restart *restart, uint64_t now_ns)
{
    restart->started_ns = now_ns;
}

unsigned restart_died(struct restart *restart, uint64_t now_ns)
{
    if (now_ns - restart->started_ns >= LIMIT_RESTART_HEALTHY_MS * WEIR_NS_PER_MS)
        restart->failures = 0;
    unsigned delay = 0;
    if (restart->failures > 0) {
        delay = LIMIT_RESTART_MS;
        for (unsigned i = 1; i < restart->failures && delay < LIMIT_RESTART_MAX_MS; i++)
            delay *= 2;
    }
    restart->failures++;
    return delay < LIMIT_RESTART_MAX_MS ? delay : LIMIT_RESTART_MAX_MS;
}
