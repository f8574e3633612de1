#include "http/cgi_head.h"

#include "../base/check.h"
#include "base/text.h"
#include "tbl/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_text(const char *text, struct cgi_head *head)
{
    size_t scanned = 0, len = cgi_head_find(&scanned, text, strlen(text));
    assert_int_not_equal(len, 0);
    return cgi_head_read(text, len, head);
}

static void the_end_is_found_byte_by_byte(void **state)
{
    static const struct {
        const char *text;
        size_t len;
    } heads[] = {
        {"A: b\n\nrest", 6},    {"A: b\r\n\r\nrest", 8},
        {"A: b\n\r\nrest", 7},  {"\nrest", 1},
        {"\r\nrest", 2},        {"A: b\r\n\nrest", 7},
        {"A: b\nC: d\n", 0},    {"A: b\n\r", 0},
        {"A: b\n \n\nrest", 8}, {"", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        size_t len = strlen(heads[i].text), scanned = 0, steps = 0, found = 0;
        assert_int_equal(cgi_head_find(&scanned, heads[i].text, len), heads[i].len);
        for (size_t n = 0; n <= len && found == 0; n++)
            found = cgi_head_find(&steps, heads[i].text, n);
        assert_int_equal(found, heads[i].len);
    }
}

static void what_it_asks_is_read(void **state)
{
    struct cgi_head head;
    (void)state;
    assert_int_equal(read_text("content-TYPE: a/b\n\n", &head), 0);
    assert_int_equal(head.status, 0);
    assert_true(head.length == UINT64_MAX && head.location.len == 0 && !head.local);
    assert_int_equal(read_text("Status:404 Not\xc3\xa4 here\nContent-Length:  7 \r\n\r\n", &head),
                     0);
    assert_int_equal(head.status, 404);
    assert_int_equal(head.length, 7);
    assert_int_equal(read_text("Status: 200\n\n", &head), 0);
}

static void local_redirects(void **state)
{
    static const struct {
        const char *text;
        bool local;
    } heads[] = {
        {"Location: /there?x=%20\n\n", true},
        {"Location: /\n\n", true},
        {"Location: //host/there\n\n", false},
        {"Location: http://host/there\n\n", false},
        {"Location: /there#part\n\n", false},
        {"Location: /the re\n\n", false},
        {"Location: there\n\n", false},
        {"Status: 302\nLocation: /there\n\n", false},
        {"Content-Type: a/b\nLocation: /there\n\n", true},
    };
    struct cgi_head head;
    (void)state;
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        assert_int_equal(read_text(heads[i].text, &head), 0);
        assert_true(head.location.len > 0);
        assert_int_equal(head.local, heads[i].local);
    }
}

static void nonsense_is_refused(void **state)
{
    static const char *const heads[] = {
        "\n",
        "\r\n",
        "X-Only: 1\n\n",
        "Content-Length: 3\n\n",
        "Content-Type a/b\n\n",
        ": a/b\n\n",
        "Content-Type : a/b\n\n",
        " Content-Type: a/b\n\n",
        "Content-Type: a/b\n folded\n\n",
        "Content-Type: a/b\n\tfolded\n\n",
        "Content-Type: a\rb\n\n",
        "Content-Type: a\x01"
        "b\n\n",
        "Content-Type: a\x7f"
        "b\n\n",
        "Content-Type: a/b\nContent-Type: a/b\n\n",
        "Status: 200\nStatus: 200\n\n",
        "Location: /a\nLocation: /a\n\n",
        "Location:\n\n",
        "Status:\n\n",
        "Status: 20\n\n",
        "Status: 2000\n\n",
        "Status: 200OK\n\n",
        "Status: 199\n\n",
        "Status: 600\n\n",
        "Status: -20\n\n",
        "Status: 200\nContent-Length: x\n\n",
        "Status: 200\nContent-Length:\n\n",
        "Status: 200\nContent-Length: 1, 1\n\n",
        "Status: 200\nContent-Length: 99999999999999999999\n\n",
        "Status: 200\nContent-Length: 1\nContent-Length: 1\n\n",
        "Status: 200\nTransfer-Encoding: chunked\n\n",
    };
    struct cgi_head head;
    (void)state;
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        if (read_text(heads[i], &head) != -EPROTO)
            fail_msg("taken for good: %s", heads[i]);
    static const char with_nul[] = "Status: 200\nX: a\0b\n\n";
    assert_int_equal(cgi_head_read(with_nul, sizeof(with_nul) - 1, &head), -EPROTO);
}

