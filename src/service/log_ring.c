#include "service/log_ring.h"

#include "tbl/limits.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define LINE 64 /* of a cache: what two sides write does not share one */

struct log_ring {
    _Alignas(LINE) _Atomic(uint64_t) head; /* bytes ever put; the owner's */
    _Atomic(uint64_t) base; /* of them, the one that lies at the ring's beginning; the owner's */
    _Atomic(pid_t) owner;   /* a process; 0: free */
    _Alignas(LINE) _Atomic(uint64_t) tail; /* bytes ever taken; the reader's */
};

struct log_rings {
    unsigned count;
    size_t size;
    size_t batch;                        /* with so much in a ring the reader is called */
    size_t memory;                       /* of all this */
    int wake;                            /* eventfd; every process has it under this number */
    _Alignas(LINE) _Atomic(bool) asleep; /* the reader looks only when it is woken */
    _Atomic(bool) called;                /* it was, and has not looked yet */
    _Atomic(uint64_t) lost;
    struct log_ring ring[];
};

static char *bytes_of(struct log_rings *rings, const struct log_ring *ring)
{
    return (char *)&rings->ring[rings->count] + (size_t)(ring - rings->ring) * rings->size;
}

int log_rings_new(unsigned count, size_t size, struct log_rings **out)
{
    assert(size > 0 && (size & (size - 1)) == 0);
    size_t memory = sizeof(struct log_rings) + count * (sizeof(struct log_ring) + size);
    struct log_rings *rings = mmap(NULL, memory, PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (rings == MAP_FAILED)
        return -ENOMEM;
    rings->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (rings->wake < 0) {
        int rc = -errno;
        munmap(rings, memory);
        return rc;
    }
    rings->count = count;
    rings->size = size;
    rings->batch = size / 2 < LIMIT_LOG_BATCH ? size / 2 : LIMIT_LOG_BATCH;
    rings->memory = memory;
    rings->asleep = true; /* until the reader has started */
    *out = rings;
    return 0;
}

void log_rings_free(struct log_rings *rings)
{
    if (!rings)
        return;
    close(rings->wake);
    munmap(rings, rings->memory);
}

/* --- writers --- */

/* Free, or left behind by a process that is no more. */
static bool can_take(pid_t owner, bool look)
{
    return owner == 0 || (look && kill(owner, 0) < 0 && errno == ESRCH);
}

static struct log_ring *take(struct log_rings *rings, unsigned first, bool look)
{
    pid_t me = getpid();
    for (unsigned i = 0; i < rings->count; i++) {
        struct log_ring *ring = &rings->ring[(first + i) % rings->count];
        pid_t owner = atomic_load_explicit(&ring->owner, memory_order_relaxed);
        if (can_take(owner, look) && atomic_compare_exchange_strong(&ring->owner, &owner, me))
            return ring;
    }
    return NULL;
}

/* Once is enough until it has looked. */
static void call_reader(struct log_rings *rings)
{
    if (!atomic_exchange(&rings->called, true))
        (void)!eventfd_write(rings->wake, 1);
}

static bool fits(const struct log_rings *rings, const struct log_ring *ring, uint64_t head,
                 size_t len, uint64_t *out_used)
{
    *out_used = head - atomic_load_explicit(&ring->tail, memory_order_acquire);
    return len <= rings->size - *out_used;
}

static size_t offset_of(const struct log_rings *rings, const struct log_ring *ring, uint64_t at)
{
    return (at - atomic_load_explicit(&ring->base, memory_order_relaxed)) & (rings->size - 1);
}

static void copy_in(struct log_rings *rings, const struct log_ring *ring, uint64_t head,
                    const char *record, size_t len)
{
    size_t at = offset_of(rings, ring, head);
    size_t before_end = rings->size - at < len ? rings->size - at : len;
    memcpy(bytes_of(rings, ring) + at, record, before_end);
    memcpy(bytes_of(rings, ring), record + before_end, len - before_end);
}

void log_put(struct log_rings *rings, struct log_hand *hand, const char *record, size_t len)
{
    if (!hand->ring) {
        hand->ring = take(rings, hand->last, false);
        if (!hand->ring)
            hand->ring = take(rings, hand->last, true);
        if (!hand->ring) {
            log_count_lost(rings, 1);
            return;
        }
        hand->last = (unsigned)(hand->ring - rings->ring);
    }
    struct log_ring *ring = hand->ring;
    uint64_t used, head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    if (!fits(rings, ring, head, len, &used)) {
        log_count_lost(rings, 1);
        return;
    }
    /* An empty ring is begun anew, so that a large one does not push all else out of the caches. The reader looks at the base only
     * behind a head that it has not reached, and then the ring is not empty. */
    if (used == 0)
        atomic_store_explicit(&ring->base, head, memory_order_relaxed);
    copy_in(rings, ring, head, record, len);
    atomic_store_explicit(&ring->head, head + len, memory_order_release);
    if (used < rings->batch && used + len >= rings->batch)
        call_reader(rings);
}

/* The exchange is a fence, too: either the reader sees the records before it sleeps, or this sees that it sleeps. */
void log_let_go(struct log_rings *rings, struct log_hand *hand)
{
    if (!hand->ring)
        return;
    (void)atomic_exchange(&hand->ring->owner, 0);
    hand->ring = NULL;
    if (atomic_load(&rings->asleep) && atomic_exchange(&rings->asleep, false))
        call_reader(rings);
}

void log_count_lost(struct log_rings *rings, uint64_t records)
{
    atomic_fetch_add_explicit(&rings->lost, records, memory_order_relaxed);
}

uint64_t log_lost(const struct log_rings *rings)
{
    return atomic_load_explicit(&rings->lost, memory_order_relaxed);
}

/* --- the reader --- */

unsigned log_rings_count(const struct log_rings *rings)
{
    return rings->count;
}

int log_rings_wake_fd(const struct log_rings *rings)
{
    return rings->wake;
}

static bool is_empty(const struct log_rings *rings)
{
    for (unsigned i = 0; i < rings->count; i++)
        if (atomic_load(&rings->ring[i].head) != atomic_load(&rings->ring[i].tail))
            return false;
    return true;
}

void log_awake(struct log_rings *rings)
{
    eventfd_t count;
    atomic_store(&rings->asleep, false);
    (void)!eventfd_read(rings->wake, &count);
    atomic_store(&rings->called, false);
}

bool log_asleep(struct log_rings *rings)
{
    (void)atomic_exchange(&rings->asleep, true);
    if (is_empty(rings))
        return true;
    atomic_store(&rings->asleep, false);
    return false;
}

int log_peek(struct log_rings *rings, unsigned index, struct iovec out[2])
{
    struct log_ring *ring = &rings->ring[index];
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    size_t len = (size_t)(head - tail);
    if (len == 0)
        return 0;
    size_t at = offset_of(rings, ring, tail);
    size_t before_end = rings->size - at < len ? rings->size - at : len;
    out[0] = (struct iovec){bytes_of(rings, ring) + at, before_end};
    out[1] = (struct iovec){bytes_of(rings, ring), len - before_end};
    return before_end < len ? 2 : 1;
}

void log_took(struct log_rings *rings, unsigned index, size_t len)
{
    struct log_ring *ring = &rings->ring[index];
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    atomic_store_explicit(&ring->tail, tail + len, memory_order_release);
}
