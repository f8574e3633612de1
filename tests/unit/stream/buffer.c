/* weir/buffer.h on every kind of stream: pieces of all sizes, cut anywhere; ends, errors and time limits. */
#include "ends.h"

#include <weir/buffer.h>

#define BUFFER 65536u /* of a reader and a writer */
#define TEXT   300000u

static uint8_t text[TEXT];

static int make_text(void **state)
{
    for (size_t i = 0; i < TEXT; i++)
        text[i] = byte_at(i);
    return make_dir(state);
}

static bool is_there(const struct kind *kind)
{
    return kind->open != open_tcp6 || has_tcp6();
}

/* --- over every kind --- */

#define MESSAGES 1500u

/* Mostly small, now and then around the sizes at which something changes. */
static size_t length_of(unsigned n)
{
    static const size_t odd[] = {0, 1, 8191, 8192, 65531, 65532, 65533, 65536, 65537, 200000};
    return n % 37 == 0 ? odd[n / 37 % 10] : n * 2654435761u % 300;
}

static void *write_frames(void *arg)
{
    struct weir_stream *s = arg;
    struct weir_writer w;
    intptr_t rc = weir_writer_init(&w, s);
    for (unsigned i = 0; rc == 0 && i < MESSAGES; i++)
        rc = weir_writer_frame(&w, text + i % 100, length_of(i));
    intptr_t late = weir_writer_done(&w);
    rc = rc < 0 ? rc : late;
    return (void *)(rc < 0 ? rc : (intptr_t)weir_end(s));
}

static void frames_arrive_over_every_kind(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct ends e;
        struct weir_reader r;
        struct weir_bytes m;
        pthread_t thread;
        void *result;
        if (!is_there(&kinds[k]))
            continue;
        kinds[k].open(&e);
        set_timeouts(&e, k % 2 ? PATIENCE_MS : WEIR_FOREVER);
        pthread_create(&thread, NULL, write_frames, e.writer);
        assert_int_equal(weir_reader_init(&r, e.reader, 0), 0);
        for (unsigned i = 0; i < MESSAGES; i++) {
            int rc = weir_reader_frame(&r, &m);
            if (rc != 1 || m.len != length_of(i))
                fail_msg("%s, message %u: %d, %zu bytes", kinds[k].name, i, rc, m.len);
            assert_memory_equal(m.at, text + i % 100, m.len);
        }
        assert_int_equal(weir_reader_frame(&r, &m), 0);
        pthread_join(thread, &result);
        assert_int_equal((intptr_t)result, 0);
        weir_reader_done(&r);
        close_ends(&e);
    }
}

/* The text in short writes and long ones. */
static void *write_text(void *arg)
{
    struct weir_stream *s = arg;
    uint32_t seed = 7;
    intptr_t rc = 0;
    for (size_t at = 0, n; rc == 0 && at < TEXT; at += n) {
        n = 1 + next_random(&seed) % (next_random(&seed) % 4 ? 50 : 20000);
        n = n < TEXT - at ? n : TEXT - at;
        rc = weir_write_all(s, text + at, n);
    }
    return (void *)(rc < 0 ? rc : (intptr_t)weir_end(s));
}

/* One of the ways to read; how many bytes it took and where they are. */
static size_t take_some(struct weir_reader *r, uint32_t *seed, const void **at)
{
    static uint8_t own[100000];
    struct weir_bytes span = {NULL, 0};
    size_t len = 1 + next_random(seed) % (next_random(seed) % 5 ? 300 : sizeof(own));
    ssize_t n;
    *at = own;
    switch (next_random(seed) % 4) {
    case 0:
        n = weir_reader_peek(r, len, at);
        assert_true(n >= 0);
        n = (size_t)n < len ? n : (ssize_t)len;
        assert_int_equal(weir_reader_consume(r, (size_t)n), 0);
        return (size_t)n;
    case 1:
        n = weir_reader_read(r, own, len);
        break;
    case 2:
        n = weir_reader_read_full(r, own, len);
        break;
    default:
        n = weir_reader_until(r, "\x55\x74", 2, &span);
        *at = span.at;
        assert_true(n == 0 || span.len > 0);
        n = n < 0 ? n : (ssize_t)span.len;
    }
    assert_true(n >= 0);
    return (size_t)n;
}

