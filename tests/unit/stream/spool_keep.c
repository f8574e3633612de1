/* What is kept and what is removed, by size and age; and a disk that is full. */
#include "spool.h"
#include "stream/spool_format.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/time.h>

static const char kib[1024];

/* A segment holds three of these. */
static void fill(struct weir_spool_writer *w, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(weir_spool_append(w, kib, sizeof(kib)), 0);
}

static struct weir_spool_options keeping(uint64_t bytes, uint64_t seconds, bool drop)
{
    return (struct weir_spool_options){.sync_ms = WEIR_SPOOL_NEVER,
                                       .segment_bytes = 4096,
                                       .keep_bytes = bytes,
                                       .keep_s = seconds,
                                       .drop_unread = drop};
}

static void oldest_go_first(void **state)
{
    const struct weir_spool_options options = keeping(10000, 0, false);
    uint64_t firsts[64];
    (void)state;
    struct weir_spool_writer *w = writer(&options);
    fill(w, 60);
    size_t count = segment_firsts(firsts, 64);
    assert_in_range(count, 3, 4);
    assert_int_equal(firsts[count - 1], 57);
    assert_int_equal(firsts[0], 57 - 3 * (count - 1));
    assert_int_equal(check().damages, 0);
    weir_spool_writer_close(w);
    w = writer(&options);
    assert_int_equal(weir_spool_number(w), 60);
    weir_spool_writer_close(w);
}

static void what_a_reader_needs_stays(void **state)
{
    const struct weir_spool_options options = keeping(4096, 0, false);
    struct weir_spool_message m;
    uint64_t firsts[64];
    (void)state;
    weir_spool_reader_close(reader("slow", false)); /* known from now on, though it read nothing */
    struct weir_spool_writer *w = writer(&options);
    fill(w, 30);
    assert_int_equal(count_files(".seg"), 10);
    struct weir_spool_reader *r = reader("slow", false);
    for (uint64_t i = 0; i < 10; i++) {
        assert_int_equal(weir_spool_next(r, 0, &m), 1);
        assert_int_equal(m.number, i);
    }
    fill(w, 3);
    assert_int_equal(count_files(".seg"), 11);
    assert_int_equal(weir_spool_commit(r), 0);
    fill(w, 3);
    assert_int_equal(segment_firsts(firsts, 64), 9);
    assert_int_equal(firsts[0], 9); /* it holds number 10, which is next */
    for (uint64_t i = 10; i < 36; i++) {
        assert_int_equal(weir_spool_next(r, 0, &m), 1);
        assert_int_equal(m.number, i);
        assert_int_equal(m.missed, 0);
    }
    weir_spool_reader_close(r);
    weir_spool_writer_close(w);
}

static void unread_goes_when_asked(void **state)
{
    const struct weir_spool_options options = keeping(8192, 0, true);
    struct weir_spool_message m;
    uint64_t firsts[64];
    (void)state;
    struct weir_spool_writer *w = writer(&options);
    fill(w, 3);
    struct weir_spool_reader *r = reader("late", false), *old = reader("old", false);
    assert_int_equal(weir_spool_next(old, 0, &m), 1);
    assert_int_equal(weir_spool_commit(old), 0);
    weir_spool_reader_close(old);
    assert_int_equal(weir_spool_next(r, 0, &m), 1);
    fill(w, 30);
    segment_firsts(firsts, 64);
    /* The file that is open can be read to its end; then it is said what is missing. */
    for (uint64_t i = 1; i < 3; i++) {
        assert_int_equal(weir_spool_next(r, 0, &m), 1);
        assert_int_equal(m.number, i);
    }
    assert_int_equal(weir_spool_next(r, 0, &m), 1);
    assert_int_equal(m.number, firsts[0]);
    assert_int_equal(m.missed, firsts[0] - 3);
    weir_spool_reader_close(r);
    old = reader("old", false);
    assert_int_equal(weir_spool_next(old, 0, &m), 1);
    assert_int_equal(m.number, firsts[0]);
    assert_int_equal(m.missed, firsts[0] - 1);
    weir_spool_reader_close(old);
    weir_spool_writer_close(w);
}

static void make_old(uint64_t first)
{
    const struct timeval times[2] = {{1000000, 0}, {1000000, 0}};
    assert_int_equal(utimes(segment_path(first), times), 0);
}

static void old_files_go(void **state)
{
    const struct weir_spool_options options = keeping(0, 3600, false);
    uint64_t firsts[64];
    (void)state;
    struct weir_spool_writer *w = writer(&options);
    fill(w, 12);
    assert_int_equal(weir_spool_due_ms(w) >= 0, 1);
    make_old(0);
    make_old(3);
    make_old(9); /* the one that grows stays */
    nap_us(1050000);
    assert_int_equal(weir_spool_tend(w), 0);
    assert_int_equal(segment_firsts(firsts, 64), 2);
    assert_int_equal(firsts[0], 6);
    weir_spool_writer_close(w);
    make_old(6);
    w = writer(&options); /* opening looks, too */
    assert_int_equal(segment_firsts(firsts, 64), 1);
    weir_spool_writer_close(w);
}

