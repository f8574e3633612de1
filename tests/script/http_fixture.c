#include "http_fixture.h"

#include "base/bytes.h"
#include "http/content.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BIG_BYTES  100000
#define FILE_BYTES 70000
#define ECHO_BYTES 700 /* less than a piece of content often has: the peer is held back */

struct world {
    struct weir_http http;
    int fd;
};

/* abcdefghij again and again: filled once, for a world is made for every cut of a script. */
static const uint8_t *file_bytes(void)
{
    static uint8_t bytes[FILE_BYTES];
    for (size_t i = 0; bytes[FILE_BYTES - 1] == 0 && i < FILE_BYTES; i++)
        bytes[i] = (uint8_t) "abcdefghij"[i % 10];
    return bytes;
}

static int hello(struct weir_exchange *x)
{
    int rc = weir_reply_field(x, "Content-Type", "text/plain");
    return rc < 0 ? rc : weir_reply_bytes(x, "hello\n", 6, NULL);
}

static const struct weir_handler hello_handler = {.name = "hello", .start = hello};

/* 0123456789 again and again, given in pieces. */
static int big_start(struct weir_exchange *x)
{
    int rc = weir_reply_length(x, BIG_BYTES);
    return rc < 0 ? rc : weir_reply_begin(x);
}

static int big_give(struct weir_exchange *x, struct weir_out *out, size_t room)
{
    uint32_t *given = weir_exchange_state(x);
    size_t n = 10 - *given % 10;
    n = n < room ? n : room;
    weir_out_copy(out, &"0123456789"[*given % 10], n);
    *given += (uint32_t)n;
    return *given < BIG_BYTES ? WEIR_FLOW_MORE : WEIR_FLOW_END;
}

static const struct weir_handler big_handler = {
    .name = "big", .state_size = sizeof(uint32_t), .start = big_start, .give = big_give};

static int chunks_give(struct weir_exchange *x, struct weir_out *out, size_t room)
{
    static const char *const words[] = {"one", "two", "three"};
    uint32_t *given = weir_exchange_state(x);
    const char *word = words[*given];
    if (room < strlen(word))
        return WEIR_FLOW_WAIT;
    weir_out_copy(out, word, strlen(word));
    return ++*given < 3 ? WEIR_FLOW_MORE : WEIR_FLOW_END;
}

static const struct weir_handler chunks_handler = {.name = "chunks",
                                                   .state_size = sizeof(uint32_t),
                                                   .start = weir_reply_begin,
                                                   .give = chunks_give};

static int file_start(struct weir_exchange *x)
{
    const struct world *world = weir_exchange_config(x);
    return weir_reply_file(x, world->fd, 0, FILE_BYTES, NULL);
}

static const struct weir_handler file_handler = {.name = "file", .start = file_start};

/* Content that waits between take() and give(). */
struct echo {
    uint8_t bytes[ECHO_BYTES];
    uint32_t len;
    bool complete;
};

static int echo_start(struct weir_exchange *x)
{
    int rc = 0;
    if (weir_request_length(x) != WEIR_LENGTH_UNKNOWN)
        rc = weir_reply_length(x, weir_request_length(x));
    return rc < 0 ? rc : weir_reply_field(x, "Content-Type", "application/octet-stream");
}

/* The answer begins with the first byte of the content, or with its end. */
static ssize_t echo_take(struct weir_exchange *x, const uint8_t *bytes, size_t len)
{
    struct echo *echo = weir_exchange_state(x);
    size_t n = ECHO_BYTES - echo->len < len ? ECHO_BYTES - echo->len : len;
    memcpy(echo->bytes + echo->len, bytes, n);
    echo->len += (uint32_t)n;
    if (weir_request_length(x) != WEIR_LENGTH_UNKNOWN)
        (void)!weir_reply_begin(x); /* -EALREADY from the second time on */
    return (ssize_t)n;
}

static int echo_end(struct weir_exchange *x)
{
    struct echo *echo = weir_exchange_state(x);
    echo->complete = true;
    (void)!weir_reply_begin(x);
    weir_exchange_wake(x);
    return 0;
}

