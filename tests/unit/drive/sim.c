/* The simulated driver: what it promises to tests, and to machines. */
#include "drive/sim.h"

#include "tbl/limits.h"

#include <weir/protocols.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct sim *make(struct sim_options options)
{
    struct sim *sim;
    assert_int_equal(sim_new(&options, &sim), 0);
    return sim;
}

static void send_text(struct sim_end *end, const char *text)
{
    assert_int_equal(sim_send(end, text, strlen(text)), 0);
}

static void run(struct sim *sim)
{
    assert_int_equal(sim_run(sim), 0);
}

static void assert_output(const struct sim_end *end, const char *text)
{
    assert_int_equal(sim_output(end).len, strlen(text));
    if (*text)
        assert_memory_equal(sim_output(end).at, text, strlen(text));
}

/* A machine that writes down the length of each read and of nothing else. */
struct lengths {
    size_t at[4096];
    unsigned count;
    unsigned turns;
};

static struct lengths *lengths_of(struct weir_conn *conn)
{
    return (struct lengths *)(uintptr_t)weir_conn_config(conn);
}

static ssize_t lengths_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    (void)state;
    (void)bytes;
    struct lengths *lengths = lengths_of(conn);
    if (lengths->count < 4096)
        lengths->at[lengths->count++] = len;
    return (ssize_t)len;
}

static int lengths_output(void *state, struct weir_conn *conn)
{
    (void)state;
    lengths_of(conn)->turns++;
    return 0;
}

static const struct weir_protocol lengths_protocol = {
    .name = "lengths", .input_max = 1, .input = lengths_input, .output = lengths_output};

static void read_lengths(struct sim_options options, struct lengths *lengths)
{
    static char bytes[10000];
    *lengths = (struct lengths){0};
    struct sim *sim = make(options);
    struct sim_end *end = sim_connect(sim, &lengths_protocol, lengths);
    assert_int_equal(sim_send(end, bytes, sizeof(bytes)), 0);
    run(sim);
    assert_int_equal(sim_unread(end), 0);
    sim_free(sim);
}

static void input_is_cut_as_told(void **state)
{
    (void)state;
    static struct lengths whole, bytes, listed, random;
    const size_t cuts[] = {1, 1, 10, 9999};
    read_lengths((struct sim_options){.cut = SIM_WHOLE}, &whole);
    assert_int_equal(whole.count, 1);
    read_lengths((struct sim_options){.cut = SIM_BYTES}, &bytes);
    assert_int_equal(bytes.at[0], 1);
    assert_int_equal(bytes.count, 4096); /* as many as fit the list */
    read_lengths((struct sim_options){.cut = SIM_LIST, .cuts = cuts, .cut_count = 4}, &listed);
    assert_int_equal(listed.count, 4);
    assert_int_equal(listed.at[0], 1);
    assert_int_equal(listed.at[1], 9);
    assert_int_equal(listed.at[2], 9989);
    assert_int_equal(listed.at[3], 1);
    read_lengths((struct sim_options){.cut = SIM_RANDOM, .seed = 7}, &random);
    assert_true(random.count > 2);
}

static void a_seed_gives_the_same_run_again(void **state)
{
    (void)state;
    static struct lengths a, b, c;
    struct sim_options options = {.cut = SIM_RANDOM, .faults = true, .seed = 11};
    read_lengths(options, &a);
    read_lengths(options, &b);
    assert_memory_equal(&a, &b, sizeof(a));
    options.seed = 12;
    read_lengths(options, &c);
    assert_memory_not_equal(&a, &c, sizeof(a));
}

static void faults_bring_turns_that_nobody_asked_for(void **state)
{
    (void)state;
    static struct lengths calm, rough;
    read_lengths((struct sim_options){.cut = SIM_BYTES}, &calm);
    read_lengths((struct sim_options){.cut = SIM_BYTES, .faults = true}, &rough);
    assert_true(rough.turns > calm.turns);
}

