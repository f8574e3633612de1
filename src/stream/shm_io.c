/*
 * Bytes in and out of a shared memory stream.
 *
 * Waiting: look again for a moment (shm_spin.c); say that one waits and look once more; sleep. The try functions leave the sleeping
 * to a driver, and look again only if it has nothing else to do.
 */
#include "stream/shm.h"
#include "stream/wait.h"
#include "tbl/limits.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Is it time to make sure that somebody reads? Asked with every write, so a clock that costs nothing is used where there is
 * one: up to 65 us at 2 GHz, less above. */
#if defined(__x86_64__)
#define LOOK_TICKS (1u << 17)
static uint64_t ticks(void)
{
    return __builtin_ia32_rdtsc();
}
#else
#define LOOK_TICKS 50000u
static uint64_t ticks(void)
{
    return deadline_now();
}
#endif

/* --- reading --- */

/* Bytes there, `want` if there are; 0: end of file; -EAGAIN: fewer than `want`, and more may come; -EPROTO. */
static ssize_t look_in(struct shm *shm, size_t want)
{
    ssize_t used = ring_used(&shm->in, want);
    if (used < 0 || (size_t)used >= want)
        return used;
    if (!shm->in_over && !ring_is_ended(&shm->in) && !atomic_load(&shm->gone))
        return -EAGAIN;
    /* What was published before the end was seen is there now, if it was not before. */
    shm->in_over = true;
    return ring_used(&shm->in, want);
}

void shm_consume(struct shm *shm, size_t len)
{
    if (ring_consume(&shm->in, len))
        shm_ring(shm);
}

static ssize_t take(struct shm *shm, void *buffer, size_t len)
{
    ssize_t used = len > 0 ? look_in(shm, 1) : 0;
    if (used <= 0)
        return used;
    size_t n = (size_t)used < len ? (size_t)used : len;
    memcpy(buffer, ring_reader_at(&shm->in), n);
    shm_consume(shm, n);
    return (ssize_t)n;
}

/* Says that it waits; the caller looks once more then. */
static void announce_in(struct shm *shm)
{
    if (ring_reader_waits(&shm->in))
        shm_ring(shm);
    shm->in_waits = true;
    shm_claim(shm);
}

/* -EAGAIN: there is nothing, and the other end knows that we wait. A bell that rang for an earlier wait is taken note of first, so
 * that it does not end the next one. */
static ssize_t wait_in_set(struct shm *shm, size_t want)
{
    if (shm->in_waits)
        (void)!shm_look(shm, shm->in_set, 0);
    announce_in(shm);
    return look_in(shm, want);
}

ssize_t shm_try_read(struct shm *shm, void *buffer, size_t len, bool may_spin)
{
    ssize_t n = take(shm, buffer, len);
    if (n == -EAGAIN && may_spin) {
        shm_spin_in(shm, 1);
        n = take(shm, buffer, len);
    }
    if (n != -EAGAIN)
        return n;
    n = wait_in_set(shm, 1);
    return n > 0 ? take(shm, buffer, len) : n;
}

ssize_t shm_await_in(struct shm *shm, size_t want, int timeout_ms)
{
    ssize_t n = look_in(shm, want);
    if (n != -EAGAIN)
        return n;
    if (timeout_ms != 0)
        shm_spin_in(shm, want);
    uint64_t deadline = deadline_in(timeout_ms);
    while ((n = look_in(shm, want)) == -EAGAIN) {
        announce_in(shm);
        n = look_in(shm, want);
        if (n != -EAGAIN)
            break;
        int rc = shm_look(shm, shm->in_set, deadline);
        if (rc < 0) {
            n = look_in(shm, want);
            return n == -EAGAIN ? rc : n;
        }
    }
    return n;
}

ssize_t shm_read(struct shm *shm, void *buffer, size_t len, int timeout_ms)
{
    ssize_t n = take(shm, buffer, len);
    if (n != -EAGAIN)
        return n;
    n = shm_await_in(shm, 1, timeout_ms);
    return n > 0 ? take(shm, buffer, len) : n;
}

/* --- writing --- */

/* Room, `want` if there is; -EAGAIN: less; -EPIPE, -EPROTO. */
static ssize_t look_out(struct shm *shm, size_t want)
{
    if (ring_is_stopped(&shm->out) || atomic_load(&shm->gone))
        return -EPIPE;
    ssize_t room = ring_room(&shm->out, want);
    return room < 0 || (size_t)room >= want ? room : -EAGAIN;
}

static void publish(struct shm *shm, size_t len)
{
    if (ring_publish(&shm->out, len))
        shm_ring(shm);
}

/* A reader that died leaves a ring that takes bytes until it is full: so it is looked for now and then. Before bytes are on
 * their way, never after: who has taken them may have answered and left by then, and did not refuse them. */
static bool has_reader(struct shm *shm)
{
    uint64_t now = ticks();
    if (now - shm->looked >= LOOK_TICKS) {
        shm->looked = now;
        shm_claim(shm);
        (void)!shm_look(shm, shm->out_set, 0);
    }
    return !ring_is_stopped(&shm->out) && !atomic_load(&shm->gone);
}

/* In pieces, so that the reader can begin while the rest is copied. */
static void copy_out(struct shm *shm, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        size_t piece = len < LIMIT_SHM_PIECE ? len : LIMIT_SHM_PIECE;
        memcpy(ring_writer_at(&shm->out), bytes, piece);
        publish(shm, piece);
        bytes += piece;
        len -= piece;
    }
}