static int echo_give(struct weir_exchange *x, struct weir_out *out, size_t room)
{
    struct echo *echo = weir_exchange_state(x);
    size_t n = echo->len < room ? echo->len : room;
    weir_out_copy(out, echo->bytes, n);
    memmove(echo->bytes, echo->bytes + n, echo->len - n);
    echo->len -= (uint32_t)n;
    if (n > 0 && !echo->complete)
        weir_exchange_wake(x);
    if (echo->len > 0)
        return WEIR_FLOW_MORE;
    return echo->complete ? WEIR_FLOW_END : WEIR_FLOW_WAIT;
}

static const struct weir_handler echo_handler = {.name = "echo",
                                                 .state_size = sizeof(struct echo),
                                                 .start = echo_start,
                                                 .take = echo_take,
                                                 .end = echo_end,
                                                 .give = echo_give};

static int wait_start(struct weir_exchange *x)
{
    (void)x;
    return 0;
}

static ssize_t count_take(struct weir_exchange *x, const uint8_t *bytes, size_t len)
{
    (void)bytes;
    *(uint64_t *)weir_exchange_state(x) += len;
    return (ssize_t)len;
}

static int count_end(struct weir_exchange *x)
{
    char *text = weir_exchange_alloc(x, 32);
    if (!text)
        return -ENOMEM;
    int len = snprintf(text, 32, "%llu\n", *(unsigned long long *)weir_exchange_state(x));
    return weir_reply_bytes(x, text, (size_t)len, NULL);
}

static const struct weir_handler count_handler = {.name = "count",
                                                  .state_size = sizeof(uint64_t),
                                                  .start = wait_start,
                                                  .take = count_take,
                                                  .end = count_end};

static int denied(struct weir_exchange *x)
{
    (void)x;
    return -EACCES;
}

static const struct weir_handler denied_handler = {.name = "denied", .start = denied};
static const struct weir_handler never_handler = {.name = "never", .start = wait_start};

static int late_start(struct weir_exchange *x)
{
    weir_exchange_arm(x, weir_exchange_driver(x)->now.mono_ns + WEIR_NS_PER_S);
    return 0;
}

static void late_expire(struct weir_exchange *x)
{
    (void)!weir_reply_bytes(x, "late\n", 5, NULL);
}

static const struct weir_handler late_handler = {
    .name = "late", .start = late_start, .expire = late_expire};

/* A job outlives its client: it holds the exchange. */
struct slow {
    struct weir_job job;
    struct weir_exchange *exchange;
};

static void slow_work(struct weir_job *job)
{
    (void)job;
}

static void slow_done(struct weir_job *job)
{
    struct slow *slow = (struct slow *)job;
    struct weir_exchange *x = slow->exchange;
    free(slow);
    (void)!weir_reply_bytes(x, "slow\n", 5, NULL);
    weir_exchange_drop(x);
}

static int slow_start(struct weir_exchange *x)
{
    struct weir_driver *driver = weir_exchange_driver(x);
    struct slow *slow = malloc(sizeof(*slow));
    if (!slow)
        return -ENOMEM;
    *slow = (struct slow){.job = {.work = slow_work, .done = slow_done}, .exchange = x};
    int rc = driver->ops->submit(driver, &slow->job);
    if (rc < 0) {
        free(slow);
        return rc;
    }
    weir_exchange_hold(x);
    return 0;
}

static const struct weir_handler slow_handler = {.name = "slow", .start = slow_start};

/* "tick\n" once, and then whatever time brings; ends when asked to leave. */
static int stream_give(struct weir_exchange *x, struct weir_out *out, size_t room)
{
    uint8_t *state = weir_exchange_state(x);
    if (room < 5 || *state == 1)
        return WEIR_FLOW_WAIT;
    if (*state == 2)
        return WEIR_FLOW_END;
    weir_out_copy(out, "tick\n", 5);
    *state = 1;
    weir_exchange_arm(x, weir_exchange_driver(x)->now.mono_ns + WEIR_NS_PER_S);
    return WEIR_FLOW_MORE;
}

static void stream_expire(struct weir_exchange *x)
{
    *(uint8_t *)weir_exchange_state(x) = 0;
}