static void writes_are_as_short_as_told(void **state)
{
    (void)state;
    struct sim *sim = make((struct sim_options){.write_max = 3});
    struct sim_end *end = sim_connect(sim, &weir_echo, NULL);
    sim_window(end, 7);
    send_text(end, "hello world");
    run(sim);
    assert_output(end, "hello w");
    sim_window(end, 2);
    run(sim);
    assert_output(end, "hello wor");
    sim_window(end, UINT64_MAX);
    sim_finish(end);
    run(sim);
    assert_output(end, "hello world");
    sim_free(sim);
}

static void a_connection_breaks_where_told(void **state)
{
    (void)state;
    int why;
    struct sim *sim = make((struct sim_options){0});
    struct sim_end *in = sim_connect(sim, &weir_echo, NULL);
    struct sim_end *out = sim_connect(sim, &weir_echo, NULL);
    struct sim_end *stuck = sim_connect(sim, &weir_echo, NULL);
    send_text(in, "abc");
    sim_reset(in);
    send_text(out, "abc");
    sim_break_at(out, 2);
    sim_window(stuck, 0);
    for (int i = 0; i < 20000; i++)
        send_text(stuck, "0123456789");
    sim_reset(stuck);
    run(sim);
    assert_true(sim_closed(in, &why));
    assert_int_equal(why, -ECONNRESET);
    assert_true(sim_closed(out, &why));
    assert_int_equal(why, -ECONNRESET);
    assert_output(out, "ab");
    assert_true(sim_closed(stuck, &why)); /* told by the driver, since it does not read */
    assert_int_equal(sim_closes(in) + sim_closes(out) + sim_closes(stuck), 3);
    sim_free(sim);
}

static void time_moves_only_when_told(void **state)
{
    (void)state;
    int why;
    const struct weir_quiet_options idle = {.idle_ms = 100};
    struct sim *sim = make((struct sim_options){0});
    const struct weir_now *now = &sim_driver(sim)->now;
    assert_int_equal(now->wall_ns / (int64_t)WEIR_NS_PER_S, 784111777);
    struct sim_end *end = sim_connect(sim, &weir_echo, &idle);
    uint64_t begin = now->mono_ns;
    run(sim);
    assert_int_equal(now->mono_ns, begin);
    assert_int_equal(sim_wait(sim, 3 * WEIR_NS_PER_S), 0);
    assert_int_equal(now->mono_ns, begin + 3 * WEIR_NS_PER_S);
    assert_int_equal(now->wall_ns, 784111780 * (int64_t)WEIR_NS_PER_S);
    assert_true(sim_closed(end, &why));
    assert_int_equal(why, -ETIMEDOUT);
    sim_free(sim);
}

/* A machine that asks its driver for others, by the first byte it reads. */
struct asker {
    struct weir_stream *stream;
    struct weir_spawn spawn;
    struct weir_conn *got[3];
    int rc;
    int status;
};

static ssize_t asker_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    (void)state;
    struct asker *asker = (struct asker *)(uintptr_t)weir_conn_config(conn);
    struct weir_driver *driver = weir_conn_driver(conn);
    switch (bytes[0]) {
    case 'd':
        asker->got[0] = driver->ops->dial(driver, "tcp:up:80", &weir_echo, NULL);
        break;
    case 'a':
        asker->got[0] = driver->ops->adopt(driver, asker->stream, &weir_echo, NULL);
        break;
    case 's':
        asker->rc = driver->ops->spawn(driver, &asker->spawn, asker->got);
        break;
    }
    return (ssize_t)len;
}

static const struct weir_protocol asker_protocol = {
    .name = "asker", .input_max = 1, .input = asker_input};

static void note_status(void *arg, int status)
{
    ((struct asker *)arg)->status = status;
}

