/* The ring by itself, in memory that is really mapped twice: order, room, words of waiting, and counts that lie. */
#include "ends.h"
#include "stream/shm.h"

#include <sys/mman.h>

#define SIZE 4096u

struct world {
    struct shm_map map;
    struct ring_writer w;
    struct ring_reader r;
};

static void world_open(struct world *x)
{
    size_t size = shm_size(SIZE);
    int memory = shm_memory_new(size);
    assert_true(memory >= 0);
    assert_int_equal(shm_memory_check(memory, size), 0);
    assert_int_equal(shm_memory_check(memory, size * 2), -EPROTO);
    assert_int_equal(shm_map(memory, size, &x->map), 0);
    close(memory);
    ring_writer_init(&x->w, shm_map_shared(&x->map, 1), shm_map_bytes(&x->map, 1), size);
    ring_reader_init(&x->r, shm_map_shared(&x->map, 1), shm_map_bytes(&x->map, 1), size);
}

static void world_close(struct world *x)
{
    shm_unmap(&x->map);
}

static void both_rings_lie_apart_and_twice(void **state)
{
    (void)state;
    struct world x;
    world_open(&x);
    for (unsigned i = 0; i < 2; i++) {
        uint8_t *bytes = shm_map_bytes(&x.map, i);
        bytes[3] = (uint8_t)(10 + i);
        bytes[x.map.bytes + 4] = (uint8_t)(20 + i);
        assert_int_equal(bytes[x.map.bytes + 3], 10 + i);
        assert_int_equal(bytes[4], 20 + i);
    }
    assert_int_equal(shm_map_bytes(&x.map, 0)[3], 10);
    world_close(&x);
}

static void write_bytes(struct ring_writer *w, size_t at, size_t len)
{
    uint8_t *to = ring_writer_at(w);
    for (size_t i = 0; i < len; i++)
        to[i] = byte_at(at + i);
    ring_publish(w, len);
}

static void read_bytes(struct ring_reader *r, size_t at, size_t len)
{
    const uint8_t *from = ring_reader_at(r);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(from[i], byte_at(at + i));
    ring_consume(r, len);
}

static void any_piece_is_in_one_piece(void **state)
{
    (void)state;
    struct world x;
    uint32_t seed = 3;
    size_t written = 0;
    size_t read = 0;
    world_open(&x);
    for (int i = 0; i < 20000; i++) {
        ssize_t room = ring_room(&x.w, x.w.size);
        /* The reader keeps back at most a sixteenth of what it has consumed. */
        assert_true((size_t)room + (written - read) <= x.w.size);
        assert_true((size_t)room + (written - read) + x.w.size / 16 >= x.w.size);
        size_t len = next_random(&seed) % ((size_t)room + 1);
        write_bytes(&x.w, written, len);
        written += len;
        assert_int_equal(ring_used(&x.r, SIZE_MAX), written - read);
        len = next_random(&seed) % (written - read + 1);
        read_bytes(&x.r, read, len);
        read += len;
    }
    read_bytes(&x.r, read, written - read);
    assert_int_equal(ring_room(&x.w, x.w.size), x.w.size);
    world_close(&x);
}

static void who_waits_is_woken_once(void **state)
{
    (void)state;
    struct world x;
    world_open(&x);
    size_t size = x.w.size;
    assert_false(ring_publish(&x.w, 1));
    assert_false(ring_reader_waits(&x.r));
    assert_int_equal(ring_used(&x.r, 1), 1);
    assert_true(ring_publish(&x.w, size - 1));
    assert_false(ring_publish(&x.w, 0));
    assert_int_equal(ring_room(&x.w, 1), 0);
    ring_writer_waits(&x.w);
    assert_int_equal(ring_room(&x.w, 1), 0);
    assert_false(ring_consume(&x.r, size / 2 - 1));
    assert_true(ring_consume(&x.r, size / 16));
    assert_false(ring_consume(&x.r, size / 16));
    assert_int_equal(ring_room(&x.w, 1), size / 2 - 1 + size / 8);
    /* Both wait, for more than there is: the reader's word wakes the writer. */
    ring_writer_waits(&x.w);
    assert_true(ring_reader_waits(&x.r));
    assert_false(ring_reader_waits(&x.r));
    assert_true(ring_end(&x.w));
    assert_true(ring_is_ended(&x.r));
    ring_writer_waits(&x.w);
    assert_false(ring_is_stopped(&x.w));
    assert_true(ring_stop(&x.r));
    assert_true(ring_is_stopped(&x.w));
    world_close(&x);
}

