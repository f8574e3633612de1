/* What every stream promises, on every transport. */
#include "ends.h"

#include <fcntl.h>
#include <sys/socket.h>

#define STRESS_BYTES (3u * 1024 * 1024)

static void *write_stress(void *arg)
{
    struct ends *e = arg;
    uint8_t bytes[70000];
    uint32_t seed = 7;
    for (size_t sent = 0; sent < STRESS_BYTES;) {
        size_t len = next_random(&seed) % (next_random(&seed) % 4 ? 3000 : sizeof(bytes)) + 1;
        len = len < STRESS_BYTES - sent ? len : STRESS_BYTES - sent;
        for (size_t i = 0; i < len; i++)
            bytes[i] = byte_at(sent + i);
        int rc = weir_write_all(e->writer, bytes, len);
        if (rc < 0)
            return (void *)(intptr_t)rc;
        sent += len;
    }
    return (void *)(intptr_t)weir_end(e->writer);
}

static void bytes_arrive_whole_and_in_order(void **state)
{
    const struct kind *kind = *state;
    struct ends e;
    pthread_t thread;
    uint8_t bytes[90000];
    uint32_t seed = 11;
    size_t have = 0;
    void *result;
    kind->open(&e);
    set_timeouts(&e, PATIENCE_MS);
    assert_int_equal(pthread_create(&thread, NULL, write_stress, &e), 0);
    for (;;) {
        size_t len = next_random(&seed) % (next_random(&seed) % 4 ? 5000 : sizeof(bytes)) + 1;
        ssize_t n = weir_read(e.reader, bytes, len);
        assert_true(n >= 0);
        for (ssize_t i = 0; i < n; i++)
            if (bytes[i] != byte_at(have + (size_t)i))
                fail_msg("%s: wrong byte at %zu", kind->name, have + (size_t)i);
        have += (size_t)n;
        if (n == 0)
            break;
    }
    assert_int_equal(have, STRESS_BYTES);
    pthread_join(thread, &result);
    assert_int_equal((intptr_t)result, 0);
    assert_int_equal(close_ends(&e), 0);
}

static void full_queue_makes_the_writer_wait(void **state)
{
    const struct kind *kind = *state;
    struct ends e;
    static char block[65536];
    size_t sent = 0;
    size_t got = 0;
    ssize_t n;
    kind->open(&e);
    set_timeouts(&e, 60);
    while ((n = weir_write(e.writer, block, sizeof(block))) > 0) {
        sent += (size_t)n;
        assert_true(sent < 64u * 1024 * 1024); /* the queue has a bound */
    }
    assert_int_equal(n, -ETIMEDOUT);
    set_timeouts(&e, PATIENCE_MS);
    /* Half of it out of the way, and the writer goes on. */
    while (got < sent / 2 + sizeof(block)) {
        n = weir_read(e.reader, block, sizeof(block));
        assert_true(n > 0);
        got += (size_t)n;
        if (got == sent)
            break;
    }
    n = weir_write(e.writer, block, sizeof(block));
    assert_true(n > 0);
    if (e.writer == e.reader)
        weir_set_timeout(e.writer, WEIR_FOREVER);
    close_ends(&e);
}

static void *write_late(void *arg)
{
    struct ends *e = arg;
    nap_ms(80);
    return (void *)(intptr_t)weir_write_all(e->writer, "late", 4);
}

static void empty_queue_makes_the_reader_wait(void **state)
{
    const struct kind *kind = *state;
    struct ends e;
    pthread_t thread;
    char bytes[16];
    kind->open(&e);
    set_timeouts(&e, 40);
    int64_t before = now_ms();
    assert_int_equal(weir_read(e.reader, bytes, sizeof(bytes)), -ETIMEDOUT);
    assert_true(now_ms() - before >= 39);
    set_timeouts(&e, PATIENCE_MS);
    assert_int_equal(pthread_create(&thread, NULL, write_late, &e), 0);
    assert_int_equal(weir_read_full(e.reader, bytes, 4), 4);
    assert_memory_equal(bytes, "late", 4);
    assert_true(now_ms() - before >= 100);
    pthread_join(thread, NULL);
    close_ends(&e);
}