static void companions_can_be_dialled_and_adopted(void **state)
{
    (void)state;
    struct sim *sim = make((struct sim_options){0});
    struct sim_end *up = sim_peer(sim, "tcp:up:80"), *other = sim_peer(sim, "other");
    struct asker asker = {.stream = sim_stream(other)};
    struct sim_end *end = sim_connect(sim, &asker_protocol, &asker);
    send_text(up, "early"); /* a peer may speak before it is dialled */
    send_text(end, "d");
    run(sim);
    assert_ptr_equal(sim_conn(up), asker.got[0]);
    assert_output(up, "early");
    send_text(end, "a");
    send_text(other, "other");
    run(sim);
    assert_output(other, "other");
    sim_free(sim);
}

static void children_are_three_companions_and_an_end(void **state)
{
    (void)state;
    static const char *const argv[] = {"cgi", NULL};
    struct sim *sim = make((struct sim_options){0});
    struct sim_end *in = sim_peer(sim, "0:cgi"), *out = sim_peer(sim, "1:cgi");
    struct asker asker = {.spawn = {.argv = argv,
                                    .protocol = {&weir_discard, &weir_echo, NULL},
                                    .ended = note_status},
                          .status = -1};
    asker.spawn.arg = &asker;
    struct sim_end *end = sim_connect(sim, &asker_protocol, &asker);
    send_text(end, "s");
    run(sim);
    assert_true(asker.rc > 0);
    assert_ptr_equal(sim_conn(in), asker.got[0]);
    assert_ptr_equal(sim_conn(out), asker.got[1]);
    assert_null(asker.got[2]);
    sim_child_ended(sim, "other", 1);
    assert_int_equal(asker.status, -1);
    sim_child_ended(sim, "cgi", 3);
    assert_int_equal(asker.status, 3);
    send_text(end, "s"); /* no second one can be started: nobody is there */
    run(sim);
    assert_int_equal(asker.rc, -ENOENT);
    sim_free(sim);
}

/* Sends a piece of a file for each byte, by itself or through fill(). */
static int file_fd;

static ssize_t filer_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    (void)state;
    (void)bytes;
    weir_out_file(weir_conn_out(conn), file_fd, 2, 5, NULL);
    return len > 0;
}

static const struct weir_protocol filer_protocol = {
    .name = "filer", .input_max = 1, .input = filer_input};

static int filler_output(void *state, struct weir_conn *conn)
{
    unsigned *left = state;
    size_t len = 0;
    while (*left > 0) {
        const struct weir_span span = {
            .kind = WEIR_SPAN_FILE, .fd = file_fd, .len = *left, .offset = 10 - *left};
        struct weir_driver *driver = weir_conn_driver(conn);
        int rc = driver->ops->fill(driver, conn, &span, weir_conn_out(conn), 3, &len);
        if (rc != WEIR_FILL_MORE)
            return rc;
        *left -= (unsigned)len;
    }
    return 0;
}

static int filler_open(void *state, struct weir_conn *conn, const void *config)
{
    (void)conn;
    *(unsigned *)state = *(const unsigned *)config;
    return 0;
}

static const struct weir_protocol filler_protocol = {.name = "filler",
                                                     .state_size = sizeof(unsigned),
                                                     .input_max = 1,
                                                     .open = filler_open,
                                                     .input = lengths_input,
                                                     .output = filler_output};

static void files_are_sent_and_filled(void **state)
{
    (void)state;
    int why;
    for (unsigned waits = 0; waits < 3; waits++) {
        struct sim *sim = make((struct sim_options){.fill_waits = waits, .faults = waits == 2});
        const unsigned ten = 10;
        file_fd = sim_file(sim, "0123456789", 10);
        struct sim_end *sent = sim_connect(sim, &filer_protocol, NULL);
        struct sim_end *filled = sim_connect(sim, &filler_protocol, &ten);
        send_text(sent, "??");
        run(sim);
        assert_output(sent, "2345623456");
        assert_output(filled, "0123456789");
        sim_free(sim);
    }
    struct sim *sim = make((struct sim_options){0});
    file_fd = sim_file(sim, "0123", 4); /* shorter than the span */
    struct sim_end *cut = sim_connect(sim, &filer_protocol, NULL);
    send_text(cut, "?");
    run(sim);
    assert_output(cut, "23");
    assert_true(sim_closed(cut, &why));
    assert_int_equal(why, -EIO);
    sim_free(sim);
}

