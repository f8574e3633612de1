#include "ends.h"

#include <weir/pipeline.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>

static const enum weir_meter meters[] = {WEIR_METER_NONE, WEIR_METER_BYTES, WEIR_METER_LINES};
#define METERS (sizeof(meters) / sizeof(*meters))

/* Starts commands whose last one writes into *out, if that is wanted. */
static struct weir_pipeline *start(enum weir_meter meter, struct weir_stream **out,
                                   const char *const *commands)
{
    struct weir_pipeline *p;
    struct weir_stream *ends[2] = {NULL, NULL};
    size_t count = 0;
    while (commands[count])
        count++;
    if (out)
        assert_int_equal(weir_pipe(ends), 0);
    const int fds[] = {-1, out ? weir_write_fd(ends[1]) : -1, 2};
    const struct weir_pipeline_options o = {.ends = fds, .meter = meter, .new_group = true};
    assert_int_equal(weir_pipeline_words(commands, count, &o, &p, NULL), 0);
    weir_close(ends[1]);
    if (out) {
        *out = ends[0];
        weir_set_timeout(*out, PATIENCE_MS);
    }
    return p;
}

#define START(meter, out, ...) start(meter, out, (const char *const[]){__VA_ARGS__, NULL})

static void finish(struct weir_pipeline *p, int result)
{
    assert_int_equal(weir_pipeline_wait(p, PATIENCE_MS), 0);
    assert_int_equal(weir_pipeline_result(p), result);
    weir_pipeline_free(p);
}

/* --- what is promised under each meter --- */

static void each_stage_has_its_own_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < METERS; i++) {
        struct weir_pipeline *p = START(meters[i], NULL, "sh -c 'exit 3'", "sh -c 'kill -SEGV $$'",
                                        "sh -c 'cat; exit 5'", "cat");
        assert_int_equal(weir_pipeline_wait(p, PATIENCE_MS), 0);
        assert_int_equal(weir_pipeline_count(p), 4);
        assert_int_equal(weir_pipeline_stage(p, 0).status, 3);
        assert_int_equal(weir_pipeline_stage(p, 1).status, WEIR_SIGNALLED + SIGSEGV);
        assert_int_equal(weir_pipeline_stage(p, 2).status, 5);
        assert_int_equal(weir_pipeline_stage(p, 3).status, 0);
        assert_true(weir_pipeline_stage(p, 2).wall_ns > 0);
        finish(p, 5);
    }
}

static void lines_and_bytes_come_through_and_are_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < METERS; i++) {
        struct weir_stream *out;
        char text[64];
        struct weir_pipeline *p =
            START(meters[i], &out, "seq 100000", "cat", "tail -n 1"); /* 588895 bytes */
        assert_int_equal(weir_pipeline_wait(p, PATIENCE_MS), 0);
        assert_int_equal(weir_read_full(out, text, sizeof(text)), 7);
        assert_memory_equal(text, "100000\n", 7);
        for (size_t j = 0; j < 2; j++) {
            struct weir_joint joint = weir_pipeline_joint(p, j);
            assert_int_equal(joint.bytes, meters[i] == WEIR_METER_NONE ? 0 : 588895);
            assert_int_equal(joint.lines, meters[i] == WEIR_METER_LINES ? 100000 : 0);
        }
        weir_close(out);
        finish(p, 0);
    }
}

static void being_cut_off_is_no_failure(void **state)
{
    (void)state;
    for (size_t i = 0; i < METERS; i++) {
        struct weir_pipeline *p = START(meters[i], NULL, "yes", "cat", "head -n 1");
        assert_int_equal(weir_pipeline_wait(p, PATIENCE_MS), 0);
        for (size_t j = 0; j < 2; j++) {
            assert_int_equal(weir_pipeline_stage(p, j).status, WEIR_SIGNALLED + SIGPIPE);
            assert_true(weir_pipeline_stage(p, j).cut_off);
        }
        assert_false(weir_pipeline_stage(p, 2).cut_off);
        finish(p, 0);
    }
}

static void a_reader_may_stop_reading_and_live(void **state)
{
    (void)state;
    for (size_t i = 0; i < METERS; i++) {
        struct weir_pipeline *p = START(meters[i], NULL, "yes", "sh -c 'exec <&-; exec sleep 60'");
        int64_t end = now_ms() + PATIENCE_MS;
        while (weir_pipeline_stage(p, 0).status == -ETIMEDOUT && now_ms() < end)
            assert_int_equal(weir_pipeline_wait(p, 10), -ETIMEDOUT);
        assert_true(weir_pipeline_stage(p, 0).cut_off);
        assert_int_equal(weir_pipeline_stage(p, 1).status, -ETIMEDOUT);
        weir_pipeline_free(p);
    }
}

