/* The calls drivers use: never wait, whatever kind of descriptor it is. */
#include "ends.h"
#include "stream/impl.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>

/* A call that waits after all would hang: the alarm ends the test then. */
#define HANG_S 20

static int block_sigpipe(void **state)
{
    sigset_t set;
    count_before(state);
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    alarm(HANG_S);
    return 0;
}

static int unblock_sigpipe(void **state)
{
    sigset_t set;
    alarm(0);
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    while (sigtimedwait(&set, NULL, &(struct timespec){0}) > 0)
        ;
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    return count_after(state);
}

static ssize_t try_write(struct weir_stream *s, const void *bytes, size_t len)
{
    struct iovec iov = {(void *)bytes, len};
    return stream_try_writev(s, &iov, 1, false);
}

/* Full, then drained, then full again; a reader that finds nothing. Neither side ever waits. */
static void check_never_waits(struct weir_stream *in, struct weir_stream *out)
{
    static char block[32768];
    size_t sent = 0;
    ssize_t n;
    assert_int_equal(stream_try_read(in, block, sizeof(block)), -EAGAIN);
    for (int round = 0; round < 2; round++) {
        while ((n = try_write(out, block, sizeof(block))) > 0)
            sent += (size_t)n;
        assert_int_equal(n, -EAGAIN);
        while ((n = stream_try_read(in, block, sizeof(block))) > 0)
            sent -= (size_t)n;
        assert_int_equal(n, -EAGAIN);
        assert_int_equal(sent, 0);
    }
}

static void lent_blocking_descriptors_never_wait(void **state)
{
    (void)state;
    int fds[2];
    struct weir_stream in;
    struct weir_stream out;
    for (int socket = 0; socket < 2; socket++) {
        assert_int_equal(socket ? socketpair(AF_UNIX, SOCK_STREAM, 0, fds) : pipe(fds), 0);
        assert_int_equal(stream_init_fd(&in, fds[0], false), 0);
        assert_int_equal(stream_init_fd(&out, fds[1], false), 0);
        assert_int_equal(in.in_kind, socket ? FD_SOCKET : FD_NONBLOCK);
        check_never_waits(&in, &out);
        stream_done(&in);
        stream_done(&out);
        close(fds[0]);
        close(fds[1]);
    }
}

/* As when /proc is missing or the pipe belongs to another user. */
static void polled_descriptors_never_wait(void **state)
{
    (void)state;
    int fds[2];
    struct weir_stream in;
    struct weir_stream out;
    char bytes[2 * PIPE_BUF];
    assert_int_equal(pipe(fds), 0);
    stream_init_none(&in);
    stream_init_none(&out);
    in.in = fds[0];
    in.in_kind = FD_POLLED;
    in.own_in = true;
    out.out = fds[1];
    out.out_kind = FD_POLLED;
    out.own_out = true;
    check_never_waits(&in, &out);
    assert_int_equal(try_write(&out, bytes, sizeof(bytes)), PIPE_BUF);
    stream_done(&out);
    assert_int_equal(stream_try_read(&in, bytes, sizeof(bytes)), PIPE_BUF);
    assert_int_equal(stream_try_read(&in, bytes, sizeof(bytes)), 0);
    stream_done(&in);
}

/* Opening a pseudo-terminal's master again would make another one: it has to be polled. Its other side is opened anew. */
static void terminals_keep_their_flags(void **state)
{
    (void)state;
    struct weir_stream near;
    struct weir_stream far;
    char bytes[16];
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0)
        skip();
    assert_int_equal(grantpt(master), 0);
    assert_int_equal(unlockpt(master), 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(slave >= 0);
    assert_int_equal(stream_init_fd(&near, master, false), 0);
    assert_int_equal(stream_init_fd(&far, slave, false), 0);
    assert_int_equal(near.in_kind, FD_POLLED);
    assert_int_equal(far.in_kind, FD_NONBLOCK);
    assert_int_equal(stream_try_read(&near, bytes, sizeof(bytes)), -EAGAIN);
    assert_int_equal(stream_try_read(&far, bytes, sizeof(bytes)), -EAGAIN);
    assert_int_equal(try_write(&near, "line\n", 5), 5);
    assert_int_equal(stream_try_read(&far, bytes, sizeof(bytes)), 5);
    assert_int_equal(stream_end(&far), -EOPNOTSUPP);
    assert_false(fcntl(master, F_GETFL) & O_NONBLOCK);
    assert_false(fcntl(slave, F_GETFL) & O_NONBLOCK);
    stream_done(&far);
    stream_done(&near);
    close(slave);
    close(master);
}

