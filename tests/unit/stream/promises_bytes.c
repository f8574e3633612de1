/* Promises about bytes: which way they go, that they arrive, and who waits. */
#include "promises.h"

/* --- directions --- */

static void swap(struct ends *e)
{
    struct weir_stream *writer = e->writer;
    e->writer = e->reader;
    e->reader = writer;
}

static void assert_passes(struct ends *e, const char *word)
{
    char bytes[16];
    assert_int_equal(weir_write_all(e->writer, word, strlen(word)), 0);
    assert_int_equal(weir_read_full(e->reader, bytes, strlen(word)), strlen(word));
    assert_memory_equal(bytes, word, strlen(word));
}

static void two_ways(const struct kind *kind)
{
    struct ends e;
    kind->open(&e);
    set_timeouts(&e, PATIENCE_MS);
    for (int i = 0; i < 4; i++) {
        assert_passes(&e, i % 2 ? "back" : "forth");
        swap(&e);
    }
    close_ends(&e);
}

static void one_way(const struct kind *kind)
{
    struct ends e;
    char byte = 0;
    kind->open(&e);
    assert_passes(&e, "forth");
    assert_int_equal(weir_write(e.reader, &byte, 1), -EBADF);
    assert_int_equal(weir_read(e.writer, &byte, 1), -EBADF);
    assert_int_equal(weir_write_fd(e.reader), -1);
    assert_int_equal(weir_read_fd(e.writer), -1);
    close_ends(&e);
}

/* A child's input and output need not have anything to do with each other. */
static void two_pipes(const struct kind *kind)
{
    struct weir_stream *s;
    char bytes[8];
    two_ways(kind);
    assert_int_equal(weir_open("exec:sh -c 'echo first; cat >&2'", 0, 0, &s), 0);
    weir_set_timeout(s, PATIENCE_MS);
    assert_true(weir_read_fd(s) != weir_write_fd(s));
    assert_int_equal(weir_read_full(s, bytes, 6), 6);
    assert_int_equal(weir_end(s), 0);
    assert_int_equal(weir_read(s, bytes, 1), 0);
    assert_int_equal(weir_close(s), 0);
}

/* Reading and writing move on together. */
static void one_place_for_both(const struct kind *kind)
{
    (void)kind;
    const char *name = fresh_name("file:");
    struct weir_stream *s;
    char bytes[8];
    assert_int_equal(weir_open(name, WEIR_WRITE | WEIR_CREATE, 0, &s), 0);
    assert_int_equal(weir_write_all(s, "abcdef", 6), 0);
    assert_int_equal(weir_read(s, bytes, 1), -EBADF);
    assert_int_equal(weir_close(s), 0);
    assert_int_equal(weir_open(name, WEIR_READ | WEIR_WRITE, 0, &s), 0);
    assert_int_equal(weir_read_full(s, bytes, 2), 2);
    assert_int_equal(weir_write_all(s, "XY", 2), 0);
    assert_int_equal(weir_read_full(s, bytes, 8), 2);
    assert_memory_equal(bytes, "ef", 2);
    assert_int_equal(weir_close(s), 0);
}

static void the_ways_of_what_it_leads_to(const struct kind *kind)
{
    kind->two_way ? two_ways(kind) : one_way(kind);
}

/* --- whole and in order --- */

#define STRESS_BYTES (2u * 1024 * 1024)

static void *write_stress(void *arg)
{
    struct weir_stream *s = arg;
    uint8_t bytes[70000];
    uint32_t seed = 7;
    for (size_t sent = 0; sent < STRESS_BYTES;) {
        size_t len = next_random(&seed) % (next_random(&seed) % 4 ? 3000 : sizeof(bytes)) + 1;
        len = len < STRESS_BYTES - sent ? len : STRESS_BYTES - sent;
        for (size_t i = 0; i < len; i++)
            bytes[i] = byte_at(sent + i);
        int rc = weir_write_all(s, bytes, len);
        if (rc < 0)
            return (void *)(intptr_t)rc;
        sent += len;
    }
    int rc = weir_end(s);
    return (void *)(intptr_t)(rc == -EOPNOTSUPP ? 0 : rc);
}

