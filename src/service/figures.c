#include "service/figures.h"

#include "tbl/limits.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct figures_slot {
    _Alignas(64) _Atomic(pid_t) owner; /* 0: nobody */
    _Atomic(uint64_t) before;          /* OPENED less CLOSED when he came: may be less than 0 */
    _Atomic(uint64_t) at[FIGURE_COUNT];
};

struct figures {
    int64_t started_ns;
    _Atomic(unsigned) used;                           /* no slot behind this one was ever taken */
    struct figures_slot slot[1 + LIMIT_FIGURE_SLOTS]; /* the first is shared */
};

int figures_new(struct figures **out)
{
    struct timespec now;
    struct figures *figures = mmap(NULL, sizeof(*figures), PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (figures == MAP_FAILED)
        return -ENOMEM;
    clock_gettime(CLOCK_REALTIME, &now);
    figures->started_ns = now.tv_sec * (int64_t)WEIR_NS_PER_S + now.tv_nsec;
    *out = figures;
    return 0;
}

void figures_free(struct figures *figures)
{
    if (figures)
        munmap(figures, sizeof(*figures));
}

static bool is_gone(pid_t owner)
{
    return owner != 0 && kill(owner, 0) < 0 && errno == ESRCH;
}

static uint64_t get(const struct figures_slot *slot, unsigned figure)
{
    return atomic_load_explicit(&slot->at[figure], memory_order_relaxed);
}

/* A slot of its own is written to by one thread: no need to lock the line. */
static void add(struct figures_hand *hand, unsigned figure, uint64_t n)
{
    _Atomic(uint64_t) *at = &hand->slot->at[figure];
    if (hand->shared)
        atomic_fetch_add_explicit(at, n, memory_order_relaxed);
    else
        atomic_store_explicit(at, atomic_load_explicit(at, memory_order_relaxed) + n,
                              memory_order_relaxed);
}

/* Whoever was killed closed nothing any more, and what he had is gone with him. */
static uint64_t closed_in(const struct figures_slot *slot, bool killed)
{
    if (!killed)
        return get(slot, FIGURE_CLOSED);
    return get(slot, FIGURE_OPENED) - atomic_load_explicit(&slot->before, memory_order_relaxed);
}

static void settle(struct figures_slot *slot, bool killed)
{
    uint64_t closed = closed_in(slot, killed);
    atomic_store(&slot->at[FIGURE_CLOSED], closed);
    atomic_store(&slot->before, get(slot, FIGURE_OPENED) - closed);
}

static struct figures_slot *take(struct figures *figures, bool look)
{
    pid_t me = getpid();
    for (unsigned i = 1; i <= LIMIT_FIGURE_SLOTS; i++) {
        struct figures_slot *slot = &figures->slot[i];
        pid_t owner = atomic_load_explicit(&slot->owner, memory_order_acquire);
        bool killed = owner != 0;
        if ((!killed || (look && is_gone(owner))) &&
            atomic_compare_exchange_strong(&slot->owner, &owner, me)) {
            unsigned used = atomic_load(&figures->used);
            while (used < i && !atomic_compare_exchange_weak(&figures->used, &used, i))
                ;
            settle(slot, killed);
            return slot;
        }
    }
    return NULL;
}

void figures_open(struct figures *figures, struct figures_hand *hand)
{
    hand->slot = take(figures, false);
    if (!hand->slot)
        hand->slot = take(figures, true);
    hand->shared = !hand->slot;
    if (hand->shared)
        hand->slot = &figures->slot[0];
}

void figures_close(struct figures_hand *hand)
{
    if (hand->slot && !hand->shared)
        atomic_store_explicit(&hand->slot->owner, 0, memory_order_release);
    hand->slot = NULL;
}

static unsigned bucket_of(uint64_t ns)
{
    static const uint32_t bounds[] = {
#define B(us, text) us,
        FIGURE_BUCKETS(B)
#undef B
    };
    unsigned i = 0;
    uint64_t us = (ns + 999) / 1000; /* a bound belongs to its bucket */
    while (i < FIGURE_BUCKET_MORE && us > bounds[i])
        i++;
    return i;
}

static unsigned limit_of(const char *limit)
{
    static const char *const limits[] = {
#define L(name) name,
        FIGURE_LIMITS(L)
#undef L
    };
    unsigned i = 0;
    while (i + 1 < FIGURE_LIMIT_COUNT && strcmp(limits[i], limit) != 0)
        i++;
    return i;
}

void figures_request(struct figures_hand *hand, const struct figures_request *request)
{
    unsigned digit = request->status / 100;
    if (!hand->slot)
        return;
    add(hand, digit >= 2 && digit <= 5 ? FIGURE_CODE_2XX + digit - 2 : FIGURE_CODE_OTHER, 1);
    add(hand, FIGURE_SENT, request->sent);
    if (request->failed)
        add(hand, FIGURE_FAILED, 1);
    if (request->limit)
        add(hand, FIGURE_LIMIT + limit_of(request->limit), 1);
    for (unsigned i = 0; i < FIGURE_TIME_COUNT; i++) {
        unsigned histogram = FIGURE_TIME + i * FIGURE_HISTOGRAM;
        if (request->ns[i] == UINT64_MAX)
            continue;
        add(hand, histogram + bucket_of(request->ns[i]), 1);
        add(hand, histogram + FIGURE_BUCKET_COUNT, request->ns[i]);
    }
}

void figures_connection(struct figures_hand *hand, bool opened)
{
    if (hand->slot)
        add(hand, opened ? FIGURE_OPENED : FIGURE_CLOSED, 1);
}

/* Connections move between threads, so one slot's alone say nothing. Closed is read first, of all: what ends meanwhile is still counted as
 * open, never as less than nothing. */
void figures_read(const struct figures *figures, struct figures_sum *out)
{
    *out = (struct figures_sum){.started_ns = figures->started_ns};
    unsigned used = atomic_load(&figures->used);
    uint64_t closed = 0;
    for (unsigned i = 0; i <= used; i++) {
        const struct figures_slot *slot = &figures->slot[i];
        pid_t owner = atomic_load_explicit(&slot->owner, memory_order_acquire);
        bool killed = is_gone(owner);
        closed += closed_in(slot, killed);
        out->threads += owner != 0 && !killed;
    }
    for (unsigned i = 0; i <= used; i++)
        for (unsigned figure = 0; figure < FIGURE_COUNT; figure++)
            out->at[figure] += get(&figures->slot[i], figure);
    uint64_t opened = out->at[FIGURE_OPENED];
    out->connections = opened > closed ? opened - closed : 0;
}