static void all_ways_of_reading_see_the_same_bytes(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct ends e;
        struct weir_reader r;
        pthread_t thread;
        void *result;
        const void *piece;
        uint32_t seed = (uint32_t)k;
        size_t at = 0;
        if (!is_there(&kinds[k]))
            continue;
        kinds[k].open(&e);
        set_timeouts(&e, PATIENCE_MS);
        pthread_create(&thread, NULL, write_text, e.writer);
        assert_int_equal(weir_reader_init(&r, e.reader, 0), 0);
        for (size_t n; (n = take_some(&r, &seed, &piece)) > 0; at += n) {
            assert_true(at + n <= TEXT);
            if (memcmp(piece, text + at, n) != 0)
                fail_msg("%s: %zu bytes at %zu", kinds[k].name, n, at);
        }
        assert_int_equal(at, TEXT);
        pthread_join(thread, &result);
        assert_int_equal((intptr_t)result, 0);
        weir_reader_done(&r);
        close_ends(&e);
    }
}

static void *put_text(void *arg)
{
    struct weir_stream *s = arg;
    struct weir_writer w;
    uint32_t seed = 3;
    void *room;
    intptr_t rc = weir_writer_init(&w, s);
    for (size_t at = 0, n; rc == 0 && at < TEXT; at += n) {
        n = next_random(&seed) % (next_random(&seed) % 40 ? 200 : 90000);
        n = n < TEXT - at ? n : TEXT - at;
        if (next_random(&seed) % 2 || n > BUFFER) {
            rc = weir_writer_put(&w, n ? text + at : NULL, n);
        } else if ((rc = weir_writer_reserve(&w, n, &room)) >= (ssize_t)n) {
            memcpy(room, text + at, n);
            rc = weir_writer_commit(&w, n);
        }
        if (rc == 0 && next_random(&seed) % 50 == 0)
            rc = weir_writer_flush(&w);
    }
    intptr_t late = weir_writer_done(&w);
    rc = rc < 0 ? rc : late;
    return (void *)(rc < 0 ? rc : (intptr_t)weir_end(s));
}

static void all_that_is_put_arrives(void **state)
{
    (void)state;
    static uint8_t got[TEXT + 1];
    for (size_t k = 0; k < KINDS; k++) {
        struct ends e;
        pthread_t thread;
        void *result;
        if (!is_there(&kinds[k]))
            continue;
        kinds[k].open(&e);
        set_timeouts(&e, PATIENCE_MS);
        pthread_create(&thread, NULL, put_text, e.writer);
        assert_int_equal(weir_read_full(e.reader, got, sizeof(got)), TEXT);
        assert_memory_equal(got, text, TEXT);
        pthread_join(thread, &result);
        assert_int_equal((intptr_t)result, 0);
        close_ends(&e);
    }
}

/* --- requests and replies --- */

static void *answer_frames(void *arg)
{
    struct weir_stream *s = arg;
    struct weir_reader r;
    struct weir_writer w;
    struct weir_bytes m;
    intptr_t rc = weir_reader_init(&r, s, 0);
    if (rc < 0 || (rc = weir_writer_init(&w, s)) < 0)
        return (void *)rc;
    weir_reader_tie(&r, &w);
    while ((rc = weir_reader_frame(&r, &m)) == 1)
        if ((rc = weir_writer_frame(&w, m.at, m.len)) < 0)
            break;
    weir_reader_done(&r);
    intptr_t late = weir_writer_done(&w);
    rc = rc < 0 ? rc : late;
    return (void *)(rc < 0 ? rc : (intptr_t)weir_end(s));
}

