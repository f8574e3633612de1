/* frame beyond its scripts: sending and the bounds of both directions. */
#include "probe.h"

#include <weir/protocols.h>

static int count_bytes(void *arg, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    (void)conn;
    (void)bytes;
    *(size_t *)arg += len;
    return 0;
}

static void frames_can_be_sent_at_any_time(void **state)
{
    (void)state;
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &weir_frame, NULL);
    run(sim);
    assert_int_equal(weir_frame_send(sim_conn(end), "news", 4), 0);
    assert_int_equal(weir_frame_send(sim_conn(end), NULL, 0), 0);
    run(sim);
    assert_int_equal(sim_output(end).len, 12);
    assert_memory_equal(sim_output(end).at, "\0\0\0\4news\0\0\0\0", 12);
    sim_free(sim);
}

static void what_one_side_sends_the_other_gets(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 255, 256, 65535, 65536, LIMIT_FRAME_BYTES};
    static uint8_t message[LIMIT_FRAME_BYTES + 1];
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        size_t got = 0;
        const struct weir_frame_options options = {.calls = {.message = count_bytes, .arg = &got}};
        struct sim *sim = rough(i);
        struct sim_end *from = sim_connect(sim, &weir_frame, NULL);
        struct sim_end *to = sim_connect(sim, &weir_frame, &options);
        run(sim);
        assert_int_equal(weir_frame_send(sim_conn(from), message, sizes[i]), 0);
        run(sim);
        struct weir_bytes sent = sim_output(from);
        assert_int_equal(sim_send(to, sent.at, sent.len), 0);
        sim_finish(to);
        run(sim);
        assert_int_equal(got, sizes[i]);
        assert_closed(to, WEIR_DONE);
        sim_free(sim);
    }
}

static void a_frame_that_cannot_be_sent_is_refused(void **state)
{
    (void)state;
    static uint8_t message[LIMIT_FRAME_BYTES + 1];
    struct sim *sim = calm();
    struct sim_end *end = sim_connect(sim, &weir_frame, NULL);
    run(sim);
    sim_window(end, 0);
    assert_int_equal(weir_frame_send(sim_conn(end), message, sizeof(message)), -EMSGSIZE);
    assert_int_equal(weir_frame_send(sim_conn(end), message, LIMIT_OUT_BYTES), 0);
    assert_int_equal(weir_frame_send(sim_conn(end), message, 1), -EAGAIN);
    sim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_can_be_sent_at_any_time),
        cmocka_unit_test(what_one_side_sends_the_other_gets),
        cmocka_unit_test(a_frame_that_cannot_be_sent_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
