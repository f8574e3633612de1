/* Who may do something at once: places that all processes share. */
#include "service/places.h"

#include "../base/check.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void places_are_bounded_and_come_back(void **state)
{
    struct places *places;
    (void)state;
    assert_int_equal(places_new(2, &places), 0);
    int a = places_take(places, 0, 2), b = places_take(places, 0, 2);
    assert_true(a >= 0 && b >= 0 && a != b);
    assert_int_equal(places_take(places, 0, 2), -EAGAIN);
    places_give(places, a);
    assert_int_equal(places_take(places, 0, 2), a);
    places_free(places);
}

static void a_killed_process_leaves_no_place_behind(void **state)
{
    struct places *places;
    (void)state;
    assert_int_equal(places_new(1, &places), 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(places_take(places, 0, 2) == 0 ? 0 : 1);
    assert_true(pid > 0);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(info.si_status, 0);
    assert_int_equal(places_take(places, 0, 2), -EAGAIN); /* it can still be asked after */
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(places_take(places, 0, 2), 0);
    places_free(places);
}

static void a_client_has_his_share(void **state)
{
    const uint64_t one = UINT64_C(1) << 40, other = UINT64_C(2) << 40;
    struct places *places;
    (void)state;
    assert_int_equal(places_new(4, &places), 0);
    int a = places_take(places, one, 2);
    assert_true(a >= 0);
    assert_true(places_take(places, one, 2) >= 0);
    assert_int_equal(places_take(places, one, 2), -EAGAIN);
    assert_true(places_take(places, other, 2) >= 0);
    assert_true(places_take(places, other, 2) >= 0);
    assert_int_equal(places_take(places, UINT64_C(3) << 40, 2), -EAGAIN);
    places_give(places, a);
    assert_int_equal(places_take(places, other, 2), -EAGAIN);
    assert_int_equal(places_take(places, one, 2), a);
    places_free(places);
}

/* Each child takes what it can for the same client, and keeps it until all have tried. */
static void a_share_is_one_for_all_processes(void **state)
{
    struct places *places;
    int taken[2], over[2];
    unsigned count = 0;
    (void)state;
    assert_int_equal(places_new(64, &places), 0);
    assert_int_equal(pipe(taken), 0);
    assert_int_equal(pipe(over), 0);
    pid_t children[4];
    for (unsigned i = 0; i < 4; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            close(over[1]);
            unsigned char mine = 0;
            for (unsigned k = 0; k < 1000; k++)
                mine = (unsigned char)(mine + (places_take(places, UINT64_C(5) << 40, 8) >= 0));
            (void)!write(taken[1], &mine, 1);
            (void)!read(over[0], &mine, 1);
            _exit(0);
        }
    }
    for (unsigned i = 0; i < 4; i++) {
        unsigned char mine;
        assert_int_equal(read(taken[0], &mine, 1), 1);
        count += mine;
    }
    close(over[1]);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(waitpid(children[i], NULL, 0), children[i]);
    assert_in_range(count, 4, 8); /* those that collide each time have none */
    close(taken[0]);
    close(taken[1]);
    close(over[0]);
    places_free(places);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_bounded_and_come_back),
        cmocka_unit_test(a_killed_process_leaves_no_place_behind),
        cmocka_unit_test(a_client_has_his_share),
        cmocka_unit_test(a_share_is_one_for_all_processes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
