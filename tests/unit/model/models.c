#include "check.h"
#include "model/model.h"

#include <string.h>

static void there_are_seven_in_the_order_of_the_manual(void **state)
{
    (void)state;
    const char *names[] = {"sequential", "fork-wait", "fork", "thread", "pool", "prefork", "event"};
    for (unsigned i = 0; i < 7; i++)
        assert_string_equal(weir_model(i)->name, names[i]);
    assert_null(weir_model(7));
    assert_null(weir_model(UINT32_MAX));
}

static void every_row_is_whole(void **state)
{
    (void)state;
    const struct weir_model_info *info;
    for (unsigned i = 0; (info = weir_model(i)); i++) {
        assert_non_null(model_find(info->name)->run);
        const char *texts[] = {info->who, info->place, info->idle, info->crash, info->cost};
        for (unsigned k = 0; k < sizeof(texts) / sizeof(*texts); k++) {
            assert_true(strlen(texts[k]) > 0);
            assert_null(strpbrk(texts[k], "\"\\\n")); /* they are printed as JSON as they are */
        }
    }
}

static void what_lives_as_long_as_a_connection_has_no_caches(void **state)
{
    (void)state;
    const char *names[] = {"fork-wait", "fork", "thread"};
    for (unsigned i = 0; i < 3; i++)
        assert_false(model_find(names[i])->info.caches);
    assert_false(model_find("event")->info.talk);
    assert_null(model_find("Event"));
    assert_null(model_find(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_are_seven_in_the_order_of_the_manual),
        cmocka_unit_test(every_row_is_whole),
        cmocka_unit_test(what_lives_as_long_as_a_connection_has_no_caches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
