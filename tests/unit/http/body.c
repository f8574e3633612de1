#include "http/h1/body.h"

#include "../base/check.h"
#include "base/bytes.h"

#include <string.h>

#define MAX 1000

/* Decodes in pieces; collects the content. Bytes used, or -(enum http_error). */
static ssize_t decode(const char *text, size_t len, size_t piece, char *content, bool *out_done)
{
    struct body body = {.step = BODY_SIZE_FIRST};
    size_t at = 0;
    *content = '\0';
    while (at < len && !body_done(&body)) {
        size_t there = len - at < piece ? len - at : piece, used = 0;
        while (used < there && !body_done(&body)) {
            ssize_t n = body_frame(&body, text + at + used, there - used, MAX);
            if (n < 0)
                return n;
            used += (size_t)n;
            size_t take = body.left < there - used ? (size_t)body.left : there - used;
            if (take > 0 && !body_done(&body)) {
                strncat(content, text + at + used, take);
                body_took(&body, take);
                used += take;
            }
        }
        at += used;
    }
    *out_done = body_done(&body);
    return (ssize_t)at;
}

struct row {
    const char *text;
    ssize_t used; /* or -(enum http_error) */
    const char *content;
};

static const struct row rows[] = {
    {"0\r\n\r\nrest", 5, ""},
    {"5\r\nhello\r\n0\r\n\r\nrest", 15, "hello"},
    {"005\r\nhello\r\nA\r\n0123456789\r\n00\r\n\r\n", 33, "hello0123456789"},
    {"5;a\r\nhello\r\n0;b=\"c;d\"\r\n\r\n", 25, "hello"},
    {"5 \t;a\r\nhello\r\n0\r\n\r\n", 19, "hello"},
    {"0\r\nA: b\r\nC:\r\n\r\n", 15, ""},
    {"3E8;\r\n", -HTTP_OK, NULL},
    {"3E9\r\n", -HTTP_CONTENT_TOO_LARGE, NULL},
    {"ffffffffffffffffffff\r\n", -HTTP_CONTENT_TOO_LARGE, NULL},
    {"\r\n", -HTTP_CHUNK, NULL},
    {"g\r\n", -HTTP_CHUNK, NULL},
    {" 5\r\n", -HTTP_CHUNK, NULL},
    {"-5\r\n", -HTTP_CHUNK, NULL},
    {"5x\r\n", -HTTP_CHUNK, NULL},
    {"0x5\r\n", -HTTP_CHUNK, NULL},
    {"5 \r\n", -HTTP_CHUNK, NULL},
    {"5 6\r\n", -HTTP_CHUNK, NULL},
    {"5\n", -HTTP_CHUNK, NULL},
    {"5\r5", -HTTP_CHUNK, NULL},
    {"5;a\n", -HTTP_CHUNK, NULL},
    {"5;\x01\r\n", -HTTP_CHUNK, NULL},
    {"5\r\nhelloX", -HTTP_CHUNK, NULL},
    {"5\r\nhello\n", -HTTP_CHUNK, NULL},
    {"5\r\nhello\rX", -HTTP_CHUNK, NULL},
    {"0\r\n\rX", -HTTP_CHUNK, NULL},
    {"0\r\n\n", -HTTP_CHUNK, NULL},
    {"0\r\nA b\r\n", -HTTP_CHUNK, NULL},
    {"0\r\n: b\r\n", -HTTP_CHUNK, NULL},
    {"0\r\nA: b\n", -HTTP_CHUNK, NULL},
    {"0\r\nA: b\r\n c\r\n", -HTTP_CHUNK, NULL},
};

static void chunks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len = strlen(rows[i].text);
        for (size_t piece = 1; piece <= len; piece++) {
            char content[64];
            bool done = false;
            print_message("%s by %zu\n", rows[i].text, piece);
            ssize_t n = decode(rows[i].text, len, piece, content, &done);
            if (rows[i].content) {
                assert_true(done);
                assert_int_equal(n, rows[i].used);
                assert_string_equal(content, rows[i].content);
            } else {
                assert_false(done);
                assert_true(rows[i].used == 0 ? n > 0 : n == rows[i].used);
            }
        }
    }
}

static void the_sum_is_bounded_too(void **state)
{
    (void)state;
    struct body body = {.step = BODY_SIZE_FIRST, .total = MAX - 9};
    assert_int_equal(body_frame(&body, "9\r\n", 3, MAX), 3);
    body = (struct body){.step = BODY_SIZE_FIRST, .total = MAX - 9};
    assert_int_equal(body_frame(&body, "a\r\n", 3, MAX), -HTTP_CONTENT_TOO_LARGE);
}

/* What nobody reads: extensions, trailers, zeros, each without end. */
static void what_is_not_content_is_bounded(void **state)
{
    (void)state;
    static const char *const starts[] = {"5;", "0\r\nA:", "0", "5 "};
    static const char fill[] = "aa0 ";
    for (size_t i = 0; i < 4; i++) {
        struct body body = {.step = BODY_SIZE_FIRST};
        assert_true(body_frame(&body, starts[i], strlen(starts[i]), MAX) >= 0);
        ssize_t n = 0;
        size_t sent = 0;
        for (; n >= 0 && sent < 1000000; sent++)
            n = body_frame(&body, &fill[i], 1, MAX);
        assert_int_equal(n, -HTTP_CHUNK_EXTRA);
        assert_in_range(sent, LIMIT_HTTP_CHUNK_EXTRA - 8, LIMIT_HTTP_CHUNK_EXTRA + 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks),
        cmocka_unit_test(the_sum_is_bounded_too),
        cmocka_unit_test(what_is_not_content_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
