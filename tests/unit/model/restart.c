#include "model/restart.h"

#include "check.h"
#include "tbl/limits.h"

#define MS WEIR_NS_PER_MS

/* Dies `lived_ms` after its start and is started again after the delay it got. */
static unsigned die(struct restart *restart, uint64_t *now, unsigned lived_ms)
{
    restart_started(restart, *now);
    *now += lived_ms * MS;
    unsigned delay = restart_died(restart, *now);
    *now += delay * MS;
    return delay;
}

static void the_first_time_is_at_once_then_it_doubles(void **state)
{
    (void)state;
    struct restart restart = {0};
    uint64_t now = 77;
    const unsigned delays[] = {0, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000};
    for (unsigned i = 0; i < sizeof(delays) / sizeof(*delays); i++)
        assert_int_equal(die(&restart, &now, 1), delays[i]);
}

static void health_makes_it_at_once_again(void **state)
{
    (void)state;
    struct restart restart = {0};
    uint64_t now = 0;
    for (unsigned i = 0; i < 5; i++)
        die(&restart, &now, 0);
    assert_int_equal(die(&restart, &now, LIMIT_RESTART_HEALTHY_MS - 1), 1600);
    assert_int_equal(die(&restart, &now, LIMIT_RESTART_HEALTHY_MS), 0);
    assert_int_equal(die(&restart, &now, 0), 100);
}

static void it_never_overflows(void **state)
{
    (void)state;
    struct restart restart = {.failures = 4000000000u};
    uint64_t now = 0;
    assert_int_equal(die(&restart, &now, 0), LIMIT_RESTART_MAX_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_time_is_at_once_then_it_doubles),
        cmocka_unit_test(health_makes_it_at_once_again),
        cmocka_unit_test(it_never_overflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
