#include "cli/suggest.h"

#include "check.h"

static void distances(void **state)
{
    (void)state;
    assert_int_equal(suggest_distance("", ""), 0);
    assert_int_equal(suggest_distance("abc", ""), 3);
    assert_int_equal(suggest_distance("serve", "serve"), 0);
    assert_int_equal(suggest_distance("sevre", "serve"), 1); /* two neighbours swapped */
    assert_int_equal(suggest_distance("srve", "serve"), 1);
    assert_int_equal(suggest_distance("serves", "serve"), 1);
    assert_int_equal(suggest_distance("sorve", "serve"), 1);
    assert_int_equal(suggest_distance("kitten", "sitting"), 3);
    assert_int_equal(suggest_distance("a-word-that-is-much-longer-than-any-option-is", "x"), 99);
}

static const char *best(const char *word)
{
    static const char *const known[] = {"serve", "echo", "connect", "relay", "models"};
    struct suggest suggest = {.word = word};
    for (unsigned i = 0; i < 5; i++)
        suggest_see(&suggest, known[i]);
    return suggest.best;
}

static void only_what_is_near_is_suggested(void **state)
{
    (void)state;
    assert_string_equal(best("serv"), "serve");
    assert_string_equal(best("conect"), "connect");
    assert_string_equal(best("con"), "connect");
    assert_string_equal(best("model"), "models");
    assert_string_equal(best("ehco"), "echo");
    assert_null(best("dance"));
    assert_null(best("x"));
    assert_null(best(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances),
        cmocka_unit_test(only_what_is_near_is_suggested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
