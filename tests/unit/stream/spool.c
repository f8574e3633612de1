/* weir/spool.h: what is written comes back, to each reader at its own pace, over segments and restarts. */
#include "spool.h"

#include "stream/spool_reader.h"

#include <poll.h>
#include <pthread.h>

static void messages_come_back_in_order(void **state)
{
    struct weir_spool_message m;
    (void)state;
    struct weir_spool_writer *w = writer(NULL);
    put(w, "one");
    put(w, "");
    put(w, "three\nwith a line end");
    assert_int_equal(weir_spool_number(w), 3);
    assert_int_equal(weir_spool_kept(w), 3);
    struct weir_spool_reader *r = reader(NULL, false);
    expect(r, "one");
    expect(r, "");
    assert_int_equal(weir_spool_next(r, 0, &m), 1);
    assert_int_equal(m.number, 2);
    assert_int_equal(m.missed, 0);
    expect(r, NULL);
    expect(r, NULL);
    put(w, "four");
    expect(r, "four");
    assert_int_equal(weir_spool_commit(r), -EINVAL);
    weir_spool_reader_close(r);
    assert_int_equal(weir_spool_writer_close(w), 0);
    assert_int_equal(weir_spool_writer_close(NULL), 0);
    weir_spool_reader_close(NULL);
}

static void messages_have_a_largest_size(void **state)
{
    size_t len = WEIR_SPOOL_MESSAGE_MAX;
    struct weir_spool_message m;
    (void)state;
    uint8_t *bytes = malloc(len + 1);
    memset(bytes, 'x', len + 1);
    struct weir_spool_writer *w = lazy_writer(0);
    assert_int_equal(weir_spool_append(w, bytes, len + 1), -EMSGSIZE);
    assert_int_equal(weir_spool_append(w, bytes, len), 0);
    put(w, "small");
    const struct weir_bytes both[] = {{"first", 5}, {(const char *)bytes, len + 1}, {"third", 5}};
    assert_int_equal(weir_spool_append_many(w, both, 3), 1);
    assert_int_equal(weir_spool_append_many(w, both + 1, 2), -EMSGSIZE);
    assert_int_equal(weir_spool_append_many(w, both, 0), 0);
    weir_spool_writer_close(w);
    struct weir_spool_reader *r = reader(NULL, false);
    assert_int_equal(weir_spool_next(r, 0, &m), 1);
    assert_int_equal(m.len, len);
    assert_memory_equal(m.bytes, bytes, len);
    expect(r, "small");
    expect(r, "first");
    expect(r, NULL);
    weir_spool_reader_close(r);
    free(bytes);
}

static void options_have_bounds(void **state)
{
    struct weir_spool_writer *w;
    (void)state;
    const struct weir_spool_options bad[] = {
        {.segment_bytes = 4095}, {.segment_bytes = 1ull << 40}, {.sync_ms = -2}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(weir_spool_writer_open(folder, &bad[i], &w), -EINVAL);
    assert_int_equal(weir_spool_writer_open("/tmp/weir-no-such/folder", NULL, &w), -ENOENT);
    assert_int_equal(weir_spool_writer_open("/dev/null", NULL, &w), -ENOTDIR);
}

static void many_at_once_over_segments(void **state)
{
    static uint8_t bytes[400][MADE_MAX];
    struct weir_bytes messages[400];
    struct weir_spool_message m;
    (void)state;
    for (size_t i = 0; i < 400; i++) {
        make_message(i, bytes[i]);
        messages[i] = (struct weir_bytes){(const char *)bytes[i], made_len(i)};
    }
    struct weir_spool_writer *w = lazy_writer(4096);
    assert_int_equal(weir_spool_append_many(w, messages, 400), 400);
    weir_spool_writer_close(w);
    assert_true(count_files(".seg") > 20);
    struct weir_spool_reader *r = reader(NULL, false);
    for (uint64_t i = 0; i < 400; i++) {
        assert_int_equal(weir_spool_next(r, 0, &m), 1);
        assert_int_equal(m.number, i);
        assert_true(is_made(&m));
        assert_int_equal(m.missed, 0);
    }
    expect(r, NULL);
    weir_spool_reader_close(r);
    struct weir_spool_sum sum = check();
    assert_int_equal(sum.messages, 400);
    assert_int_equal(sum.damages, 0);
    assert_int_equal(sum.segments, count_files(".seg"));
}

/* No file is larger than asked, but for one message that is. */
static void segments_are_bounded(void **state)
{
    struct stat st;
    uint64_t firsts[64];
    char text[3001];
    (void)state;
    memset(text, 'x', sizeof(text));
    struct weir_spool_writer *w = lazy_writer(4096);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(weir_spool_append(w, text, 3000), 0);
        assert_int_equal(weir_spool_append(w, text, 900), 0);
    }
    weir_spool_writer_close(w);
    size_t count = segment_firsts(firsts, 64);
    assert_int_equal(count, 5);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(firsts[i], 2 * i);
        assert_int_equal(stat(segment_path(firsts[i]), &st), 0);
        assert_true(st.st_size <= 4096);
    }
}

