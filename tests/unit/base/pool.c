#include "base/pool.h"

#include "check.h"
#include "fail.h"

#include <string.h>

static void blocks_are_used_again(void **state)
{
    (void)state;
    struct weir_pool pool;
    pool_init(&pool, 2);
    void *one = pool_take(&pool);
    assert_non_null(one);
    memset(one, 1, POOL_BLOCK_BYTES);
    pool_give(&pool, one);
    assert_ptr_equal(pool_take(&pool), one);
    pool_give(&pool, one);
    pool_done(&pool);
}

static void no_more_are_kept_than_the_bound(void **state)
{
    (void)state;
    struct weir_pool pool;
    pool_init(&pool, 2);
    void *blocks[5];
    for (int i = 0; i < 5; i++)
        assert_non_null(blocks[i] = pool_take(&pool));
    for (int i = 0; i < 5; i++)
        pool_give(&pool, blocks[i]);
    assert_int_equal(pool.kept, 2);
    pool_done(&pool);
    assert_int_equal(pool.kept, 0);
}

static void kept_blocks_need_no_memory(void **state)
{
    (void)state;
    struct weir_pool pool;
    pool_init(&pool, 1);
    pool_give(&pool, pool_take(&pool));
    fail_after(0);
    void *kept = pool_take(&pool), *none = pool_take(&pool);
    fail_never();
    assert_non_null(kept);
    assert_null(none);
    pool_give(&pool, kept);
    pool_done(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_used_again),
        cmocka_unit_test(no_more_are_kept_than_the_bound),
        cmocka_unit_test(kept_blocks_need_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