/* Nobody ever flushes by hand. Several requests under way, and the answers' sizes cross the buffer's. */
static void who_waits_has_sent_its_request(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct ends e;
        struct weir_reader r;
        struct weir_writer w;
        struct weir_bytes m;
        pthread_t thread;
        void *result;
        if (!kinds[k].two_way || !is_there(&kinds[k]))
            continue;
        kinds[k].open(&e);
        set_timeouts(&e, PATIENCE_MS);
        pthread_create(&thread, NULL, answer_frames, e.reader);
        assert_int_equal(weir_reader_init(&r, e.writer, 0), 0);
        assert_int_equal(weir_writer_init(&w, e.writer), 0);
        weir_reader_tie(&r, &w);
        for (unsigned i = 0; i < 200; i++) {
            unsigned count = 1 + i % 3;
            for (unsigned j = 0; j < count; j++)
                assert_int_equal(weir_writer_frame(&w, text + j, length_of(i) % 30000), 0);
            for (unsigned j = 0; j < count; j++) {
                assert_int_equal(weir_reader_frame(&r, &m), 1);
                assert_int_equal(m.len, length_of(i) % 30000);
                assert_memory_equal(m.at, text + j, m.len);
            }
        }
        assert_int_equal(weir_writer_done(&w), 0);
        assert_int_equal(weir_end(e.writer), 0);
        weir_reader_tie(&r, NULL);
        assert_int_equal(weir_reader_frame(&r, &m), 0);
        pthread_join(thread, &result);
        assert_int_equal((intptr_t)result, 0);
        weir_reader_done(&r);
        close_ends(&e);
    }
}

static size_t fill(struct weir_stream *s)
{
    static uint8_t block[16384];
    size_t sent = 0;
    ssize_t n;
    weir_set_timeout(s, 0);
    while ((n = weir_write(s, block, sizeof(block))) > 0)
        sent += (size_t)n;
    assert_int_equal(n, -ETIMEDOUT);
    weir_set_timeout(s, PATIENCE_MS);
    return sent;
}

struct talker {
    struct weir_stream *s;
    size_t expected;
};

static void *say_and_listen(void *arg)
{
    const struct talker *t = arg;
    struct weir_reader r;
    struct weir_writer w;
    uint8_t bytes[5000];
    size_t got = 0;
    ssize_t n = weir_reader_init(&r, t->s, 0);
    if (n < 0 || (n = weir_writer_init(&w, t->s)) < 0)
        return (void *)n;
    weir_reader_tie(&r, &w);
    n = weir_writer_put(&w, text, 1000);
    while (n >= 0 && got < t->expected && (n = weir_reader_read(&r, bytes, sizeof(bytes))) > 0)
        got += (size_t)n;
    weir_reader_done(&r);
    int late = weir_writer_done(&w);
    return (void *)(intptr_t)(n < 0 ? n : late < 0 ? late : got != t->expected);
}

/* Both queues are full, both sides have something to send and read: neither may wait for room alone. */
static void two_that_talk_at_once_do_not_lock_up(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct ends e;
        pthread_t thread;
        void *result;
        if (!kinds[k].two_way || !is_there(&kinds[k]))
            continue;
        kinds[k].open(&e);
        struct talker a = {.s = e.writer}, b = {.s = e.reader};
        b.expected = fill(e.writer) + 1000;
        a.expected = fill(e.reader) + 1000;
        pthread_create(&thread, NULL, say_and_listen, &a);
        assert_int_equal((intptr_t)say_and_listen(&b), 0);
        pthread_join(thread, &result);
        assert_int_equal((intptr_t)result, 0);
        close_ends(&e);
    }
}

#define SPEECH (3u * 1024 * 1024)

/* Says all it has to say before it listens. */
static void *speak_first(void *arg)
{
    const struct talker *t = arg;
    static uint8_t bytes[SPEECH];
    nap_ms(20); /* the other side waits by then */
    ssize_t n = weir_write_all(t->s, bytes, sizeof(bytes));
    if (n < 0)
        return (void *)n;
    for (size_t got = 0; got < t->expected; got += (size_t)n)
        if ((n = weir_read(t->s, bytes, sizeof(bytes))) <= 0)
            return (void *)(intptr_t)-1;
    return NULL;
}

/* There is no room for a request, nothing to read yet, and a peer that will read once it was heard out. */
static void who_waits_for_room_listens(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct ends e;
        struct weir_reader r;
        struct weir_writer w;
        uint8_t bytes[5000];
        pthread_t thread;
        void *result;
        ssize_t n;
        if (!kinds[k].two_way || !is_there(&kinds[k]))
            continue;
        kinds[k].open(&e);
        set_timeouts(&e, PATIENCE_MS);
        struct talker t = {.s = e.reader, .expected = fill(e.writer) + 1000};
        assert_int_equal(weir_reader_init(&r, e.writer, 0), 0);
        assert_int_equal(weir_writer_init(&w, e.writer), 0);
        weir_reader_tie(&r, &w);
        assert_int_equal(weir_writer_put(&w, text, 1000), 0);
        pthread_create(&thread, NULL, speak_first, &t);
        for (size_t got = 0; got < SPEECH; got += (size_t)n) {
            n = weir_reader_read(&r, bytes, sizeof(bytes));
            assert_true(n > 0);
        }
        assert_int_equal(weir_writer_done(&w), 0);
        pthread_join(thread, &result);
        assert_int_equal((intptr_t)result, 0);
        weir_reader_done(&r);
        close_ends(&e);
    }
}

