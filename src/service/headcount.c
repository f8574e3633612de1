#include "service/headcount.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#define COUNT_BITS 18
#define PID_BITS   22 /* PID_MAX_LIMIT of Linux is 2^22 */
#define COUNT_MASK ((UINT64_C(1) << COUNT_BITS) - 1)
#define PID_MASK   ((UINT64_C(1) << PID_BITS) - 1)
_Static_assert(LIMIT_CROWD_MOST <= COUNT_MASK, "a count fits");

/* A slot: a tag of the client, the process, and how many connections. 0: nobody's. */
struct headcount {
    _Alignas(64) _Atomic(uint64_t) slot[LIMIT_CROWD_SLOTS];
};

int headcount_new(struct headcount **out)
{
    void *memory = mmap(NULL, sizeof(struct headcount), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return -ENOMEM;
    *out = memory;
    return 0;
}

void headcount_free(struct headcount *headcount)
{
    if (headcount)
        munmap(headcount, sizeof(*headcount));
}

static _Atomic(uint64_t) *slot_of(struct headcount *headcount, uint64_t who, unsigned i)
{
    return &headcount->slot[(who + i) % LIMIT_CROWD_SLOTS];
}

/* Whose it is: all but the count. The lower bits of the hash say where it lies, so the upper ones tell clients apart. */
static uint64_t key_of(uint64_t who, pid_t pid)
{
    uint64_t tag = who >> (COUNT_BITS + PID_BITS);
    return tag << (COUNT_BITS + PID_BITS) | (uint64_t)pid << COUNT_BITS;
}

static bool same_client(uint64_t slot, uint64_t who)
{
    return slot && slot >> (COUNT_BITS + PID_BITS) == who >> (COUNT_BITS + PID_BITS);
}

static bool is_dead(uint64_t slot)
{
    pid_t pid = (pid_t)(slot >> COUNT_BITS & PID_MASK);
    return kill(pid, 0) < 0 && errno == ESRCH;
}

struct look {
    uint64_t total;            /* connections of the client */
    unsigned mine;             /* slots it has */
    _Atomic(uint64_t) *own;    /* of it in this process; NULL: none */
    _Atomic(uint64_t) *unused; /* NULL: all are taken */
};

/* `dead`: slots of processes that are no more are taken back: those of this client, or all. */
static struct look look(struct headcount *headcount, uint64_t who, bool dead, bool all)
{
    struct look found = {0};
    uint64_t key = key_of(who, getpid());
    for (unsigned i = 0; i < LIMIT_CROWD_WINDOW; i++) {
        _Atomic(uint64_t) *at = slot_of(headcount, who, i);
        uint64_t slot = atomic_load_explicit(at, memory_order_relaxed);
        bool client = same_client(slot, who);
        if (slot && dead && (client || all) && is_dead(slot) &&
            atomic_compare_exchange_strong(at, &slot, 0))
            slot = 0;
        if (!slot && !found.unused)
            found.unused = at;
        if (!slot || !client)
            continue;
        found.total += slot & COUNT_MASK;
        found.mine++;
        if ((slot & ~COUNT_MASK) == key)
            found.own = at;
    }
    return found;
}

/* Threads of this process write to the slot, too. */
static bool add(_Atomic(uint64_t) *at, uint64_t key)
{
    uint64_t slot = atomic_load(at);
    do {
        if (slot && ((slot & ~COUNT_MASK) != key || (slot & COUNT_MASK) == COUNT_MASK))
            return false;
    } while (!atomic_compare_exchange_weak(at, &slot, slot ? slot + 1 : key | 1));
    return true;
}

bool headcount_enter(struct headcount *headcount, uint64_t who, unsigned max)
{
    uint64_t key = key_of(who, getpid());
    for (unsigned i = 0; i < LIMIT_QUOTA_TRIES; i++) {
        struct look found = look(headcount, who, false, false);
        if (found.total >= max)
            found = look(headcount, who, true, false);
        if (found.total >= max)
            return false;
        if (!found.own && !found.unused)
            found = look(headcount, who, true, true);
        if (!found.own && !found.unused)
            return found.mine < LIMIT_CROWD_WINDOW / 2; /* who fills it up himself is refused */
        if (add(found.own ? found.own : found.unused, key))
            return true;
    }
    return true; /* others took each slot before: it is not counted */
}

void headcount_leave(struct headcount *headcount, uint64_t who)
{
    uint64_t key = key_of(who, getpid());
    for (unsigned i = 0; i < LIMIT_CROWD_WINDOW; i++) {
        _Atomic(uint64_t) *at = slot_of(headcount, who, i);
        uint64_t slot = atomic_load(at);
        while (slot && (slot & ~COUNT_MASK) == key)
            if (atomic_compare_exchange_weak(at, &slot, (slot & COUNT_MASK) == 1 ? 0 : slot - 1))
                return;
    }
}
