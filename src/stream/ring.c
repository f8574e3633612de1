#include "stream/ring.h"

#include <errno.h>

/* Sequentially consistent throughout: the order of "publish, then look who waits" is what keeps wake-ups from being lost, and
 * nothing weaker gives it. On x86 only the stores cost anything. */

void ring_writer_init(struct ring_writer *w, struct ring_shared *shared, uint8_t *bytes,
                      size_t size)
{
    *w = (struct ring_writer){.shared = shared, .bytes = bytes, .size = size};
}

void ring_reader_init(struct ring_reader *r, struct ring_shared *shared, const uint8_t *bytes,
                      size_t size)
{
    *r = (struct ring_reader){.shared = shared, .bytes = bytes, .size = size};
}

/* Whoever waits is told once. The plain load keeps the line shared between both caches while nobody does. */
static bool take_word(_Atomic uint32_t *waits)
{
    return atomic_load(waits) && atomic_exchange(waits, 0);
}

ssize_t ring_room(struct ring_writer *w, size_t want)
{
    size_t room = w->size - (size_t)(w->head - w->tail);
    if (room >= want)
        return (ssize_t)room;
    uint64_t tail = atomic_load(&w->shared->tail);
    w->spoiled |= w->head - tail > w->size;
    if (w->spoiled)
        return -EPROTO;
    w->tail = tail;
    return (ssize_t)(w->size - (size_t)(w->head - tail));
}

uint8_t *ring_writer_at(const struct ring_writer *w)
{
    return w->bytes + (w->head & (w->size - 1));
}

bool ring_publish(struct ring_writer *w, size_t len)
{
    w->head += len;
    atomic_store(&w->shared->head, w->head);
    return take_word(&w->shared->reader_waits);
}

void ring_writer_waits(struct ring_writer *w)
{
    atomic_store(&w->shared->writer_waits, 1);
    w->tail = w->head - w->size; /* look at the reader's count, whatever was known */
}

bool ring_end(struct ring_writer *w)
{
    atomic_store(&w->shared->ended, 1);
    return take_word(&w->shared->reader_waits);
}

bool ring_is_stopped(const struct ring_writer *w)
{
    return atomic_load(&w->shared->stopped);
}

ssize_t ring_used(struct ring_reader *r, size_t want)
{
    size_t used = (size_t)(r->head - r->tail);
    if (used >= want)
        return (ssize_t)used;
    uint64_t head = atomic_load(&r->shared->head);
    r->spoiled |= head - r->tail > r->size;
    if (r->spoiled)
        return -EPROTO;
    r->head = head;
    return (ssize_t)(head - r->tail);
}

const uint8_t *ring_reader_at(const struct ring_reader *r)
{
    return r->bytes + (r->tail & (r->size - 1));
}

bool ring_consume(struct ring_reader *r, size_t len)
{
    r->tail += len;
    if (r->tail != r->head && r->tail - r->told < r->size / 16)
        return false;
    r->told = r->tail;
    atomic_store(&r->shared->tail, r->tail);
    if (!atomic_load(&r->shared->writer_waits))
        return false;
    /* What it has written meanwhile may be anything; it is woken too often at the worst. */
    uint64_t used = atomic_load(&r->shared->head) - r->tail;
    return (used <= r->size / 2 || used > r->size) && take_word(&r->shared->writer_waits);
}

bool ring_reader_waits(struct ring_reader *r)
{
    if (r->told != r->tail) {
        r->told = r->tail;
        atomic_store(&r->shared->tail, r->tail);
    }
    atomic_store(&r->shared->reader_waits, 1);
    r->head = r->tail; /* look at the writer's count, whatever was known */
    return take_word(&r->shared->writer_waits);
}

bool ring_stop(struct ring_reader *r)
{
    atomic_store(&r->shared->stopped, 1);
    return take_word(&r->shared->writer_waits);
}

bool ring_is_ended(const struct ring_reader *r)
{
    return atomic_load(&r->shared->ended);
}
