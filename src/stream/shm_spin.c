/*
 * Looking again before sleeping. First at once: a peer on another core answers within a fraction of a microsecond. Then after
 * giving the processor away: one on the same core can only answer then. A sleep costs both sides system calls and, across
 * cores, tens of microseconds. How long looking is worth is learnt from how it went before.
 */
#include "stream/shm.h"
#include "stream/wait.h"
#include "tbl/limits.h"

#include <sched.h>

static void pause_core(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    atomic_signal_fence(memory_order_seq_cst);
#endif
}

/* What one direction waits for. */
struct wish {
    struct shm *shm;
    bool in;
    size_t want;
};

static bool fulfilled(const struct wish *wish)
{
    struct shm *shm = wish->shm;
    if (wish->in) {
        ssize_t used = ring_used(&shm->in, wish->want);
        return used < 0 || (size_t)used >= wish->want || ring_is_ended(&shm->in);
    }
    ssize_t room = ring_room(&shm->out, wish->want);
    return room < 0 || (size_t)room >= wish->want || ring_is_stopped(&shm->out);
}

static bool yield_for(const struct wish *wish, unsigned ns)
{
    uint64_t end = deadline_now() + ns;
    do {
        sched_yield();
        if (fulfilled(wish))
            return true;
    } while (deadline_now() < end);
    return false;
}

static bool pause_for(const struct wish *wish, unsigned pauses)
{
    for (unsigned i = 0; i < pauses; i++) {
        pause_core();
        if (fulfilled(wish))
            return true;
    }
    return false;
}

/* What was in vain lately is cut short, down to next to nothing for a peer on the same core; now and then it gets its full
 * chance, or it could never be found worthwhile again. */
static void spin(const struct wish *wish, struct patience *p)
{
    bool full = p->waits++ % LIMIT_SHM_RETRY == 0;
    if (pause_for(wish, full ? LIMIT_SHM_PAUSES : p->pauses)) {
        p->pauses = LIMIT_SHM_PAUSES;
        return;
    }
    if (p->pauses > LIMIT_SHM_PAUSES_MIN)
        p->pauses /= 2;
    if (yield_for(wish, full ? LIMIT_SHM_YIELD_NS : p->yield_ns))
        p->yield_ns = LIMIT_SHM_YIELD_NS;
    else if (p->yield_ns > LIMIT_SHM_YIELD_MIN_NS)
        p->yield_ns /= 2;
}

void shm_spin_in(struct shm *shm, size_t want)
{
    const struct wish wish = {shm, true, want};
    spin(&wish, &shm->in_patience);
}

void shm_spin_out(struct shm *shm, size_t want)
{
    const struct wish wish = {shm, false, want};
    spin(&wish, &shm->out_patience);
}
