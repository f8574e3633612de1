/* A read that waits in the system call: it ends in time, and falls back where it has to. */
#include "stream/impl.h"
#include "stream/wait.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#define MS WEIR_NS_PER_MS

static void make(struct weir_stream *ends[2])
{
    assert_int_equal(weir_pair(ends), 0);
    assert_true(ends[0]->waits);
}

static void done(struct weir_stream *ends[2])
{
    weir_close(ends[0]);
    weir_close(ends[1]);
}

static unsigned set_on(const struct weir_stream *s)
{
    struct timeval time;
    socklen_t len = sizeof(time);
    assert_int_equal(getsockopt(s->in, SOL_SOCKET, SO_RCVTIMEO, &time, &len), 0);
    return (unsigned)(time.tv_sec * 1000 + (time.tv_usec + 500) / 1000);
}

static void test_bytes_and_end(void **state)
{
    (void)state;
    struct weir_stream *ends[2];
    char buffer[8];
    make(ends);
    assert_int_equal(weir_write_all(ends[1], "abc", 3), 0);
    assert_int_equal(stream_wait_read(ends[0], NULL, buffer, 8, UINT64_MAX), 3);
    weir_close(ends[1]);
    assert_int_equal(stream_wait_read(ends[0], NULL, buffer, 8, UINT64_MAX), 0);
    weir_close(ends[0]);
}

/* Never longer than what is left, and not at once. */
static void test_time(void **state)
{
    (void)state;
    struct weir_stream *ends[2];
    char buffer[8];
    make(ends);
    uint64_t begin = deadline_now();
    assert_int_equal(stream_wait_read(ends[0], NULL, buffer, 8, 63 * MS), -EAGAIN);
    uint64_t took = deadline_now() - begin;
    assert_true(took >= 30 * MS && took < 2000 * MS);
    assert_int_equal(set_on(ends[0]), 32);
    done(ends);
}

/* Waits of about the same length use what is set. */
static void test_set_anew(void **state)
{
    (void)state;
    static const unsigned rows[][2] = {{1000, 512}, {999, 512},   {512, 512},
                                       {2047, 512}, {2048, 2048}, {511, 256},
                                       {1, 1},      {3, 1},       {4, 4}};
    struct weir_stream *ends[2];
    char buffer[8];
    make(ends);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(weir_write_all(ends[1], "a", 1), 0);
        assert_int_equal(stream_wait_read(ends[0], NULL, buffer, 8, rows[i][0] * MS), 1);
        assert_in_range(set_on(ends[0]), rows[i][1], rows[i][1] + 10); /* whole ticks */
    }
    done(ends);
}

static void test_cannot(void **state)
{
    (void)state;
    struct weir_stream *ends[2], *pipes[2];
    char buffer[8];
    make(ends);
    assert_int_equal(stream_wait_read(ends[0], NULL, buffer, 8, MS - 1), -EAGAIN);
    stream_forbid_wait_in(ends[0]);
    assert_int_equal(stream_wait_read(ends[0], NULL, buffer, 8, UINT64_MAX), -EAGAIN);
    done(ends);
    assert_int_equal(weir_pipe(pipes), 0);
    assert_int_equal(stream_wait_read(pipes[0], NULL, buffer, 8, UINT64_MAX), -EAGAIN);
    done(pipes);
}

static void on_alarm(int number)
{
    (void)number;
}

/* A signal is no reason to fail, nor to wait anew for as long. */
static void test_signal(void **state)
{
    (void)state;
    struct weir_stream *ends[2];
    char buffer[8];
    const struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    const struct itimerval soon = {.it_value = {.tv_usec = 20000}};
    make(ends);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    assert_int_equal(stream_wait_read(ends[0], NULL, buffer, 8, 100000 * MS), -EAGAIN);
    done(ends);
}

/* What a program reads later waits as before: the time on the socket is not its time. */
static void test_program_reads(void **state)
{
    (void)state;
    struct weir_stream *ends[2];
    char buffer[8];
    make(ends);
    assert_int_equal(stream_wait_read(ends[0], NULL, buffer, 8, 2 * MS), -EAGAIN);
    pid_t pid = fork();
    if (pid == 0) {
        usleep(50000);
        _exit(write(ends[1]->out, "a", 1) != 1);
    }
    weir_set_timeout(ends[0], WEIR_FOREVER);
    assert_int_equal(weir_read(ends[0], buffer, 8), 1);
    done(ends);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_and_end), cmocka_unit_test(test_time),
        cmocka_unit_test(test_set_anew),      cmocka_unit_test(test_cannot),
        cmocka_unit_test(test_signal),        cmocka_unit_test(test_program_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
