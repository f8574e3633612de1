#include "service/places.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#define PID_BITS 22 /* PID_MAX_LIMIT of Linux is 2^22 */
#define PID_MASK ((UINT64_C(1) << PID_BITS) - 1)

/* A place: a tag of the client, and the process. 0: free. */
struct places {
    unsigned count;
    _Atomic(uint64_t) taken_by[];
};

static size_t memory_of(unsigned count)
{
    return sizeof(struct places) + count * sizeof(_Atomic(uint64_t));
}

int places_new(unsigned count, struct places **out)
{
    void *memory =
        mmap(NULL, memory_of(count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return -ENOMEM;
    *out = memory;
    (*out)->count = count;
    return 0;
}

void places_free(struct places *places)
{
    if (places)
        munmap(places, memory_of(places->count));
}

static void take_back(struct places *places)
{
    for (unsigned i = 0; i < places->count; i++) {
        uint64_t owner = atomic_load(&places->taken_by[i]);
        if (owner && kill((pid_t)(owner & PID_MASK), 0) < 0 && errno == ESRCH)
            atomic_compare_exchange_strong(&places->taken_by[i], &owner, 0);
    }
}

static unsigned count_of(const struct places *places, uint64_t who)
{
    unsigned count = 0;
    for (unsigned i = 0; i < places->count; i++) {
        uint64_t owner = atomic_load(&places->taken_by[i]);
        count += owner && owner >> PID_BITS == who >> PID_BITS;
    }
    return count;
}

static int take(struct places *places, uint64_t owner)
{
    for (unsigned i = 0; i < places->count; i++) {
        uint64_t free = 0;
        if (atomic_load(&places->taken_by[i]) == 0 &&
            atomic_compare_exchange_strong(&places->taken_by[i], &free, owner))
            return (int)i;
    }
    return -EAGAIN;
}

/* Counted once more when it is taken: others may have taken one for the same client meanwhile. */
static int take_of_share(struct places *places, uint64_t who, unsigned share)
{
    if (share < places->count && count_of(places, who) >= share)
        return -EAGAIN;
    int place = take(places, (who & ~PID_MASK) | (uint64_t)getpid());
    if (place >= 0 && share < places->count && count_of(places, who) > share) {
        places_give(places, place);
        return -EAGAIN;
    }
    return place;
}

int places_take(struct places *places, uint64_t who, unsigned share)
{
    int place = take_of_share(places, who, share);
    if (place >= 0)
        return place;
    take_back(places);
    return take_of_share(places, who, share);
}

void places_give(struct places *places, int place)
{
    atomic_store(&places->taken_by[place], 0);
}
