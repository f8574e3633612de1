/* Which stage is the slow one, and how it is said. */
#include "cli/pipe.h"

#include "check.h"

#include <weir/process.h>

#include <errno.h>
#include <signal.h>
#include <string.h>

static const char *const commands[] = {"/usr/bin/find / -name x", "grep 'a b'", "wc -l", "cat"};

/* A joint that was full, and empty, in so many percent of the looks. */
static struct weir_joint joint(unsigned full, unsigned empty)
{
    return (struct weir_joint){.full_ns = full, .empty_ns = empty, .seen_ns = 100, .room = 100};
}

static size_t slowest_of(size_t count, const struct weir_joint *joints)
{
    const struct weir_stage stages[4] = {{.status = -ETIMEDOUT}};
    const struct pipe_sight s = {
        .count = count, .commands = commands, .stages = stages, .joints = joints, .ns = 100};
    return pipe_slowest(&s);
}

#define SLOWEST(...)                                                                               \
    slowest_of(sizeof((struct weir_joint[]){__VA_ARGS__}) / sizeof(struct weir_joint) + 1,         \
               (struct weir_joint[]){__VA_ARGS__})

static void the_slow_one_is_waited_for(void **state)
{
    (void)state;
    assert_int_equal(SLOWEST(joint(90, 0)), 1);
    assert_int_equal(SLOWEST(joint(0, 90)), 0);
    assert_int_equal(SLOWEST(joint(90, 0), joint(0, 95)), 1);
    assert_int_equal(SLOWEST(joint(0, 90), joint(0, 95)), 0);
    assert_int_equal(SLOWEST(joint(90, 0), joint(95, 0)), 2);
    assert_int_equal(SLOWEST(joint(80, 0), joint(90, 5), joint(0, 99)), 2);
    /* Two that are waited for: the one that waits less. */
    assert_int_equal(SLOWEST(joint(60, 0), joint(60, 10), joint(0, 55)), 2);
    assert_int_equal(SLOWEST(joint(0, 60), joint(40, 0), joint(0, 90)), 0);
}

static void none_stands_out(void **state)
{
    (void)state;
    assert_int_equal(SLOWEST(joint(10, 10)), PIPE_NONE);
    assert_int_equal(SLOWEST(joint(40, 45), joint(40, 45)), PIPE_NONE);
    assert_int_equal(SLOWEST((struct weir_joint){0}), PIPE_NONE);
    assert_int_equal(slowest_of(1, NULL), PIPE_NONE);
    assert_int_equal(slowest_of(3, NULL), PIPE_NONE);
}

static void it_is_said_in_words(void **state)
{
    (void)state;
    char text[PIPE_WORDS_SIZE];
    const struct weir_joint joints[] = {joint(90, 0), joint(0, 95), joint(0, 10)};
    const struct weir_stage stages[] = {
        {.status = -ETIMEDOUT}, {.status = -ETIMEDOUT}, {.status = -ETIMEDOUT}, {.status = 3}};
    const struct pipe_sight s = {
        .count = 4, .commands = commands, .stages = stages, .joints = joints, .ns = 100};
    assert_string_equal(pipe_doing(&s, 0, 1, text), "waits for 2 (grep) to read");
    assert_string_equal(pipe_doing(&s, 1, 1, text), "is the slow one");
    assert_string_equal(pipe_doing(&s, 2, 1, text), "waits for 2 (grep) to write");
    assert_string_equal(pipe_doing(&s, 3, 1, text), "exited with status 3");
    assert_string_equal(pipe_name(&s, 0, text), "1 (find)");
    const struct weir_stage cut = {.status = WEIR_SIGNALLED + SIGPIPE, .cut_off = true};
    assert_string_equal(pipe_ended(&cut, text), "was cut off (SIGPIPE)");
}

static void labels_are_one_line_and_short(void **state)
{
    (void)state;
    char text[PIPE_WORDS_SIZE], large[100000];
    assert_string_equal(pipe_label("wc -l", 10, text), "wc -l");
    assert_string_equal(pipe_label("0123456789", 10, text), "0123456789");
    assert_string_equal(pipe_label("0123456789a", 10, text), "0123456...");
    assert_string_equal(pipe_label("a\nb\033[1m\x7f", 20, text), "a?b?[1m?");
    assert_string_equal(pipe_label("grün", 4, text), "grün");
    assert_string_equal(pipe_label("grüner", 5, text), "gr...");
    memset(large, 'x', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    assert_int_equal(strlen(pipe_label(large, 99999, text)), PIPE_WORDS_SIZE - 1);
    for (size_t i = 0; i + 3 < sizeof(large) - 1; i += 3)
        memcpy(large + i, "漢", 3);
    assert_true(screen_columns(pipe_label(large, 31, text)) <= 31);
}

static void texts_fit_into_columns(void **state)
{
    (void)state;
    assert_int_equal(screen_columns("grün"), 4);
    assert_int_equal(screen_columns("漢字"), 4);
    assert_int_equal(screen_fit("grün", 3), 4);
    assert_int_equal(screen_fit("漢字", 3), 3);
    assert_int_equal(screen_fit("abc", 0), 0);
    assert_int_equal(screen_fit("abc", 9), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_slow_one_is_waited_for),
        cmocka_unit_test(none_stands_out),
        cmocka_unit_test(it_is_said_in_words),
        cmocka_unit_test(labels_are_one_line_and_short),
        cmocka_unit_test(texts_fit_into_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