static void reader_drains_and_then_sees_the_end(void **state)
{
    const struct kind *kind = *state;
    struct ends e;
    char bytes[16];
    kind->open(&e);
    set_timeouts(&e, PATIENCE_MS);
    assert_int_equal(weir_write_all(e.writer, "last", 4), 0);
    if (e.writer == e.reader) {
        assert_int_equal(weir_end(e.writer), 0);
    } else {
        assert_int_equal(weir_close(e.writer), 0);
        e.writer = NULL;
    }
    nap_ms(20);
    assert_int_equal(weir_read_full(e.reader, bytes, sizeof(bytes)), 4);
    assert_memory_equal(bytes, "last", 4);
    assert_int_equal(weir_read(e.reader, bytes, sizeof(bytes)), 0);
    assert_int_equal(weir_read(e.reader, bytes, sizeof(bytes)), 0);
    if (e.writer == e.reader)
        assert_int_equal(weir_close(e.reader), 0);
    else
        assert_int_equal(close_ends(&e), 0);
}

static void writer_gets_epipe_and_no_signal(void **state)
{
    const struct kind *kind = *state;
    struct ends e;
    int rc = 0;
    if (kind->open == open_exec) {
        assert_int_equal(weir_open("exec:true", 0, 0, &e.writer), 0);
        e.reader = NULL;
    } else {
        kind->open(&e);
        weir_close(e.reader);
        e.reader = NULL;
    }
    weir_set_timeout(e.writer, PATIENCE_MS);
    int tries = kind->late_epipe || kind->open == open_exec ? 1000 : 1;
    for (int i = 0; i < tries && rc == 0; i++) {
        rc = weir_write_all(e.writer, "anybody there", 13);
        if (rc == 0)
            nap_ms(2);
    }
    assert_int_equal(rc, -EPIPE);
    assert_int_equal(weir_write(e.writer, "still", 5), -EPIPE);
    weir_close(e.writer);
}

static void unread_bytes_do_not_change_epipe(void **state)
{
    const struct kind *kind = *state;
    struct ends e;
    int rc = 0;
    if (kind->open == open_exec)
        return;
    kind->open(&e);
    assert_int_equal(weir_write_all(e.writer, "unread", 6), 0);
    nap_ms(10);
    weir_close(e.reader);
    weir_set_timeout(e.writer, PATIENCE_MS);
    for (int i = 0; i < 1000 && rc == 0; i++)
        rc = weir_write_all(e.writer, "x", 1);
    assert_int_equal(rc, -EPIPE);
    weir_close(e.writer);
}

