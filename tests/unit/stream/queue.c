/* Sizes of the kernel's queues, calls that wait by themselves, and looking again before sleeping. */
#include "ends.h"
#include "stream/impl.h"

#include <fcntl.h>

static int sndbuf_of(struct weir_stream *s)
{
    int bytes = 0;
    socklen_t len = sizeof(bytes);
    getsockopt(weir_write_fd(s), SOL_SOCKET, SO_SNDBUF, &bytes, &len);
    return bytes;
}

static size_t fill(struct weir_stream *s)
{
    static char block[65536];
    size_t sent = 0;
    ssize_t n;
    weir_set_timeout(s, 0);
    while ((n = weir_write(s, block, sizeof(block))) > 0)
        sent += (size_t)n;
    assert_int_equal(n, -ETIMEDOUT);
    return sent;
}

/* Only root is never refused: what a user's pipes hold is bounded. */
static void full_pipes_are_widened_once(void **state)
{
    (void)state;
    void (*const open[])(struct ends *) = {open_pipe, open_fifo};
    for (int i = 0; i < 2; i++) {
        struct ends e;
        open[i](&e);
        int before = fcntl(weir_write_fd(e.writer), F_GETPIPE_SZ);
        assert_int_equal(weir_write_all(e.writer, "x", 1), 0);
        assert_int_equal(fcntl(weir_write_fd(e.writer), F_GETPIPE_SZ), before);
        assert_true(fill(e.writer) >= (size_t)before);
        int after = fcntl(weir_write_fd(e.writer), F_GETPIPE_SZ);
        assert_true(after >= before);
        if (geteuid() == 0)
            assert_true(after > before);
        /* Whoever set it to something else since is left alone. */
        char *rest = malloc((size_t)after + 1);
        weir_set_timeout(e.reader, 0);
        while (weir_read(e.reader, rest, (size_t)after) > 0)
            ;
        free(rest);
        assert_true(fcntl(weir_write_fd(e.writer), F_SETPIPE_SZ, 8192) >= 0);
        fill(e.writer);
        assert_int_equal(fcntl(weir_write_fd(e.writer), F_GETPIPE_SZ), 8192);
        close_ends(&e);
    }
}

static void unix_sockets_hold_more(void **state)
{
    (void)state;
    int fds[2];
    struct ends e;
    struct weir_stream plain;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    assert_int_equal(weir_from_fd(fds[0], false, &e.writer), 0);
    int usual = sndbuf_of(e.writer);
    fill(e.writer);
    assert_int_equal(sndbuf_of(e.writer), usual); /* lent: as it was found */
    weir_close(e.writer);
    close(fds[0]);
    close(fds[1]);
    open_unix(&e);
    assert_true(sndbuf_of(e.writer) > usual);
    assert_true(sndbuf_of(e.reader) > usual);
    close_ends(&e);
    /* As drivers have them: when it was full. */
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    assert_int_equal(stream_init_fd(&plain, fds[0], true), 0);
    assert_int_equal(sndbuf_of(&plain), usual);
    fill(&plain);
    assert_true(sndbuf_of(&plain) > usual);
    stream_done(&plain);
    close(fds[1]);
}

/* --- calls that wait by themselves --- */

struct late {
    struct weir_stream *s;
    long ms;
    bool read; /* everything, else one byte is written */
};

static void *act_later(void *arg)
{
    const struct late *late = arg;
    char bytes[65536];
    nap_ms(late->ms);
    if (!late->read)
        return (void *)(intptr_t)weir_write_all(late->s, "x", 1);
    weir_set_timeout(late->s, 100);
    while (weir_read(late->s, bytes, sizeof(bytes)) > 0)
        ;
    return NULL;
}

/* Before and after the kernel has moved bytes: then its open file must not wait any more, and reading still does. */
static void reading_waits_after_a_copy_too(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct ends e;
        struct weir_stream *null;
        pthread_t thread;
        char byte;
        if (kinds[k].open == open_exec || (kinds[k].open == open_tcp6 && !has_tcp6()))
            continue;
        kinds[k].open(&e);
        for (int copied = 0; copied < 2; copied++) {
            struct late late = {e.writer, 20, false};
            pthread_create(&thread, NULL, act_later, &late);
            assert_int_equal(weir_read(e.reader, &byte, 1), 1);
            pthread_join(thread, NULL);
            assert_int_equal(weir_open("file:/dev/null", WEIR_WRITE, 0, &null), 0);
            weir_set_timeout(e.reader, 10);
            assert_int_equal(weir_copy(e.reader, null, NULL, NULL), -ETIMEDOUT);
            weir_set_timeout(e.reader, WEIR_FOREVER);
            weir_close(null);
        }
        close_ends(&e);
    }
}