/* Several small ones are published as one. */
static void gather_out(struct shm *shm, const struct iovec *iov, int count, size_t room)
{
    uint8_t *at = ring_writer_at(&shm->out);
    size_t held = 0;
    for (int i = 0; i < count && held < room; i++) {
        size_t len = iov[i].iov_len < room - held ? iov[i].iov_len : room - held;
        if (len > 0)
            memcpy(at + held, iov[i].iov_base, len);
        held += len;
    }
    publish(shm, held);
}

static size_t total_of(const struct iovec *iov, int count)
{
    size_t total = 0;
    for (int i = 0; i < count; i++)
        total += iov[i].iov_len;
    return total;
}

/* Room is asked for by the whole length, so that what was freed meanwhile is seen; anything is fine then. */
static ssize_t put(struct shm *shm, const struct iovec *iov, int count, size_t total)
{
    if (!has_reader(shm))
        return -EPIPE;
    ssize_t room = ring_room(&shm->out, total < shm->out.size ? total : shm->out.size);
    if (room < 0 || total == 0)
        return room < 0 ? room : 0;
    if (room == 0)
        return -EAGAIN;
    size_t n = (size_t)room < total ? (size_t)room : total;
    if (count == 1)
        copy_out(shm, iov->iov_base, n);
    else
        gather_out(shm, iov, count, n);
    return (ssize_t)n;
}

static void announce_out(struct shm *shm)
{
    ring_writer_waits(&shm->out);
    shm->out_waits = true;
    shm_claim(shm);
}

static ssize_t wait_in_out_set(struct shm *shm)
{
    if (shm->out_waits)
        (void)!shm_look(shm, shm->out_set, 0);
    announce_out(shm);
    return look_out(shm, 1);
}

/* A quarter of the ring at once is worth waiting for; with less, writer and reader would wake each other for crumbs. */
static size_t worth(const struct shm *shm, size_t total)
{
    return total < shm->out.size / 4 ? total : shm->out.size / 4;
}

ssize_t shm_try_writev(struct shm *shm, const struct iovec *iov, int count, bool may_spin)
{
    size_t total = total_of(iov, count);
    ssize_t n = put(shm, iov, count, total);
    if (n == -EAGAIN && may_spin) {
        shm_spin_out(shm, worth(shm, total));
        n = put(shm, iov, count, total);
    }
    if (n != -EAGAIN)
        return n;
    n = wait_in_out_set(shm);
    return n > 0 ? put(shm, iov, count, total) : n;
}

ssize_t shm_await_out(struct shm *shm, size_t want, size_t least, int timeout_ms)
{
    ssize_t n = look_out(shm, want);
    if (n != -EAGAIN)
        return n;
    if (timeout_ms != 0)
        shm_spin_out(shm, want);
    uint64_t deadline = deadline_in(timeout_ms);
    while ((n = look_out(shm, least)) == -EAGAIN) {
        announce_out(shm);
        n = look_out(shm, least);
        if (n != -EAGAIN)
            break;
        int rc = shm_look(shm, shm->out_set, deadline);
        if (rc < 0) {
            n = look_out(shm, least);
            return n == -EAGAIN ? rc : n;
        }
    }
    return n;
}

ssize_t shm_write(struct shm *shm, const void *bytes, size_t len, int timeout_ms)
{
    const struct iovec iov = {(void *)bytes, len};
    ssize_t n = put(shm, &iov, 1, len);
    if (n != -EAGAIN)
        return n;
    n = shm_await_out(shm, worth(shm, len), 1, timeout_ms);
    return n > 0 ? put(shm, &iov, 1, len) : n;
}

int shm_publish(struct shm *shm, size_t len)
{
    if (!has_reader(shm))
        return -EPIPE;
    publish(shm, len);
    return 0;
}

/* File bytes are read where they are to lie. 0: the file ended early. */
ssize_t shm_try_send(struct shm *shm, int file, uint64_t offset, size_t len)
{
    ssize_t room = len > 0 ? look_out(shm, 1) : 0;
    if (room == -EAGAIN)
        room = wait_in_out_set(shm);
    if (room <= 0)
        return room;
    size_t max = (size_t)room < LIMIT_MOVE_BYTES ? (size_t)room : LIMIT_MOVE_BYTES;
    ssize_t n;
    do
        n = pread(file, ring_writer_at(&shm->out), len < max ? len : max, (off_t)offset);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return n < 0 ? -errno : 0;
    int rc = shm_publish(shm, (size_t)n);
    return rc < 0 ? rc : n;
}

/* --- ends --- */

void shm_end(struct shm *shm)
{
    if (ring_end(&shm->out))
        shm_ring(shm);
}

void shm_stop(struct shm *shm)
{
    if (ring_stop(&shm->in))
        shm_ring(shm);
}

bool shm_is_over(struct shm *shm, bool *out_unread)
{
    (void)!shm_look(shm, shm->in_set, 0);
    bool over = atomic_load(&shm->gone);
    *out_unread = ring_used(&shm->in, 1) > 0;
    return over;
}

bool shm_is_broken(struct shm *shm)
{
    (void)!shm_look(shm, shm->out_set, 0);
    return atomic_load(&shm->gone) || ring_is_stopped(&shm->out);
}