/* --- lines and delimiters --- */

static void give(struct ends *e, const char *bytes, size_t len)
{
    open_pipe(e);
    set_timeouts(e, PATIENCE_MS);
    assert_int_equal(weir_write_all(e->writer, bytes, len), 0);
    assert_int_equal(weir_end(e->writer), 0);
}

static void expect_span(int rc, const struct weir_bytes *span, const char *wanted)
{
    assert_int_equal(rc, 1);
    assert_int_equal(span->len, strlen(wanted));
    assert_memory_equal(span->at, wanted, span->len);
}

static void lines_come_without_their_ends(void **state)
{
    (void)state;
    static const char bytes[] = "one\n\ntwo\r\nthree";
    struct ends e;
    struct weir_reader r;
    struct weir_bytes line;
    give(&e, bytes, sizeof(bytes) - 1);
    assert_int_equal(weir_reader_init(&r, e.reader, 0), 0);
    expect_span(weir_reader_line(&r, &line), &line, "one");
    expect_span(weir_reader_line(&r, &line), &line, "");
    expect_span(weir_reader_line(&r, &line), &line, "two\r");
    expect_span(weir_reader_line(&r, &line), &line, "three");
    assert_int_equal(weir_reader_line(&r, &line), 0);
    assert_int_equal(weir_reader_line(&r, &line), 0);
    weir_reader_done(&r);
    close_ends(&e);
}

static void pieces_come_with_their_delimiter(void **state)
{
    (void)state;
    static const char bytes[] = "a--b---c--";
    struct ends e;
    struct weir_reader r;
    struct weir_bytes piece;
    give(&e, bytes, sizeof(bytes) - 1);
    assert_int_equal(weir_reader_init(&r, e.reader, 0), 0);
    assert_int_equal(weir_reader_until(&r, "", 0, &piece), -EINVAL);
    assert_int_equal(weir_reader_until(&r, text, 65, &piece), -EINVAL);
    expect_span(weir_reader_until(&r, "--", 2, &piece), &piece, "a--");
    expect_span(weir_reader_until(&r, "--", 2, &piece), &piece, "b--");
    expect_span(weir_reader_until(&r, "--", 2, &piece), &piece, "-c--");
    assert_int_equal(weir_reader_until(&r, "--", 2, &piece), 0);
    weir_reader_done(&r);
    close_ends(&e);
}

/* A byte at a time, with a call after each that gives up: as far as it has come is kept. */
static void lines_survive_time_limits(void **state)
{
    (void)state;
    struct ends e;
    struct weir_reader r;
    struct weir_bytes line;
    open_pair(&e);
    weir_set_timeout(e.reader, 0);
    assert_int_equal(weir_reader_init(&r, e.reader, 100), 0);
    for (unsigned n = 0; n < 3; n++) {
        for (const char *c = "patience\r"; *c; c++) {
            assert_int_equal(weir_write_all(e.writer, c, 1), 0);
            assert_int_equal(weir_reader_line(&r, &line), -ETIMEDOUT);
            assert_int_equal(weir_reader_until(&r, "\r\n", 2, &line), -ETIMEDOUT);
        }
        assert_int_equal(weir_write_all(e.writer, "\n", 1), 0);
        if (n % 2)
            expect_span(weir_reader_line(&r, &line), &line, "patience\r");
        else
            expect_span(weir_reader_until(&r, "\r\n", 2, &line), &line, "patience\r\n");
    }
    weir_reader_done(&r);
    close_ends(&e);
}

