/* The load of one thread, with peers that a test plays and time that it moves. */
#include "load/worker.h"

#include "../base/check.h"
#include "drive/sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MS WEIR_NS_PER_MS

struct play {
    struct sim *sim;
    struct load_target target;
    struct load_options options;
    struct worker *worker;
    struct sim_end *ends[16]; /* of the connections, as they were made */
    unsigned made;
    int refuse; /* -errno of the next connect */
    unsigned ended;
};

static struct play play;

static uint64_t sim_clock(const struct worker *w)
{
    return w->driver->now.mono_ns;
}

static int sim_connect_to(struct worker *w, struct weir_stream *value, struct weir_stream **out)
{
    (void)w;
    (void)value;
    if (play.refuse)
        return play.refuse;
    assert_true(play.made < 16);
    play.ends[play.made] = sim_peer(play.sim, "server");
    *out = sim_stream(play.ends[play.made++]);
    return 0;
}

static void note_end(struct worker *w)
{
    (void)w;
    play.ended++;
}

static void begin(struct load_options options)
{
    struct sim_options sim_options = {.cut = SIM_WHOLE};
    play = (struct play){.options = options};
    play.target = (struct load_target){
        .kind = LOAD_ECHO, .request = (char *)(uintptr_t) "ping", .request_len = 4, .size = 4};
    play.options.target = &play.target;
    play.options.threads = options.threads ? options.threads : 1;
    play.options.timeout_ms = 1000;
    assert_int_equal(sim_new(&sim_options, &play.sim), 0);
    play.worker = calloc(1, sizeof(*play.worker));
    assert_int_equal(worker_init(play.worker, &play.options, play.options.threads - 1), 0);
    play.worker->clock = sim_clock;
    play.worker->connect = sim_connect_to;
    play.worker->ended = note_end;
    worker_start(play.worker, sim_driver(play.sim));
    assert_int_equal(sim_run(play.sim), 0);
}

static void end(void)
{
    worker_end(play.worker);
    sim_free(play.sim);
    worker_done(play.worker);
    free(play.worker);
}

/* Time passes, with the ticks in it. */
static void wait_ms(unsigned ms)
{
    while (ms-- > 0) {
        assert_int_equal(sim_wait(play.sim, MS), 0);
        worker_tick(play.worker);
        assert_int_equal(sim_run(play.sim), 0);
    }
}

static void answer(unsigned connection, const char *bytes)
{
    assert_int_equal(sim_send(play.ends[connection], bytes, strlen(bytes)), 0);
    assert_int_equal(sim_run(play.sim), 0);
}

static size_t asked(unsigned connection)
{
    return sim_output(play.ends[connection]).len / 4;
}

static uint64_t latency(double part)
{
    struct histogram h = {.count = 0};
    series_total(play.worker->result.series, &h);
    return histogram_quantile(&h, part);
}

static void assert_near(uint64_t ns, uint64_t ms)
{
    if (ns < ms * MS * 99 / 100 || ns > ms * MS * 101 / 100)
        fail_msg("%llu ns instead of %llu ms", (unsigned long long)ns, (unsigned long long)ms);
}

static void test_closed_loop(void **state)
{
    (void)state;
    begin((struct load_options){.connections = 2, .depth = 1, .duration_ns = 1000 * MS});
    assert_int_equal(play.made, 2);
    assert_int_equal(asked(0), 1);
    wait_ms(10);
    answer(0, "pi");
    assert_int_equal(play.worker->result.answered, 0);
    answer(0, "ng");
    assert_int_equal(play.worker->result.answered, 1);
    assert_int_equal(asked(0), 2); /* at once */
    assert_int_equal(asked(1), 1);
    assert_near(latency(1), 10);
    wait_ms(30);
    answer(1, "ping");
    assert_near(latency(1), 40);
    assert_int_equal(play.worker->result.bytes_in, 8);
    wait_ms(2000);
    assert_int_equal(play.ended, 1);
    assert_int_equal(play.worker->result.unfinished, 2);
    assert_int_equal(play.worker->result.elapsed_ns / MS, 1000);
    end();
}