/* The reader stands at the very end of a segment when the next one begins. */
static void reader_at_the_boundary(void **state)
{
    char text[2001];
    (void)state;
    memset(text, 'b', 2000);
    text[2000] = '\0';
    struct weir_spool_writer *w = lazy_writer(4096);
    struct weir_spool_reader *r = reader("boundary", false);
    for (int i = 0; i < 10; i++) {
        put(w, text);
        expect(r, text);
        expect(r, NULL);
        assert_int_equal(weir_spool_commit(r), 0);
        weir_spool_reader_close(r);
        r = reader("boundary", false);
        expect(r, NULL);
    }
    assert_int_equal(count_files(".seg"), 10);
    weir_spool_reader_close(r);
    weir_spool_writer_close(w);
}

/* The last message of a segment comes between the look for it and the look for the next segment. */
static void last_message_comes_late(void **state)
{
    char text[3001];
    (void)state;
    memset(text, 'l', 3000);
    text[3000] = '\0';
    struct weir_spool_writer *w = lazy_writer(4096);
    struct weir_spool_reader *r = reader(NULL, false);
    put(w, "first");
    expect(r, "first");
    put(w, text);
    put(w, text); /* another segment */
    assert_int_equal(spool_move(r), 1);
    expect(r, text);
    expect(r, text);
    expect(r, NULL);
    weir_spool_reader_close(r);
    weir_spool_writer_close(w);
}

static void readers_go_at_their_own_pace(void **state)
{
    char text[16];
    (void)state;
    struct weir_spool_writer *w = lazy_writer(4096);
    for (int i = 0; i < 600; i++) {
        snprintf(text, sizeof(text), "m%d", i);
        put(w, text);
    }
    struct weir_spool_reader *fast = reader("fast", false), *slow = reader("slow", false);
    for (int i = 0; i < 600; i++) {
        snprintf(text, sizeof(text), "m%d", i);
        expect(fast, text);
        if (i % 10 == 0) {
            snprintf(text, sizeof(text), "m%d", i / 10);
            expect(slow, text);
        }
    }
    assert_int_equal(weir_spool_commit(fast), 0);
    assert_int_equal(weir_spool_commit(slow), 0);
    weir_spool_reader_close(fast);
    weir_spool_reader_close(slow);
    fast = reader("fast", false);
    slow = reader("slow", false);
    expect(fast, NULL);
    expect(slow, "m60");
    weir_spool_reader_close(fast);
    weir_spool_reader_close(slow);
    weir_spool_writer_close(w);
}

static void only_what_was_committed_is_passed(void **state)
{
    (void)state;
    struct weir_spool_writer *w = lazy_writer(0);
    put(w, "a");
    put(w, "b");
    put(w, "c");
    weir_spool_writer_close(w);
    for (int i = 0; i < 3; i++) {
        struct weir_spool_reader *r = reader("x", false);
        expect(r, "a");
        expect(r, "b");
        weir_spool_reader_close(r);
    }
    struct weir_spool_reader *r = reader("x", false);
    expect(r, "a");
    assert_int_equal(weir_spool_commit(r), 0);
    expect(r, "b");
    weir_spool_reader_close(r);
    r = reader("x", false);
    expect(r, "b");
    expect(r, "c");
    assert_int_equal(weir_spool_commit(r), 0);
    assert_int_equal(weir_spool_commit(r), 0);
    weir_spool_reader_close(r);
    r = reader("x", false);
    expect(r, NULL);
    weir_spool_reader_close(r);
}