/* The same verdict whether it comes at once or in parts; what is there stays there. */
static void long_lines_are_refused(void **state)
{
    (void)state;
    static char bytes[2048];
    const void *at;
    memset(bytes, 'x', sizeof(bytes));
    for (unsigned at_once = 0; at_once < 2; at_once++) {
        for (size_t len = 98; len < 102; len++) {
            struct ends e;
            struct weir_reader r;
            struct weir_bytes line;
            open_pair(&e);
            set_timeouts(&e, 0);
            bytes[len - 1] = '\n';
            assert_int_equal(weir_reader_init(&r, e.reader, 100), 0);
            int rc = -ETIMEDOUT;
            for (size_t i = 0; i < len && rc == -ETIMEDOUT; i += at_once ? len : 1) {
                assert_int_equal(weir_write_all(e.writer, bytes + i, at_once ? 2048 : 1), 0);
                rc = weir_reader_line(&r, &line);
            }
            bytes[len - 1] = 'x';
            assert_int_equal(rc, len <= 100 ? 1 : -EMSGSIZE);
            if (rc == 1)
                assert_int_equal(line.len, len - 1);
            else
                assert_true(weir_reader_peek(&r, 100, &at) >= 100);
            size_t left = 2048 - (len <= 100 ? len : 0);
            assert_int_equal(weir_reader_peek(&r, 101, &at), at_once ? (int)left : -EMSGSIZE);
            weir_reader_done(&r);
            close_ends(&e);
        }
    }
}

/* --- messages that are not as they should be --- */

static int frame_of(const void *bytes, size_t len, size_t bytes_max, size_t *out_size)
{
    struct ends e;
    struct weir_reader r;
    struct weir_bytes m;
    give(&e, bytes, len);
    assert_int_equal(weir_reader_init(&r, e.reader, bytes_max), 0);
    int rc = weir_reader_frame(&r, &m);
    *out_size = r.size;
    weir_reader_done(&r);
    close_ends(&e);
    return rc;
}

static void broken_frames_are_told(void **state)
{
    (void)state;
    size_t size;
    assert_int_equal(frame_of("", 0, 0, &size), 0);
    assert_int_equal(frame_of("\0\0\0", 3, 0, &size), -EPROTO);
    assert_int_equal(frame_of("\0\0\0\0", 4, 0, &size), 1);
    assert_int_equal(frame_of("\0\0\0\2a", 5, 0, &size), -EPROTO);
    assert_int_equal(frame_of("\0\0\0\2ab", 6, 2, &size), 1);
    assert_int_equal(frame_of("\0\0\0\3abc", 7, 2, &size), -EMSGSIZE);
    assert_int_equal(frame_of("\xff\xff\xff\xff", 4, 0, &size), -EMSGSIZE);
    /* A megabyte that is announced and does not come costs no memory. */
    assert_int_equal(frame_of("\0\x10\0\0ab", 6, 0, &size), -EPROTO);
    assert_int_equal(size, BUFFER);
    assert_int_equal(frame_of("\0\x10\0\1ab", 6, 0, &size), -EMSGSIZE);
}

static void *write_one_frame(void *arg)
{
    struct weir_stream *s = arg;
    struct weir_writer w;
    intptr_t rc = weir_writer_init(&w, s);
    if (rc == 0)
        rc = weir_writer_frame(&w, text, TEXT);
    intptr_t late = weir_writer_done(&w);
    return (void *)(rc < 0 ? rc : late);
}

static void buffer_grows_to_what_was_allowed(void **state)
{
    (void)state;
    for (unsigned tight = 0; tight < 2; tight++) {
        struct ends e;
        struct weir_reader r;
        struct weir_bytes m;
        pthread_t thread;
        open_shm(&e);
        set_timeouts(&e, PATIENCE_MS);
        assert_int_equal(weir_reader_init(&r, e.reader, TEXT - tight), 0);
        pthread_create(&thread, NULL, write_one_frame, e.writer);
        assert_int_equal(weir_reader_frame(&r, &m), tight ? -EMSGSIZE : 1);
        if (!tight) {
            assert_int_equal(m.len, TEXT);
            assert_memory_equal(m.at, text, TEXT);
            assert_int_equal(r.size, TEXT + 4);
        }
        weir_close(e.reader);
        pthread_join(thread, NULL);
        weir_reader_done(&r);
        weir_close(e.writer);
    }
    struct weir_reader r;
    assert_int_equal(weir_reader_init(&r, NULL, 64u * 1024 * 1024 + 1), -EINVAL);
}