static void test_pipeline(void **state)
{
    (void)state;
    begin((struct load_options){.connections = 1, .depth = 3, .duration_ns = 1000 * MS});
    assert_int_equal(asked(0), 3);
    wait_ms(10);
    answer(0, "pingping");
    assert_int_equal(asked(0), 5);
    wait_ms(10);
    answer(0, "ping");
    assert_near(latency(.5), 10);
    assert_near(latency(1), 20); /* the third of the first three */
    end();
}

/* One a 10 ms. The server stands still for 100 ms; what was due meanwhile has waited since it was due. */
static void test_open_loop_counts_waiting(void **state)
{
    (void)state;
    begin(
        (struct load_options){.connections = 1, .depth = 1, .rate = 100, .duration_ns = 1000 * MS});
    wait_ms(1);
    assert_int_equal(asked(0), 1);
    wait_ms(99);
    assert_int_equal(asked(0), 1);
    for (unsigned i = 0; i < 10; i++)
        answer(0, "ping");
    assert_int_equal(play.worker->result.answered, 10);
    assert_near(latency(1), 100);
    assert_near(latency(.5), 50); /* 100, 90, 80 ... 10 */
    assert_int_equal(play.worker->result.late_max_ns / MS, 0);
    end();
}

/* Nothing is asked before it is due, however fast the server. */
static void test_open_loop_keeps_its_rate(void **state)
{
    (void)state;
    begin(
        (struct load_options){.connections = 3, .depth = 1, .rate = 100, .duration_ns = 1000 * MS});
    for (unsigned ms = 0; ms < 200; ms++) {
        wait_ms(1);
        for (unsigned i = 0; i < play.made; i++)
            if (play.worker->clients[i].asked > 0)
                answer(i, "ping");
    }
    assert_in_range(play.worker->result.answered, 19, 21);
    assert_in_range(asked(0), 5, 8); /* in turn */
    end();
}

/* A server that never answers: what waits is counted with the time it has waited. */
static void test_open_loop_counts_unfinished(void **state)
{
    (void)state;
    begin(
        (struct load_options){.connections = 1, .depth = 1, .rate = 100, .duration_ns = 500 * MS});
    play.options.timeout_ms = 100000;
    wait_ms(600);
    assert_int_equal(play.ended, 1);
    assert_int_equal(play.worker->result.answered, 0);
    assert_in_range(play.worker->result.unfinished, 49, 51);
    assert_int_equal(play.worker->result.overdue, 0); /* none was due for long enough */
    assert_near(latency(1), 500);
    assert_true(latency(.5) > 240 * MS && latency(.5) < 260 * MS);
    end();
}

/* On its way when time is up, or due since a moment: as it is in every run. Due for long and never asked: the server is too slow. */
static void test_open_loop_counts_overdue(void **state)
{
    (void)state;
    begin((struct load_options){
        .connections = 1, .depth = 1, .rate = 100, .duration_ns = 2 * LIMIT_LOAD_OVERDUE_MS * MS});
    play.options.timeout_ms = 100000;
    wait_ms(2 * LIMIT_LOAD_OVERDUE_MS + 1);
    assert_int_equal(play.ended, 1);
    uint64_t all = play.worker->result.unfinished;
    assert_in_range(play.worker->result.overdue, all / 2 - 2, all / 2 + 1);
    end();
}

static void test_requests(void **state)
{
    (void)state;
    begin((struct load_options){
        .connections = 2, .depth = 2, .requests = 3, .duration_ns = 1000 * MS});
    assert_int_equal(asked(0) + asked(1), 3);
    answer(0, "pingping");
    assert_int_equal(play.ended, 0);
    answer(1, "ping");
    assert_int_equal(play.ended, 1);
    assert_int_equal(play.worker->result.answered, 3);
    end();
}

