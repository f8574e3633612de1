/* echo and discard beyond their scripts: what they take, and their options. */
#include "probe.h"

#include <weir/protocols.h>

static void echo_takes_only_what_the_queue_has_room_for(void **state)
{
    (void)state;
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &weir_echo, NULL);
    static char much[300000];
    memset(much, 'x', sizeof(much));
    sim_window(end, 0);
    assert_int_equal(sim_send(end, much, 1000), 0);
    run(sim); /* so that what the next read brings does not fit whole */
    assert_int_equal(sim_send(end, much, sizeof(much) - 1000), 0);
    run(sim);
    struct weir_out *out = weir_conn_out(sim_conn(end));
    assert_int_equal(weir_out_len(out), LIMIT_OUT_BYTES);
    assert_true(sim_unread(end) >= sizeof(much) - LIMIT_OUT_BYTES - LIMIT_HOT_BYTES);
    sim_window(end, UINT64_MAX);
    sim_finish(end);
    run(sim);
    assert_int_equal(sim_output(end).len, sizeof(much));
    assert_memory_equal(sim_output(end).at, much, sizeof(much));
    assert_closed(end, WEIR_DONE);
    sim_free(sim);
}

static void echo_is_the_same_at_every_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i <= 11; i++) {
        for (size_t j = i; j <= 11; j++) {
            const size_t cuts[2] = {i, j};
            struct sim_options options = {.cut = SIM_LIST, .cuts = cuts, .cut_count = 2};
            struct sim *sim;
            assert_int_equal(sim_new(&options, &sim), 0);
            struct sim_end *end = sim_connect(sim, &weir_echo, NULL);
            send_text(end, "hello world");
            sim_finish(end);
            run(sim);
            assert_output(end, "hello world");
            sim_free(sim);
        }
    }
}

static void a_leaving_echo_goes_only_after_silence(void **state)
{
    (void)state;
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &weir_echo, NULL);
    run(sim);
    sim_leave(sim, WEIR_LEAVE_BUSY);
    for (int i = 0; i < 20; i++) {
        wait_ms(sim, LIMIT_LEAVE_QUIET_MS - 1);
        send_text(end, "x");
        run(sim);
    }
    assert_open(end);
    wait_ms(sim, LIMIT_LEAVE_QUIET_MS);
    assert_closed(end, WEIR_DONE);
    assert_int_equal(sim_output(end).len, 20);
    sim_free(sim);
}

static void discard_reads_all_and_answers_nothing(void **state)
{
    (void)state;
    const struct weir_quiet_options options = {.idle_ms = 10};
    struct sim *sim = rough(1);
    struct sim_end *end = sim_connect(sim, &weir_discard, &options);
    for (int i = 0; i < 1000; i++)
        send_text(end, "much that nobody looks at");
    run(sim);
    assert_int_equal(sim_unread(end), 0);
    assert_output(end, "");
    wait_ms(sim, 10);
    assert_closed(end, -ETIMEDOUT);
    sim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echo_takes_only_what_the_queue_has_room_for),
        cmocka_unit_test(echo_is_the_same_at_every_cut),
        cmocka_unit_test(a_leaving_echo_goes_only_after_silence),
        cmocka_unit_test(discard_reads_all_and_answers_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
