/* The client machine of HTTP/1.1: a table of answers, each fed whole and a byte at a time. */
#include "http/h1/client.h"

#include "base/text.h"
#include "tbl/limits.h"
#include "world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

/* What the machine said, as text: "200 5 abcde;" an answer, "!-71" the end. */
struct seen {
    char log[4096];
    struct text text;
    unsigned ask; /* requests still to be asked in ready() */
    bool head_only;
    bool closed;
    unsigned ready;
};

static int ready(void *arg, struct weir_conn *conn)
{
    struct seen *seen = arg;
    seen->ready++;
    while (seen->ask > 0) {
        int rc = http1_ask(conn, REQUEST, strlen(REQUEST), NULL, seen->head_only);
        if (rc == -EAGAIN || rc == -ESHUTDOWN)
            return 0;
        assert_int_equal(rc, 0);
        seen->ask--;
    }
    return 0;
}

static int content(void *arg, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    struct seen *seen = arg;
    (void)conn;
    text_add(&seen->text, (const char *)bytes, len);
    return 0;
}

static int answered(void *arg, struct weir_conn *conn, const struct http1_answer *answer)
{
    struct seen *seen = arg;
    (void)conn;
    assert_null(answer->head.at);
    text_fmt(&seen->text, "|%u %llu;", answer->response.status,
             (unsigned long long)answer->content_len);
    return 0;
}

static void closed(void *arg, struct weir_conn *conn, int why)
{
    struct seen *seen = arg;
    (void)conn;
    assert_false(seen->closed);
    seen->closed = true;
    text_fmt(&seen->text, "!%d", why);
}

static const struct http1_client_calls calls = {
    .ready = ready, .content = content, .answered = answered, .closed = closed};

/* Asks `ask` times, says `bytes`, then ends if `eof`; returns what was seen. */
static const char *play(unsigned ask, bool head_only, const char *bytes, size_t len, size_t piece,
                        bool eof)
{
    static struct seen seen;
    struct http1_client config = {.calls = &calls, .arg = &seen};
    seen = (struct seen){.ask = ask, .head_only = head_only};
    text_init(&seen.text, seen.log, sizeof(seen.log));
    struct world *w = world_new();
    world_connect(w, &http1_client, &config);
    for (unsigned i = 0; i < ask && i < LIMIT_HTTP_PIPELINE; i++)
        assert_memory_equal(w->output + i * strlen(REQUEST), REQUEST, strlen(REQUEST));
    world_feed(w, bytes, len, piece);
    if (eof && !world_closed(w)) {
        weir_conn_received(w->conn, 0);
        world_turn(w);
    }
    text_end(&seen.text);
    static char log[4096];
    memcpy(log, seen.log, sizeof(log));
    world_free(w);
    return log;
}

struct row {
    const char *name;
    unsigned ask;
    bool head_only;
    bool eof;
    const char *bytes;
    const char *expect;
};

#define OK   "HTTP/1.1 200 OK\r\n"
#define FIVE OK "Content-Length: 5\r\n\r\nabcde"