/* Fewer requests than threads: the last of these has none. */
static void test_no_share(void **state)
{
    (void)state;
    begin((struct load_options){
        .connections = 2, .depth = 1, .threads = 2, .requests = 1, .duration_ns = 1000 * MS});
    assert_int_equal(play.ended, 1);
    assert_int_equal(play.made, 0);
    end();
}

/* The server closes a connection that has worked: what was sent into that is asked again, and its time goes on. */
static void test_asks_again(void **state)
{
    (void)state;
    begin((struct load_options){.connections = 1, .depth = 1, .duration_ns = 1000 * MS});
    answer(0, "ping");
    wait_ms(10);
    sim_finish(play.ends[0]);
    assert_int_equal(sim_run(play.sim), 0);
    assert_int_equal(play.made, 2);
    assert_int_equal(asked(1), 1);
    wait_ms(10);
    answer(1, "ping");
    assert_int_equal(play.worker->result.retried, 1);
    assert_int_equal(load_errors(&play.worker->result), 0);
    assert_near(latency(1), 20);
    end();
}

/* One that never answered has failed, and the next try waits a moment. */
static void test_closed_unanswered(void **state)
{
    (void)state;
    begin((struct load_options){.connections = 1, .depth = 1, .duration_ns = 1000 * MS});
    sim_finish(play.ends[0]);
    assert_int_equal(sim_run(play.sim), 0);
    assert_int_equal(play.worker->result.errors[LOAD_RESET], 1);
    assert_int_equal(play.made, 1);
    wait_ms(LIMIT_LOAD_RETRY_MS + 1);
    assert_int_equal(play.made, 2);
    sim_reset(play.ends[1]);
    assert_int_equal(sim_run(play.sim), 0);
    assert_int_equal(play.worker->result.errors[LOAD_RESET], 2);
    end();
}

static void test_refused(void **state)
{
    (void)state;
    begin((struct load_options){.connections = 1, .depth = 1, .duration_ns = 1000 * MS});
    play.refuse = -ECONNREFUSED;
    sim_reset(play.ends[0]);
    wait_ms(LIMIT_LOAD_RETRY_MS * 3 + 3);
    assert_in_range(play.worker->result.errors[LOAD_CONNECT], 2, 3);
    play.refuse = 0;
    wait_ms(LIMIT_LOAD_RETRY_MS + 1);
    answer(1, "ping");
    assert_int_equal(play.worker->result.answered, 1);
    end();
}

/* By number, a connection that cannot be made is a request that failed. */
static void test_refused_requests(void **state)
{
    (void)state;
    begin((struct load_options){
        .connections = 1, .depth = 2, .requests = 5, .duration_ns = 100000 * MS});
    answer(0, "ping");
    play.refuse = -ECONNREFUSED;
    sim_finish(play.ends[0]); /* two would be asked again */
    wait_ms(LIMIT_LOAD_RETRY_MS * 5 + 5);
    assert_int_equal(play.ended, 1);
    assert_int_equal(play.worker->result.answered, 1);
    assert_int_equal(play.worker->result.errors[LOAD_CONNECT], 4);
    assert_int_equal(play.worker->result.unfinished, 0);
    end();
}

/* ... and when there was no server for as long as an answer may take, so has the rest. */
static void test_gone(void **state)
{
    (void)state;
    begin((struct load_options){
        .connections = 1, .depth = 1, .requests = 1000000, .duration_ns = 100000 * MS});
    play.refuse = -ECONNREFUSED;
    sim_reset(play.ends[0]);
    wait_ms(900);
    play.refuse = 0;
    wait_ms(LIMIT_LOAD_RETRY_MS + 1);
    answer(1, "ping");
    play.refuse = -ECONNREFUSED;
    sim_finish(play.ends[1]);
    wait_ms(900);
    assert_int_equal(play.ended, 0);
    wait_ms(200);
    assert_int_equal(play.ended, 1);
    assert_int_equal(play.worker->result.answered + load_errors(&play.worker->result), 1000000);
    end();
}

