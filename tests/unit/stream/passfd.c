#include "ends.h"

#include <fcntl.h>
#include <sys/resource.h>

static void descriptors_travel_with_bytes(void **state)
{
    (void)state;
    struct ends e;
    int fds[WEIR_FDS_MAX];
    int got[WEIR_FDS_MAX];
    unsigned count;
    char bytes[16];
    open_unix(&e);
    set_timeouts(&e, PATIENCE_MS);
    for (unsigned i = 0; i < WEIR_FDS_MAX; i++) {
        int p[2];
        assert_int_equal(pipe(p), 0);
        assert_int_equal(write(p[1], &(char){(char)('a' + i)}, 1), 1);
        close(p[1]);
        fds[i] = p[0];
    }
    assert_int_equal(weir_send_fds(e.writer, "take these", 10, fds, WEIR_FDS_MAX), 0);
    for (unsigned i = 0; i < WEIR_FDS_MAX; i++)
        close(fds[i]);
    assert_int_equal(weir_recv_fds(e.reader, bytes, sizeof(bytes), got, WEIR_FDS_MAX, &count), 10);
    assert_int_equal(count, WEIR_FDS_MAX);
    for (unsigned i = 0; i < count; i++) {
        assert_true(fcntl(got[i], F_GETFD) & FD_CLOEXEC);
        assert_int_equal(read(got[i], bytes, 1), 1);
        assert_int_equal(bytes[0], 'a' + (char)i);
        close(got[i]);
    }
    /* Bytes without any, and the end. */
    assert_int_equal(weir_write_all(e.writer, "plain", 5), 0);
    assert_int_equal(weir_end(e.writer), 0);
    assert_int_equal(weir_recv_fds(e.reader, bytes, sizeof(bytes), got, 1, &count), 5);
    assert_int_equal(count, 0);
    assert_int_equal(weir_recv_fds(e.reader, bytes, sizeof(bytes), got, 1, &count), 0);
    close_ends(&e);
}

static void more_than_wanted_are_closed(void **state)
{
    (void)state;
    struct ends e;
    int got[4] = {-7, -7, -7, -7};
    unsigned count = 99;
    char bytes[4];
    int fds[3] = {0, 1, 2};
    open_pair(&e);
    assert_int_equal(weir_send_fds(e.writer, "x", 1, fds, 3), 0);
    assert_int_equal(weir_recv_fds(e.reader, bytes, sizeof(bytes), got, 2, &count), -EMSGSIZE);
    assert_int_equal(count, 99);
    assert_int_equal(got[0], -7);
    assert_int_equal(weir_send_fds(e.writer, "y", 1, fds, 0), 0);
    assert_int_equal(weir_recv_fds(e.reader, bytes, sizeof(bytes), got, 0, &count), 1);
    close_ends(&e);
}

static void no_room_for_descriptors_is_told(void **state)
{
    (void)state;
    struct ends e;
    struct rlimit limit;
    int got[4];
    unsigned count;
    char bytes[4];
    int fds[3] = {0, 1, 2};
    open_pair(&e);
    assert_int_equal(weir_send_fds(e.writer, "x", 1, fds, 3), 0);
    getrlimit(RLIMIT_NOFILE, &limit);
    int next = dup(0);
    close(next);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){(rlim_t)next + 1, limit.rlim_max});
    ssize_t n = weir_recv_fds(e.reader, bytes, sizeof(bytes), got, 4, &count);
    setrlimit(RLIMIT_NOFILE, &limit);
    assert_int_equal(n, -EMFILE);
    close_ends(&e);
}

static void only_over_unix_sockets(void **state)
{
    (void)state;
    struct ends e;
    int fd = 0;
    int got[1];
    unsigned count;
    char bytes[4];
    open_tcp4(&e);
    assert_int_equal(weir_send_fds(e.writer, "x", 1, &fd, 1), -EOPNOTSUPP);
    close_ends(&e);
    open_pipe(&e);
    assert_int_equal(weir_send_fds(e.writer, "x", 1, &fd, 1), -EOPNOTSUPP);
    assert_int_equal(weir_recv_fds(e.reader, bytes, 4, got, 1, &count), -EOPNOTSUPP);
    close_ends(&e);
    open_pair(&e);
    assert_int_equal(weir_send_fds(e.writer, "", 0, &fd, 1), -EINVAL);
    assert_int_equal(weir_send_fds(e.writer, "x", 1, &fd, WEIR_FDS_MAX + 1), -EINVAL);
    assert_int_equal(weir_send_fds(e.writer, "x", 1, &(int){999}, 1), -EBADF);
    weir_set_timeout(e.reader, 20);
    assert_int_equal(weir_recv_fds(e.reader, bytes, 4, got, 1, &count), -ETIMEDOUT);
    close_ends(&e);
}

#define COUNTED(f) cmocka_unit_test_setup_teardown(f, count_before, count_after)

int main(void)
{
    const struct CMUnitTest tests[] = {
        COUNTED(descriptors_travel_with_bytes),
        COUNTED(more_than_wanted_are_closed),
        COUNTED(no_room_for_descriptors_is_told),
        COUNTED(only_over_unix_sockets),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
