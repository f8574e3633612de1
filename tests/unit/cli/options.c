#include "cli/options.h"

#include "check.h"

#include <string.h>

struct values {
    bool flag;
    const char *text;
    struct option_list list;
    unsigned count;
};

static const struct option_row rows[] = {
    {.name = "flag",
     .letter = 'f',
     .kind = OPTION_FLAG,
     .help = "a flag",
     .offset = offsetof(struct values, flag)},
    {.name = "text",
     .letter = 't',
     .kind = OPTION_TEXT,
     .value = "TEXT",
     .help = "a text",
     .offset = offsetof(struct values, text)},
    {.name = "list",
     .kind = OPTION_LIST,
     .value = "WORD",
     .help = "several",
     .offset = offsetof(struct values, list)},
    {.name = "count",
     .letter = 'c',
     .kind = OPTION_COUNT,
     .value = "N",
     .help = "a number",
     .offset = offsetof(struct values, count),
     .min = 2,
     .max = 4000000000u},
};

static const struct command command = {.name = "test",
                                       .synopsis = "",
                                       .summary = "",
                                       .options = rows,
                                       .option_count = sizeof(rows) / sizeof(*rows),
                                       .values_size = sizeof(struct values)};

#define WORDS_MAX 80
static char *words[WORDS_MAX];
static int left;

/* The line is split at blanks; "''" is an empty word. */
static enum parsed parse(struct values *values, const char *line)
{
    static char copy[1000];
    int argc = 0;
    strncpy(copy, line, sizeof(copy) - 1);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        words[argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
    *values = (struct values){0};
    left = -1;
    return options_parse(&command, values, argc, words, &left);
}

static void all_spellings_mean_the_same(void **state)
{
    (void)state;
    const char *lines[] = {"--text x --count 7 --flag a b", "--text=x --count=7 a --flag b",
                           "a -t x b -c 7 -f", "a --flag -c 7 --text=x -- b",
                           "-f -t y -t x -c 3 -c 7 a b"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        struct values values;
        assert_int_equal(parse(&values, lines[i]), PARSED_RUN);
        assert_string_equal(values.text, "x");
        assert_int_equal(values.count, 7);
        assert_true(values.flag);
        assert_int_equal(left, 2);
        assert_string_equal(words[0], "a");
        assert_string_equal(words[1], "b");
    }
}

static void dashes_that_are_no_options(void **state)
{
    (void)state;
    struct values values;
    assert_int_equal(parse(&values, "- -- --flag -- -t"), PARSED_RUN);
    assert_int_equal(left, 4);
    assert_string_equal(words[0], "-");
    assert_string_equal(words[1], "--flag");
    assert_string_equal(words[2], "--");
    assert_string_equal(words[3], "-t");
    assert_false(values.flag);
    assert_int_equal(parse(&values, "--text -- --text= ''"), PARSED_RUN);
    assert_string_equal(values.text, "");
    assert_int_equal(left, 1);
}

static void lists_keep_their_order_and_their_bound(void **state)
{
    (void)state;
    struct values values;
    assert_int_equal(parse(&values, "--list a --list=b x --list c"), PARSED_RUN);
    assert_int_equal(values.list.count, 3);
    assert_string_equal(values.list.at[0], "a");
    assert_string_equal(values.list.at[1], "b");
    assert_string_equal(values.list.at[2], "c");
    char line[1000] = "";
    for (int i = 0; i < OPTION_LIST_MAX; i++)
        strcat(line, "--list=w ");
    assert_int_equal(parse(&values, line), PARSED_RUN);
    strcat(line, "--list=w");
    assert_int_equal(parse(&values, line), PARSED_WRONG);
}

static void what_is_wrong_is_refused(void **state)
{
    (void)state;
    const char *lines[] = {"--count 1",  "--count 4000000001",
                           "--count -3", "--count 3x",
                           "--count ''", "--count 0x3",
                           "--count +3", "--count 99999999999999999999",
                           "--count",    "-t",
                           "--flag=yes", "--nothing",
                           "-x",         "-ft",
                           "--fla",      "---flag",
                           "--text",     "--=x",
                           "a --list"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        struct values values;
        assert_int_equal(parse(&values, lines[i]), PARSED_WRONG);
    }
    struct values values;
    assert_int_equal(parse(&values, "--count 4000000000"), PARSED_RUN);
    assert_int_equal(values.count, 4000000000u);
}

static void help_is_always_there(void **state)
{
    (void)state;
    struct values values;
    assert_int_equal(parse(&values, "--help"), PARSED_HELP);
    assert_int_equal(parse(&values, "a -h --nothing"), PARSED_HELP);
    assert_int_equal(parse(&values, "-- --help"), PARSED_RUN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_spellings_mean_the_same),
        cmocka_unit_test(dashes_that_are_no_options),
        cmocka_unit_test(lists_keep_their_order_and_their_bound),
        cmocka_unit_test(what_is_wrong_is_refused),
        cmocka_unit_test(help_is_always_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
