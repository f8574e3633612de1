#include "service/quota.h"

#include "base/bytes.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>

#define WAYS  LIMIT_QUOTA_WAYS
#define LINES (LIMIT_QUOTA_SLOTS / WAYS)
#define TICK  14 /* a tick has 2^14 ns: 16 us, so that the fastest rate is told within 2 percent */
#define TICKS                                                                                      \
    44 /* bits of a moment: nine years go by until it comes again, longer than any table lives */
#define MOMENT ((UINT64_C(1) << TICKS) - 1)
_Static_assert((LINES & (LINES - 1)) == 0, "a line is found by bits of the hash");

/* A slot: which number it is of in the upper bits, by when it is worn off in the lower. 0: nobody's. 20 bits of the number, in a
 * line that 13 others chose: in a full table one of 130000 counts together with another. */
struct quotas {
    _Alignas(64) _Atomic(uint64_t) line[LINES][WAYS];
};

/* --- words --- */

static uint64_t unit_of(struct weir_bytes text)
{
    if (bytes_equal(text, BYTES("s")))
        return 1;
    if (bytes_equal(text, BYTES("m")))
        return 60;
    return bytes_equal(text, BYTES("h")) ? 3600 : 0;
}

/* "s burst 20": the unit, and *burst if it is there. */
static int read_unit(struct weir_bytes text, uint64_t *unit, uint64_t *burst)
{
    const char *space = memchr(text.at, ' ', text.len);
    struct weir_bytes name = {text.at, space ? (size_t)(space - text.at) : text.len};
    *unit = unit_of(name);
    if (*unit == 0)
        return -EINVAL;
    if (!space)
        return 0;
    struct weir_bytes rest =
        bytes_trim((struct weir_bytes){space, (size_t)(text.at + text.len - space)});
    if (!bytes_starts(rest, BYTES("burst ")))
        return -EINVAL;
    return bytes_u64(bytes_trim((struct weir_bytes){rest.at + 6, rest.len - 6}), burst);
}

int quota_read(struct weir_bytes text, struct quota *out)
{
    uint64_t number, unit, burst = 0;
    const char *slash = text.len > 0 ? memchr(text.at, '/', text.len) : NULL;
    if (!slash || bytes_u64((struct weir_bytes){text.at, (size_t)(slash - text.at)}, &number) < 0 ||
        slash + 1 == text.at + text.len)
        return -EINVAL;
    struct weir_bytes rest = {slash + 1, (size_t)(text.at + text.len - slash - 1)};
    if (read_unit(rest, &unit, &burst) < 0 || number == 0 || number > LIMIT_QUOTA_RATE * unit)
        return -EINVAL;
    if (!memchr(rest.at, ' ', rest.len))
        burst = number / unit > 0 ? number / unit : 1;
    uint64_t every_ns = unit * WEIR_NS_PER_S / number;
    if (burst == 0 || burst > LIMIT_QUOTA_BURST ||
        every_ns > LIMIT_QUOTA_SPAN_S * WEIR_NS_PER_S / burst)
        return -EINVAL;
    *out = (struct quota){every_ns, (uint32_t)burst};
    return 0;
}

/* --- slots --- */

