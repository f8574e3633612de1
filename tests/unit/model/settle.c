#include "check.h"
#include "model/limits.h"

#include <weir/server.h>

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static char said[600];

static void listen_to(void *arg, enum weir_report kind, const char *text)
{
    (void)arg;
    assert_int_equal(kind, WEIR_REPORT_ERROR);
    snprintf(said, sizeof(said), "%s", text);
}

static int talk(struct weir_stream *client, void *arg)
{
    (void)client;
    (void)arg;
    return 0;
}

static const struct weir_protocol protocol = {.name = "test"};
static const struct weir_service machine = {
    .name = "machine", .protocol = &protocol, .threads = true};
static const struct weir_service function = {.name = "function", .talk = talk, .threads = true};
static const struct weir_service lonely = {.name = "lonely", .protocol = &protocol};
static const char *const somewhere[] = {"unix:@weir-settle"};
static const char *const nowhere[] = {"tcp:127.0.0.1:99999"};

static struct weir_server plain(const struct weir_service *service, const char *model)
{
    said[0] = '\0';
    return (struct weir_server){.service = service,
                                .model = model,
                                .listen = somewhere,
                                .listen_count = 1,
                                .report = listen_to};
}

static void what_is_left_open_is_filled_in(void **state)
{
    (void)state;
    struct weir_server server = plain(&machine, NULL);
    assert_int_equal(weir_server_settle(&server), WEIR_EXIT_OK);
    assert_string_equal(server.model, "event");
    assert_int_equal(server.workers, limits_cores());
    assert_true(server.max_connections > 0 && server.queue > 0 && server.grace_s == 10);
    server = plain(&function, NULL);
    assert_int_equal(weir_server_settle(&server), WEIR_EXIT_OK);
    assert_string_equal(server.model, "thread");
    assert_int_equal(server.workers, 1);
}

static void what_was_asked_for_stays(void **state)
{
    (void)state;
    struct weir_server server = plain(&machine, "pool");
    server.workers = 3;
    server.max_connections = 7;
    server.queue = 5;
    server.grace_s = 2;
    assert_int_equal(weir_server_settle(&server), WEIR_EXIT_OK);
    assert_int_equal(server.workers, 3);
    assert_int_equal(server.max_connections, 7);
    assert_int_equal(server.queue, 5);
    assert_int_equal(server.grace_s, 2);
}

/* "-": one conversation, with nothing to choose. */
static void standard_input_and_output_need_no_model(void **state)
{
    (void)state;
    static const char *const standard[] = {"-", "unix:@weir-settle"};
    struct weir_server server = plain(&lonely, NULL);
    server.listen = standard;
    assert_int_equal(weir_server_settle(&server), WEIR_EXIT_OK);
    assert_int_equal(weir_server_settle(&server), WEIR_EXIT_OK); /* what was settled stays so */
    assert_int_equal(server.workers, 1);
    assert_int_equal(server.grace_s, 10);
    server = plain(&machine, "pool");
    server.listen = standard;
    assert_int_equal(weir_server_settle(&server), WEIR_EXIT_USAGE);
    assert_non_null(strstr(said, "model"));
    server = plain(&machine, NULL);
    server.listen = standard;
    server.listen_count = 2;
    assert_int_equal(weir_server_settle(&server), WEIR_EXIT_USAGE);
    assert_non_null(strstr(said, "beside"));
    server = plain(&machine, "standard");
    assert_int_equal(weir_server_settle(&server), WEIR_EXIT_USAGE);
    assert_non_null(strstr(said, "no model is called"));
}

static void models_of_one_place_have_one(void **state)
{
    (void)state;
    const char *names[] = {"sequential", "fork-wait", "prefork"};
    for (unsigned i = 0; i < 3; i++) {
        struct weir_server server = plain(&machine, names[i]);
        server.max_connections = 50;
        assert_int_equal(weir_server_settle(&server), WEIR_EXIT_OK);
        assert_int_equal(server.max_connections, 1);
        assert_int_equal(server.workers, i == 2 ? 8 : 1);
    }
}

static void refused(struct weir_server server, const char *because)
{
    assert_int_equal(weir_server_settle(&server), WEIR_EXIT_USAGE);
    assert_non_null(strstr(said, because));
    assert_null(strchr(said, '\n'));
}

static void what_does_not_fit_is_refused_with_a_reason(void **state)
{
    (void)state;
    refused(plain(&machine, "waltz"), "waltz");
    refused(plain(&machine, "waltz"), "sequential, fork-wait, fork, thread, pool, prefork, event");
    refused(plain(&function, "event"), "sequential, fork-wait, fork, thread, pool, prefork");
    assert_null(strstr(said, "prefork, event"));
    refused(plain(&lonely, "thread"), "lonely");
    refused(plain(&lonely, "pool"), "lonely");
    refused(plain(NULL, NULL), "nothing to serve");
    struct weir_server server = plain(&machine, NULL);
    server.listen_count = 0;
    refused(server, "nowhere");
    server.listen = nowhere;
    server.listen_count = 1;
    refused(server, "99999");
    server.listen = somewhere;
    server.workers = 1000000;
    refused(server, "workers");
}

static void places_follow_from_descriptors(void **state)
{
    (void)state;
    struct rlimit before, few = {40, 40};
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few.rlim_max = before.rlim_max;
    struct rlimit raised = few;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    unsigned places = limits_connections();
    limits_raise_files(&raised);
    assert_int_equal(limits_connections(),
                     places); /* the limit that counts is the one it is raised to */
    struct rlimit now;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
    assert_true(now.rlim_cur > 40);
    limits_restore_files(&raised);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
    assert_int_equal(now.rlim_cur, 40);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_true(places < before.rlim_max);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_open_is_filled_in),
        cmocka_unit_test(what_was_asked_for_stays),
        cmocka_unit_test(standard_input_and_output_need_no_model),
        cmocka_unit_test(models_of_one_place_have_one),
        cmocka_unit_test(what_does_not_fit_is_refused_with_a_reason),
        cmocka_unit_test(places_follow_from_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