static void sigpipe_from_elsewhere_is_a_failure(void **state)
{
    (void)state;
    for (size_t i = 0; i < METERS; i++) {
        struct weir_pipeline *p =
            START(meters[i], NULL, "sh -c 'kill -PIPE $$'", "sh -c 'cat; sleep 0.3'");
        assert_int_equal(weir_pipeline_wait(p, PATIENCE_MS), 0);
        assert_false(weir_pipeline_stage(p, 0).cut_off);
        finish(p, WEIR_SIGNALLED + SIGPIPE);
    }
}

static void the_last_stage_can_be_cut_off_too(void **state)
{
    (void)state;
    for (size_t i = 0; i < METERS; i++) {
        struct weir_stream *out;
        struct weir_pipeline *p = START(meters[i], &out, "yes", "cat");
        char text[2];
        assert_int_equal(weir_pipeline_wait(p, 0), -ETIMEDOUT);
        (void)!weir_pipeline_wait(p, 20);
        assert_int_equal(weir_read_full(out, text, 2), 2);
        weir_close(out);
        assert_int_equal(weir_pipeline_wait(p, PATIENCE_MS), 0);
        assert_true(weir_pipeline_stage(p, 1).cut_off);
        finish(p, 0);
    }
}

static void nothing_is_inherited_but_the_pipes(void **state)
{
    (void)state;
    int leaked = open("/dev/null", O_RDONLY); /* no O_CLOEXEC: on purpose */
    for (size_t i = 0; i < METERS; i++) {
        struct weir_stream *out;
        char text[128] = "";
        /* ls itself opens one, the folder, as 3. The others say it on their way. */
        struct weir_pipeline *p =
            START(meters[i], &out, "ls -m /proc/self/fd", "sh -c 'cat; exec ls -m /proc/self/fd'",
                  "sh -c 'cat; exec ls -m /proc/self/fd'");
        assert_int_equal(weir_pipeline_wait(p, PATIENCE_MS), 0);
        assert_true(weir_read_full(out, text, sizeof(text) - 1) > 0);
        assert_string_equal(text, "0, 1, 2, 3\n0, 1, 2, 3\n0, 1, 2, 3\n");
        weir_close(out);
        finish(p, 0);
    }
    close(leaked);
}

static void many_stages(void **state)
{
    (void)state;
    const char *commands[61];
    for (size_t i = 0; i < 60; i++)
        commands[i] = i == 0 ? "seq 1000" : "cat";
    commands[60] = NULL;
    for (size_t i = 0; i < METERS; i++) {
        struct weir_stream *out;
        char text[8192];
        struct weir_pipeline *p = start(meters[i], &out, commands);
        assert_int_equal(weir_pipeline_wait(p, PATIENCE_MS), 0);
        assert_int_equal(weir_read_full(out, text, sizeof(text)), 3893);
        weir_close(out);
        finish(p, 0);
    }
}

/* --- what goes wrong --- */

static int try_words(const char *const *commands, size_t count, size_t *failed)
{
    struct weir_pipeline *p = NULL;
    const struct weir_pipeline_options o = {.meter = WEIR_METER_BYTES};
    int rc = weir_pipeline_words(commands, count, &o, &p, failed);
    assert_null(p);
    return rc;
}

static void a_start_that_fails_ends_what_was_started(void **state)
{
    (void)state;
    size_t failed = 99;
    int64_t before = now_ms();
    assert_int_equal(
        try_words((const char *[]){"sleep 60", "sleep 60", "no-such", "cat"}, 4, &failed), -ENOENT);
    assert_int_equal(failed, 2);
    assert_int_equal(try_words((const char *[]){"/dev/null", "cat"}, 2, &failed), -EACCES);
    assert_int_equal(failed, 0);
    assert_int_equal(try_words((const char *[]){"sleep 60", "a 'b", "cat"}, 3, &failed), -EINVAL);
    assert_int_equal(failed, 1);
    assert_int_equal(try_words((const char *[]){"sleep 60", " "}, 2, &failed), -EINVAL);
    assert_int_equal(failed, 1);
    assert_int_equal(try_words((const char *[]){""}, 0, &failed), -EINVAL);
    assert_int_equal(failed, 0);
    assert_int_equal(try_words((const char *[]){""}, 257, &failed), -EINVAL);
    assert_int_equal(failed, 257);
    assert_true(now_ms() - before < 30000);
}

