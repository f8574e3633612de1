/* line beyond its scripts: sending, a program's own functions, the cost of searching. */
#include "probe.h"

#include <weir/protocols.h>

static size_t searched;
void *__real_memchr(const void *at, int byte, size_t len);
void *__wrap_memchr(const void *at, int byte, size_t len);
void *__real_memmem(const void *at, size_t len, const void *what, size_t what_len);
void *__wrap_memmem(const void *at, size_t len, const void *what, size_t what_len);

void *__wrap_memchr(const void *at, int byte, size_t len)
{
    searched += len;
    return __real_memchr(at, byte, len);
}

void *__wrap_memmem(const void *at, size_t len, const void *what, size_t what_len)
{
    searched += len;
    return __real_memmem(at, len, what, what_len);
}

struct heard {
    unsigned opened, closed, messages;
    int why;
    char last[64];
    size_t last_len;
};

static int note_opened(void *arg, struct weir_conn *conn)
{
    (void)conn;
    ((struct heard *)arg)->opened++;
    return 0;
}

static int note_message(void *arg, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    struct heard *heard = arg;
    (void)conn;
    heard->messages++;
    heard->last_len = len;
    memcpy(heard->last, bytes, len < sizeof(heard->last) ? len : sizeof(heard->last));
    return 0;
}

static void note_closed(void *arg, struct weir_conn *conn, int why)
{
    (void)conn;
    ((struct heard *)arg)->closed++;
    ((struct heard *)arg)->why = why;
}

#define HEARD(heard)                                                                               \
    {                                                                                              \
        .opened = note_opened, .message = note_message, .closed = note_closed, .arg = (heard)      \
    }

static void a_program_gets_each_message_and_the_end(void **state)
{
    (void)state;
    struct heard heard = {0};
    const struct weir_line_options options = {.calls = HEARD(&heard), .strip_cr = true};
    struct sim *sim = rough(5);
    struct sim_end *end = sim_connect(sim, &weir_line, &options);
    send_text(end, "one\r\n\ntwo\n");
    sim_finish(end);
    run(sim);
    assert_int_equal(heard.opened, 1);
    assert_int_equal(heard.messages, 3);
    assert_int_equal(heard.last_len, 3);
    assert_memory_equal(heard.last, "two", 3);
    assert_int_equal(heard.closed, 1);
    assert_int_equal(heard.why, WEIR_DONE);
    assert_output(end, "");
    sim_free(sim);
}

static void lines_can_be_sent_at_any_time(void **state)
{
    (void)state;
    struct heard heard = {0};
    const struct weir_line_options options = {.calls = HEARD(&heard), .delimiter = {"\r\n", 2}};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &weir_line, &options);
    run(sim);
    assert_int_equal(weir_line_send(sim_conn(end), "news\n", 5), 0);
    assert_int_equal(weir_line_send(sim_conn(end), NULL, 0), 0);
    run(sim);
    assert_output(end, "news\n\r\n\r\n");
    sim_free(sim);
}

static void a_line_that_cannot_be_sent_is_refused(void **state)
{
    (void)state;
    struct heard heard = {0};
    const struct weir_line_options options = {.calls = HEARD(&heard), .delimiter = {"\r\n", 2}};
    static char much[LIMIT_LINE_BYTES];
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &weir_line, &options);
    run(sim);
    assert_int_equal(weir_line_send(sim_conn(end), "a\r\nb", 4), -EINVAL);
    assert_int_equal(weir_line_send(sim_conn(end), much, sizeof(much) - 1), -EMSGSIZE);
    sim_window(end, 0);
    assert_int_equal(weir_line_send(sim_conn(end), much, sizeof(much) - 2), 0);
    assert_int_equal(weir_line_send(sim_conn(end), "b", 1), -EAGAIN);
    sim_window(end, UINT64_MAX);
    run(sim);
    assert_int_equal(sim_output(end).len, sizeof(much));
    assert_int_equal(weir_line_send(sim_conn(end), "b", 1), 0);
    sim_free(sim);
}

static void a_delimiter_that_is_too_long_is_refused(void **state)
{
    (void)state;
    static const char delimiter[LIMIT_LINE_DELIMITER + 1] = "-";
    struct heard heard = {0};
    const struct weir_line_options options = {.calls = HEARD(&heard),
                                              .delimiter = {delimiter, sizeof(delimiter)}};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &weir_line, &options);
    run(sim);
    assert_closed(end, -EINVAL);
    assert_int_equal(heard.opened, 0);
    assert_int_equal(heard.closed, 1);
    sim_free(sim);
}

/* A byte at a time: each byte is looked at once, or once more for each byte of the delimiter. */
static void no_byte_is_searched_again(void **state)
{
    (void)state;
    static char line[LIMIT_LINE_BYTES];
    memset(line, 'x', sizeof(line));
    for (size_t n = 1; n <= 2; n++) {
        struct heard heard = {0};
        const struct weir_line_options options = {.calls = HEARD(&heard),
                                                  .delimiter = {n == 1 ? "\n" : "\r\n", n}};
        struct sim_options cut = {.cut = SIM_BYTES};
        struct sim *sim;
        assert_int_equal(sim_new(&cut, &sim), 0);
        struct sim_end *end = sim_connect(sim, &weir_line, &options);
        memcpy(line + sizeof(line) - n, options.delimiter.at, n);
        assert_int_equal(sim_send(end, line, sizeof(line)), 0);
        searched = 0;
        run(sim);
        assert_int_equal(heard.messages, 1);
        assert_true(searched <= n * sizeof(line));
        sim_free(sim);
    }
}

static int leave_in_the_middle(void *arg, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    unsigned *count = arg;
    (void)bytes;
    (void)len;
    if (++*count == 2)
        weir_conn_pause(conn);
    return weir_line_send(conn, "ok", 2);
}

static void a_program_may_pause_between_messages(void **state)
{
    (void)state;
    unsigned count = 0;
    const struct weir_line_options options = {
        .calls = {.message = leave_in_the_middle, .arg = &count}};
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &weir_line, &options);
    send_text(end, "1\n2\n3\n4\n");
    run(sim);
    assert_int_equal(count, 2);
    assert_output(end, "ok\nok\n");
    weir_conn_resume(sim_conn(end));
    run(sim);
    assert_int_equal(count, 4);
    sim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_gets_each_message_and_the_end),
        cmocka_unit_test(lines_can_be_sent_at_any_time),
        cmocka_unit_test(a_line_that_cannot_be_sent_is_refused),
        cmocka_unit_test(a_delimiter_that_is_too_long_is_refused),
        cmocka_unit_test(no_byte_is_searched_again),
        cmocka_unit_test(a_program_may_pause_between_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