static unsigned jobs_done, jobs_worked;

static void count_work(struct weir_job *job)
{
    (void)job;
    jobs_worked++;
}

static void count_done(struct weir_job *job)
{
    jobs_done += !job->cancelled;
}

static void jobs_are_done_in_their_order_and_later(void **state)
{
    (void)state;
    struct weir_job a = {.work = count_work, .done = count_done}, b = a;
    struct sim *sim = make((struct sim_options){.job_rounds = 3});
    struct weir_driver *driver = sim_driver(sim);
    jobs_done = jobs_worked = 0;
    assert_int_equal(driver->ops->submit(driver, &a), 0);
    assert_int_equal(driver->ops->submit(driver, &b), 0);
    assert_int_equal(jobs_done, 0);
    run(sim);
    assert_int_equal(jobs_worked, 2);
    assert_int_equal(jobs_done, 2);
    sim_free(sim);
}

static void a_full_job_queue_says_so(void **state)
{
    (void)state;
    static struct weir_job jobs[LIMIT_JOB_QUEUE + 1];
    struct sim *sim = make((struct sim_options){0});
    struct weir_driver *driver = sim_driver(sim);
    for (unsigned i = 0; i < LIMIT_JOB_QUEUE; i++) {
        jobs[i] = (struct weir_job){.work = count_work, .done = count_done};
        assert_int_equal(driver->ops->submit(driver, &jobs[i]), 0);
    }
    assert_int_equal(driver->ops->submit(driver, &jobs[LIMIT_JOB_QUEUE]), -EAGAIN);
    jobs_done = 0;
    sim_free(sim);
    assert_int_equal(jobs_done, 0); /* cancelled */
    assert_true(jobs[LIMIT_JOB_QUEUE - 1].cancelled);
}

static void randomness_does_not_hang_on_the_seed(void **state)
{
    (void)state;
    uint8_t a[16], b[16], c[16];
    struct sim *one = make((struct sim_options){.seed = 1});
    struct sim *two = make((struct sim_options){.seed = 2, .faults = true});
    assert_int_equal(sim_driver(one)->ops->random(sim_driver(one), a, 16), 0);
    assert_int_equal(sim_driver(two)->ops->random(sim_driver(two), b, 16), 0);
    assert_int_equal(sim_driver(two)->ops->random(sim_driver(two), c, 16), 0);
    assert_memory_equal(a, b, 16);
    assert_memory_not_equal(b, c, 16);
    sim_free(one);
    sim_free(two);
}

static void peer_is_someone(void **state)
{
    (void)state;
    char text[64];
    unsigned port = 0;
    struct sim *sim = make((struct sim_options){0});
    struct sim_end *end = sim_connect(sim, &weir_echo, NULL);
    struct weir_driver *driver = sim_driver(sim);
    assert_int_equal(driver->ops->peer(driver, sim_conn(end), text, sizeof(text), &port), 0);
    assert_string_equal(text, "192.0.2.1");
    assert_int_equal(port, 40000);
    sim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(input_is_cut_as_told),
        cmocka_unit_test(a_seed_gives_the_same_run_again),
        cmocka_unit_test(faults_bring_turns_that_nobody_asked_for),
        cmocka_unit_test(writes_are_as_short_as_told),
        cmocka_unit_test(a_connection_breaks_where_told),
        cmocka_unit_test(time_moves_only_when_told),
        cmocka_unit_test(companions_can_be_dialled_and_adopted),
        cmocka_unit_test(children_are_three_companions_and_an_end),
        cmocka_unit_test(files_are_sent_and_filled),
        cmocka_unit_test(jobs_are_done_in_their_order_and_later),
        cmocka_unit_test(a_full_job_queue_says_so),
        cmocka_unit_test(randomness_does_not_hang_on_the_seed),
        cmocka_unit_test(peer_is_someone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