/* With ever more descriptors it fails at every place, until it works. count_after() finds what is left. */
static void too_few_descriptors_at_any_place(void **state)
{
    (void)state;
    struct rlimit before, few;
    getrlimit(RLIMIT_NOFILE, &before);
    few = before;
    int rc = -EMFILE, failures = 0;
    for (few.rlim_cur = 4; rc < 0 && few.rlim_cur < 64; few.rlim_cur++) {
        struct weir_pipeline *p = NULL;
        const struct weir_pipeline_options o = {.meter = WEIR_METER_LINES};
        const char *const commands[] = {"true", "cat", "cat"};
        setrlimit(RLIMIT_NOFILE, &few);
        rc = weir_pipeline_words(commands, 3, &o, &p, NULL);
        setrlimit(RLIMIT_NOFILE, &before);
        if (rc == 0)
            assert_int_equal(weir_pipeline_wait(p, PATIENCE_MS), 0);
        else
            assert_int_equal(rc, -EMFILE);
        failures += rc < 0;
        weir_pipeline_free(p);
    }
    assert_int_equal(rc, 0);
    assert_true(failures > 5);
}

static void waiting_has_a_limit_and_stopping_is_sure(void **state)
{
    (void)state;
    for (size_t i = 0; i < METERS; i++) {
        struct weir_stream *out;
        char byte;
        struct weir_pipeline *p =
            START(meters[i], &out, "sh -c 'trap \"\" TERM; echo; while :; do sleep 60; done'",
                  "sh -c 'cat; sleep 60'", "cat");
        /* The line feed says that the trap is set. */
        int64_t end = now_ms() + PATIENCE_MS;
        weir_set_timeout(out, 10);
        while (weir_read(out, &byte, 1) != 1 && now_ms() < end)
            assert_int_equal(weir_pipeline_wait(p, 10), -ETIMEDOUT);
        assert_int_equal(weir_pipeline_stop(p, 100), 0);
        assert_int_equal(weir_pipeline_stage(p, 0).status, WEIR_SIGNALLED + SIGKILL);
        assert_int_equal(weir_pipeline_stage(p, 1).status, WEIR_SIGNALLED + SIGTERM);
        /* The grandchildren held the pipe: its end says that the group went. */
        weir_set_timeout(out, PATIENCE_MS);
        assert_int_equal(weir_read(out, &byte, 1), 0);
        weir_close(out);
        weir_pipeline_free(p);
    }
}

static void freeing_ends_a_pipeline_with_its_group(void **state)
{
    (void)state;
    for (size_t i = 0; i < METERS; i++) {
        struct weir_stream *out;
        char byte;
        struct weir_pipeline *p =
            START(meters[i], &out, "sleep 60", "sh -c 'sleep 60 & echo; wait'");
        assert_int_equal(weir_read(out, &byte, 1), 1);
        weir_pipeline_free(p);
        assert_int_equal(weir_read(out, &byte, 1), 0);
        weir_close(out);
    }
    weir_pipeline_free(NULL);
}

static void signals_reach_every_stage(void **state)
{
    (void)state;
    struct weir_pipeline *p;
    const char *const commands[] = {"sleep 60", "sleep 60", "true"};
    for (int group = 0; group < 2; group++) {
        const struct weir_pipeline_options o = {.new_group = group > 0};
        assert_int_equal(weir_pipeline_words(commands, 3, &o, &p, NULL), 0);
        assert_int_equal(weir_pipeline_kill(p, SIGINT), 0);
        assert_int_equal(weir_pipeline_wait(p, PATIENCE_MS), 0);
        assert_int_equal(weir_pipeline_stage(p, 0).status, WEIR_SIGNALLED + SIGINT);
        assert_int_equal(weir_pipeline_stage(p, 1).status, WEIR_SIGNALLED + SIGINT);
        if (!group)
            assert_int_equal(weir_pipeline_kill(p, SIGINT), -ESRCH);
        weir_pipeline_free(p);
    }
}

static void a_program_without_child_signals_gets_no_status(void **state)
{
    (void)state;
    struct weir_pipeline *p;
    signal(SIGCHLD, SIG_IGN);
    int rc = weir_pipeline_words((const char *[]){"sleep 0.1", "sleep 0.1"}, 2, NULL, &p, NULL);
    if (rc == 0)
        rc = weir_pipeline_wait(p, PATIENCE_MS);
    signal(SIGCHLD, SIG_DFL);
    assert_int_equal(rc, 0);
    assert_int_equal(weir_pipeline_result(p), -ECHILD);
    weir_pipeline_free(p);
}

/* --- the meter --- */

static void a_full_pipe_and_an_empty_one(void **state)
{
    (void)state;
    struct weir_pipeline *p = START(WEIR_METER_BYTES, NULL, "yes", "sleep 60", "cat");
    assert_int_equal(weir_pipeline_wait(p, 600), -ETIMEDOUT);
    struct weir_joint full = weir_pipeline_joint(p, 0), empty = weir_pipeline_joint(p, 1);
    assert_true(full.seen_ns > 0 && empty.seen_ns > 0);
    assert_true(full.full_ns > full.seen_ns / 2 && full.empty_ns < full.seen_ns / 2);
    assert_true(empty.empty_ns > empty.seen_ns / 2 && empty.full_ns == 0);
    assert_int_equal(full.held, full.room);
    assert_true(full.bytes > 0 && full.bytes <= full.room);
    assert_int_equal(empty.held, 0);
    weir_pipeline_free(p);
}

