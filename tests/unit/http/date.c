#include "http/date.h"

#include "../base/check.h"
#include "base/bytes.h"

#include <string.h>
#include <time.h>

#define NOW 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */

static void writes_the_rfc_example(void **state)
{
    (void)state;
    char text[DATE_LEN + 1] = {0};
    date_write(NOW, text);
    assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
    date_write(0, text);
    assert_string_equal(text, "Thu, 01 Jan 1970 00:00:00 GMT");
    date_write(INT64_MAX, text);
    assert_string_equal(text, "Fri, 31 Dec 9999 23:59:59 GMT");
    date_write(INT64_MIN, text);
    assert_string_equal(text, "Mon, 01 Jan 0001 00:00:00 GMT");
}

/* Against the C library, over leap years, centuries and negative times. */
static void agrees_with_gmtime(void **state)
{
    (void)state;
    for (int64_t s = -5000000000; s < 9000000000; s += 86400 * 11 + 12345) {
        time_t t = (time_t)s;
        struct tm tm;
        char want[40], got[DATE_LEN + 1] = {0};
        gmtime_r(&t, &tm);
        strftime(want, sizeof(want), "%a, %d %b %Y %H:%M:%S GMT", &tm);
        date_write(s, got);
        assert_string_equal(got, want);
        int64_t back;
        assert_int_equal(date_read((struct weir_bytes){got, DATE_LEN}, NOW, &back), 0);
        assert_int_equal(back, s);
    }
}

static void reads_all_three_forms(void **state)
{
    (void)state;
    static const char *const forms[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
                                        "Sunday, 06-Nov-94 08:49:37 GMT",
                                        "Sun Nov  6 08:49:37 1994"};
    for (size_t i = 0; i < 3; i++) {
        int64_t s = 0;
        assert_int_equal(date_read(bytes_str(forms[i]), NOW, &s), 0);
        assert_int_equal(s, NOW);
    }
}

static void two_digits_mean_the_nearest_past(void **state)
{
    (void)state;
    int64_t s;
    assert_int_equal(date_read(BYTES("Monday, 01-Jan-44 00:00:00 GMT"), NOW, &s), 0);
    assert_int_equal(s, 2335219200); /* 2044: 50 years ahead */
    assert_int_equal(date_read(BYTES("Sunday, 01-Jan-45 00:00:00 GMT"), NOW, &s), 0);
    assert_int_equal(s, -788918400); /* 1945 */
}

static void refuses_what_is_no_date(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "0",
                                      "yesterday",
                                      "Sun, 06 Nov 1994 08:49:37",
                                      "Sun, 06 Nov 1994 08:49:37 GMT ",
                                      "Sun, 06 nov 1994 08:49:37 GMT",
                                      "Sun, 31 Feb 1994 08:49:37 GMT",
                                      "Sun, 00 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 24:00:00 GMT",
                                      "Sun, 06 Nov 1994 08:60:37 GMT",
                                      "Sun, 06 Nov 1994 08:49:61 GMT",
                                      "Sun, 6 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 0000 08:49:37 GMT",
                                      "Sun, +6 Nov 1994 08:49:37 GMT",
                                      "Sun Nov 6 08:49:37 1994"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t s = 4711;
        assert_true(date_read(bytes_str(bad[i]), NOW, &s) < 0);
        assert_int_equal(s, 4711);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_rfc_example),
        cmocka_unit_test(agrees_with_gmtime),
        cmocka_unit_test(reads_all_three_forms),
        cmocka_unit_test(two_digits_mean_the_nearest_past),
        cmocka_unit_test(refuses_what_is_no_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