static void what_is_too_much_is_refused(void **state)
{
    (void)state;
    struct ends e;
    struct weir_writer w;
    struct weir_reader r;
    void *room;
    const void *at;
    volatile size_t too_long = 64u * 1024 * 1024 + 1;
    open_pipe(&e);
    assert_int_equal(weir_writer_init(&w, e.writer), 0);
    assert_int_equal(weir_writer_reserve(&w, BUFFER + 1, &room), -EMSGSIZE);
    assert_int_equal(weir_writer_reserve(&w, 1, &room), BUFFER);
    assert_int_equal(weir_writer_commit(&w, BUFFER + 1), -EINVAL);
    assert_int_equal(weir_writer_commit(&w, 3), 0);
    assert_int_equal(weir_writer_reserve(&w, BUFFER, &room), BUFFER);
    assert_int_equal(weir_writer_frame(&w, text, too_long), -EMSGSIZE);
    assert_int_equal(weir_reader_init(&r, e.reader, 0), 0);
    assert_true(weir_reader_peek(&r, 1, &at) == 3);
    assert_int_equal(weir_reader_consume(&r, 4), -EINVAL);
    assert_int_equal(weir_reader_peek(&r, 1024 * 1024 + 1, &at), -EMSGSIZE);
    assert_int_equal(weir_writer_done(&w), 0);
    weir_reader_done(&r);
    close_ends(&e);
}

/* --- errors and time limits of writers --- */

static void errors_are_final_and_told_again(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct ends e;
        struct weir_writer w;
        void *room;
        int rc = 0;
        if (kinds[k].open == open_exec || !is_there(&kinds[k]))
            continue;
        kinds[k].open(&e);
        set_timeouts(&e, PATIENCE_MS);
        assert_int_equal(weir_writer_init(&w, e.writer), 0);
        weir_close(e.reader);
        for (unsigned i = 0; i < 1000 && rc == 0; i++) {
            rc = weir_writer_put(&w, text, 100);
            rc = rc < 0 ? rc : weir_writer_flush(&w);
            if (rc == 0)
                nap_ms(1); /* tcp: the first one can still go out */
        }
        assert_int_equal(rc, -EPIPE);
        assert_int_equal(weir_writer_put(&w, text, 1), -EPIPE);
        assert_int_equal(weir_writer_put(&w, text, 100000), -EPIPE);
        assert_int_equal(weir_writer_frame(&w, text, 1), -EPIPE);
        assert_int_equal(weir_writer_reserve(&w, 0, &room), -EPIPE);
        assert_int_equal(weir_writer_flush(&w), -EPIPE);
        assert_int_equal(weir_writer_done(&w), -EPIPE);
        weir_close(e.writer);
    }
}

/* The peer reads no more but still speaks: its reader goes on, and the writer tells when it is asked. */
static void reading_goes_on_when_writing_has_failed(void **state)
{
    (void)state;
    struct ends request;
    struct ends answer;
    struct weir_reader r;
    struct weir_writer w;
    struct weir_bytes line;
    open_pipe(&request);
    open_pipe(&answer);
    set_timeouts(&request, PATIENCE_MS);
    set_timeouts(&answer, PATIENCE_MS);
    assert_int_equal(weir_reader_init(&r, answer.reader, 0), 0);
    assert_int_equal(weir_writer_init(&w, request.writer), 0);
    weir_reader_tie(&r, &w);
    weir_close(request.reader);
    assert_int_equal(weir_writer_put(&w, "hello\n", 6), 0);
    assert_int_equal(weir_write_all(answer.writer, "go away\n", 8), 0);
    expect_span(weir_reader_line(&r, &line), &line, "go away");
    weir_set_timeout(answer.reader, 20);
    assert_int_equal(weir_reader_line(&r, &line), -ETIMEDOUT);
    assert_int_equal(weir_writer_put(&w, "hello\n", 6), -EPIPE);
    assert_int_equal(weir_writer_done(&w), -EPIPE);
    weir_reader_done(&r);
    weir_close(request.writer);
    close_ends(&answer);
}

static void full_disk_is_told(void **state)
{
    (void)state;
    struct weir_stream *full;
    struct weir_writer w;
    if (access("/dev/full", W_OK) < 0)
        skip();
    assert_int_equal(weir_open("file:/dev/full", WEIR_WRITE, 0, &full), 0);
    assert_int_equal(weir_writer_init(&w, full), 0);
    assert_int_equal(weir_writer_put(&w, "x", 1), 0);
    assert_int_equal(weir_writer_done(&w), -ENOSPC);
    assert_int_equal(weir_close(full), 0);
}

