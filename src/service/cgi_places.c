#include "service/cgi_places.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

struct cgi_places {
    unsigned count;
    _Atomic(pid_t) taken_by[]; /* 0: free */
};

static size_t memory_of(unsigned count)
{
    return sizeof(struct cgi_places) + count * sizeof(_Atomic(pid_t));
}

int cgi_places_new(unsigned count, struct cgi_places **out)
{
    void *memory =
        mmap(NULL, memory_of(count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return -ENOMEM;
    *out = memory;
    (*out)->count = count;
    return 0;
}

void cgi_places_free(struct cgi_places *places)
{
    if (places)
        munmap(places, memory_of(places->count));
}

/* Free, or left behind by one that is no more. */
static bool can_take(pid_t owner, bool look)
{
    return owner == 0 || (look && kill(owner, 0) < 0 && errno == ESRCH);
}

static int take(struct cgi_places *places, bool look)
{
    pid_t me = getpid();
    for (unsigned i = 0; i < places->count; i++) {
        pid_t owner = atomic_load(&places->taken_by[i]);
        if (can_take(owner, look) &&
            atomic_compare_exchange_strong(&places->taken_by[i], &owner, me))
            return (int)i;
    }
    return -EAGAIN;
}

int cgi_places_take(struct cgi_places *places)
{
    int place = take(places, false);
    return place >= 0 ? place : take(places, true);
}

void cgi_places_give(struct cgi_places *places, int place)
{
    atomic_store(&places->taken_by[place], 0);
}
