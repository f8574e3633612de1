/* weir_copy() and weir_relay(): between every two kinds, and how ends and errors are passed on. */
#include "ends.h"

#include <fcntl.h>

#define COPY_BYTES (1u * 1024 * 1024 + 777)

static void *write_numbers(void *arg)
{
    struct weir_stream *to = arg;
    uint8_t bytes[8192];
    for (size_t sent = 0; sent < COPY_BYTES;) {
        size_t len = COPY_BYTES - sent < sizeof(bytes) ? COPY_BYTES - sent : sizeof(bytes);
        for (size_t i = 0; i < len; i++)
            bytes[i] = byte_at(sent + i);
        int rc = weir_write_all(to, bytes, len);
        if (rc < 0)
            return (void *)(intptr_t)rc;
        sent += len;
    }
    return (void *)(intptr_t)weir_end(to);
}

/* Reads to the end; returns the count when every byte is the one of its place, else -1. */
static void *read_numbers(void *arg)
{
    struct weir_stream *from = arg;
    uint8_t bytes[10000];
    size_t have = 0;
    ssize_t n;
    while ((n = weir_read(from, bytes, sizeof(bytes))) > 0) {
        for (ssize_t i = 0; i < n; i++)
            if (bytes[i] != byte_at(have + (size_t)i))
                return (void *)(intptr_t)-1;
        have += (size_t)n;
    }
    return (void *)(intptr_t)(n < 0 ? n : (ssize_t)have);
}

static void check_copy(const struct kind *from_kind, const struct kind *to_kind)
{
    struct ends from;
    struct ends to;
    pthread_t producer;
    pthread_t consumer;
    void *result;
    uint64_t bytes = 0;
    bool reading;
    from_kind->open(&from);
    to_kind->open(&to);
    set_timeouts(&from, PATIENCE_MS);
    set_timeouts(&to, PATIENCE_MS);
    pthread_create(&producer, NULL, write_numbers, from.writer);
    pthread_create(&consumer, NULL, read_numbers, to.reader);
    int rc = weir_copy(from.reader, to.writer, &bytes, &reading);
    if (rc < 0)
        fail_msg("%s to %s: %s", from_kind->name, to_kind->name, strerror(-rc));
    assert_int_equal(bytes, COPY_BYTES);
    assert_int_equal(weir_end(to.writer), 0);
    pthread_join(producer, &result);
    assert_int_equal((intptr_t)result, 0);
    pthread_join(consumer, &result);
    if ((intptr_t)result != COPY_BYTES)
        fail_msg("%s to %s: %ld", from_kind->name, to_kind->name, (long)(intptr_t)result);
    close_ends(&from);
    close_ends(&to);
}

static void copies_between_all_kinds(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++)
        for (size_t j = 0; j < KINDS; j++)
            if (has_tcp6() || (kinds[i].open != open_tcp6 && kinds[j].open != open_tcp6))
                check_copy(&kinds[i], &kinds[j]);
}

static void make_file(const char *name)
{
    struct weir_stream *file;
    assert_int_equal(weir_open(name, WEIR_WRITE | WEIR_CREATE | WEIR_TRUNCATE, 0, &file), 0);
    assert_int_equal((intptr_t)write_numbers(file), -EOPNOTSUPP); /* a file has no half-close */
    assert_int_equal(weir_close(file), 0);
}

static void check_file(const char *name)
{
    struct weir_stream *file;
    assert_int_equal(weir_open(name, WEIR_READ, 0, &file), 0);
    assert_int_equal((intptr_t)read_numbers(file), COPY_BYTES);
    weir_close(file);
}

static void copies_files_from_and_to_all_kinds(void **state)
{
    (void)state;
    const char *source = fresh_name("file:");
    const char *target = fresh_name("file:");
    struct ends e;
    struct weir_stream *file;
    pthread_t thread;
    void *result;
    uint64_t bytes;
    make_file(source);
    for (size_t i = 0; i < KINDS; i++) {
        if (kinds[i].open == open_tcp6 && !has_tcp6())
            continue;
        kinds[i].open(&e);
        set_timeouts(&e, PATIENCE_MS);
        assert_int_equal(weir_open(source, WEIR_READ, 0, &file), 0);
        pthread_create(&thread, NULL, read_numbers, e.reader);
        assert_int_equal(weir_copy(file, e.writer, &bytes, NULL), 0);
        assert_int_equal(bytes, COPY_BYTES);
        assert_int_equal(weir_end(e.writer), 0);
        pthread_join(thread, &result);
        assert_int_equal((intptr_t)result, COPY_BYTES);
        weir_close(file);
        close_ends(&e);

        kinds[i].open(&e);
        set_timeouts(&e, PATIENCE_MS);
        unsigned how = WEIR_WRITE | WEIR_CREATE | (i % 2 ? WEIR_APPEND : 0);
        unlink(target + 5);
        assert_int_equal(weir_open(target, how, 0, &file), 0);
        pthread_create(&thread, NULL, write_numbers, e.writer);
        assert_int_equal(weir_copy(e.reader, file, &bytes, NULL), 0);
        pthread_join(thread, NULL);
        assert_int_equal(weir_close(file), 0);
        close_ends(&e);
        check_file(target);
    }
}

