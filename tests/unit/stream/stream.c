/* What some transports have and others have not; what all promise is in promises_*.c. */
#include "ends.h"

#include <fcntl.h>
#include <sys/socket.h>

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

#define COUNTED(f) cmocka_unit_test_setup_teardown(f, count_before, count_after)

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
