/* Promises about ends: who closes, and what the other side sees of it. */
#include "promises.h"

/* --- the last writer closes --- */

static void drained_and_then_the_end(const struct kind *kind)
{
    struct ends e;
    char bytes[16];
    kind->open(&e);
    set_timeouts(&e, PATIENCE_MS);
    assert_int_equal(weir_write_all(e.writer, "last", 4), 0);
    if (same_stream(&e)) {
        assert_int_equal(weir_end(e.writer), 0);
    } else {
        assert_int_equal(weir_close(e.writer), 0);
        e.writer = NULL;
    }
    nap_ms(20);
    assert_int_equal(weir_read_full(e.reader, bytes, sizeof(bytes)), 4);
    assert_memory_equal(bytes, "last", 4);
    for (int i = 0; i < 2; i++)
        assert_int_equal(weir_read(e.reader, bytes, sizeof(bytes)), 0);
    assert_int_equal(same_stream(&e) ? weir_close(e.reader) : close_ends(&e), 0);
}

/* The last of several, where there can be several. */
static void the_last_of_two_writers(const struct kind *kind)
{
    struct ends e;
    struct weir_stream *second;
    char bytes[8];
    drained_and_then_the_end(kind);
    const char *name = fresh_name("pipe:");
    assert_int_equal(weir_open(name, WEIR_READ | WEIR_CREATE, 0, &e.reader), 0);
    assert_int_equal(weir_open(name, WEIR_WRITE, PATIENCE_MS, &e.writer), 0);
    assert_int_equal(weir_open(name, WEIR_WRITE, PATIENCE_MS, &second), 0);
    assert_int_equal(weir_write_all(e.writer, "1", 1), 0);
    weir_close(e.writer);
    weir_set_timeout(e.reader, 30);
    assert_int_equal(weir_read(e.reader, bytes, sizeof(bytes)), 1);
    assert_int_equal(weir_read(e.reader, bytes, sizeof(bytes)), -ETIMEDOUT);
    weir_close(second);
    assert_int_equal(weir_read(e.reader, bytes, sizeof(bytes)), 0);
    weir_close(e.reader);
}

/* Who writes a file is nobody's business: it ends where it ends. */
static void the_same_as_before(const struct kind *kind)
{
    struct ends e;
    char bytes[8];
    kind->open(&e);
    assert_int_equal(weir_write_all(e.writer, "last", 4), 0);
    assert_int_equal(weir_close(e.writer), 0);
    assert_int_equal(weir_read_full(e.reader, bytes, sizeof(bytes)), 4);
    assert_int_equal(weir_read(e.reader, bytes, sizeof(bytes)), 0);
    assert_int_equal(weir_close(e.reader), 0);
}

/* --- the last reader closes --- */

/* The first write of `tries` that is told; a millisecond lies before each. */
static int write_until_refused(struct weir_stream *writer, int tries)
{
    int rc = 0;
    weir_set_timeout(writer, PATIENCE_MS);
    for (int i = 0; i < tries && rc == 0; i++) {
        nap_ms(1);
        rc = weir_write_all(writer, "anybody there", 13);
    }
    return rc;
}

static void refused(const struct kind *kind, int tries, bool unread)
{
    struct ends e;
    kind->open(&e);
    if (unread) {
        assert_int_equal(weir_write_all(e.writer, "unread", 6), 0);
        nap_ms(2);
    }
    weir_close(e.reader);
    assert_int_equal(write_until_refused(e.writer, tries), -EPIPE);
    assert_int_equal(weir_write(e.writer, "still", 5), -EPIPE);
    weir_close(e.writer);
}

/* And never a signal: SIGPIPE has its default disposition here, and none is left pending (count_after). */
static void refused_at_once(const struct kind *kind)
{
    refused(kind, 1, false);
    refused(kind, 1, true);
}

static void refused_after_a_write_or_two(const struct kind *kind)
{
    refused(kind, 1000, false);
    refused(kind, 1000, true);
}

/* One that waits for room is told as well. */
static void *close_later(void *arg)
{
    nap_ms(30);
    weir_close(arg);
    return NULL;
}

static void a_waiting_writer_is_refused(const struct kind *kind)
{
    struct ends e;
    pthread_t thread;
    static char block[65536];
    ssize_t n;
    kind->open(&e);
    weir_set_timeout(e.writer, PATIENCE_MS);
    int64_t before = now_ms();
    assert_int_equal(pthread_create(&thread, NULL, close_later, e.reader), 0);
    while ((n = weir_write(e.writer, block, sizeof(block))) > 0)
        ;
    pthread_join(thread, NULL);
    assert_int_equal(n, -EPIPE);
    assert_true(now_ms() - before < 30 + PROMPT_MS);
    weir_close(e.writer);
}

static void epipe_at_once(const struct kind *kind)
{
    refused_at_once(kind);
    a_waiting_writer_is_refused(kind);
}

static void epipe_late(const struct kind *kind)
{
    refused_after_a_write_or_two(kind);
    a_waiting_writer_is_refused(kind);
}

static void child_that_reads_no_more(const struct kind *kind)
{
    static const char *const commands[] = {"exec:true", "exec:sh -c 'exec <&-; exec sleep 60'"};
    (void)kind;
    for (int i = 0; i < 2; i++) {
        struct weir_stream *s;
        assert_int_equal(weir_open(commands[i], 0, 0, &s), 0);
        assert_int_equal(write_until_refused(s, 10000), -EPIPE);
        assert_int_equal(weir_write(s, "still", 5), -EPIPE);
        weir_set_timeout(s, i == 0 ? PATIENCE_MS : 0);
        assert_int_equal(weir_close(s), i == 0 ? 0 : -ETIMEDOUT);
    }
}

