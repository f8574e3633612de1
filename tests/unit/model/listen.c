#include "model/listen.h"

#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char local[64]; /* an abstract name of this process alone */
static const struct weir_service service = {.name = "test"};

static struct weir_server server_at(const char *const *names, size_t count)
{
    return (struct weir_server){.service = &service, .listen = names, .listen_count = count};
}

static void each_worker_has_its_own_where_that_can_be(void **state)
{
    (void)state;
    const char *names[] = {"tcp:127.0.0.1:0", local};
    struct weir_server server = server_at(names, 2);
    struct listeners listeners;
    char why[300] = "";
    assert_int_equal(listeners_open(&listeners, &server, 3, true, why, sizeof(why)), 0);
    for (unsigned worker = 1; worker < 3; worker++) {
        struct weir_listener *const *mine = listeners_of(&listeners, worker);
        struct weir_listener *const *first = listeners_of(&listeners, 0);
        assert_ptr_not_equal(mine[0], first[0]);
        assert_string_equal(weir_listener_name(mine[0]), weir_listener_name(first[0]));
        assert_ptr_equal(mine[1], first[1]);
    }
    listeners_close(&listeners);
    assert_null(listeners.at);
}

static void a_worker_keeps_its_own_and_what_is_shared(void **state)
{
    (void)state;
    const char *names[] = {"tcp:127.0.0.1:0", local};
    struct weir_server server = server_at(names, 2);
    struct listeners listeners;
    char why[300];
    assert_int_equal(listeners_open(&listeners, &server, 3, true, why, sizeof(why)), 0);
    listeners_keep(&listeners, 1);
    assert_int_equal(listeners_of(&listeners, 0)[0]->count, 0);
    assert_int_equal(listeners_of(&listeners, 1)[0]->count, 1);
    assert_int_equal(listeners_of(&listeners, 2)[0]->count, 0);
    assert_int_equal(listeners_of(&listeners, 0)[1]->count, 1);
    listeners_close(&listeners);
}

static void shared_ones_are_the_same_for_all(void **state)
{
    (void)state;
    const char *names[] = {"tcp:127.0.0.1:0"};
    struct weir_server server = server_at(names, 1);
    struct listeners listeners;
    char why[300];
    assert_int_equal(listeners_open(&listeners, &server, 4, false, why, sizeof(why)), 0);
    for (unsigned worker = 0; worker < 4; worker++) {
        assert_ptr_equal(listeners_of(&listeners, worker)[0], listeners_of(&listeners, 0)[0]);
        listeners_keep(&listeners, worker);
    }
    assert_int_equal(listeners_of(&listeners, 0)[0]->count, 1);
    listeners_close(&listeners);
}

static void a_port_that_is_taken_is_an_error_with_advice(void **state)
{
    (void)state;
    struct weir_listener *taken;
    assert_int_equal(weir_listen("tcp:127.0.0.1:0", 0, &taken), 0);
    char port[64];
    snprintf(port, sizeof(port), "%s", weir_listener_name(taken));
    const char *names[] = {local, port};
    struct weir_server server = server_at(names, 2);
    struct listeners listeners;
    char why[300] = "";
    assert_int_equal(listeners_open(&listeners, &server, 2, true, why, sizeof(why)), -EADDRINUSE);
    assert_non_null(strstr(why, port));
    assert_non_null(strstr(why, "in use"));
    assert_non_null(strstr(why, "choose another"));
    weir_listener_close(taken);
    /* What was opened before the failure was closed again. */
    assert_int_equal(listeners_open(&listeners, &server, 2, true, why, sizeof(why)), 0);
    listeners_close(&listeners);
}

int main(void)
{
    snprintf(local, sizeof(local), "unix:@weir-listen-%d", (int)getpid());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_worker_has_its_own_where_that_can_be),
        cmocka_unit_test(a_worker_keeps_its_own_and_what_is_shared),
        cmocka_unit_test(shared_ones_are_the_same_for_all),
        cmocka_unit_test(a_port_that_is_taken_is_an_error_with_advice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