static const struct row rows[] = {
    {"length", 1, false, false, FIVE, "abcde|200 5;"},
    {"length 0", 1, false, false, OK "Content-Length: 0\r\n\r\n", "|200 0;"},
    {"same length twice", 1, false, false, OK "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx",
     "x|200 1;"},
    {"two lengths", 1, false, false, OK "Content-Length: 1\r\nContent-Length: 2\r\n\r\nx", "!-71"},
    {"bad length", 1, false, false, OK "Content-Length: +1\r\n\r\nx", "!-71"},
    {"two answers", 2, false, false, FIVE FIVE, "abcde|200 5;abcde|200 5;"},
    {"unasked answer", 1, false, false, FIVE FIVE, "abcde|200 5;!-71"},
    {"chunks", 1, false, false,
     OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", "abcde|200 5;"},
    {"trailers", 2, false, false,
     OK "transfer-encoding: Chunked\r\n\r\n1\r\nx\r\n0\r\nA: b\r\n\r\n" FIVE,
     "x|200 1;abcde|200 5;"},
    {"bad chunk", 1, false, false, OK "Transfer-Encoding: chunked\r\n\r\nzz\r\n", "!-71"},
    {"chunks and length", 1, false, false,
     OK "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", "!-71"},
    {"chunks of HTTP/1.0", 1, false, false,
     "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "!-71"},
    {"coded up to the end", 1, false, true, OK "Transfer-Encoding: gzip\r\n\r\nxyz",
     "xyz|200 3;!0"},
    {"chunked is not last", 1, false, false, OK "Transfer-Encoding: chunked, gzip\r\n\r\n", "!-71"},
    {"up to the end", 1, false, true, OK "\r\nabc", "abc|200 3;!0"},
    {"up to the end, empty", 1, false, true, OK "\r\n", "|200 0;!0"},
    {"no phrase", 1, false, false, "HTTP/1.1 204 \r\n\r\n", "|204 0;"},
    {"no phrase, no space", 1, false, false, "HTTP/1.1 204\r\n\r\n", "|204 0;"},
    {"304 with a length", 2, false, false,
     "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n" FIVE, "|304 0;abcde|200 5;"},
    {"HEAD", 2, true, false, OK "Content-Length: 9\r\n\r\n" OK "Content-Length: 9\r\n\r\n",
     "|200 0;|200 0;"},
    {"continue", 1, false, false,
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\n" FIVE, "abcde|200 5;"},
    {"upgrade", 1, false, false, "HTTP/1.1 101 Switching\r\n\r\n", "!-71"},
    {"close", 1, false, false, OK "Content-Length: 1\r\nConnection: close\r\n\r\nx", "x|200 1;!0"},
    {"close in a list", 1, false, false, OK "Content-Length: 1\r\nConnection: x, Close\r\n\r\nx",
     "x|200 1;!0"},
    {"close, and one waits", 2, false, false, OK "Content-Length: 1\r\nConnection: close\r\n\r\nx",
     "x|200 1;!-104"},
    {"HTTP/1.0", 1, false, false, "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", "x|200 1;!0"},
    {"HTTP/1.0 keeps", 2, false, false,
     "HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\nx" FIVE,
     "x|200 1;abcde|200 5;"},
    {"end before an answer", 1, false, true, "", "!-104"},
    {"end between answers", 1, false, true, FIVE, "abcde|200 5;!0"},
    {"end in a head", 1, false, true, "HTTP/1.1 200", "!-71"},
    {"end in content", 1, false, true, OK "Content-Length: 9\r\n\r\nabc", "abc!-71"},
    {"end in chunks", 1, false, true, OK "Transfer-Encoding: chunked\r\n\r\n3\r\nab", "ab!-71"},
    {"noise", 1, false, false, "\x16\x03\x01 noise", "!-71"},
    {"other version", 1, false, false, "HTTP/2.0 200 OK\r\n\r\n", "!-71"},
    {"bare line feed", 1, false, false, "HTTP/1.1 200 OK\n\n", "!-71"},
    {"status of two digits", 1, false, false, "HTTP/1.1 20 OK\r\n\r\n", "!-71"},
    {"status beyond", 1, false, false, "HTTP/1.1 600 OK\r\n\r\n", "!-71"},
    {"folded field", 1, false, false, OK "A: b\r\n c\r\n\r\n", "!-71"},
    {"space before the colon", 1, false, false, OK "A : b\r\n\r\n", "!-71"},
    {"no colon", 1, false, false, OK "A\r\n\r\n", "!-71"},
    {"field of NUL", 1, false, false, OK "A: \x01\r\n\r\n", "!-71"},
};

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct row *row = &rows[i];
        static const size_t pieces[] = {1, 7, 65536};
        for (size_t k = 0; k < 3; k++) {
            const char *log =
                play(row->ask, row->head_only, row->bytes, strlen(row->bytes), pieces[k], row->eof);
            size_t len = strlen(row->expect);
            /* What is still open is ended by the test itself. */
            if (strncmp(log, row->expect, len) != 0 ||
                (log[len] && strcmp(log + len, "!-103") != 0))
                fail_msg("%s, pieces of %zu: %s, expected %s", row->name, pieces[k], log,
                         row->expect);
        }
    }
}

static void test_long_head(void **state)
{
    (void)state;
    char head[LIMIT_HTTP_FIELDS_BYTES + 200] = OK "A: ";
    memset(head + strlen(head), 'a', sizeof(head) - strlen(head));
    assert_string_equal(play(1, false, head, sizeof(head), 4096, false), "!-90");
}

static void test_many_fields(void **state)
{
    (void)state;
    char head[1024] = OK;
    for (unsigned i = 0; i <= LIMIT_HTTP_FIELDS; i++)
        strcat(head, "A:b\r\n");
    strcat(head, "\r\n");
    assert_string_equal(play(1, false, head, strlen(head), 4096, false), "!-71");
}

static void test_endless_interim(void **state)
{
    (void)state;
    char text[2000] = "";
    for (unsigned i = 0; i <= LIMIT_HTTP_INTERIM; i++)
        strcat(text, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_string_equal(play(1, false, text, strlen(text), 4096, false), "!-71");
}

static struct world *connect_to(struct seen *seen, struct http1_client *config)
{
    text_init(&seen->text, seen->log, sizeof(seen->log));
    config->calls = &calls;
    config->arg = seen;
    struct world *w = world_new();
    world_connect(w, &http1_client, config);
    return w;
}

static void test_deadlines(void **state)
{
    (void)state;
    struct seen seen = {.ask = 1};
    struct http1_client config = {.answer_ms = 500, .idle_ms = 2000};
    struct world *w = connect_to(&seen, &config);
    world_wait(w, 499);
    assert_false(seen.closed);
    world_say(w, FIVE); /* moves the deadline: from now on it is idle */
    world_wait(w, 1999);
    assert_false(seen.closed);
    world_wait(w, 2);
    assert_string_equal(text_end(&seen.text), "abcde|200 5;!0");
    world_free(w);

    struct seen late = {.ask = 1};
    w = connect_to(&late, &config);
    world_wait(w, 501);
    assert_string_equal(text_end(&late.text), "!-110");
    world_free(w);
}

static void test_leave(void **state)
{
    (void)state;
    struct seen seen = {.ask = 2};
    struct http1_client config = {.answer_ms = 500};
    struct world *w = connect_to(&seen, &config);
    weir_conn_leave(w->conn, WEIR_LEAVE_STOP);
    world_turn(w);
    seen.ask = 1;
    world_say(w, FIVE);
    assert_false(seen.closed); /* one is still owed */
    world_say(w, FIVE);
    assert_string_equal(text_end(&seen.text), "abcde|200 5;abcde|200 5;!0");
    assert_int_equal(seen.ask, 1); /* no new one was taken */
    world_free(w);
}

static void test_pipeline_is_bounded(void **state)
{
    (void)state;
    struct seen seen = {.ask = 1000};
    struct http1_client config = {.answer_ms = 500};
    struct world *w = connect_to(&seen, &config);
    assert_int_equal(seen.ask, 1000 - LIMIT_HTTP_PIPELINE);
    assert_int_equal(http1_waiting(w->conn), LIMIT_HTTP_PIPELINE);
    world_say(w, FIVE);
    assert_int_equal(seen.ask, 1000 - LIMIT_HTTP_PIPELINE - 1);
    world_free(w);
}

/* A server that takes nothing until its answers are read: they are read, however much is unsent. */
static void test_reads_while_it_cannot_send(void **state)
{
    (void)state;
    static char large[200000];
    struct seen seen = {.ask = 0};
    struct http1_client config = {.answer_ms = 500};
    struct world *w = connect_to(&seen, &config);
    for (unsigned i = 0; i < 3; i++) {
        int rc = http1_ask(w->conn, large, sizeof(large), NULL, false);
        assert_int_equal(rc, i == 0 ? 0 : -EAGAIN);
    }
    seen.ask = 10;
    unsigned want = weir_conn_turn(w->conn); /* nothing is sent */
    assert_true(want & WEIR_IO_WRITE);
    assert_true(want & WEIR_IO_READ);
    world_turn(w); /* now all of it is */
    assert_int_equal(w->output_len, sizeof(large) + 10 * strlen(REQUEST));
    world_free(w);
}

struct owned {
    struct weir_ref ref;
    unsigned dropped;
};

static void drop_owned(struct weir_ref *ref)
{
    ((struct owned *)ref)->dropped++;
}

static void test_owner(void **state)
{
    (void)state;
    static char large[200000];
    struct owned owned = {.ref = {1, drop_owned}};
    struct seen seen = {.ask = 0};
    struct http1_client config = {.answer_ms = 500};
    struct world *w = connect_to(&seen, &config);
    assert_int_equal(http1_ask(w->conn, large, sizeof(large), &owned.ref, false), 0);
    weir_drop(&owned.ref);
    assert_int_equal(owned.dropped, 0);
    world_turn(w);
    assert_int_equal(owned.dropped, 1);
    world_free(w);

    owned = (struct owned){.ref = {1, drop_owned}};
    struct seen cut = {.ask = 0};
    w = connect_to(&cut, &config);
    assert_int_equal(http1_ask(w->conn, large, sizeof(large), &owned.ref, false), 0);
    weir_drop(&owned.ref);
    world_free(w); /* in the middle of it */
    assert_int_equal(owned.dropped, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_long_head),
        cmocka_unit_test(test_many_fields),
        cmocka_unit_test(test_endless_interim),
        cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_leave),
        cmocka_unit_test(test_pipeline_is_bounded),
        cmocka_unit_test(test_reads_while_it_cannot_send),
        cmocka_unit_test(test_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