static void stream_leave(struct weir_exchange *x)
{
    *(uint8_t *)weir_exchange_state(x) = 2;
    weir_exchange_wake(x);
}

static const struct weir_handler stream_handler = {.name = "stream",
                                                   .state_size = 1,
                                                   .start = weir_reply_begin,
                                                   .give = stream_give,
                                                   .expire = stream_expire,
                                                   .leave = stream_leave};

/* "x" each second, for ever. */
static int alarm_start(struct weir_exchange *x)
{
    weir_exchange_arm(x, weir_exchange_driver(x)->now.mono_ns + WEIR_NS_PER_S);
    return weir_reply_begin(x);
}

static int alarm_give(struct weir_exchange *x, struct weir_out *out, size_t room)
{
    uint8_t *rings = weir_exchange_state(x);
    if (!*rings || room == 0)
        return WEIR_FLOW_WAIT;
    *rings = 0;
    weir_out_copy(out, "x", 1);
    return WEIR_FLOW_MORE;
}

static void alarm_expire(struct weir_exchange *x)
{
    *(uint8_t *)weir_exchange_state(x) = 1;
    weir_exchange_arm(x, weir_exchange_driver(x)->now.mono_ns + WEIR_NS_PER_S);
}

static const struct weir_handler alarm_handler = {.name = "alarm",
                                                  .state_size = 1,
                                                  .start = alarm_start,
                                                  .give = alarm_give,
                                                  .expire = alarm_expire};

/* A field that no answer can have. */
static int long_name_start(struct weir_exchange *x)
{
    char name[1100];
    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    int rc = weir_reply_field(x, "X-Other", "some value");
    return rc < 0 ? rc : weir_reply_field(x, name, "value");
}

static const struct weir_handler long_name_handler = {.name = "long-name",
                                                      .start = long_name_start};

/* Lines of its own that are none, behind enough of them that the first were packed. */
static int spoilt_start(struct weir_exchange *x)
{
    static const char line[] = "X-A: b\r\n", none[] = "none\r\n";
    char block[40 * (sizeof(line) - 1) + sizeof(none)];
    size_t len = 0;
    for (int i = 0; i < 40; i++, len += sizeof(line) - 1)
        memcpy(block + len, line, sizeof(line) - 1);
    memcpy(block + len, none, sizeof(none));
    char *copy = weir_exchange_alloc(x, sizeof(block));
    if (!copy)
        return -ENOMEM;
    memcpy(copy, block, sizeof(block));
    int rc = weir_reply_block(x, copy, sizeof(block) - 1, NULL);
    return rc < 0 ? rc : weir_reply_bytes(x, "hello\n", 6, NULL);
}

static const struct weir_handler spoilt_handler = {.name = "spoilt", .start = spoilt_start};

/* Wants no answer, and says not why. */
static int noerror_start(struct weir_exchange *x)
{
    weir_exchange_reset(x, 0);
    return 0;
}

static const struct weir_handler noerror_handler = {.name = "noerror", .start = noerror_start};

static int cookie_start(struct weir_exchange *x)
{
    struct weir_bytes value;
    if (!weir_request_field(x, "cookie", &value))
        return -ENOENT;
    char *copy = weir_exchange_alloc(x, value.len + 1);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, value.at, value.len);
    copy[value.len] = '\n';
    return weir_reply_bytes(x, copy, value.len + 1, NULL);
}

static const struct weir_handler cookie_handler = {.name = "cookie", .start = cookie_start};

/* Both ways at a time, from the head on. */
static ssize_t tunnel_take(struct weir_exchange *x, const uint8_t *bytes, size_t len)
{
    ssize_t n = echo_take(x, bytes, len);
    weir_exchange_wake(x);
    return n;
}

static int tunnel_start(struct weir_exchange *x)
{
    weir_exchange_last(x);
    return weir_reply_begin(x);
}

static const struct weir_handler tunnel_handler = {.name = "tunnel",
                                                   .state_size = sizeof(struct echo),
                                                   .connects = true,
                                                   .start = tunnel_start,
                                                   .take = tunnel_take,
                                                   .end = echo_end,
                                                   .give = echo_give};

