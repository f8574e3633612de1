/*
 * Power failures: this program has its own fdatasync(2) and fsync(2), which note how much of which file is on the disk. A failure
 * then leaves that much and no more. What was acknowledged must be in it.
 */
#include "spool.h"

#define FILES 512

static struct {
    ino_t inode;
    off_t size;
} synced[FILES];
static unsigned synced_count, calls;
static int fail_with, fail_folder_with;

/* The C library's are not used: the linker finds these first. */
int fdatasync(int fd)
{
    struct stat st;
    unsigned i = 0;
    calls++;
    if (fail_with) {
        errno = fail_with;
        return -1;
    }
    assert_int_equal(fstat(fd, &st), 0);
    while (i < synced_count && synced[i].inode != st.st_ino)
        i++;
    assert_true(i < FILES);
    synced_count = i == synced_count ? i + 1 : synced_count;
    synced[i].inode = st.st_ino;
    synced[i].size = st.st_size;
    return 0;
}

/* Of the folder: names are there at once in this world, as its journal would have it. */
int fsync(int fd)
{
    (void)fd;
    errno = fail_folder_with;
    return fail_folder_with ? -1 : 0;
}

static off_t synced_size(const struct stat *st)
{
    for (unsigned i = 0; i < synced_count; i++)
        if (synced[i].inode == st->st_ino)
            return synced[i].size;
    return 0;
}

/* Of what was not synced a part stays, and nobody knows which: here zeros, rubbish, or nothing. */
static void power_fails(uint32_t *seed)
{
    uint64_t firsts[FILES];
    size_t count = segment_firsts(firsts, FILES);
    for (size_t i = 0; i < count; i++) {
        struct stat st;
        int fd = open(segment_path(firsts[i]), O_RDWR);
        assert_true(fd >= 0);
        assert_int_equal(fstat(fd, &st), 0);
        off_t sure = synced_size(&st);
        for (off_t at = sure; next_random(seed) % 2 && at < st.st_size; at++) {
            uint8_t byte = next_random(seed) % 3 ? 0 : (uint8_t)next_random(seed);
            assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        }
        if (next_random(seed) % 2)
            assert_int_equal(ftruncate(fd, sure), 0);
        close(fd);
    }
}

static int reset(void **state)
{
    synced_count = calls = 0;
    fail_with = fail_folder_with = 0;
    return make_folder(state);
}

static void append_made(struct weir_spool_writer *w, size_t count)
{
    static uint8_t bytes[16][MADE_MAX];
    struct weir_bytes messages[16];
    for (size_t i = 0; i < count; i++) {
        uint64_t number = weir_spool_number(w) + i;
        make_message(number, bytes[i]);
        messages[i] = (struct weir_bytes){(const char *)bytes[i], made_len(number)};
    }
    assert_int_equal(weir_spool_append_many(w, messages, count), count);
}

static void what_was_kept_survives(int sync_ms)
{
    const struct weir_spool_options options = {.sync_ms = sync_ms, .segment_bytes = 16384};
    uint32_t seed = (uint32_t)sync_ms + 1;
    uint64_t kept = 0, next = 0;
    struct weir_spool_reader *r = reader("judge", true);
    for (int round = 0; round < 60; round++) {
        struct weir_spool_message m;
        struct weir_spool_writer *w = writer(&options);
        assert_true(weir_spool_number(w) >= kept);
        for (unsigned i = next_random(&seed) % 8; i > 0; i--) {
            append_made(w, 1 + next_random(&seed) % 16);
            kept = weir_spool_kept(w);
            assert_true(sync_ms > 0 || kept == weir_spool_number(w));
            nap_us(sync_ms > 0 ? 300 : 0);
        }
        power_fails(&seed);
        fail_with = EIO; /* the last thing a dying writer does must not help */
        (void)!weir_spool_writer_close(w);
        fail_with = 0;
        while (weir_spool_next(r, 0, &m) > 0) {
            assert_true(m.number == next || m.number > kept);
            assert_true(is_made(&m));
            next = m.number + 1;
        }
        assert_true(next >= kept);
    }
    assert_true(kept > 100);
    weir_spool_reader_close(r);
}

static void kept_with_each_survives(void **state)
{
    (void)state;
    what_was_kept_survives(0);
}

static void kept_by_time_survives(void **state)
{
    (void)state;
    what_was_kept_survives(1);
}

