/*
 * Shared memory with a hostile peer: the input scribbles over what both share, rings, and sends words over the socket, between
 * calls of the honest end. The first byte chooses that, or a handshake made of the input.
 */
#include "stream/shm.h"

#include "stream/wait.h"

#include <weir/shm.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define STEP 4 /* bytes of input for each thing that happens */

static uint8_t block[1 << 16];

static void expect(ssize_t n, size_t max)
{
    if (n > 0 && (size_t)n > max)
        abort();
}

static void poke(struct shm *hostile, const uint8_t *step)
{
    uint8_t *base = (uint8_t *)shm_map_shared(&hostile->map, 0);
    size_t at = (size_t)(step[1] | step[2] << 8) % (2 * sizeof(struct ring_shared));
    if (step[0] & 8)
        *(uint64_t *)(void *)(base + (at & ~(size_t)7)) = step[3] * 257ull << (step[2] & 31);
    else
        base[at] = step[3];
}

static void use(struct weir_stream *s, const uint8_t *step)
{
    size_t n = (size_t)(step[1] | step[2] << 8) + 1;
    size_t size = weir_shm_size(s);
    const void *from;
    void *to;
    ssize_t have;
    switch (step[0] % 8) {
    case 0:
        expect(weir_read(s, block, n), n);
        break;
    case 1:
        expect(weir_write(s, block, n), n);
        break;
    case 2:
        have = weir_shm_peek(s, n % size, &from);
        expect(have, size);
        if (have > 0) {
            memcpy(block, from, (size_t)have);
            (void)!weir_shm_consume(s, (size_t)have / 2);
        }
        break;
    case 3:
        have = weir_shm_reserve(s, n % size, &to);
        expect(have, size);
        if (have > 0) {
            memset(to, step[3], (size_t)have);
            (void)!weir_shm_commit(s, (size_t)have / 3);
        }
        break;
    default:
        break;
    }
}

static void scribble(const uint8_t *bytes, size_t len)
{
    struct weir_stream *ends[2];
    if (weir_shm_pair(4096, ends) < 0)
        abort();
    weir_set_timeout(ends[0], 0);
    for (; len >= STEP; bytes += STEP, len -= STEP) {
        if (bytes[0] % 8 < 4)
            use(ends[0], bytes);
        else if (bytes[0] % 8 < 6)
            poke(ends[1]->shm, bytes);
        else if (bytes[0] % 8 == 6)
            shm_ring(ends[1]->shm);
        else
            (void)!send(ends[1]->shm->socket, bytes + 1, bytes[1] % 3 + 1,
                        MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    weir_close(ends[1]);
    weir_close(ends[0]);
}

/* The input is what a server says first, along with three descriptors that are right. */
static void greet(const uint8_t *bytes, size_t len)
{
    struct weir_stream *pair[2];
    struct shm *shm;
    int fds[3] = {shm_memory_new(4096), shm_bell_new(), shm_bell_new()};
    if (len == 0 || len > 64 || weir_pair(pair) < 0)
        goto done;
    if (weir_send_fds(pair[0], bytes, len, fds, 3 - bytes[0] % 2) < 0)
        abort();
    if (shm_join(dup(weir_read_fd(pair[1])), deadline_in(0), &shm) == 0)
        shm_close(shm);
    weir_close(pair[0]);
    weir_close(pair[1]);
done:
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len > 1 && bytes[0] % 8 == 0)
        greet(bytes + 1, len - 1);
    else if (len > 1)
        scribble(bytes + 1, len - 1);
    return 0;
}