static ssize_t take_none(struct weir_exchange *x, const uint8_t *bytes, size_t len)
{
    (void)x, (void)bytes, (void)len;
    return 0;
}

static const struct weir_handler hold_handler = {
    .name = "hold", .start = wait_start, .take = take_none};

/* Two words, and behind them what they come to. */
static int sum_give(struct weir_exchange *x, struct weir_out *out, size_t room)
{
    uint8_t *given = weir_exchange_state(x);
    if (room < 4)
        return WEIR_FLOW_WAIT;
    weir_out_copy(out, "word", 4);
    if (++*given < 2)
        return WEIR_FLOW_MORE;
    int rc = weir_reply_trailer(x, "X-Words", "2");
    return rc < 0 ? rc : WEIR_FLOW_END;
}

static int sum_start(struct weir_exchange *x)
{
    int rc = weir_reply_trailer(x, "X-Early", "yes");
    if (rc == 0 && weir_reply_trailer(x, "Content-Type", "text/plain") != -EINVAL)
        rc = -EIO;
    return rc < 0 ? rc : weir_reply_begin(x);
}

static const struct weir_handler sum_handler = {
    .name = "sum", .state_size = 1, .start = sum_start, .give = sum_give};

/* No content, one trailer. */
static int ended_start(struct weir_exchange *x)
{
    int rc = weir_reply_trailer(x, "X-End", "early");
    return rc < 0 ? rc : weir_reply_begin(x);
}

static const struct weir_handler ended_handler = {.name = "ended", .start = ended_start};

/* Thinks better of it after a word. */
static int cut_give(struct weir_exchange *x, struct weir_out *out, size_t room)
{
    if (room < 4)
        return WEIR_FLOW_WAIT;
    weir_out_copy(out, "word", 4);
    weir_exchange_reset(x, 0xb);
    return WEIR_FLOW_WAIT;
}

static const struct weir_handler cut_handler = {
    .name = "cut", .start = weir_reply_begin, .give = cut_give};

static int cut_at_once(struct weir_exchange *x)
{
    weir_exchange_reset(x, 0x7);
    return 0;
}

static const struct weir_handler refuse_handler = {.name = "refuse", .start = cut_at_once};

static int short_start(struct weir_exchange *x)
{
    int rc = weir_reply_length(x, 10);
    return rc < 0 ? rc : weir_reply_begin(x);
}

static int short_give(struct weir_exchange *x, struct weir_out *out, size_t room)
{
    (void)x;
    (void)room;
    weir_out_copy(out, "short", 5);
    return WEIR_FLOW_END;
}

static const struct weir_handler short_handler = {
    .name = "short", .start = short_start, .give = short_give};

#define LINES_304                                                                                  \
    "ETag: \"v1\"\r\nLast-Modified: Sun, 06 Nov 1994 08:30:00 GMT\r\nVary: Accept-Encoding\r\n"
#define LINES LINES_304 "Content-Type: text/x-letters\r\nAccept-Ranges: bytes\r\n"
#define CODED LINES "Content-Encoding: gzip\r\n"

static int not_allowed(struct weir_exchange *x)
{
    int rc = weir_reply_field(x, "Allow", "GET, HEAD");
    return rc < 0 ? rc : weir_reply_error(x, 405);
}

static int reply_content(struct weir_exchange *x, enum weir_span_kind kind, struct weir_bytes lines)
{
    const struct world *world = weir_exchange_config(x);
    struct content content = {.lines = lines,
                              .lines_304 = sizeof(LINES_304) - 1,
                              .validators = {BYTES("\"v1\""), 784110600},
                              .whole = {.kind = kind, .fd = world->fd, .len = FILE_BYTES}};
    if (kind == WEIR_SPAN_BYTES)
        content.whole.bytes = file_bytes();
    if (weir_request_method(x) != WEIR_METHOD_GET && weir_request_method(x) != WEIR_METHOD_HEAD)
        return not_allowed(x);
    return content_reply(x, &content);
}

static int content_start(struct weir_exchange *x)
{
    return reply_content(x, WEIR_SPAN_BYTES, BYTES(LINES));
}

