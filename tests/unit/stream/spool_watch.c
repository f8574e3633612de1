/*
 * Who waits for a spool is woken, wherever the writer goes on: segments that begin at the wrong moment, under an unexpected name, or where
 * no watch is left. Hooks around read(2) and inotify_add_watch(2) (the linker's --wrap) make it so.
 */
#include "spool.h"

#include <poll.h>
#include <sys/inotify.h>

static void (*before_read)(void); /* called once, before the next read(2) */
static unsigned refused; /* so many watches are refused, the limit of the user being reached */

ssize_t __real_read(int fd, void *bytes, size_t len);
ssize_t __wrap_read(int fd, void *bytes, size_t len);
int __real_inotify_add_watch(int fd, const char *path, uint32_t mask);
int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask);

ssize_t __wrap_read(int fd, void *bytes, size_t len)
{
    void (*once)(void) = before_read;
    before_read = NULL;
    if (once)
        once();
    return __real_read(fd, bytes, len);
}

int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask)
{
    if (refused == 0)
        return __real_inotify_add_watch(fd, path, mask);
    refused--;
    errno = ENOSPC;
    return -1;
}

static struct weir_spool_writer *the_writer;

static bool is_woken(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 100) == 1;
}

static void begin_segment(void)
{
    assert_int_equal(weir_spool_tend(the_writer), 0);
}

/* It begins after the reader has looked, and before it forgets what it was told so far. */
static void a_segment_that_begins_between_two_looks(void **state)
{
    const struct weir_spool_options options = {.sync_ms = 5, .keep_s = 1};
    (void)state;
    the_writer = writer(&options);
    put(the_writer, "a");
    struct weir_spool_reader *r = reader("mine", false);
    int fd = weir_spool_reader_fd(r);
    expect(r, "a");
    expect(r, NULL);
    nap_us(2100000); /* its first message is too old now: the segment is to end */
    before_read = begin_segment;
    expect(r, NULL);
    assert_null(before_read);
    put(the_writer, "b");
    assert_true(is_woken(fd));
    expect(r, "b");
    weir_spool_reader_close(r);
    weir_spool_writer_close(the_writer);
}

/* After a power failure a writer goes on behind what readers have had, and the reader was not there yet. */
static void a_segment_of_another_number(void **state)
{
    (void)state;
    struct weir_spool_writer *w = lazy_writer(0);
    for (int i = 0; i < 10; i++)
        put(w, "x");
    struct weir_spool_reader *fast = reader("fast", false), *slow = reader("slow", false);
    for (int i = 0; i < 10; i++)
        expect(fast, "x");
    assert_int_equal(weir_spool_commit(fast), 0);
    weir_spool_reader_close(fast);
    weir_spool_writer_close(w);
    assert_int_equal(truncate(segment_path(0), 80 + 3 * 17), 0);
    int fd = weir_spool_reader_fd(slow);
    for (int i = 0; i < 3; i++)
        expect(slow, "x");
    expect(slow, NULL);
    w = lazy_writer(0);
    assert_int_equal(weir_spool_number(w), 10);
    assert_true(is_woken(fd));
    expect(slow, NULL);
    put(w, "y");
    assert_true(is_woken(fd));
    struct weir_spool_message m;
    assert_int_equal(weir_spool_next(slow, 0, &m), 1);
    assert_int_equal(m.number, 10);
    weir_spool_reader_close(slow);
    weir_spool_writer_close(w);
}

/* The descriptor that was lent stays the same, and open. */
static void where_no_watch_is_left(void **state)
{
    static const char kib[1024];
    struct weir_spool_message m;
    (void)state;
    struct weir_spool_writer *w = lazy_writer(4096);
    struct weir_spool_reader *r = reader("mine", false);
    int fd = weir_spool_reader_fd(r);
    for (int i = 0; i < 3; i++)
        assert_int_equal(weir_spool_append(w, kib, sizeof(kib)), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(weir_spool_next(r, 0, &m), 1);
    assert_int_equal(weir_spool_append(w, kib, sizeof(kib)), 0); /* in another segment */
    assert_int_equal(weir_spool_next(r, 0, &m), 1);
    refused = 1;
    assert_int_equal(weir_spool_next(r, 0, &m), 0);
    assert_int_equal(refused, 0);
    assert_int_equal(weir_spool_reader_fd(r), fd);
    assert_true(fcntl(fd, F_GETFD) >= 0);
    put(w, "after");
    assert_int_equal(weir_spool_next(r, 1000, &m), 1);
    expect(r, NULL); /* there is room for a watch again */
    put(w, "more");
    assert_true(is_woken(fd));
    weir_spool_reader_close(r);
    weir_spool_writer_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPOOL_TEST(a_segment_that_begins_between_two_looks),
        SPOOL_TEST(a_segment_of_another_number),
        SPOOL_TEST(where_no_watch_is_left),
    };
    return cmocka_run_group_tests_name("spool_watch", tests, NULL, NULL);
}
