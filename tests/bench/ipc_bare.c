/* ipc_bare.c: the bare system calls, and for shared memory two counters and memcpy. */
#define _GNU_SOURCE
#include "ipc.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER 65536u

struct ring {
    _Alignas(128) _Atomic uint64_t head;
    _Alignas(128) _Atomic uint64_t tail;
    _Alignas(128) uint8_t bytes[RING_BYTES];
};

static int ends[2][2]; /* [child][0 in, 1 out] */
static int in_fd, out_fd;
static struct ring *rings, *in_ring, *out_ring;
static uint8_t buffer[BUFFER];
static size_t have, at; /* of it: bytes, and how many of them are used */

/* --- before the fork --- */

static void make_pipes(void)
{
    for (int i = 0; i < 2; i++) {
        int fds[2];
        if (pipe(fds) < 0)
            give_up("pipe");
        fcntl(fds[1], F_SETPIPE_SZ, PIPE_BYTES);
        ends[i][0] = fds[0];
        ends[!i][1] = fds[1];
    }
}

static void make_unix(void)
{
    int fds[2], bytes = UNIX_BYTES;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
        give_up("socketpair");
    for (int i = 0; i < 2; i++) {
        setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
        ends[i][0] = ends[i][1] = fds[i];
    }
}

static void make_tcp(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(in);
    int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0), fds[2];
    if (bind(listener, (struct sockaddr *)&in, len) < 0 || listen(listener, 1) < 0 ||
        getsockname(listener, (struct sockaddr *)&in, &len) < 0)
        give_up("listen");
    fds[0] = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fds[0], (struct sockaddr *)&in, len) < 0 ||
        (fds[1] = accept(listener, NULL, NULL)) < 0)
        give_up("connect");
    close(listener);
    for (int i = 0; i < 2; i++) {
        setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        ends[i][0] = ends[i][1] = fds[i];
    }
}

static void make_rings(void)
{
    rings = mmap(NULL, 2 * sizeof(*rings), PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (rings == MAP_FAILED)
        give_up("mmap");
}

void contender_prepare(const struct job *job)
{
    static void (*const make[])(void) = {make_pipes, make_unix, make_tcp, make_rings};
    make[job->transport]();
}

void contender_take(const struct job *job, bool child)
{
    in_fd = ends[child][0];
    out_fd = ends[child][1];
    in_ring = rings + child;
    out_ring = rings + !child;
    if (job->transport == SHM)
        return;
    if (ends[!child][0] != in_fd)
        close(ends[!child][0]);
    if (ends[!child][1] != ends[!child][0])
        close(ends[!child][1]);
    if (job->spin)
        fcntl(in_fd, F_SETFL, O_NONBLOCK);
}

/* --- the ring --- */

static void relax(const struct job *job)
{
    if (job->same)
        sched_yield();
    else
        __builtin_ia32_pause();
}

static void ring_write(const struct job *job, const uint8_t *bytes, size_t len)
{
    struct ring *r = out_ring;
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    while (len > 0) {
        size_t room, place = head & (RING_BYTES - 1);
        while ((room = RING_BYTES -
                       (head - atomic_load_explicit(&r->tail, memory_order_acquire))) == 0)
            relax(job);
        room = room < len ? room : len;
        room = room < RING_BYTES - place ? room : RING_BYTES - place;
        memcpy(r->bytes + place, bytes, room);
        head += room;
        atomic_store_explicit(&r->head, head, memory_order_release);
        bytes += room;
        len -= room;
    }
}

static size_t ring_read(const struct job *job, uint8_t *bytes, size_t len)
{
    struct ring *r = in_ring;
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    size_t used, place = tail & (RING_BYTES - 1);
    while ((used = atomic_load_explicit(&r->head, memory_order_acquire) - tail) == 0)
        relax(job);
    used = used < len ? used : len;
    used = used < RING_BYTES - place ? used : RING_BYTES - place;
    memcpy(bytes, r->bytes + place, used);
    atomic_store_explicit(&r->tail, tail + used, memory_order_release);
    return used;
}

/* --- bytes --- */

static void write_all(const struct job *job, const uint8_t *bytes, size_t len)
{
    if (job->transport == SHM) {
        ring_write(job, bytes, len);
        return;
    }
    while (len > 0) {
        ssize_t n = write(out_fd, bytes, len);
        if (n < 0 && errno != EAGAIN)
            give_up("write");
        n = n < 0 ? 0 : n;
        bytes += n;
        len -= (size_t)n;
    }
}

static size_t read_some(const struct job *job, uint8_t *bytes, size_t len)
{
    if (job->transport == SHM)
        return ring_read(job, bytes, len);
    for (;;) {
        ssize_t n = read(in_fd, bytes, len);
        if (n > 0)
            return (size_t)n;
        if (n == 0 || errno != EAGAIN)
            give_up("read");
        if (job->same)
            sched_yield();
    }
}

static void read_full(const struct job *job, uint8_t *bytes, size_t len)
{
    for (size_t got = 0; got < len;)
        got += read_some(job, bytes + got, len - got);
}

/* --- messages in a buffer --- */

static void send_framed(const struct job *job, unsigned count)
{
    const size_t len = job->bytes;
    for (unsigned i = 0; i < count; i++) {
        if (BUFFER - have < 4 + len) {
            write_all(job, buffer, have);
            have = 0;
        }
        uint32_t head = __builtin_bswap32((uint32_t)len);
        memcpy(buffer + have, &head, 4);
        memcpy(buffer + have + 4, block, len);
        have += 4 + len;
    }
}

static void need(const struct job *job, size_t len)
{
    if (have - at >= len)
        return;
    memmove(buffer, buffer + at, have - at);
    have -= at;
    at = 0;
    while (have < len)
        have += read_some(job, buffer + have, BUFFER - have);
}

static void receive_framed(const struct job *job, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint32_t head;
        need(job, 4);
        memcpy(&head, buffer + at, 4);
        size_t len = __builtin_bswap32(head);
        if (len > BUFFER - 4)
            give_up("a message that is too long");
        need(job, 4 + len);
        block[0] ^= buffer[at + 4];
        at += 4 + len;
    }
}

void contender_send(const struct job *job, unsigned count)
{
    if (job->framed) {
        send_framed(job, count);
        return;
    }
    for (unsigned i = 0; i < count; i++)
        write_all(job, block, job->bytes);
}

void contender_receive(const struct job *job, unsigned count)
{
    if (job->framed) {
        receive_framed(job, count);
        return;
    }
    for (unsigned i = 0; i < count; i++)
        read_full(job, block, job->bytes);
}