static void counts_that_cannot_be_are_refused_for_good(void **state)
{
    (void)state;
    static const uint64_t lies[] = {SIZE + 1, UINT64_MAX, 1ull << 63, 1ull << 32};
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct world x;
        world_open(&x);
        uint64_t lie = lies[i] == SIZE + 1 ? x.w.size + 1 : lies[i];
        atomic_store(&x.w.shared->head, lie);
        assert_int_equal(ring_used(&x.r, 1), -EPROTO);
        atomic_store(&x.w.shared->head, 1);
        assert_int_equal(ring_used(&x.r, 1), -EPROTO);
        atomic_store(&x.w.shared->tail, lie == UINT64_MAX ? 1 : lie);
        assert_int_equal(ring_room(&x.w, SIZE_MAX), -EPROTO);
        atomic_store(&x.w.shared->tail, 0);
        assert_int_equal(ring_room(&x.w, SIZE_MAX), -EPROTO);
        world_close(&x);
    }
}

/* Whatever lies in shared memory: room and used bytes never exceed the ring. */
static void scribbled_memory_stays_within_bounds(void **state)
{
    (void)state;
    uint32_t seed = 9;
    for (int round = 0; round < 300; round++) {
        struct world x;
        world_open(&x);
        uint8_t *shared = (uint8_t *)x.w.shared;
        for (int i = 0; i < 200; i++) {
            size_t at = next_random(&seed) % sizeof(struct ring_shared);
            if (next_random(&seed) % 4 == 0)
                shared[at] = (uint8_t)next_random(&seed);
            ssize_t room = ring_room(&x.w, SIZE_MAX);
            assert_true(room == -EPROTO || (room >= 0 && (size_t)room <= x.w.size));
            if (room > 0)
                ring_publish(&x.w, next_random(&seed) % ((size_t)room + 1));
            ssize_t used = ring_used(&x.r, SIZE_MAX);
            assert_true(used == -EPROTO || (used >= 0 && (size_t)used <= x.r.size));
            if (used > 0)
                ring_consume(&x.r, next_random(&seed) % ((size_t)used + 1));
            ring_writer_waits(&x.w);
            (void)ring_reader_waits(&x.r);
        }
        world_close(&x);
    }
}

static void sizes_are_powers_of_two_and_pages(void **state)
{
    (void)state;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    assert_int_equal(shm_size(1), page);
    assert_int_equal(shm_size(page + 1), 2 * page);
    assert_int_equal(shm_size(64 * 1024 * 1024), 64 * 1024 * 1024);
    assert_int_equal(shm_size(64 * 1024 * 1024 + 1), 0);
    assert_int_equal(shm_size(UINT64_MAX), 0);
}

#define COUNTED(f) cmocka_unit_test_setup_teardown(f, count_before, count_after)

int main(void)
{
    const struct CMUnitTest tests[] = {
        COUNTED(both_rings_lie_apart_and_twice),
        COUNTED(any_piece_is_in_one_piece),
        COUNTED(who_waits_is_woken_once),
        COUNTED(counts_that_cannot_be_are_refused_for_good),
        COUNTED(scribbled_memory_stays_within_bounds),
        COUNTED(sizes_are_powers_of_two_and_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