/* A spool that is written to rarely: its only file ends when its messages are too old, and goes in its turn. */
static void old_messages_go(void **state)
{
    const struct weir_spool_options options = keeping(0, 1, false);
    uint64_t firsts[64];
    (void)state;
    struct weir_spool_writer *w = writer(&options);
    put(w, "old");
    for (int i = 0; i < 50 && segment_firsts(firsts, 64) > 0 && firsts[0] == 0; i++) {
        nap_us(100000);
        assert_int_equal(weir_spool_tend(w), 0);
    }
    assert_int_equal(segment_firsts(firsts, 64), 1);
    assert_int_equal(firsts[0], 1);
    put(w, "new");
    struct weir_spool_reader *r = reader(NULL, false);
    expect(r, "new");
    weir_spool_reader_close(r);
    weir_spool_writer_close(w);
}

/* A position that cannot be read may be anywhere. */
static void unknown_position_holds_all(void **state)
{
    const struct weir_spool_options options = keeping(4096, 0, false);
    char path[128];
    (void)state;
    snprintf(path, sizeof(path), "%s/broken.reader", folder);
    file_write(path, (const uint8_t *)"rubbish", 7);
    struct weir_spool_writer *w = writer(&options);
    fill(w, 30);
    assert_int_equal(count_files(".seg"), 10);
    weir_spool_writer_close(w);
}

/* --- a disk that is full; in a child, whose status says how it went --- */

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                                \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static uint8_t bytes[8][MADE_MAX];

/* Appends until it fails; everything before must be there, nothing else, and nothing torn. */
static int fill_up(struct weir_spool_writer *w, bool many)
{
    for (;;) {
        struct weir_bytes messages[8];
        uint64_t number = weir_spool_number(w);
        size_t count = many ? 8 : 1;
        for (size_t i = 0; i < count; i++) {
            make_message(number + i, bytes[i]);
            messages[i] = (struct weir_bytes){(const char *)bytes[i], made_len(number + i)};
        }
        ssize_t n = weir_spool_append_many(w, messages, count);
        REQUIRE(weir_spool_number(w) == number + (n > 0 ? (uint64_t)n : 0));
        if (n < 0)
            return (int)n;
    }
}

static void require_sound(uint64_t count)
{
    struct weir_spool_message m;
    struct weir_spool_reader *r;
    struct weir_spool_sum sum;
    struct weir_spool_trouble t;
    REQUIRE(weir_spool_check(folder, NULL, &sum) == 0 && sum.damages == 0);
    REQUIRE(sum.messages == count && sum.next == count);
    REQUIRE(weir_spool_reader_open(folder, NULL, &r) == 0);
    for (uint64_t i = 0; i < count; i++)
        REQUIRE(weir_spool_next(r, 0, &m) == 1 && m.number == i && is_made(&m));
    REQUIRE(weir_spool_next(r, 0, &m) == 0);
    weir_spool_reader_trouble(r, &t);
    REQUIRE(t.what == NULL);
    weir_spool_reader_close(r);
}

static void in_child(void (*work)(void))
{
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        work();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void files_too_large(void)
{
    struct rlimit limit;
    struct weir_spool_writer *w;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    const struct weir_spool_options options = {.sync_ms = WEIR_SPOOL_NEVER};
    REQUIRE(weir_spool_writer_open(folder, &options, &w) == 0);
    for (rlim_t size = 1000; size < 200000; size += 7777) {
        limit.rlim_cur = size;
        REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
        REQUIRE(fill_up(w, size % 2 == 0) == -EFBIG);
        require_sound(weir_spool_number(w));
    }
    REQUIRE(weir_spool_writer_close(w) == 0);
}

static void write_beyond_a_limit(void **state)
{
    (void)state;
    in_child(files_too_large);
}

/* A small disk of our own, where that is allowed. */
static void small_disk(void)
{
    struct weir_spool_writer *w;
    char path[128];
    if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
        _exit(77);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", folder, "tmpfs", 0, "size=300k") < 0)
        _exit(77);
    const struct weir_spool_options options = {.segment_bytes = 65536};
    REQUIRE(weir_spool_writer_open(folder, &options, &w) == 0);
    snprintf(path, sizeof(path), "%s/ballast", folder);
    for (int size = 128; size >= 0; size -= 32) {
        int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
        REQUIRE(fd >= 0);
        REQUIRE(size == 0 || posix_fallocate(fd, 0, size * 1024) == 0);
        close(fd);
        REQUIRE(fill_up(w, size % 64 == 0) == -ENOSPC);
        require_sound(weir_spool_number(w));
    }
    uint64_t number = weir_spool_number(w);
    REQUIRE(number > 100 && weir_spool_kept(w) == number);
    REQUIRE(weir_spool_writer_close(w) == 0);
    REQUIRE(weir_spool_writer_open(folder, &options, &w) == 0);
    REQUIRE(weir_spool_number(w) == number);
    REQUIRE(weir_spool_writer_close(w) == 0);
}

static void write_on_a_full_disk(void **state)
{
    (void)state;
    in_child(small_disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPOOL_TEST(oldest_go_first),        SPOOL_TEST(what_a_reader_needs_stays),
        SPOOL_TEST(unread_goes_when_asked), SPOOL_TEST(old_files_go),
        SPOOL_TEST(old_messages_go),        SPOOL_TEST(unknown_position_holds_all),
        SPOOL_TEST(write_beyond_a_limit),   SPOOL_TEST(write_on_a_full_disk),
    };
    return cmocka_run_group_tests_name("spool_keep", tests, NULL, NULL);
}