/* A full target: the time limit holds in a call of the kernel's as well. */
static void copying_keeps_to_its_time(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct ends e;
        struct weir_stream *zero;
        struct ends source;
        bool reading = true;
        if (kinds[k].open == open_exec || (kinds[k].open == open_tcp6 && !has_tcp6()))
            continue;
        kinds[k].open(&e);
        open_pair(&source);
        weir_set_timeout(e.writer, 30);
        weir_set_timeout(source.writer, 0);
        assert_int_equal(weir_open("file:/dev/zero", WEIR_READ, 0, &zero), 0);
        assert_int_equal(weir_copy(zero, e.writer, NULL, &reading), -ETIMEDOUT);
        assert_false(reading);
        fill(source.writer);
        reading = true;
        assert_int_equal(weir_copy(source.reader, e.writer, NULL, &reading), -ETIMEDOUT);
        assert_false(reading);
        weir_close(zero);
        close_ends(&source);
        close_ends(&e);
    }
}

/* Writing for ever, past what a queue holds, while the reader is late. */
static void writing_waits_for_a_late_reader(void **state)
{
    (void)state;
    static char block[3 * 1024 * 1024];
    for (size_t k = 0; k < KINDS; k++) {
        struct ends e;
        pthread_t thread;
        if (kinds[k].open == open_exec || (kinds[k].open == open_tcp6 && !has_tcp6()))
            continue;
        kinds[k].open(&e);
        struct late late = {e.reader, 20, true};
        pthread_create(&thread, NULL, act_later, &late);
        assert_int_equal(weir_write_all(e.writer, block, sizeof(block)), 0);
        pthread_join(thread, NULL);
        close_ends(&e);
    }
}

/* --- looking again before sleeping --- */

static void *answer(void *arg)
{
    struct weir_stream *s = arg;
    char byte;
    while (weir_read(s, &byte, 1) == 1)
        if (weir_write_all(s, &byte, 1) < 0)
            break;
    return NULL;
}

static void spinning_readers_get_their_bytes(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct ends e;
        pthread_t thread;
        if (!kinds[k].two_way || (kinds[k].open == open_tcp6 && !has_tcp6()))
            continue;
        kinds[k].open(&e);
        set_timeouts(&e, PATIENCE_MS);
        weir_set_spin(e.writer, 200);
        weir_set_spin(e.reader, 1000000);
        pthread_create(&thread, NULL, answer, e.reader);
        for (int i = 0; i < 300; i++) {
            char byte = (char)i;
            assert_int_equal(weir_write_all(e.writer, &byte, 1), 0);
            assert_int_equal(weir_read(e.writer, &byte, 1), 1);
            assert_int_equal(byte, (char)i);
        }
        assert_int_equal(weir_end(e.writer), 0);
        pthread_join(thread, NULL);
        close_ends(&e);
    }
}

static void spinning_is_bounded(void **state)
{
    (void)state;
    struct ends e;
    char byte;
    open_pair(&e);
    weir_set_spin(e.reader, 1000000);
    assert_int_equal(e.reader->spin_us, 1000);
    weir_set_timeout(e.reader, 0);
    assert_int_equal(weir_read(e.reader, &byte, 1), -ETIMEDOUT);
    weir_set_timeout(e.reader, 30);
    int64_t before = now_ms();
    assert_int_equal(weir_read(e.reader, &byte, 1), -ETIMEDOUT);
    assert_true(now_ms() - before >= 29);
    close_ends(&e);
}

#define COUNTED(f) cmocka_unit_test_setup_teardown(f, count_before, count_after)

int main(void)
{
    const struct CMUnitTest tests[] = {
        COUNTED(full_pipes_are_widened_once),
        COUNTED(unix_sockets_hold_more),
        COUNTED(reading_waits_after_a_copy_too),
        COUNTED(copying_keeps_to_its_time),
        COUNTED(writing_waits_for_a_late_reader),
        COUNTED(spinning_readers_get_their_bytes),
        COUNTED(spinning_is_bounded),
    };
    signal(SIGPIPE, SIG_DFL);
    alarm(100); /* a wait without an end would be one */
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