static void no_more_calls_than_needed(void **state)
{
    const struct weir_spool_options slow = {.sync_ms = 60000}, never = {.sync_ms = -1};
    (void)state;
    struct weir_spool_writer *w = writer(NULL);
    calls = 0;
    put(w, "a");
    put(w, "b");
    assert_int_equal(calls, 2);
    append_made(w, 16);
    assert_int_equal(calls, 3);
    assert_int_equal(weir_spool_tend(w), 0);
    assert_int_equal(weir_spool_sync(w), 0);
    assert_int_equal(weir_spool_writer_close(w), 0);
    assert_int_equal(calls, 3);
    w = writer(&slow);
    calls = 0;
    append_made(w, 16);
    append_made(w, 16);
    assert_int_equal(calls, 0);
    assert_int_equal(weir_spool_writer_close(w), 0);
    assert_int_equal(calls, 1);
    calls = 0;
    w = writer(&never);
    append_made(w, 16);
    assert_int_equal(weir_spool_writer_close(w), 0);
    assert_int_equal(calls, 0);
}

/* After a failure nobody knows what is on the disk: nothing more is acknowledged, although a second call would say 0. */
static void failed_sync_is_the_end(void **state)
{
    (void)state;
    struct weir_spool_writer *w = writer(NULL);
    put(w, "kept");
    fail_with = EIO;
    assert_int_equal(weir_spool_append(w, "x", 1), -EIO);
    fail_with = 0;
    assert_int_equal(weir_spool_append(w, "y", 1), -EIO);
    assert_int_equal(weir_spool_sync(w), -EIO);
    assert_int_equal(weir_spool_kept(w), 1);
    assert_int_equal(weir_spool_writer_close(w), -EIO);
    w = writer(NULL);
    put(w, "again");
    assert_int_equal(weir_spool_writer_close(w), 0);
    assert_int_equal(check().damages, 0);
}

/* A segment whose name is there, and perhaps not for ever: it is not made a second time, under the feet of a reader. */
static void failed_sync_of_the_folder_is_the_end(void **state)
{
    static const char large[4080];
    const struct weir_spool_options options = {.segment_bytes = 4096};
    (void)state;
    struct weir_spool_writer *w = writer(&options);
    struct weir_spool_reader *r = reader(NULL, false);
    put(w, "a");
    expect(r, "a");
    fail_folder_with = ENOSPC;
    assert_int_equal(weir_spool_append(w, large, sizeof(large)), -EIO);
    fail_folder_with = 0;
    expect(r, NULL); /* it is in the new one now */
    assert_int_equal(weir_spool_append(w, large, sizeof(large)), -EIO);
    assert_int_equal(weir_spool_writer_close(w), -EIO);
    w = writer(&options);
    put(w, "b");
    expect(r, "b");
    assert_int_equal(weir_spool_append(w, large, sizeof(large)), 0);
    put(w, "c");
    struct weir_spool_message m;
    assert_int_equal(weir_spool_next(r, 0, &m), 1);
    expect(r, "c");
    weir_spool_reader_close(r);
    assert_int_equal(weir_spool_writer_close(w), 0);
}

static void commits_are_durable_unless_lazy(void **state)
{
    const struct weir_spool_reader_options durable = {.name = "durable"};
    struct weir_spool_reader *r;
    (void)state;
    struct weir_spool_writer *w = lazy_writer(0);
    put(w, "a");
    weir_spool_writer_close(w);
    assert_int_equal(weir_spool_reader_open(folder, &durable, &r), 0);
    calls = 0;
    expect(r, "a");
    assert_int_equal(weir_spool_commit(r), 0);
    assert_int_equal(calls, 1);
    assert_int_equal(weir_spool_commit(r), 0);
    assert_int_equal(calls, 1);
    weir_spool_reader_close(r);
    r = reader("lazy", false);
    expect(r, "a");
    assert_int_equal(weir_spool_commit(r), 0);
    assert_int_equal(calls, 1);
    weir_spool_reader_close(r);
}

#define POWER_TEST(f) cmocka_unit_test_setup_teardown(f, reset, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        POWER_TEST(kept_with_each_survives),
        POWER_TEST(kept_by_time_survives),
        POWER_TEST(no_more_calls_than_needed),
        POWER_TEST(failed_sync_is_the_end),
        POWER_TEST(failed_sync_of_the_folder_is_the_end),
        POWER_TEST(commits_are_durable_unless_lazy),
    };
    return cmocka_run_group_tests_name("spool_power", tests, NULL, NULL);
}
