#include "base/arena.h"

#include "check.h"
#include "fail.h"

#include <string.h>

static void takes_what_was_asked_aligned(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 64 * 1024);
    char *last = NULL;
    for (size_t len = 1; len < 200; len++) {
        char *at = arena_take(&a, len);
        assert_non_null(at);
        assert_int_equal((uintptr_t)at % _Alignof(max_align_t), 0);
        memset(at, (int)len, len);
        if (last)
            assert_int_equal((unsigned char)last[0], len - 1);
        last = at;
    }
    arena_done(&a);
}

static void never_holds_more_than_its_cap(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 10000);
    size_t taken = 0;
    while (arena_take(&a, 100))
        taken += 100;
    assert_true(taken > 8000 && taken <= 10000);
    assert_true(a.total <= 10000);
    arena_done(&a);
}

static void refuses_absurd_lengths(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1000);
    assert_null(arena_take(&a, 1001));
    assert_null(arena_take(&a, SIZE_MAX));
    assert_null(arena_take(&a, SIZE_MAX - 7));
    assert_null(arena_copy(&a, "x", SIZE_MAX));
    assert_null(arena_copy(&a, "x", 1000));
    assert_int_equal(a.total, 0);
    arena_done(&a);
}

static void uses_the_last_byte_of_its_cap(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 4096);
    assert_non_null(arena_take(&a, 4096));
    assert_null(arena_take(&a, 1));
    arena_done(&a);
}

static void copies_with_an_end(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 4096);
    assert_string_equal(arena_copy(&a, "weir and more", 4), "weir");
    assert_string_equal(arena_copy(&a, NULL, 0), "");
    arena_done(&a);
}

static void can_be_used_again_after_done(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 4096);
    assert_non_null(arena_take(&a, 3000));
    assert_null(arena_take(&a, 3000));
    arena_done(&a);
    assert_non_null(arena_take(&a, 3000));
    arena_done(&a);
    arena_done(&a);
}

static void survives_each_failed_allocation(void **state)
{
    (void)state;
    for (unsigned calls = 0; calls < 4; calls++) {
        struct arena a;
        arena_init(&a, 64 * 1024);
        fail_after(calls);
        unsigned got = 0;
        for (int i = 0; i < 8; i++)
            got += arena_take(&a, 2000) != NULL;
        fail_never();
        assert_int_equal(got, calls);
        assert_non_null(arena_take(&a, 2000));
        arena_done(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_was_asked_aligned),
        cmocka_unit_test(never_holds_more_than_its_cap),
        cmocka_unit_test(refuses_absurd_lengths),
        cmocka_unit_test(uses_the_last_byte_of_its_cap),
        cmocka_unit_test(copies_with_an_end),
        cmocka_unit_test(can_be_used_again_after_done),
        cmocka_unit_test(survives_each_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