static void copies_file_to_file(void **state)
{
    (void)state;
    const char *source = fresh_name("file:");
    const char *target = fresh_name("file:");
    struct weir_stream *from;
    struct weir_stream *to;
    uint64_t bytes;
    make_file(source);
    for (int append = 0; append < 2; append++) {
        unlink(target + 5);
        assert_int_equal(weir_open(source, WEIR_READ, 0, &from), 0);
        assert_int_equal(
            weir_open(target, WEIR_WRITE | WEIR_CREATE | (append ? WEIR_APPEND : 0), 0, &to), 0);
        assert_int_equal(weir_copy(from, to, &bytes, NULL), 0);
        assert_int_equal(bytes, COPY_BYTES);
        weir_close(from);
        weir_close(to);
        check_file(target);
    }
    /* One that is made up as it is read and says it has no length. */
    assert_int_equal(weir_open("file:/proc/self/status", WEIR_READ, 0, &from), 0);
    assert_int_equal(weir_open(target, WEIR_WRITE | WEIR_TRUNCATE, 0, &to), 0);
    assert_int_equal(weir_copy(from, to, &bytes, NULL), 0);
    assert_true(bytes > 100);
    weir_close(from);
    weir_close(to);
}

/* Where copy_file_range(2) does not go: to another file system, and from files that are made up as they are read. */
static void copies_what_the_kernel_does_not(void **state)
{
    (void)state;
    static char wanted[65536];
    static char got[65536];
    char elsewhere[64];
    struct weir_stream *from;
    struct weir_stream *to;
    uint64_t bytes;
    const char *source = fresh_name("file:");
    make_file(source);
    snprintf(elsewhere, sizeof(elsewhere), "file:/dev/shm/weir-copy-%d", (int)getpid());
    assert_int_equal(weir_open(source, WEIR_READ, 0, &from), 0);
    if (weir_open(elsewhere, WEIR_WRITE | WEIR_CREATE | WEIR_TRUNCATE, 0, &to) == 0) {
        assert_int_equal(weir_copy(from, to, &bytes, NULL), 0);
        assert_int_equal(bytes, COPY_BYTES);
        weir_close(to);
        check_file(elsewhere);
        unlink(elsewhere + 5);
    }
    weir_close(from);

    assert_int_equal(weir_open("file:/proc/self/limits", WEIR_READ, 0, &from), 0);
    ssize_t len = weir_read_full(from, wanted, sizeof(wanted));
    weir_close(from);
    assert_in_range(len, 100, sizeof(wanted) - 1);
    for (size_t i = 0; i < KINDS; i++) {
        struct ends e;
        if (kinds[i].open == open_tcp6 && !has_tcp6())
            continue;
        kinds[i].open(&e);
        set_timeouts(&e, PATIENCE_MS);
        assert_int_equal(weir_open("file:/proc/self/limits", WEIR_READ, 0, &from), 0);
        assert_int_equal(weir_copy(from, e.writer, &bytes, NULL), 0);
        weir_close(from);
        assert_int_equal(bytes, len);
        assert_int_equal(weir_end(e.writer), 0);
        assert_int_equal(weir_read_full(e.reader, got, sizeof(got)), len);
        assert_memory_equal(got, wanted, (size_t)len);
        close_ends(&e);
    }
}