static void never_refused(const struct kind *kind)
{
    struct ends e;
    kind->open(&e);
    weir_close(e.reader);
    assert_int_equal(write_until_refused(e.writer, 10), 0);
    weir_close(e.writer);
}

/* --- half-close --- */

static void leaves_the_way_back(const struct kind *kind)
{
    struct ends e;
    char bytes[16];
    kind->open(&e);
    set_timeouts(&e, PATIENCE_MS);
    assert_int_equal(weir_write_all(e.writer, "question", 8), 0);
    assert_int_equal(weir_end(e.writer), 0);
    assert_int_equal(weir_end(e.writer), 0);
    assert_int_equal(weir_write_fd(e.writer), -1);
    assert_int_equal(weir_write(e.writer, "x", 1), -EBADF);
    assert_int_equal(weir_read_full(e.reader, bytes, sizeof(bytes)), 8);
    assert_int_equal(weir_write_all(e.reader, "answer", 6), 0);
    assert_int_equal(weir_end(e.reader), 0);
    assert_int_equal(weir_read_full(e.writer, bytes, sizeof(bytes)), 6);
    assert_memory_equal(bytes, "answer", 6);
    close_ends(&e);
}

static void closes_it(const struct kind *kind)
{
    struct ends e;
    char byte;
    kind->open(&e);
    set_timeouts(&e, PATIENCE_MS);
    assert_int_equal(weir_end(e.reader), 0); /* it writes nothing: nothing to end */
    assert_int_equal(weir_write_all(e.writer, "x", 1), 0);
    assert_int_equal(weir_end(e.writer), 0);
    assert_int_equal(weir_write(e.writer, "x", 1), -EBADF);
    assert_int_equal(weir_read(e.reader, &byte, 1), 1);
    assert_int_equal(weir_read(e.reader, &byte, 1), 0);
    close_ends(&e);
}

static void child_answers_after_it(const struct kind *kind)
{
    struct weir_stream *s;
    char bytes[16];
    (void)kind;
    assert_int_equal(weir_open("exec:sort", 0, 0, &s), 0);
    weir_set_timeout(s, PATIENCE_MS);
    assert_int_equal(weir_write_all(s, "b\na\n", 4), 0);
    assert_int_equal(weir_end(s), 0);
    assert_int_equal(weir_write(s, "x", 1), -EBADF);
    assert_int_equal(weir_read_full(s, bytes, sizeof(bytes)), 4);
    assert_memory_equal(bytes, "a\nb\n", 4);
    assert_int_equal(weir_close(s), 0);
}

static void cannot_be(const struct kind *kind)
{
    struct ends e;
    kind->open(&e);
    assert_int_equal(weir_end(e.writer), -EOPNOTSUPP);
    assert_int_equal(weir_write_all(e.writer, "x", 1), 0);
    close_ends(&e);
}

static void as_what_it_leads_to(const struct kind *kind)
{
    kind->two_way ? leaves_the_way_back(kind) : closes_it(kind);
}

static const struct cell cells[] = {
    CELL("tcp", "writers closed", "drain, then end", drained_and_then_the_end),
    CELL("tcp", "readers closed", "-EPIPE, late", epipe_late),
    CELL("tcp", "half-close", "yes", leaves_the_way_back),

    CELL("tls", "writers closed", "drain, then end", drained_and_then_the_end),
    CELL("tls", "readers closed", "-EPIPE, late", epipe_late),
    CELL("tls", "half-close", "yes, in TLS 1.3", leaves_the_way_back),

    CELL("unix", "writers closed", "drain, then end", drained_and_then_the_end),
    CELL("unix", "readers closed", "-EPIPE at once", epipe_at_once),
    CELL("unix", "half-close", "yes", leaves_the_way_back),

    CELL("socketpair", "writers closed", "drain, then end", drained_and_then_the_end),
    CELL("socketpair", "readers closed", "-EPIPE at once", epipe_at_once),
    CELL("socketpair", "half-close", "yes", leaves_the_way_back),

    CELL("shm", "writers closed", "drain, then end", drained_and_then_the_end),
    CELL("shm", "readers closed", "-EPIPE in 0.1 ms", epipe_at_once),
    CELL("shm", "half-close", "yes", leaves_the_way_back),

    CELL("pipe", "writers closed", "drain, then end", drained_and_then_the_end),
    CELL("pipe", "readers closed", "-EPIPE at once", epipe_at_once),
    CELL("pipe", "half-close", "closes it", closes_it),

    CELL("named pipe", "writers closed", "drain, then end", the_last_of_two_writers),
    CELL("named pipe", "readers closed", "-EPIPE at once", epipe_at_once),
    CELL("named pipe", "half-close", "closes it", closes_it),

    CELL("exec", "writers closed", "drain, then end", drained_and_then_the_end),
    CELL("exec", "readers closed", "-EPIPE at once", child_that_reads_no_more),
    CELL("exec", "half-close", "yes", child_answers_after_it),

    CELL("file", "writers closed", "nothing changes", the_same_as_before),
    CELL("file", "readers closed", "nothing changes", never_refused),
    CELL("file", "half-close", "-EOPNOTSUPP", cannot_be),

    CELL("fd", "writers closed", "drain, then end", drained_and_then_the_end),
    CELL("fd", "readers closed", "as it leads to", epipe_at_once),
    CELL("fd", "half-close", "as it leads to", as_what_it_leads_to),
};

int main(void)
{
    return run_cells("ends", cells, sizeof(cells) / sizeof(cells[0]));
}