/* How many bytes were right until the end; negative: the error. */
static void *read_stress(void *arg)
{
    struct weir_stream *s = arg;
    uint8_t bytes[90000];
    uint32_t seed = 11;
    intptr_t have = 0;
    for (;;) {
        size_t len = next_random(&seed) % (next_random(&seed) % 4 ? 5000 : sizeof(bytes)) + 1;
        ssize_t n = weir_read(s, bytes, len);
        for (ssize_t i = 0; i < n; i++, have++)
            if (bytes[i] != byte_at((size_t)have))
                return (void *)(intptr_t)-EBADMSG;
        if (n <= 0)
            return (void *)(n < 0 ? n : have);
    }
}

static void assert_ends_with(pthread_t thread, intptr_t value)
{
    void *result;
    pthread_join(thread, &result);
    assert_int_equal((intptr_t)result, value);
}

static void arrive_whole_and_in_order(const struct kind *kind)
{
    struct ends e;
    pthread_t threads[4];
    kind->open(&e);
    set_timeouts(&e, PATIENCE_MS);
    assert_int_equal(pthread_create(&threads[0], NULL, write_stress, e.writer), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, read_stress, e.reader), 0);
    if (kind->two_way) {
        assert_int_equal(pthread_create(&threads[2], NULL, write_stress, e.reader), 0);
        assert_int_equal(pthread_create(&threads[3], NULL, read_stress, e.writer), 0);
        assert_ends_with(threads[2], 0);
        assert_ends_with(threads[3], STRESS_BYTES);
    }
    assert_ends_with(threads[0], 0);
    assert_ends_with(threads[1], STRESS_BYTES);
    assert_int_equal(close_ends(&e), 0);
}

static void are_there_when_they_are_read(const struct kind *kind)
{
    struct ends e;
    kind->open(&e);
    assert_int_equal((intptr_t)write_stress(e.writer), 0);
    assert_int_equal((intptr_t)read_stress(e.reader), STRESS_BYTES);
    assert_int_equal(close_ends(&e), 0);
}

/* --- a full queue --- */

static void full_makes_the_writer_wait(const struct kind *kind)
{
    struct ends e;
    static char block[65536];
    size_t sent = 0;
    size_t got = 0;
    ssize_t n;
    kind->open(&e);
    set_timeouts(&e, 60);
    int64_t before = now_ms();
    while ((n = weir_write(e.writer, block, sizeof(block))) > 0) {
        sent += (size_t)n;
        assert_true(sent < 64u * 1024 * 1024); /* the queue has a bound */
    }
    assert_int_equal(n, -ETIMEDOUT);
    assert_true(now_ms() - before >= 59);
    set_timeouts(&e, PATIENCE_MS);
    /* Half of it out of the way, and the writer goes on. */
    while (got < sent && got < sent / 2 + sizeof(block)) {
        n = weir_read(e.reader, block, sizeof(block));
        assert_true(n > 0);
        got += (size_t)n;
    }
    assert_true(weir_write(e.writer, block, sizeof(block)) > 0);
    if (same_stream(&e))
        weir_set_timeout(e.writer, WEIR_FOREVER); /* what is left is written into a closed pipe */
    close_ends(&e);
}

static void full_is_no_space(const struct kind *kind)
{
    struct ends e;
    static char block[65536];
    struct weir_stream *full;
    kind->open(&e);
    set_timeouts(&e, 0);
    for (int i = 0; i < 64; i++) /* more than any queue holds, and no wait is allowed */
        assert_int_equal(weir_write_all(e.writer, block, sizeof(block)), 0);
    close_ends(&e);
    assert_int_equal(weir_open("file:/dev/full", WEIR_WRITE, 0, &full), 0);
    assert_int_equal(weir_write_all(full, "x", 1), -ENOSPC);
    weir_close(full);
}

/* --- an empty queue --- */

static void *write_late(void *arg)
{
    nap_ms(80);
    return (void *)(intptr_t)weir_write_all(arg, "late", 4);
}