static int stored_start(struct weir_exchange *x)
{
    return reply_content(x, WEIR_SPAN_FILE, BYTES(LINES));
}

static int coded_start(struct weir_exchange *x)
{
    return reply_content(x, WEIR_SPAN_BYTES, BYTES(CODED));
}

static const struct weir_handler content_handler = {.name = "content", .start = content_start};
static const struct weir_handler stored_handler = {.name = "stored", .start = stored_start};
static const struct weir_handler coded_handler = {.name = "coded", .start = coded_start};

static int reset_start(struct weir_exchange *x)
{
    int rc = weir_reply_status(x, 205);
    return rc < 0 ? rc : weir_reply_bytes(x, "again", 5, NULL);
}

static const struct weir_handler reset_handler = {.name = "reset", .start = reset_start};

static int host_start(struct weir_exchange *x)
{
    struct weir_bytes host = weir_request_host(x);
    char *copy = weir_exchange_alloc(x, host.len);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, host.at, host.len);
    return weir_reply_bytes(x, copy, host.len, NULL);
}

static const struct weir_handler host_handler = {.name = "host", .start = host_start};

static const struct weir_handler *fixture_route(const struct weir_http *http,
                                                struct weir_exchange *x, const void **out_config)
{
    static const struct weir_handler *const handlers[] = {
        &hello_handler,  &big_handler,     &chunks_handler,    &file_handler,   &echo_handler,
        &count_handler,  &denied_handler,  &never_handler,     &late_handler,   &slow_handler,
        &stream_handler, &short_handler,   &content_handler,   &stored_handler, &coded_handler,
        &reset_handler,  &host_handler,    &sum_handler,       &ended_handler,  &cut_handler,
        &refuse_handler, &cookie_handler,  &tunnel_handler,    &hold_handler,   &alarm_handler,
        &spoilt_handler, &noerror_handler, &long_name_handler,
    };
    struct weir_bytes path = weir_request_path(x);
    *out_config = http->arg;
    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
        struct weir_bytes name = bytes_str(handlers[i]->name);
        if (path.len == name.len + 1 && memcmp(path.at + 1, name.at, name.len) == 0)
            return handlers[i];
    }
    return NULL;
}

static int make_world(struct sim *sim, const struct weir_http *http, void **out_world,
                      const void **out_config)
{
    struct world *world = malloc(sizeof(*world));
    if (!world)
        return -ENOMEM;
    world->fd = sim_file(sim, file_bytes(), FILE_BYTES);
    if (world->fd < 0) {
        int rc = world->fd;
        free(world);
        return rc;
    }
    world->http = *http;
    world->http.route = fixture_route;
    world->http.arg = world;
    *out_world = world;
    *out_config = &world->http;
    return 0;
}

int http_fixture_begin(struct sim *sim, void **out_world, const void **out_config)
{
    static const struct weir_http http = {
        .head_ms = 1000, .idle_ms = 5000, .body_ms = 2000, .send_ms = 4000, .answer_ms = 3000};
    return make_world(sim, &http, out_world, out_config);
}

int http_fixture_clear(struct sim *sim, void **out_world, const void **out_config)
{
    static const struct weir_http http = {.head_ms = 1000, .idle_ms = 5000, .http2 = &weir_http2};
    return make_world(sim, &http, out_world, out_config);
}

int http_fixture_small(struct sim *sim, void **out_world, const void **out_config)
{
    static const struct weir_http http = {.body_max = 10, .server = "fixture"};
    return make_world(sim, &http, out_world, out_config);
}

int http_fixture_limits(struct sim *sim, void **out_world, const void **out_config)
{
    static const struct weir_http http = {.line_max = 100,
                                          .fields_max = 200,
                                          .field_count_max = 5,
                                          .min_rate = 100,
                                          .body_ms = 60000};
    return make_world(sim, &http, out_world, out_config);
}

int http_fixture_any_rate(struct sim *sim, void **out_world, const void **out_config)
{
    static const struct weir_http http = {.min_rate = WEIR_RATE_ANY, .body_ms = 60000};
    return make_world(sim, &http, out_world, out_config);
}

void http_fixture_end(void *world)
{
    free(world);
}