static void half_close_leaves_the_way_back(void **state)
{
    const struct kind *kind = *state;
    struct ends e;
    char bytes[16];
    if (!kind->two_way)
        return;
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

static void file_never_waits(void **state)
{
    (void)state;
    const char *name = fresh_name("file:");
    struct weir_stream *out;
    struct weir_stream *in;
    char bytes[16];
    assert_int_equal(weir_open(name, 0, 0, &in), -ENOENT);
    assert_int_equal(weir_open(name, WEIR_WRITE | WEIR_CREATE, 0, &out), 0);
    assert_int_equal(weir_open(name, 0, 0, &in), 0);
    assert_int_equal(weir_read(in, bytes, sizeof(bytes)), 0);
    assert_int_equal(weir_write_all(out, "first", 5), 0);
    assert_int_equal(weir_read(in, bytes, sizeof(bytes)), 5);
    assert_int_equal(weir_read(in, bytes, sizeof(bytes)), 0);
    assert_int_equal(weir_write(in, "x", 1), -EBADF);
    assert_int_equal(weir_end(out), -EOPNOTSUPP);
    assert_int_equal(weir_close(out), 0);
    assert_int_equal(weir_open(name, WEIR_WRITE | WEIR_APPEND, 0, &out), 0);
    assert_int_equal(weir_write_all(out, " last", 5), 0);
    assert_int_equal(weir_close(out), 0);
    assert_int_equal(weir_read(in, bytes, sizeof(bytes)), 5);
    assert_int_equal(weir_open(name, WEIR_WRITE | WEIR_TRUNCATE, 0, &out), 0);
    assert_int_equal(weir_close(out), 0);
    assert_int_equal(weir_close(in), 0);
    assert_int_equal(weir_open("file:/tmp", 0, 0, &in), -EISDIR);
}

static void full_disk_is_an_error(void **state)
{
    (void)state;
    struct weir_stream *full;
    assert_int_equal(weir_open("file:/dev/full", WEIR_WRITE, 0, &full), 0);
    assert_int_equal(weir_write_all(full, "x", 1), -ENOSPC);
    weir_close(full);
}

static void named_pipe_reader_waits_for_its_first_writer(void **state)
{
    (void)state;
    const char *name = fresh_name("pipe:");
    struct weir_stream *in;
    struct weir_stream *out;
    char bytes[8];
    assert_int_equal(weir_open(name, WEIR_READ | WEIR_CREATE, 0, &in), 0);
    weir_set_timeout(in, 40);
    assert_int_equal(weir_read(in, bytes, sizeof(bytes)), -ETIMEDOUT);
    assert_int_equal(weir_open(name, WEIR_WRITE, 1000, &out), 0);
    assert_int_equal(weir_read(in, bytes, sizeof(bytes)), -ETIMEDOUT);
    /* One that came and left without a word is an end of file. */
    weir_close(out);
    assert_int_equal(weir_read(in, bytes, sizeof(bytes)), 0);
    weir_close(in);
}

static void named_pipe_writer_waits_for_a_reader(void **state)
{
    (void)state;
    const char *name = fresh_name("pipe:");
    struct weir_stream *out;
    struct weir_stream *file;
    int64_t before = now_ms();
    assert_int_equal(weir_open(name, WEIR_WRITE, 0, &out), -ENOENT);
    assert_int_equal(weir_open(name, WEIR_WRITE | WEIR_CREATE, 60, &out), -ETIMEDOUT);
    assert_true(now_ms() - before >= 59);
    name = fresh_name("pipe:");
    assert_int_equal(weir_open(name, WEIR_READ, 0, &out), -ENOENT);
    char as_file[128];
    snprintf(as_file, sizeof(as_file), "file:%s", name + 5);
    assert_int_equal(weir_open(as_file, WEIR_WRITE | WEIR_CREATE, 0, &file), 0);
    weir_close(file);
    assert_int_equal(weir_open(name, WEIR_WRITE, 1000, &out), -ENOTSUP);
    assert_int_equal(weir_open(name, WEIR_READ, 1000, &out), -ENOTSUP);
}

/* Everything that the flag of a descriptor given to us may touch, and that it does not. */
static void given_descriptors_keep_their_flags(void **state)
{
    (void)state;
    int fds[2];
    char name[32];
    char bytes[8];
    struct weir_stream *in;
    struct weir_stream *out;
    for (int socket = 0; socket < 2; socket++) {
        assert_int_equal(socket ? socketpair(AF_UNIX, SOCK_STREAM, 0, fds) : pipe(fds), 0);
        int keep[2] = {dup(fds[0]), dup(fds[1])};
        snprintf(name, sizeof(name), "fd:%d", fds[0]);
        assert_int_equal(weir_open(name, WEIR_READ, 0, &in), 0);
        assert_int_equal(weir_from_fd(fds[1], false, &out), 0);
        weir_set_timeout(in, 30);
        assert_int_equal(weir_read(in, bytes, sizeof(bytes)), -ETIMEDOUT);
        for (int i = 0; i < 2; i++)
            assert_false(fcntl(keep[i], F_GETFL) & O_NONBLOCK);
        assert_int_equal(weir_write_all(out, "x", 1), 0);
        assert_int_equal(weir_read(in, bytes, sizeof(bytes)), 1);
        if (!socket)
            assert_int_equal(weir_end(out), -EOPNOTSUPP); /* nobody would see it */
        weir_close(out);
        assert_true(fcntl(fds[1], F_GETFD) >= 0); /* lent: still open */
        weir_close(in);
        assert_int_equal(fcntl(fds[0], F_GETFD), -1); /* named: belonged to the stream */
        close(fds[1]);
        close(keep[0]);
        close(keep[1]);
    }
}

/* Where the pipe cannot be opened anew (another user's, no /proc), waiting is left to poll(2). */
static void standard_streams_stay_open(void **state)
{
    (void)state;
    int fds[2];
    int saved = dup(STDIN_FILENO);
    struct weir_stream *in;
    char bytes[8];
    assert_int_equal(pipe(fds), 0);
    dup2(fds[0], STDIN_FILENO);
    close(fds[0]);
    assert_int_equal(weir_open("-", WEIR_READ, 0, &in), 0);
    assert_int_equal(write(fds[1], "hi", 2), 2);
    assert_int_equal(weir_read(in, bytes, sizeof(bytes)), 2);
    weir_close(in);
    assert_int_equal(write(fds[1], "ho", 2), 2);
    assert_int_equal(read(STDIN_FILENO, bytes, sizeof(bytes)), 2);
    assert_false(fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK);
    dup2(saved, STDIN_FILENO);
    close(saved);
    close(fds[1]);
}

static void exec_talks_and_tells_the_status(void **state)
{
    (void)state;
    struct weir_stream *s;
    struct weir_peer peer;
    char bytes[32];
    assert_int_equal(weir_open("exec:tr a-z 'A-Z'", 0, 0, &s), 0);
    assert_int_equal(weir_peer(s, &peer), 0);
    assert_string_equal(peer.text, "exec:tr");
    assert_true(peer.pid > 0);
    assert_int_equal(weir_write_all(s, "shout", 5), 0);
    assert_int_equal(weir_end(s), 0);
    assert_int_equal(weir_read_full(s, bytes, sizeof(bytes)), 5);
    assert_memory_equal(bytes, "SHOUT", 5);
    assert_int_equal(weir_close(s), 0);
    assert_int_equal(weir_open("exec:sh -c 'exit 3'", WEIR_READ, 0, &s), 0);
    assert_int_equal(weir_read(s, bytes, sizeof(bytes)), 0);
    assert_int_equal(weir_close(s), 3);
    assert_int_equal(weir_open("exec:/no/such/program", 0, 0, &s), -ENOENT);
    /* One that does not mind its input being closed is not waited for for ever. */
    assert_int_equal(weir_open("exec:sleep 60", 0, 0, &s), 0);
    weir_set_timeout(s, 50);
    assert_int_equal(weir_close(s), -ETIMEDOUT);
}

static void open_names_what_is_wrong(void **state)
{
    (void)state;
    struct weir_stream *s;
    assert_int_equal(weir_open("tcp:127.0.0.1", 0, 0, &s), -EINVAL);
    assert_int_equal(weir_open(fresh_name("unix:"), 0, 0, &s), -ENOENT);
    assert_int_equal(weir_open("fd:999", 0, 0, &s), -EBADF);
    assert_int_equal(weir_open("file:/no/such/file", 0, 0, &s), -ENOENT);
    assert_int_equal(weir_from_fd(-1, true, &s), -EBADF);
}

static int skip_without_tcp6(const struct kind *kind)
{
    return kind->open == open_tcp6 && !has_tcp6();
}

#define EVERYWHERE(f)                                                                              \
    {                                                                                              \
#f, f                                                                                      \
    }
static const struct {
    const char *name;
    CMUnitTestFunction run;
} promises[] = {
    EVERYWHERE(bytes_arrive_whole_and_in_order),   EVERYWHERE(full_queue_makes_the_writer_wait),
    EVERYWHERE(empty_queue_makes_the_reader_wait), EVERYWHERE(reader_drains_and_then_sees_the_end),
    EVERYWHERE(writer_gets_epipe_and_no_signal),   EVERYWHERE(unread_bytes_do_not_change_epipe),
    EVERYWHERE(half_close_leaves_the_way_back),
};

#define PROMISES (sizeof(promises) / sizeof(promises[0]))

#define COUNTED(f) cmocka_unit_test_setup_teardown(f, count_before, count_after)

int main(void)
{
    static struct CMUnitTest all[PROMISES * KINDS];
    static char names[PROMISES * KINDS][96];
    size_t count = 0;
    for (size_t k = 0; k < KINDS; k++) {
        for (size_t p = 0; p < PROMISES && !skip_without_tcp6(&kinds[k]); p++, count++) {
            snprintf(names[count], sizeof(names[0]), "%s: %s", kinds[k].name, promises[p].name);
            all[count] = (struct CMUnitTest){names[count], promises[p].run, count_before,
                                             count_after, (void *)&kinds[k]};
        }
    }
    const struct CMUnitTest single[] = {
        COUNTED(file_never_waits),
        COUNTED(full_disk_is_an_error),
        COUNTED(named_pipe_reader_waits_for_its_first_writer),
        COUNTED(named_pipe_writer_waits_for_a_reader),
        COUNTED(given_descriptors_keep_their_flags),
        COUNTED(standard_streams_stay_open),
        COUNTED(exec_talks_and_tells_the_status),
        COUNTED(open_names_what_is_wrong),
    };
    signal(SIGPIPE, SIG_DFL);
    int failed = _cmocka_run_group_tests("everywhere", all, count, make_dir, remove_dir);
    return failed + cmocka_run_group_tests_name("each", single, make_dir, remove_dir);
}