static void copy_says_which_side_failed(void **state)
{
    (void)state;
    struct ends from;
    struct ends to;
    uint64_t bytes;
    bool reading = true;
    for (size_t i = 0; i < KINDS; i++) {
        if (kinds[i].open == open_exec || (kinds[i].open == open_tcp6 && !has_tcp6()))
            continue;
        kinds[i].open(&to);
        weir_close(to.reader);
        assert_int_equal(weir_open("file:/dev/zero", WEIR_READ, 0, &from.reader), 0);
        weir_set_timeout(to.writer, PATIENCE_MS);
        reading = true;
        assert_int_equal(weir_copy(from.reader, to.writer, &bytes, &reading), -EPIPE);
        assert_false(reading);
        weir_close(from.reader);
        weir_close(to.writer);
    }
    open_pipe(&from);
    open_pair(&to);
    weir_set_timeout(from.reader, 30);
    assert_int_equal(weir_copy(from.reader, to.writer, &bytes, &reading), -ETIMEDOUT);
    assert_true(reading);
    close_ends(&from);
    close_ends(&to);
}

/* --- relay --- */

struct relaying {
    struct weir_stream *a, *b;
    int idle_ms;
    int result;
    struct weir_relay count;
};

static void *run_relay(void *arg)
{
    struct relaying *r = arg;
    r->result = weir_relay(r->a, r->b, r->idle_ms, &r->count);
    /* The ends are closed as a program would, so that the far ends see it. */
    weir_close(r->a);
    weir_close(r->b);
    return NULL;
}

static void relays_both_ways_and_half_closes(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        for (size_t j = 0; j < KINDS; j++) {
            struct ends left;
            struct ends right;
            pthread_t relay;
            pthread_t producers[2];
            pthread_t consumers[2];
            void *result;
            if (!kinds[i].two_way || !kinds[j].two_way ||
                (!has_tcp6() && (kinds[i].open == open_tcp6 || kinds[j].open == open_tcp6)))
                continue;
            kinds[i].open(&left);
            kinds[j].open(&right);
            set_timeouts(&left, PATIENCE_MS);
            set_timeouts(&right, PATIENCE_MS);
            struct relaying r = {.a = left.reader, .b = right.writer, .idle_ms = PATIENCE_MS};
            pthread_create(&relay, NULL, run_relay, &r);
            pthread_create(&producers[0], NULL, write_numbers, left.writer);
            pthread_create(&producers[1], NULL, write_numbers, right.reader);
            pthread_create(&consumers[0], NULL, read_numbers, left.writer);
            pthread_create(&consumers[1], NULL, read_numbers, right.reader);
            for (int k = 0; k < 2; k++) {
                pthread_join(producers[k], &result);
                assert_int_equal((intptr_t)result, 0);
                pthread_join(consumers[k], &result);
                assert_int_equal((intptr_t)result, COPY_BYTES);
            }
            pthread_join(relay, NULL);
            assert_int_equal(r.result, 0);
            assert_int_equal(r.count.a_to_b, COPY_BYTES);
            assert_int_equal(r.count.b_to_a, COPY_BYTES);
            assert_int_equal(r.count.a_error, 0);
            assert_int_equal(r.count.b_error, 0);
            weir_close(left.writer);
            weir_close(right.reader);
        }
    }
}

/* One side has ended; the answer still comes through. */
static void relay_answers_after_the_question_ended(void **state)
{
    (void)state;
    struct ends left;
    struct weir_stream *sort;
    pthread_t thread;
    char bytes[16];
    open_unix(&left);
    set_timeouts(&left, PATIENCE_MS);
    assert_int_equal(weir_open("exec:sort", 0, 0, &sort), 0);
    struct relaying r = {.a = left.reader, .b = sort, .idle_ms = PATIENCE_MS};
    pthread_create(&thread, NULL, run_relay, &r);
    assert_int_equal(weir_write_all(left.writer, "b\na\n", 4), 0);
    assert_int_equal(weir_end(left.writer), 0);
    assert_int_equal(weir_read_full(left.writer, bytes, sizeof(bytes)), 4);
    assert_memory_equal(bytes, "a\nb\n", 4);
    pthread_join(thread, NULL);
    assert_int_equal(r.result, 0);
    assert_int_equal(r.count.a_to_b, 4);
    weir_close(left.writer);
}

