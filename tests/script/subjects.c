/* What scripts talk to: a row a protocol and set of options. */
#include "call_fixture.h"
#include "http_fixture.h"
#include "play.h"

#include <weir/call.h>
#include <weir/protocols.h>

#include <errno.h>
#include <string.h>

static int greet(void *arg, struct weir_conn *conn)
{
    (void)arg;
    return weir_line_send(conn, "hello", 5);
}

/* Answers "NUMBER" with a line of so many dots, to try much output for little input, and ends on "bye". */
static int dots(void *arg, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    (void)arg;
    static const char row[] =
        "........................................................................";
    size_t n = 0;
    if (len == 3 && memcmp(bytes, "bye", 3) == 0) {
        weir_conn_finish(conn, WEIR_DONE);
        return 0;
    }
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] < '0' || bytes[i] > '9')
            return -EBADMSG;
        n = n * 10 + (size_t)(bytes[i] - '0');
    }
    return n < sizeof(row) ? weir_line_send(conn, row, n) : -EINVAL;
}

static const struct weir_quiet_options short_idle = {.idle_ms = 500};
static const struct weir_line_options line_crlf = {.delimiter = {"\r\n", 2}, .bytes_max = 16};
static const struct weir_line_options line_strip = {.strip_cr = true, .idle_ms = 2000};
static const struct weir_line_options line_nul = {.delimiter = {"", 1}};
static const struct weir_line_options line_dots = {.calls = {.opened = greet, .message = dots}};
static const struct weir_frame_options frame_small = {.bytes_max = 8, .idle_ms = 2000};

static const struct subject subjects[] = {
    {.folder = "echo", .protocol = &weir_echo},
    {.folder = "echo", .name = "short-idle", .protocol = &weir_echo, .config = &short_idle},
    {.folder = "discard", .protocol = &weir_discard},
    {.folder = "discard", .name = "short-idle", .protocol = &weir_discard, .config = &short_idle},
    {.folder = "line", .protocol = &weir_line},
    {.folder = "line", .name = "crlf", .protocol = &weir_line, .config = &line_crlf},
    {.folder = "line", .name = "strip-cr", .protocol = &weir_line, .config = &line_strip},
    {.folder = "line", .name = "nul", .protocol = &weir_line, .config = &line_nul},
    {.folder = "line", .name = "dots", .protocol = &weir_line, .config = &line_dots},
    {.folder = "frame", .protocol = &weir_frame},
    {.folder = "frame", .name = "small", .protocol = &weir_frame, .config = &frame_small},
    {.folder = "calls",
     .protocol = &weir_calls,
     .begin = call_fixture_begin,
     .end = call_fixture_end},
    {.folder = "calls",
     .name = "small",
     .protocol = &weir_calls,
     .begin = call_fixture_small,
     .end = call_fixture_end},
    {.folder = "http1",
     .protocol = &weir_http1,
     .begin = http_fixture_begin,
     .end = http_fixture_end},
    {.folder = "http1",
     .name = "small",
     .protocol = &weir_http1,
     .begin = http_fixture_small,
     .end = http_fixture_end},
    {.folder = "http1",
     .name = "limits",
     .protocol = &weir_http1,
     .begin = http_fixture_limits,
     .end = http_fixture_end},
    {.folder = "http1",
     .name = "any-rate",
     .protocol = &weir_http1,
     .begin = http_fixture_any_rate,
     .end = http_fixture_end},
    {.folder = "h2",
     .protocol = &weir_http2,
     .begin = http_fixture_begin,
     .end = http_fixture_end,
     .frames = true},
    {.folder = "h2",
     .name = "small",
     .protocol = &weir_http2,
     .begin = http_fixture_small,
     .end = http_fixture_end,
     .frames = true},
    {.folder = "h2",
     .name = "limits",
     .protocol = &weir_http2,
     .begin = http_fixture_limits,
     .end = http_fixture_end,
     .frames = true},
    {.folder = "h2",
     .name = "any-rate",
     .protocol = &weir_http2,
     .begin = http_fixture_any_rate,
     .end = http_fixture_end,
     .frames = true},
    {.folder = "h2",
     .name = "clear",
     .protocol = &weir_http1,
     .begin = http_fixture_clear,
     .end = http_fixture_end,
     .frames = true},
};

static bool same_name(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

const struct subject *subject_find(const char *folder, const char *name)
{
    for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
        if (strcmp(subjects[i].folder, folder) == 0 && same_name(subjects[i].name, name))
            return &subjects[i];
    return NULL;
}