/* Waiting costs nothing, whatever the pipes look like: full with a writer that has ended, or with a reader that has gone.
 * Besides its looks at the pipes it has a handful of things to do. */
static void waiting_does_not_spin(void **state)
{
    (void)state;
    const char *const cases[][3] = {
        {"head -c 8192 /dev/zero", "sh -c 'sleep 0.4; wc -c'", NULL},
        {"head -c 4096 /dev/zero", "sh -c 'sleep 0.4; wc -c'", NULL},
        {"sh -c 'sleep 0.4; echo; echo'", "true", NULL},
        {"sh -c 'exec >&-; sleep 0.4'", "sleep 0.4", NULL},
        {"yes", "sh -c 'exec <&-; sleep 0.4'", NULL},
    };
    for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(*cases); i++) {
        const struct weir_pipeline_options o = {.ends = (const int[]){-1, -1, 2},
                                                .meter =
                                                    i % 2 ? WEIR_METER_LINES : WEIR_METER_BYTES,
                                                .pipe_bytes = 4096};
        struct weir_pipeline *p;
        unsigned rounds = 0;
        assert_int_equal(weir_pipeline_words(cases[i / 2], 2, &o, &p, NULL), 0);
        for (int rc = -ETIMEDOUT; rc == -ETIMEDOUT; rounds++) {
            struct pollfd fd = {.fd = weir_pipeline_fd(p), .events = POLLIN};
            assert_true(poll(&fd, 1, PATIENCE_MS) > 0);
            rc = weir_pipeline_wait(p, 0);
            assert_true(rounds < 400);
        }
        weir_pipeline_free(p);
    }
}

static void its_descriptor_says_when_there_is_work(void **state)
{
    (void)state;
    struct weir_stream *out;
    char byte;
    struct weir_pipeline *p = START(WEIR_METER_BYTES, &out, "sh -c 'sleep 0.1; echo'", "cat");
    int rc = -ETIMEDOUT;
    for (int64_t end = now_ms() + PATIENCE_MS; rc == -ETIMEDOUT && now_ms() < end;) {
        struct pollfd fd = {.fd = weir_pipeline_fd(p), .events = POLLIN};
        assert_true(poll(&fd, 1, PATIENCE_MS) > 0);
        rc = weir_pipeline_wait(p, 0);
    }
    assert_int_equal(rc, 0);
    assert_int_equal(weir_read_full(out, &byte, 1), 1);
    weir_close(out);
    finish(p, 0);
}

/* Stages that end leave children behind, which read on: they get it all. */
static void children_left_behind_read_to_the_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < METERS; i++) {
        struct weir_stream *out;
        char text[16];
        struct weir_pipeline *p = START(meters[i], &out, "head -c 1500000 /dev/zero",
                                        "sh -c 'exec 3<&0; (sleep 0.2; wc -c <&3) & exit 0'");
        assert_int_equal(weir_pipeline_wait(p, PATIENCE_MS), 0);
        assert_int_equal(weir_pipeline_result(p), 0);
        assert_int_equal(weir_read_full(out, text, sizeof(text)), 8);
        assert_memory_equal(text, "1500000\n", 8);
        weir_close(out);
        weir_pipeline_free(p);
    }
}

#define COUNTED(f) cmocka_unit_test_setup_teardown(f, count_before, count_after)

int main(void)
{
    const struct CMUnitTest tests[] = {
        COUNTED(each_stage_has_its_own_end),
        COUNTED(lines_and_bytes_come_through_and_are_counted),
        COUNTED(being_cut_off_is_no_failure),
        COUNTED(a_reader_may_stop_reading_and_live),
        COUNTED(sigpipe_from_elsewhere_is_a_failure),
        COUNTED(the_last_stage_can_be_cut_off_too),
        COUNTED(nothing_is_inherited_but_the_pipes),
        COUNTED(many_stages),
        COUNTED(a_start_that_fails_ends_what_was_started),
        COUNTED(too_few_descriptors_at_any_place),
        COUNTED(waiting_has_a_limit_and_stopping_is_sure),
        COUNTED(freeing_ends_a_pipeline_with_its_group),
        COUNTED(signals_reach_every_stage),
        COUNTED(a_program_without_child_signals_gets_no_status),
        COUNTED(a_full_pipe_and_an_empty_one),
        COUNTED(waiting_does_not_spin),
        COUNTED(its_descriptor_says_when_there_is_work),
        COUNTED(children_left_behind_read_to_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