/* A writer whose reader behind the relay is gone learns it, where nature has a word for that. */
static void relay_tells_that_nobody_reads(void **state)
{
    (void)state;
    static char block[65536];
    for (int silent = 0; silent < 2; silent++) {
        struct ends left;
        struct weir_stream *head;
        pthread_t thread;
        char bytes[16];
        int rc = 0;
        open_unix(&left);
        set_timeouts(&left, PATIENCE_MS);
        assert_int_equal(weir_open(silent ? "exec:echo hello" : "exec:head -c 6", 0, 0, &head), 0);
        struct relaying r = {.a = left.reader, .b = head, .idle_ms = PATIENCE_MS};
        pthread_create(&thread, NULL, run_relay, &r);
        memcpy(block, "hello\n", 6);
        for (int i = 0; rc == 0 && i < 1000; i++) {
            rc = silent ? 0 : weir_write_all(left.writer, block, sizeof(block));
            if (silent)
                break;
        }
        /* What it said before it went is delivered all the same. */
        assert_int_equal(weir_read_full(left.writer, bytes, sizeof(bytes)), 6);
        assert_memory_equal(bytes, "hello\n", 6);
        pthread_join(thread, NULL);
        assert_int_equal(rc, silent ? 0 : -EPIPE);
        assert_int_equal(r.count.b_to_a, 6);
        assert_int_equal(r.result, silent ? 0 : -EPIPE);
        assert_int_equal(r.count.b_error, silent ? 0 : -EPIPE);
        weir_close(left.writer);
    }
}

static void relay_ends_after_silence(void **state)
{
    (void)state;
    struct ends left;
    struct ends right;
    struct weir_relay count;
    open_tcp4(&left);
    open_pair(&right);
    int64_t before = now_ms();
    assert_int_equal(weir_relay(left.reader, right.writer, 60, &count), -ETIMEDOUT);
    assert_true(now_ms() - before >= 59);
    close_ends(&left);
    close_ends(&right);
}

/* A reader that does not read holds the writer back; the relay takes in no more than its pipes hold. */
static void slow_side_slows_the_other(void **state)
{
    (void)state;
    struct ends left;
    struct ends right;
    pthread_t thread;
    static char block[65536];
    size_t sent = 0;
    ssize_t n;
    open_pair(&left);
    open_pair(&right);
    struct relaying r = {.a = left.reader, .b = right.writer, .idle_ms = PATIENCE_MS};
    pthread_create(&thread, NULL, run_relay, &r);
    weir_set_timeout(left.writer, 100);
    while ((n = weir_write(left.writer, block, sizeof(block))) > 0)
        sent += (size_t)n;
    assert_int_equal(n, -ETIMEDOUT);
    assert_true(sent < 4u * 1024 * 1024);
    assert_int_equal(weir_end(left.writer), 0);
    assert_int_equal(weir_end(right.reader), 0);
    size_t got = 0;
    weir_set_timeout(right.reader, PATIENCE_MS);
    while ((n = weir_read(right.reader, block, sizeof(block))) > 0)
        got += (size_t)n;
    assert_int_equal(n, 0);
    assert_int_equal(got, sent);
    pthread_join(thread, NULL);
    assert_int_equal(r.result, 0);
    weir_close(left.writer);
    weir_close(right.reader);
}

static void relay_from_and_to_one_way_ends(void **state)
{
    (void)state;
    const char *source = fresh_name("file:");
    const char *target = fresh_name("file:");
    struct weir_stream *from;
    struct weir_stream *to;
    struct weir_relay count;
    make_file(source);
    assert_int_equal(weir_open(source, WEIR_READ, 0, &from), 0);
    assert_int_equal(weir_open(target, WEIR_WRITE | WEIR_CREATE, 0, &to), 0);
    assert_int_equal(weir_relay(from, to, PATIENCE_MS, &count), 0);
    assert_int_equal(count.a_to_b, COPY_BYTES);
    assert_int_equal(count.b_to_a, 0);
    weir_close(from);
    weir_close(to);
    check_file(target);
}

#define COUNTED(f) cmocka_unit_test_setup_teardown(f, count_before, count_after)

int main(void)
{
    const struct CMUnitTest tests[] = {
        COUNTED(copies_between_all_kinds),
        COUNTED(copies_files_from_and_to_all_kinds),
        COUNTED(copies_file_to_file),
        COUNTED(copies_what_the_kernel_does_not),
        COUNTED(copy_says_which_side_failed),
        COUNTED(relays_both_ways_and_half_closes),
        COUNTED(relay_answers_after_the_question_ended),
        COUNTED(relay_tells_that_nobody_reads),
        COUNTED(relay_ends_after_silence),
        COUNTED(slow_side_slows_the_other),
        COUNTED(relay_from_and_to_one_way_ends),
    };
    signal(SIGPIPE, SIG_DFL);
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