int quotas_new(struct quotas **out)
{
    void *memory = mmap(NULL, sizeof(struct quotas), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return -ENOMEM;
    *out = memory;
    return 0;
}

void quotas_free(struct quotas *quotas)
{
    if (quotas)
        munmap(quotas, sizeof(*quotas));
}

/* How much of what was done is not worn off. A moment that lies further away than any rule reaches is past. */
static uint64_t left_of(uint64_t slot, uint64_t now)
{
    uint64_t left = ((slot & MOMENT) - now) & MOMENT;
    return left <= ((LIMIT_QUOTA_SPAN_S * WEIR_NS_PER_S) >> TICK) + 1 ? left : 0;
}

static uint64_t tag_of(uint64_t who)
{
    return who & ~MOMENT;
}

static uint64_t ticks(uint64_t ns)
{
    return (ns >> TICK) & MOMENT;
}

/* At least one, else a rule would be none. */
static uint64_t span(uint64_t ns)
{
    return ns >> TICK ? ns >> TICK : 1;
}

struct found {
    _Atomic(uint64_t) *slot; /* his own, or the one that is given up for him */
    uint64_t was, left;
    bool own;
};

static struct found find(struct quotas *quotas, uint64_t who, uint64_t now)
{
    _Atomic(uint64_t) *line = quotas->line[who & (LINES - 1)];
    struct found found = {.left = UINT64_MAX};
    for (unsigned i = 0; i < WAYS; i++) {
        uint64_t slot = atomic_load_explicit(&line[i], memory_order_relaxed);
        uint64_t left = slot ? left_of(slot, now) : 0;
        bool own = slot && tag_of(slot) == tag_of(who);
        if (own || left < found.left)
            found = (struct found){&line[i], slot, left, own};
        if (own)
            break;
    }
    if (!found.own)
        found.left = 0;
    return found;
}

static bool set(struct found *found, uint64_t who, uint64_t now, uint64_t left)
{
    uint64_t slot = tag_of(who) | ((now + left) & MOMENT);
    return atomic_compare_exchange_strong_explicit(found->slot, &found->was, slot,
                                                   memory_order_relaxed, memory_order_relaxed);
}

static uint64_t most_of(const struct quota *quota)
{
    uint64_t every = span(quota->every_ns), most = span(quota->every_ns * quota->burst);
    return most > every ? most : every;
}

uint64_t quota_take(struct quotas *quotas, const struct quota *quota, uint64_t who, uint64_t now_ns)
{
    uint64_t now = ticks(now_ns), every = span(quota->every_ns), most = most_of(quota);
    for (unsigned i = 0; i < LIMIT_QUOTA_TRIES; i++) {
        struct found found = find(quotas, who, now);
        if (found.left + every > most)
            return (found.left + every - most) << TICK;
        if (set(&found, who, now, found.left + every))
            return 0;
    }
    return quota->every_ns; /* so many others were faster: they have used it up */
}

uint64_t quota_wait(struct quotas *quotas, const struct quota *quota, uint64_t who, uint64_t now_ns)
{
    uint64_t every = span(quota->every_ns), most = most_of(quota);
    struct found found = find(quotas, who, ticks(now_ns));
    return found.left + every > most ? (found.left + every - most) << TICK : 0;
}

void quota_add(struct quotas *quotas, const struct quota *quota, uint64_t who, uint64_t now_ns)
{
    uint64_t now = ticks(now_ns), every = span(quota->every_ns), most = most_of(quota) + every;
    for (unsigned i = 0; i < LIMIT_QUOTA_TRIES; i++) {
        struct found found = find(quotas, who, now);
        uint64_t left = found.left + every;
        if (set(&found, who, now, left < most ? left : most))
            return;
    }
}

void quota_give(struct quotas *quotas, const struct quota *quota, uint64_t who, uint64_t now_ns)
{
    uint64_t now = ticks(now_ns), every = span(quota->every_ns);
    for (unsigned i = 0; i < LIMIT_QUOTA_TRIES; i++) {
        struct found found = find(quotas, who, now);
        uint64_t left = found.left > every ? found.left - every : 0;
        if (!found.own || set(&found, who, now, left))
            return;
    }
}

void quota_note(struct quotas *quotas, uint64_t who, uint64_t now_ns, uint64_t for_ns)
{
    uint64_t now = ticks(now_ns);
    for (unsigned i = 0; i < LIMIT_QUOTA_TRIES; i++) {
        struct found found = find(quotas, who, now);
        if (found.left > span(for_ns) / 2 || set(&found, who, now, span(for_ns)))
            return;
    }
}

bool quota_noted(struct quotas *quotas, uint64_t who, uint64_t now_ns)
{
    struct found found = find(quotas, who, ticks(now_ns));
    return found.own && found.left > 0;
}
