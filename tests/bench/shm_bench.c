/*
 * shm_bench.c: shared memory through the library against a bare ring: two counters, memcpy, and nothing else. One JSON line a
 * measure. Two processes, on two cores ("across") or on one ("same").
 *
 *     shm_bench [SECONDS [RING]]     of each measure (0.3); bytes of each ring, a power of two (262144)
 *
 * cc -O2 -Iinclude -o shm_bench tests/bench/shm_bench.c build/src/lib/libweir.a -lpthread
 */
#define _GNU_SOURCE
#include <weir/shm.h>

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RING_MAX ((size_t)1 << 22)

static size_t ring = 256 * 1024; /* a power of two */

struct bare_ring {
    _Alignas(128) _Atomic uint64_t head;
    _Alignas(128) _Atomic uint64_t tail;
    _Alignas(128) uint8_t bytes[RING_MAX];
};

/* One end, over either kind. */
struct end {
    struct weir_stream *stream; /* NULL: bare */
    struct bare_ring *in, *out;
    bool yields; /* bare, on one core */
};

static double now_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void relax(const struct end *e)
{
    if (e->yields)
        sched_yield();
    else
        __builtin_ia32_pause();
}

static void bare_write(struct end *e, const uint8_t *bytes, size_t len)
{
    struct bare_ring *r = e->out;
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    while (len > 0) {
        size_t room, at = head & (ring - 1);
        while ((room = ring - (head - atomic_load_explicit(&r->tail, memory_order_acquire))) == 0)
            relax(e);
        room = room < len ? room : len;
        room = room < ring - at ? room : ring - at;
        memcpy(r->bytes + at, bytes, room);
        head += room;
        atomic_store_explicit(&r->head, head, memory_order_release);
        bytes += room;
        len -= room;
    }
}

static size_t bare_read(struct end *e, uint8_t *bytes, size_t len)
{
    struct bare_ring *r = e->in;
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    size_t used, at = tail & (ring - 1);
    while ((used = atomic_load_explicit(&r->head, memory_order_acquire) - tail) == 0)
        relax(e);
    used = used < len ? used : len;
    used = used < ring - at ? used : ring - at;
    memcpy(bytes, r->bytes + at, used);
    atomic_store_explicit(&r->tail, tail + used, memory_order_release);
    return used;
}

static void write_all(struct end *e, const uint8_t *bytes, size_t len)
{
    if (!e->stream)
        bare_write(e, bytes, len);
    else if (weir_write_all(e->stream, bytes, len) < 0)
        exit(1);
}

static size_t read_some(struct end *e, uint8_t *bytes, size_t len)
{
    if (!e->stream)
        return bare_read(e, bytes, len);
    ssize_t n = weir_read(e->stream, bytes, len);
    if (n <= 0)
        exit(0);
    return (size_t)n;
}

static void read_full(struct end *e, uint8_t *bytes, size_t len)
{
    for (size_t n, have = 0; have < len; have += n)
        n = read_some(e, bytes + have, len - have);
}

static void pin(int core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    sched_setaffinity(0, sizeof(set), &set);
}

static uint8_t block[1 << 20];

static _Noreturn void peer(struct end *e, int core, size_t len, bool echo)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pin(core);
    for (;;) {
        read_full(e, block, len);
        if (echo)
            write_all(e, block, len);
    }
}

/* Seconds a message: of many short slices the best, so that others on the machine count less. */
static double measure(struct end *e, size_t len, bool echo, double seconds)
{
    unsigned batch = len >= 65536 ? 16 : echo ? 100 : 1000;
    double best = 1e9;
    for (double stop = now_s() + seconds; now_s() < stop;) {
        uint64_t count = 0;
        double start = now_s(), end = start;
        while ((end = now_s()) - start < 0.002) {
            for (unsigned i = 0; i < batch; i++) {
                write_all(e, block, len);
                if (echo)
                    read_full(e, block, len);
            }
            count += batch;
        }
        double each = (end - start) / (double)count;
        best = each < best ? each : best;
    }
    return best;
}

static void run(bool bare, bool same, size_t len, bool echo, double seconds)
{
    struct weir_stream *ends[2] = {NULL, NULL};
    struct bare_ring *rings =
        mmap(NULL, 2 * sizeof(*rings), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (rings == MAP_FAILED || (!bare && weir_shm_pair(ring, ends) < 0))
        exit(1);
    pid_t pid = fork();
    struct end e = {ends[pid == 0], &rings[pid == 0], &rings[pid != 0], same};
    weir_close(ends[pid != 0]);
    if (pid == 0)
        peer(&e, same ? 0 : 1, len, echo);
    pin(0);
    double each = measure(&e, len, echo, seconds);
    printf("{\"measure\": \"%s\", \"cores\": \"%s\", \"by\": \"%s\", \"bytes\": %zu, ",
           echo ? "round trip" : "one way", same ? "same" : "across", bare ? "bare" : "weir", len);
    if (echo)
        printf("\"us\": %.3f}\n", each * 1e6);
    else
        printf("\"messages_s\": %.0f, \"gb_s\": %.2f}\n", 1 / each, (double)len / each / 1e9);
    fflush(stdout);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    weir_close(e.stream);
    munmap(rings, 2 * sizeof(*rings));
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = {64, 4096, 65536, 1 << 20};
    double seconds = argc > 1 ? atof(argv[1]) : 0.3;
    if (argc > 2)
        ring = (size_t)atol(argv[2]);
    if (ring < 4096 || ring > RING_MAX || (ring & (ring - 1)))
        return 2;
    memset(block, 7, sizeof(block));
    for (int same = 0; same < 2; same++) {
        for (size_t i = 0; i < 4; i++)
            for (int bare = 1; bare >= 0; bare--)
                run(bare, same, sizes[i], false, seconds);
        for (int bare = 1; bare >= 0; bare--)
            run(bare, same, 64, true, seconds);
    }
    return 0;
}