static void gathers_many_pieces(void **state)
{
    (void)state;
    struct ends e;
    char bytes[16];
    struct iovec iov[] = {{"one ", 4}, {"", 0}, {"two ", 4}, {"three", 5}};
    for (size_t i = 0; i < KINDS; i++) {
        if (kinds[i].open == open_tcp6 && !has_tcp6())
            continue;
        kinds[i].open(&e);
        assert_int_equal(stream_try_writev(e.writer, iov, 4, false), 13);
        assert_int_equal(weir_read_full(e.reader, bytes, 13), 13);
        assert_memory_equal(bytes, "one two three", 13);
        close_ends(&e);
    }
}

static int numbers_file(char path[128])
{
    snprintf(path, 128, "%s/numbers", test_dir);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    uint8_t bytes[100000];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = byte_at(i);
    assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
    return fd;
}

static void check_sendfile(struct weir_stream *out, struct weir_stream *in, int fd)
{
    uint8_t bytes[65536];
    uint64_t sent = 10;
    size_t got = 10;
    while (got < 100000) {
        ssize_t n = sent < 100000 ? stream_try_sendfile(out, fd, sent, 100000 - sent) : -EAGAIN;
        assert_true(n > 0 || n == -EAGAIN);
        sent += n > 0 ? (uint64_t)n : 0;
        n = stream_try_read(in, bytes, sizeof(bytes));
        assert_true(n > 0 || n == -EAGAIN);
        for (ssize_t i = 0; i < n; i++)
            assert_int_equal(bytes[i], byte_at(got + (size_t)i));
        got += n > 0 ? (size_t)n : 0;
    }
    /* Beyond the end there is nothing; the file's own position was never used. */
    assert_int_equal(stream_try_sendfile(out, fd, 100000, 10), 0);
}

static void files_go_out_by_offset(void **state)
{
    (void)state;
    char path[128];
    struct ends e;
    int fd = numbers_file(path);
    lseek(fd, 55, SEEK_SET);
    for (size_t i = 0; i < KINDS; i++) {
        if (kinds[i].open == open_tcp6 && !has_tcp6())
            continue;
        kinds[i].open(&e);
        check_sendfile(e.writer, e.reader, fd);
        close_ends(&e);
    }
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 55);
    /* Into a file that appends the kernel refuses to send. */
    struct weir_stream *to;
    char name[160];
    snprintf(name, sizeof(name), "file:%s.copy", path);
    assert_int_equal(weir_open(name, WEIR_WRITE | WEIR_CREATE | WEIR_APPEND, 0, &to), 0);
    assert_true(stream_try_sendfile(to, fd, 0, 1000) > 0);
    weir_close(to);
    close(fd);
}

/* sendfile(2) has no MSG_DONTWAIT: over a socket whose O_NONBLOCK is not ours it must not be used. */
static void lent_socket_never_waits_for_sendfile(void **state)
{
    (void)state;
    char path[128];
    int fds[2];
    struct weir_stream out;
    ssize_t n;
    int fd = numbers_file(path);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    assert_int_equal(stream_init_fd(&out, fds[1], false), 0);
    while ((n = stream_try_sendfile(&out, fd, 0, 100000)) > 0)
        ;
    assert_int_equal(n, -EAGAIN);
    stream_done(&out);
    close(fds[0]);
    close(fds[1]);
    close(fd);
}

