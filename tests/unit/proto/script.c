/* The parser of scripts. */
#include "proto/script.h"

#include "probe.h"

static struct script parsed(const char *text)
{
    struct script script;
    struct script_error error;
    if (script_parse(text, strlen(text), &script, &error) < 0)
        fail_msg("line %u: %s", error.line, error.text);
    return script;
}

static void assert_bytes(const struct script_step *step, const char *bytes, size_t len)
{
    assert_int_equal(step->len, len);
    assert_memory_equal(step->bytes, bytes, len);
}

static void each_line_is_a_step(void **state)
{
    (void)state;
    struct script script =
        parsed("# words\n\n= with crlf\n> a\n>-\n>!\n< b\n<~ c*\n<- end\n<-\n"
               "@ 5s\n@ 250ms\n= leave busy\n= leave stop\n= window 7\n= window all");
    static const enum script_verb verbs[] = {
        SCRIPT_WITH,  SCRIPT_SEND,  SCRIPT_FINISH, SCRIPT_RESET, SCRIPT_EXPECT,
        SCRIPT_MATCH, SCRIPT_ENDED, SCRIPT_CLOSED, SCRIPT_WAIT,  SCRIPT_WAIT,
        SCRIPT_LEAVE, SCRIPT_LEAVE, SCRIPT_WINDOW, SCRIPT_WINDOW};
    assert_int_equal(script.count, sizeof(verbs) / sizeof(verbs[0]));
    for (size_t i = 0; i < script.count; i++) {
        assert_int_equal(script.steps[i].verb, verbs[i]);
        assert_int_equal(script.steps[i].line, i + 3);
    }
    assert_string_equal((const char *)script.steps[0].bytes, "crlf");
    assert_int_equal(script.steps[7].why, SCRIPT_ANY_REASON);
    assert_int_equal(script.steps[8].number, 5 * WEIR_NS_PER_S);
    assert_int_equal(script.steps[9].number, 250 * WEIR_NS_PER_MS);
    assert_int_equal(script.steps[10].number, WEIR_LEAVE_BUSY);
    assert_int_equal(script.steps[11].number, WEIR_LEAVE_STOP);
    assert_int_equal(script.steps[12].number, 7);
    assert_true(script.steps[13].number == UINT64_MAX);
    script_done(&script);
}

static void escapes_become_bytes(void **state)
{
    (void)state;
    struct script script =
        parsed("> \\r\\n\\t\\0\\s\\e\\\\\\x7f\\xFe  a b\n<  x\n>*3 ab\\0\n<*2 \\n\n> \n");
    assert_bytes(&script.steps[0], "\r\n\t\0 \033\\\x7f\xfe  a b", 14);
    assert_bytes(&script.steps[1], " x", 2);
    assert_bytes(&script.steps[2], "ab\0ab\0ab\0", 9);
    assert_bytes(&script.steps[3], "\n\n", 2);
    script_done(&script);
}

static void what_is_wrong_is_said_with_its_line(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "a",
        ">a",
        "> a ",
        "> \\q",
        "> \\x1",
        "> \\x1g",
        ">*x a",
        ">*0 a",
        ">*5",
        "< a\t",
        "<a",
        "<~a",
        "<- EWHAT",
        "@ 5",
        "@ s",
        "@ 5m",
        "@ -1s",
        "= leave",
        "= leave home",
        "= window",
        "= window x",
        ">*99999999999 a",
        ">*16777217 a",
        "@ 99999999s",
        "> \\",
        "<~ a\\",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char text[64];
        snprintf(text, sizeof(text), "# first\n> ok\n%s\n> ok", wrong[i]);
        struct script script;
        struct script_error error = {0};
        if (script_parse(text, strlen(text), &script, &error) != -EINVAL)
            fail_msg("taken: %s", wrong[i]);
        assert_int_equal(error.line, 3);
        assert_non_null(error.text);
    }
}

static void reasons_have_names(void **state)
{
    (void)state;
    struct script script = parsed("<- done\n<- ETIMEDOUT\n");
    assert_int_equal(script.steps[0].why, WEIR_DONE);
    assert_int_equal(script.steps[1].why, -ETIMEDOUT);
    assert_string_equal(script_reason(-EMSGSIZE), "EMSGSIZE");
    assert_string_equal(script_reason(WEIR_DONE), "done");
    assert_null(script_reason(-ENOTTY));
    script_done(&script);
}

static ssize_t match(const char *pattern, const char *bytes)
{
    char text[256];
    snprintf(text, sizeof(text), "<~ %s\n", pattern);
    struct script script = parsed(text);
    ssize_t n = script_match(&script.steps[0], (const uint8_t *)bytes, strlen(bytes));
    script_done(&script);
    return n;
}

static void patterns_match_the_front(void **state)
{
    (void)state;
    assert_int_equal(match("abc", "abcd"), 3);
    assert_int_equal(match("abc", "ab"), -1);
    assert_int_equal(match("Date: *\\r\\n", "Date: today\r\nmore\r\n"), 13);
    assert_int_equal(match("Date: *\\r\\n", "Date: today\nmore\r\n"), -1);
    assert_int_equal(match("*", "abc"), 0); /* the fewest that do */
    assert_int_equal(match("a*b*c\\n", "aXbbYcZc\n"), 9);
    assert_int_equal(match("?b?", "abc"), 3);
    assert_int_equal(match("?", "\n"), -1);
    assert_int_equal(match("\\*\\?", "*?x"), 2);
    assert_int_equal(match("\\*", "a"), -1);
    assert_int_equal(match("*: *\\n*\\n", "a: b\nc\nd"), 7);
    assert_int_equal(match("\\\\*x", "\\abx"), 4);
}

/* No pattern takes long: one place to come back to. */
static void a_pattern_of_many_stars_is_quick(void **state)
{
    (void)state;
    static char bytes[20001];
    memset(bytes, 'a', sizeof(bytes) - 1);
    assert_int_equal(match("*a*a*a*a*a*a*a*a*a*a*a*a*a*ab", bytes), -1);
}

static void no_memory_is_an_error_not_a_crash(void **state)
{
    (void)state;
    const char *text = "> one\n>*100 two\n<~ three*\n= with x\n";
    for (unsigned long at = 0; at < 8; at++) {
        struct script script;
        struct script_error error = {0};
        long live = alloc_live();
        alloc_fail(at, true);
        int rc = script_parse(text, strlen(text), &script, &error);
        alloc_heal();
        assert_int_equal(rc, -EINVAL);
        assert_int_equal(alloc_live(), live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_is_a_step),
        cmocka_unit_test(escapes_become_bytes),
        cmocka_unit_test(what_is_wrong_is_said_with_its_line),
        cmocka_unit_test(reasons_have_names),
        cmocka_unit_test(patterns_match_the_front),
        cmocka_unit_test(a_pattern_of_many_stars_is_quick),
        cmocka_unit_test(no_memory_is_an_error_not_a_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