static void fields_are_bounded(void **state)
{
    static char text[16 * LIMIT_HTTP_FIELDS + 2 * LIMIT_HTTP_FIELD_NAME];
    struct cgi_head head;
    size_t len = (size_t)sprintf(text, "Status: 200\n");
    (void)state;
    for (unsigned i = 1; i < LIMIT_HTTP_FIELDS; i++)
        len += (size_t)sprintf(text + len, "X: y\n");
    strcpy(text + len, "\n");
    assert_int_equal(read_text(text, &head), 0);
    strcpy(text + len, "X: y\n\n");
    assert_int_equal(read_text(text, &head), -EPROTO);
    memset(text, 'x', LIMIT_HTTP_FIELD_NAME);
    strcpy(text + LIMIT_HTTP_FIELD_NAME, ": y\nStatus: 200\n\n");
    assert_int_equal(read_text(text, &head), 0);
    memset(text, 'x', LIMIT_HTTP_FIELD_NAME + 1);
    strcpy(text + LIMIT_HTTP_FIELD_NAME + 1, ": y\nStatus: 200\n\n");
    assert_int_equal(read_text(text, &head), -EPROTO);
}

static void the_clients_part_goes_on(void **state)
{
    static const char text[] =
        "Status: 201 Made\r\nServer: x\nX-One:1\nConnection: X-One\nDate: y\n"
        "Content-Length: 3\nLocation:  http://h/ \nTE: z\nTrailer: t\nUpgrade: u\n"
        "Keep-Alive: 3\nProxy-Authenticate: p\nContent-Type:a/b\nSet-Cookie: c=1\n"
        "Set-Cookie: d=2\n\n";
    static const char want[] = "X-One: 1\r\nLocation: http://h/\r\nContent-Type: a/b\r\n"
                               "Set-Cookie: c=1\r\nSet-Cookie: d=2\r\n";
    struct cgi_head head;
    (void)state;
    assert_int_equal(read_text(text, &head), 0);
    char *lines = malloc(head.lines_max);
    struct text t;
    text_init(&t, lines, head.lines_max);
    cgi_head_lines(text, sizeof(text) - 1, &t);
    assert_false(t.cut);
    assert_int_equal(t.len, sizeof(want) - 1);
    assert_memory_equal(lines, want, t.len);
    free(lines);
}

static void whole_answers_begin_with_a_status_line(void **state)
{
    static const struct {
        const char *text;
        int status;
    } lines[] = {
        {"", 0},
        {"HTTP/1.1 2", 0},
        {"HTTP/1.1 200 OK\r\nX", 200},
        {"HTTP/1.0 404\n", 404},
        {"HTTP/1.1 200", 0},
        {"HTTP/2 200 OK\r\n", -EPROTO},
        {"http/1.1 200 OK\r\n", -EPROTO},
        {"HTTP/1.1 100 OK\r\n", -EPROTO},
        {"HTTP/1.1 200 O\rK\n", -EPROTO},
        {"HTTP/1.1\n", -EPROTO},
        {"\n", -EPROTO},
        {"x", -EPROTO},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        assert_int_equal(cgi_head_status(lines[i].text, strlen(lines[i].text)), lines[i].status);
    char *endless = malloc(LIMIT_HTTP_LINE_BYTES);
    memset(endless, 'x', LIMIT_HTTP_LINE_BYTES);
    memcpy(endless, "HTTP/1.1 200 ", 13);
    assert_int_equal(cgi_head_status(endless, LIMIT_HTTP_LINE_BYTES - 1), 0);
    assert_int_equal(cgi_head_status(endless, LIMIT_HTTP_LINE_BYTES), -EPROTO);
    free(endless);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_is_found_byte_by_byte),
        cmocka_unit_test(what_it_asks_is_read),
        cmocka_unit_test(local_redirects),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(fields_are_bounded),
        cmocka_unit_test(the_clients_part_goes_on),
        cmocka_unit_test(whole_answers_begin_with_a_status_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