static void closed_readers_are_epipe(void **state)
{
    (void)state;
    char path[128];
    struct ends e;
    int fd = numbers_file(path);
    open_pair(&e);
    weir_close(e.reader);
    assert_int_equal(stream_try_sendfile(e.writer, fd, 0, 10), -EPIPE);
    assert_int_equal(try_write(e.writer, "x", 1), -EPIPE);
    weir_close(e.writer);
    open_pipe(&e);
    weir_close(e.reader);
    assert_int_equal(stream_try_sendfile(e.writer, fd, 0, 10), -EPIPE);
    weir_close(e.writer);
    close(fd);
}

static void values_move_and_empty(void **state)
{
    (void)state;
    int fds[2];
    struct weir_stream a;
    struct weir_stream b;
    char byte;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(stream_init_fd(&a, fds[0], true), 0);
    assert_true(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
    assert_int_equal(stream_wait_in(&a), fds[0]);
    assert_int_equal(stream_wait_out(&a), -1);
    stream_take(&b, &a);
    assert_int_equal(a.in, -1);
    assert_int_equal(stream_try_read(&a, &byte, 1), -EBADF);
    stream_done(&a);
    assert_int_equal(stream_try_read(&b, &byte, 1), -EAGAIN);
    stream_done(&b);
    stream_done(&b);
    assert_int_equal(fcntl(fds[0], F_GETFD), -1);
    close(fds[1]);
    int file = open("/dev/null", O_RDWR | O_CLOEXEC);
    assert_int_equal(stream_init_fd(&a, file, true), 0);
    assert_int_equal(a.in_kind, FD_REGULAR); /* epoll refuses it */
    assert_int_equal(stream_wait_in(&a), -1);
    assert_int_equal(stream_try_read(&a, &byte, 1), 0);
    stream_done(&a);
    /* A struct of zeros, as in a table, closes nothing. */
    memset(&a, 0, sizeof(a));
    stream_done(&a);
    assert_true(fcntl(0, F_GETFD) >= 0);
}

static void connecting_does_not_wait(void **state)
{
    (void)state;
    struct weir_listener *l;
    struct weir_stream client;
    struct address_list list;
    assert_int_equal(weir_listen("tcp:127.0.0.1:0", 0, &l), 0);
    assert_int_equal(address_lookup(weir_listener_name(l), false, &list), 0);
    assert_int_equal(list.count, 1);
    int rc = stream_connect_start(&client, (struct sockaddr *)&list.at[0], list.len[0]);
    if (rc == -EINPROGRESS) {
        struct pollfd p = {.fd = stream_wait_out(&client), .events = POLLOUT};
        assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
        rc = stream_connected(&client);
    }
    assert_int_equal(rc, 0);
    assert_int_equal(client.peer.family, AF_INET);
    stream_done(&client);
    weir_listener_close(l);
    assert_int_equal(address_lookup("tcp:127.0.0.1:1", false, &list), 0);
    rc = stream_connect_start(&client, (struct sockaddr *)&list.at[0], list.len[0]);
    if (rc == -EINPROGRESS) {
        rc = stream_connected(&client);
        stream_done(&client);
    }
    assert_int_equal(rc, -ECONNREFUSED);
    assert_int_equal(address_lookup("unix:/no/such", false, &list), 0);
    rc = stream_connect_start(&client, (struct sockaddr *)&list.at[0], list.len[0]);
    assert_int_equal(rc, -ENOENT);
    assert_int_equal(address_lookup("file:/x", false, &list), -EINVAL);
}

#define COUNTED(f) cmocka_unit_test_setup_teardown(f, block_sigpipe, unblock_sigpipe)

int main(void)
{
    const struct CMUnitTest tests[] = {
        COUNTED(lent_blocking_descriptors_never_wait),
        COUNTED(polled_descriptors_never_wait),
        COUNTED(terminals_keep_their_flags),
        COUNTED(gathers_many_pieces),
        COUNTED(files_go_out_by_offset),
        COUNTED(lent_socket_never_waits_for_sendfile),
        COUNTED(closed_readers_are_epipe),
        COUNTED(values_move_and_empty),
        COUNTED(connecting_does_not_wait),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