/* Takes all that is there, and compares it with what was to come; how far that is. */
static size_t drain(struct weir_stream *s, size_t at, size_t period)
{
    static uint8_t bytes[70000];
    ssize_t n;
    weir_set_timeout(s, 0);
    while ((n = weir_read(s, bytes, sizeof(bytes))) > 0)
        for (ssize_t i = 0; i < n; i++, at++)
            if (bytes[i] != text[at % period])
                fail_msg("byte %zu", at);
    return at;
}

/* Time runs out again and again: what was said not to be taken was not, everything else arrives once and in order. */
static void time_limits_lose_nothing(void **state)
{
    (void)state;
    static const size_t sizes[] = {100, 9000, 60000};
    for (size_t k = 0; k < KINDS; k++) {
        for (size_t i = 0; i < 3; i++) {
            struct ends e;
            struct weir_writer w;
            size_t put = 0, got = 0, late = 0;
            int rc = 0;
            if (kinds[k].open == open_exec || !is_there(&kinds[k]))
                continue;
            kinds[k].open(&e);
            weir_set_timeout(e.writer, 0);
            assert_int_equal(weir_writer_init(&w, e.writer), 0);
            while (late < 20) {
                rc = weir_writer_put(&w, text, sizes[i]);
                assert_true(rc == 0 || rc == -ETIMEDOUT);
                put += rc == 0;
                late += rc < 0;
                if (rc < 0)
                    got = drain(e.reader, got, sizes[i]);
            }
            for (int tries = 0; (rc = weir_writer_flush(&w)) == -ETIMEDOUT && tries < 1000; tries++)
                got = drain(e.reader, got, sizes[i]);
            assert_int_equal(rc, 0);
            for (int tries = 0; got < put * sizes[i] && tries < 1000; tries++, nap_ms(1))
                got = drain(e.reader, got, sizes[i]);
            assert_int_equal(got, put * sizes[i]);
            assert_int_equal(weir_writer_done(&w), 0);
            close_ends(&e);
        }
    }
}

/* --- files --- */

static void file_that_grows_is_read_on(void **state)
{
    (void)state;
    const char *name = fresh_name("file:");
    struct weir_stream *in;
    struct weir_stream *out;
    struct weir_reader r;
    struct weir_bytes line;
    assert_int_equal(weir_open(name, WEIR_WRITE | WEIR_CREATE, 0, &out), 0);
    assert_int_equal(weir_open(name, WEIR_READ, 0, &in), 0);
    assert_int_equal(weir_reader_init(&r, in, 0), 0);
    assert_int_equal(weir_reader_line(&r, &line), 0);
    assert_int_equal(weir_write_all(out, "more\n", 5), 0);
    expect_span(weir_reader_line(&r, &line), &line, "more");
    assert_int_equal(weir_reader_line(&r, &line), 0);
    weir_reader_done(&r);
    weir_close(in);
    weir_close(out);
}

#define COUNTED(f) cmocka_unit_test_setup_teardown(f, count_before, count_after)

int main(void)
{
    const struct CMUnitTest tests[] = {
        COUNTED(frames_arrive_over_every_kind),
        COUNTED(all_ways_of_reading_see_the_same_bytes),
        COUNTED(all_that_is_put_arrives),
        COUNTED(who_waits_has_sent_its_request),
        COUNTED(two_that_talk_at_once_do_not_lock_up),
        COUNTED(who_waits_for_room_listens),
        COUNTED(lines_come_without_their_ends),
        COUNTED(pieces_come_with_their_delimiter),
        COUNTED(lines_survive_time_limits),
        COUNTED(long_lines_are_refused),
        COUNTED(broken_frames_are_told),
        COUNTED(buffer_grows_to_what_was_allowed),
        COUNTED(what_is_too_much_is_refused),
        COUNTED(errors_are_final_and_told_again),
        COUNTED(reading_goes_on_when_writing_has_failed),
        COUNTED(full_disk_is_told),
        COUNTED(time_limits_lose_nothing),
        COUNTED(file_that_grows_is_read_on),
    };
    signal(SIGPIPE, SIG_DFL);
    alarm(100); /* a wait without an end would be one */
    return cmocka_run_group_tests(tests, make_text, remove_dir);
}