static void names_are_checked_and_locked(void **state)
{
    struct weir_spool_reader *r, *second;
    (void)state;
    static const char *const bad[] = {
        "",    "a/b", "..",
        "a.b", "ä",   "12345678901234567890123456789012345678901234567890123456789012345"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        const struct weir_spool_reader_options options = {.name = bad[i]};
        assert_int_equal(weir_spool_reader_open(folder, &options, &r), -EINVAL);
    }
    r = reader("A-z_09", false);
    const struct weir_spool_reader_options same = {.name = "A-z_09"};
    assert_int_equal(weir_spool_reader_open(folder, &same, &second), -EBUSY);
    weir_spool_reader_close(r);
    assert_int_equal(weir_spool_reader_open(folder, &same, &second), 0);
    weir_spool_reader_close(second);
    assert_int_equal(weir_spool_reader_open("/tmp/weir-no-such", NULL, &r), -ENOENT);
}

static void one_writer_at_a_time(void **state)
{
    struct weir_spool_writer *second;
    (void)state;
    struct weir_spool_writer *w = lazy_writer(0);
    assert_int_equal(weir_spool_writer_open(folder, NULL, &second), -EBUSY);
    put(w, "still mine");
    weir_spool_writer_close(w);
    w = lazy_writer(0);
    assert_int_equal(weir_spool_number(w), 1);
    weir_spool_writer_close(w);
}

static void new_readers_begin_where_they_want(void **state)
{
    struct weir_spool_reader *r;
    (void)state;
    const struct weir_spool_reader_options end = {.name = "end", .from = WEIR_SPOOL_END};
    assert_int_equal(weir_spool_reader_open(folder, &end, &r), 0); /* nothing is there yet */
    struct weir_spool_writer *w = lazy_writer(0);
    put(w, "first");
    expect(r, "first");
    weir_spool_reader_close(r);
    put(w, "second");
    const struct weir_spool_reader_options late = {.name = "late", .from = WEIR_SPOOL_END};
    assert_int_equal(weir_spool_reader_open(folder, &late, &r), 0);
    expect(r, NULL);
    put(w, "third");
    weir_spool_reader_close(r);
    /* It has a position since it was opened first. */
    assert_int_equal(weir_spool_reader_open(folder, &late, &r), 0);
    expect(r, "third");
    weir_spool_reader_close(r);
    weir_spool_writer_close(w);
}

static void durability_by_time(void **state)
{
    const struct weir_spool_options options = {.sync_ms = 30};
    (void)state;
    struct weir_spool_writer *w = writer(&options);
    assert_int_equal(weir_spool_due_ms(w), -1);
    put(w, "a");
    put(w, "b");
    assert_int_equal(weir_spool_kept(w), 0);
    int due = weir_spool_due_ms(w);
    assert_in_range(due, 0, 30);
    nap_us(35000);
    assert_int_equal(weir_spool_due_ms(w), 0);
    assert_int_equal(weir_spool_tend(w), 0);
    assert_int_equal(weir_spool_kept(w), 2);
    assert_int_equal(weir_spool_due_ms(w), -1);
    put(w, "c");
    assert_int_equal(weir_spool_kept(w), 2);
    assert_int_equal(weir_spool_sync(w), 0);
    assert_int_equal(weir_spool_kept(w), 3);
    put(w, "d");
    nap_us(35000);
    put(w, "e"); /* appending does what is due, too */
    assert_int_equal(weir_spool_kept(w), 5);
    assert_int_equal(weir_spool_writer_close(w), 0);
    w = lazy_writer(0);
    put(w, "f");
    assert_int_equal(weir_spool_kept(w), 6);
    assert_int_equal(weir_spool_sync(w), 0);
    weir_spool_writer_close(w);
}

static void waiting_ends_in_time(void **state)
{
    struct weir_spool_message m;
    (void)state;
    struct weir_spool_reader *r = reader(NULL, false);
    int64_t before = now_us();
    assert_int_equal(weir_spool_next(r, 60, &m), 0);
    int64_t took = now_us() - before;
    assert_true(took >= 60000 && took < 2000000);
    weir_spool_reader_close(r);
}