static void test_other_errors(void **state)
{
    (void)state;
    begin((struct load_options){.connections = 3, .depth = 1, .duration_ns = 5000 * MS});
    answer(0, "pong");
    assert_int_equal(play.worker->result.errors[LOAD_CONTENT], 1);
    answer(1, "pingp"); /* more than was asked, and the next is under way by then */
    wait_ms(1010);      /* the third is not answered at all */
    assert_true(play.worker->result.errors[LOAD_TIMEOUT] >= 1);
    end();
}

static void test_fresh(void **state)
{
    (void)state;
    begin((struct load_options){
        .connections = 1, .depth = 1, .fresh = true, .duration_ns = 1000 * MS});
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(play.made, i + 1);
        assert_int_equal(asked(i), 1);
        answer(i, "ping");
        assert_true(sim_closed(play.ends[i], &(int){0}));
    }
    assert_int_equal(play.worker->result.answered, 5);
    assert_int_equal(play.worker->result.connects, 6);
    assert_int_equal(load_errors(&play.worker->result), 0);
    end();
}

static void test_warmup(void **state)
{
    (void)state;
    begin((struct load_options){
        .connections = 1, .depth = 1, .warmup_ns = 100 * MS, .duration_ns = 200 * MS});
    wait_ms(50);
    answer(0, "ping");
    assert_int_equal(play.worker->result.answered, 0);
    assert_int_equal(play.worker->result.answered_all, 1);
    wait_ms(100);
    answer(0, "ping");
    assert_int_equal(play.worker->result.answered, 1);
    wait_ms(200);
    assert_int_equal(play.worker->result.elapsed_ns / MS, 200);
    end();
}

/* What begins while nothing is measured is none of the requests that were asked for, whenever it is answered. */
static void test_warmup_spends_no_requests(void **state)
{
    (void)state;
    begin((struct load_options){.connections = 1,
                                .depth = 1,
                                .requests = 2,
                                .warmup_ns = 100 * MS,
                                .duration_ns = 1000 * MS});
    for (unsigned i = 0; i < 5; i++) {
        wait_ms(10);
        answer(0, "ping");
    }
    wait_ms(60);
    assert_int_equal(play.ended, 0);
    answer(0, "ping");
    assert_int_equal(play.worker->result.answered, 0);
    wait_ms(10);
    answer(0, "ping");
    assert_int_equal(play.ended, 0);
    answer(0, "ping");
    assert_int_equal(play.ended, 1);
    assert_int_equal(play.worker->result.answered, 2);
    assert_int_equal(play.worker->result.bytes_in, 8);
    assert_int_equal(play.worker->result.bytes_out, 8);
    end();
}

/* At a rate: what was due in the warm-up and waits still comes first, and is not counted. */
static void test_warmup_at_a_rate(void **state)
{
    (void)state;
    begin((struct load_options){.connections = 1,
                                .depth = 1,
                                .rate = 100,
                                .requests = 3,
                                .warmup_ns = 100 * MS,
                                .duration_ns = 1000 * MS});
    wait_ms(200);
    for (unsigned i = 0; i < 10; i++)
        answer(0, "ping");
    assert_int_equal(play.worker->result.answered, 0);
    for (unsigned i = 0; i < 3; i++)
        answer(0, "ping");
    assert_int_equal(play.ended, 1);
    assert_int_equal(play.worker->result.answered, 3);
    assert_near(latency(1), 100);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closed_loop),
        cmocka_unit_test(test_pipeline),
        cmocka_unit_test(test_open_loop_counts_waiting),
        cmocka_unit_test(test_open_loop_keeps_its_rate),
        cmocka_unit_test(test_open_loop_counts_unfinished),
        cmocka_unit_test(test_open_loop_counts_overdue),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_no_share),
        cmocka_unit_test(test_asks_again),
        cmocka_unit_test(test_closed_unanswered),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_refused_requests),
        cmocka_unit_test(test_gone),
        cmocka_unit_test(test_other_errors),
        cmocka_unit_test(test_fresh),
        cmocka_unit_test(test_warmup),
        cmocka_unit_test(test_warmup_spends_no_requests),
        cmocka_unit_test(test_warmup_at_a_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
