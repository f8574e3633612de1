/* Internal redirects, answers that are whole HTTP already, and names of requests. */
#include "http/reroute.h"

#include "base/bytes.h"
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char target[9000];
static unsigned stops;
static int last_rc;
static char names[2][WEIR_REQUEST_ID_MAX];

/* "/go": on to `target`, once the content is complete. */
static ssize_t go_take(struct weir_exchange *x, const uint8_t *bytes, size_t len)
{
    (void)x;
    (void)bytes;
    return (ssize_t)len;
}

static int go_end(struct weir_exchange *x)
{
    last_rc = exchange_reroute(x, bytes_str(target));
    return last_rc == -ELOOP || last_rc == -ENOBUFS ? -EIO : last_rc;
}

static void go_stop(struct weir_exchange *x, int why)
{
    (void)x;
    assert_int_equal(why, WEIR_DONE);
    stops++;
}

static int no_start(struct weir_exchange *x)
{
    (void)x;
    return 0;
}

static const struct weir_handler go = {.name = "go",
                                       .state_size = 64,
                                       .start = no_start,
                                       .take = go_take,
                                       .end = go_end,
                                       .stop = go_stop};

/* Says what it was asked. */
static int show_end(struct weir_exchange *x)
{
    struct weir_bytes path = weir_request_path(x), query = weir_request_query(x), field = {0};
    char *text = weir_exchange_alloc(x, 256);
    weir_request_field(x, "x-mine", &field);
    int len =
        snprintf(text, 256, "%d %.*s ? %.*s %d %.*s %s", weir_request_method(x), (int)path.len,
                 path.at, (int)query.len, query.at, (int)weir_request_length(x), (int)field.len,
                 field.at, *(char *)weir_exchange_state(x) ? "dirty" : "clean");
    *(char *)weir_exchange_state(x) = 1;
    return weir_reply_bytes(x, text, (size_t)len, NULL);
}

static const struct weir_handler show = {
    .name = "show", .state_size = 8, .start = no_start, .end = show_end};

static int raw_start(struct weir_exchange *x)
{
    return exchange_begin_raw(x, 299);
}

static int raw_give(struct weir_exchange *x, struct weir_out *out, size_t room)
{
    (void)x;
    assert_true(room > 30);
    weir_out_copy(out, "HTTP/1.1 299 Odd\r\n\r\nraw", 23);
    return WEIR_FLOW_END;
}

static const struct weir_handler raw = {.name = "raw", .start = raw_start, .give = raw_give};

static int name_start(struct weir_exchange *x)
{
    static unsigned turn;
    size_t len = weir_request_id(x, names[turn % 2]);
    assert_int_equal(len, strlen(names[turn % 2]));
    turn++;
    return weir_reply_bytes(x, "", 0, NULL);
}

static const struct weir_handler name = {.name = "name", .start = name_start};

static const struct weir_handler *route(const struct weir_http *http, struct weir_exchange *x,
                                        const void **out_config)
{
    struct weir_bytes path = weir_request_path(x);
    (void)http;
    (void)out_config;
    if (bytes_starts(path, BYTES("/go")))
        return &go;
    if (bytes_starts(path, BYTES("/show")))
        return &show;
    if (bytes_starts(path, BYTES("/name")))
        return &name;
    return bytes_equal(path, BYTES("/raw")) ? &raw : NULL;
}

static const struct weir_http http = {.route = route};

static const char *ask(const char *to, const char *request)
{
    static char answer[4096];
    struct world *w = world_new();
    stops = 0;
    last_rc = 1;
    strcpy(target, to);
    world_connect(w, &weir_http1, &http);
    world_say(w, request);
    const char *got = world_take(w);
    assert_true(strlen(got) < sizeof(answer));
    strcpy(answer, got);
    world_free(w);
    return answer;
}

#define GO "GET /go HTTP/1.1\r\nHost: h\r\nX-Mine: yes\r\n\r\n"

static void another_address_answers(void **state)
{
    (void)state;
    assert_non_null(strstr(ask("/show/x?a=b", GO), "1 /show/x ? a=b 0 yes clean"));
    assert_int_equal(stops, 1);
    assert_non_null(strstr(ask("/show", GO), "1 /show ?  0 yes clean"));
    assert_non_null(strstr(ask("/nowhere", GO), "HTTP/1.1 404"));
}

static void content_stays_with_the_first(void **state)
{
    (void)state;
    const char *got = ask("/show", "POST /go HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
    assert_non_null(strstr(got, "1 /show ?  0  clean"));
    got = ask("/show", "HEAD /go HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_non_null(strstr(got, "Content-Length:"));
    assert_null(strstr(got, "clean"));
}

static void circles_end(void **state)
{
    (void)state;
    assert_non_null(strstr(ask("/go", GO), "HTTP/1.1 500"));
    assert_int_equal(stops, LIMIT_HTTP_REROUTES + 1);
    assert_int_equal(last_rc, 0); /* of the first, which ended well */
}

static void targets_have_to_fit(void **state)
{
    char *request = malloc(40000);
    (void)state;
    strcpy(request, "GET /go HTTP/1.1\r\nHost: h\r\n");
    for (unsigned i = 0; i < 30; i++) {
        size_t at = strlen(request);
        memcpy(request + at, "X-Much: ", 8);
        memset(request + at + 8, 'y', 1000);
        strcpy(request + at + 1008, "\r\n");
    }
    strcat(request, "\r\n");
    char *to = malloc(sizeof(target));
    memset(to, 'z', sizeof(target));
    memcpy(to, "/go", 3);
    to[sizeof(target) - 1] = '\0';
    assert_non_null(strstr(ask(to, request), "HTTP/1.1 50")); /* by count, or by memory: it ends */
    free(to);
    free(request);
}

static void raw_answers_go_out_as_they_are(void **state)
{
    (void)state;
    struct world *w = world_new();
    world_connect(w, &weir_http1, &http);
    world_say(w, "GET /raw HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_string_equal(world_take(w), "HTTP/1.1 299 Odd\r\n\r\nraw");
    world_say(w, "GET /show HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_string_equal(world_take(w), ""); /* the connection ends with it */
    world_free(w);
}

static void each_request_has_a_name(void **state)
{
    (void)state;
    struct world *w = world_new();
    world_connect(w, &weir_http1, &http);
    world_say(w, "GET /name HTTP/1.1\r\nHost: h\r\n\r\nGET /name HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_true(strlen(names[0]) > 2 && strcmp(names[0], names[1]) != 0);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_address_answers),
        cmocka_unit_test(content_stays_with_the_first),
        cmocka_unit_test(circles_end),
        cmocka_unit_test(targets_have_to_fit),
        cmocka_unit_test(raw_answers_go_out_as_they_are),
        cmocka_unit_test(each_request_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
