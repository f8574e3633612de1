#include "service/auth_cache.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>

#define WAYS  4
#define LINES (LIMIT_AUTH_CACHE / WAYS)
#define KEPT  (LIMIT_AUTH_CACHE_S * WEIR_NS_PER_S)
_Static_assert((LINES & (LINES - 1)) == 0, "a line is found by bits of the hash");

struct auth_cache {
    struct slot {
        _Atomic(uint64_t) at[2];
        _Atomic(uint64_t) until_ns; /* 0: nobody's */
    } line[LINES][WAYS];
};

int auth_cache_new(struct auth_cache **out)
{
    void *memory = mmap(NULL, sizeof(struct auth_cache), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return -ENOMEM;
    *out = memory;
    return 0;
}

void auth_cache_free(struct auth_cache *cache)
{
    if (cache)
        munmap(cache, sizeof(*cache));
}

static struct slot *line_of(struct auth_cache *cache, struct siphash_128 who)
{
    return cache->line[who.at[0] & (LINES - 1)];
}

/* Both halves are always looked at, and of all slots. */
static struct slot *find(struct auth_cache *cache, struct siphash_128 who)
{
    struct slot *line = line_of(cache, who), *found = NULL;
    for (unsigned i = 0; i < WAYS; i++) {
        uint64_t differ =
            (atomic_load(&line[i].at[0]) ^ who.at[0]) | (atomic_load(&line[i].at[1]) ^ who.at[1]);
        found = differ ? found : &line[i];
    }
    return found;
}

bool auth_cache_find(struct auth_cache *cache, struct siphash_128 who, uint64_t now_ns)
{
    struct slot *slot = find(cache, who);
    uint64_t until = slot ? atomic_load(&slot->until_ns) : 0;
    if (until <= now_ns)
        return false;
    if (until - now_ns < KEPT / 2) /* who comes all the time is not asked again */
        atomic_compare_exchange_strong(&slot->until_ns, &until, now_ns + KEPT);
    return true;
}

void auth_cache_add(struct auth_cache *cache, struct siphash_128 who, uint64_t now_ns)
{
    struct slot *line = line_of(cache, who), *to = find(cache, who);
    for (unsigned i = 0; i < WAYS && !to; i++)
        if (atomic_load(&line[i].until_ns) <= now_ns)
            to = &line[i];
    if (!to)
        to = &line[who.at[1] % WAYS];
    atomic_store(&to->until_ns, 0);
    atomic_store(&to->at[0], who.at[0]);
    atomic_store(&to->at[1], who.at[1]);
    atomic_store(&to->until_ns, now_ns + KEPT);
}