/* Appends its own time now and then, over several segments. */
static void *tell_time(void *arg)
{
    struct weir_spool_writer *w = arg;
    char text[500] = "";
    for (int i = 0; i < 25; i++) {
        nap_us(4000 + i % 5 * 9000);
        int64_t now = now_us();
        memcpy(text, &now, sizeof(now));
        if (weir_spool_append(w, text, sizeof(text)) < 0)
            return (void *)1;
    }
    return NULL;
}

static void follow(bool blind)
{
    struct weir_spool_message m;
    pthread_t thread;
    void *result;
    struct weir_spool_writer *w = lazy_writer(4096);
    struct weir_spool_reader *r = reader(NULL, false);
    if (blind)
        r->watch.fd = -2;
    assert_int_equal(pthread_create(&thread, NULL, tell_time, w), 0);
    for (int i = 0; i < 25; i++) {
        int64_t then;
        assert_int_equal(weir_spool_next(r, 5000, &m), 1);
        memcpy(&then, m.bytes, sizeof(then));
        assert_true(now_us() - then < 100000);
    }
    pthread_join(thread, &result);
    assert_null(result);
    assert_true(count_files(".seg") > 2);
    weir_spool_reader_close(r);
    weir_spool_writer_close(w);
}

static void following_wakes_within_100_ms(void **state)
{
    (void)state;
    follow(false);
}

static void following_without_inotify_too(void **state)
{
    (void)state;
    follow(true);
}

/* An event loop of one's own: the descriptor tells of all that comes after a 0, and of nothing else. */
static void descriptor_to_poll(void **state)
{
    (void)state;
    struct weir_spool_reader *r = reader("mine", false);
    struct pollfd p = {.fd = weir_spool_reader_fd(r), .events = POLLIN};
    assert_true(p.fd >= 0);
    expect(r, NULL);
    assert_int_equal(poll(&p, 1, 0), 0);
    struct weir_spool_writer *w = lazy_writer(4096); /* a first segment */
    assert_int_equal(poll(&p, 1, 100), 1);
    expect(r, NULL);
    assert_int_equal(poll(&p, 1, 0), 0);
    put(w, "a");
    assert_int_equal(poll(&p, 1, 100), 1);
    expect(r, "a");
    expect(r, NULL);
    assert_int_equal(weir_spool_commit(r), 0);
    struct weir_spool_reader *other = reader("other", false); /* others' commits are no news */
    expect(other, "a");
    assert_int_equal(weir_spool_commit(other), 0);
    weir_spool_reader_close(other);
    assert_int_equal(poll(&p, 1, 0), 0);
    char large[4000] = "";
    for (int i = 0; i < 3; i++) {
        assert_int_equal(weir_spool_append(w, large, sizeof(large)), 0); /* another segment each */
        assert_int_equal(poll(&p, 1, 100), 1);
        struct weir_spool_message m;
        assert_int_equal(weir_spool_next(r, 0, &m), 1);
        expect(r, NULL);
        assert_int_equal(poll(&p, 1, 0), 0);
    }
    assert_int_equal(weir_spool_reader_fd(r), p.fd);
    weir_spool_reader_close(r);
    weir_spool_writer_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SPOOL_TEST(messages_come_back_in_order),
        SPOOL_TEST(messages_have_a_largest_size),
        SPOOL_TEST(options_have_bounds),
        SPOOL_TEST(many_at_once_over_segments),
        SPOOL_TEST(segments_are_bounded),
        SPOOL_TEST(reader_at_the_boundary),
        SPOOL_TEST(last_message_comes_late),
        SPOOL_TEST(readers_go_at_their_own_pace),
        SPOOL_TEST(only_what_was_committed_is_passed),
        SPOOL_TEST(names_are_checked_and_locked),
        SPOOL_TEST(one_writer_at_a_time),
        SPOOL_TEST(new_readers_begin_where_they_want),
        SPOOL_TEST(durability_by_time),
        SPOOL_TEST(waiting_ends_in_time),
        SPOOL_TEST(following_wakes_within_100_ms),
        SPOOL_TEST(following_without_inotify_too),
        SPOOL_TEST(descriptor_to_poll),
    };
    return cmocka_run_group_tests_name("spool", tests, NULL, NULL);
}