static void empty_makes_the_reader_wait(const struct kind *kind)
{
    struct ends e;
    pthread_t thread;
    char bytes[16];
    kind->open(&e);
    set_timeouts(&e, 40);
    int64_t before = now_ms();
    assert_int_equal(weir_read(e.reader, bytes, sizeof(bytes)), -ETIMEDOUT);
    assert_true(now_ms() - before >= 39);
    set_timeouts(&e, PATIENCE_MS);
    before = now_ms();
    assert_int_equal(pthread_create(&thread, NULL, write_late, e.writer), 0);
    assert_int_equal(weir_read_full(e.reader, bytes, 4), 4);
    assert_memory_equal(bytes, "late", 4);
    assert_true(now_ms() - before >= 79);
    assert_ends_with(thread, 0);
    close_ends(&e);
}

static void empty_is_the_end_for_now(const struct kind *kind)
{
    struct ends e;
    char bytes[8];
    kind->open(&e);
    set_timeouts(&e, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(weir_read(e.reader, bytes, sizeof(bytes)), 0);
        assert_int_equal(weir_write_all(e.writer, "more", 4), 0);
        assert_int_equal(weir_read(e.reader, bytes, sizeof(bytes)), 4);
    }
    close_ends(&e);
}

static const struct cell cells[] = {
    CELL("tcp", "directions", "two", two_ways),
    CELL("tcp", "bytes", "all, in order", arrive_whole_and_in_order),
    CELL("tcp", "queue full", "writer waits", full_makes_the_writer_wait),
    CELL("tcp", "queue empty", "reader waits", empty_makes_the_reader_wait),

    CELL("tls", "directions", "two", two_ways),
    CELL("tls", "bytes", "all, in order", arrive_whole_and_in_order),
    CELL("tls", "queue full", "writer waits", full_makes_the_writer_wait),
    CELL("tls", "queue empty", "reader waits", empty_makes_the_reader_wait),

    CELL("unix", "directions", "two", two_ways),
    CELL("unix", "bytes", "all, in order", arrive_whole_and_in_order),
    CELL("unix", "queue full", "writer waits", full_makes_the_writer_wait),
    CELL("unix", "queue empty", "reader waits", empty_makes_the_reader_wait),

    CELL("socketpair", "directions", "two", two_ways),
    CELL("socketpair", "bytes", "all, in order", arrive_whole_and_in_order),
    CELL("socketpair", "queue full", "writer waits", full_makes_the_writer_wait),
    CELL("socketpair", "queue empty", "reader waits", empty_makes_the_reader_wait),

    CELL("shm", "directions", "two", two_ways),
    CELL("shm", "bytes", "all, in order", arrive_whole_and_in_order),
    CELL("shm", "queue full", "writer waits", full_makes_the_writer_wait),
    CELL("shm", "queue empty", "reader waits", empty_makes_the_reader_wait),

    CELL("pipe", "directions", "one", one_way),
    CELL("pipe", "bytes", "all, in order", arrive_whole_and_in_order),
    CELL("pipe", "queue full", "writer waits", full_makes_the_writer_wait),
    CELL("pipe", "queue empty", "reader waits", empty_makes_the_reader_wait),

    CELL("named pipe", "directions", "one", one_way),
    CELL("named pipe", "bytes", "all, in order", arrive_whole_and_in_order),
    CELL("named pipe", "queue full", "writer waits", full_makes_the_writer_wait),
    CELL("named pipe", "queue empty", "reader waits", empty_makes_the_reader_wait),

    CELL("exec", "directions", "two pipes", two_pipes),
    CELL("exec", "bytes", "all, in order", arrive_whole_and_in_order),
    CELL("exec", "queue full", "writer waits", full_makes_the_writer_wait),
    CELL("exec", "queue empty", "reader waits", empty_makes_the_reader_wait),

    CELL("file", "directions", "one place for both", one_place_for_both),
    CELL("file", "bytes", "all, in order", are_there_when_they_are_read),
    CELL("file", "queue full", "never; -ENOSPC", full_is_no_space),
    CELL("file", "queue empty", "the end, for now", empty_is_the_end_for_now),

    CELL("fd", "directions", "as it leads to", the_ways_of_what_it_leads_to),
    CELL("fd", "bytes", "all, in order", arrive_whole_and_in_order),
    CELL("fd", "queue full", "writer waits", full_makes_the_writer_wait),
    CELL("fd", "queue empty", "reader waits", empty_makes_the_reader_wait),
};

int main(void)
{
    return run_cells("bytes", cells, sizeof(cells) / sizeof(cells[0]));
}
