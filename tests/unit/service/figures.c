/* Counters and histograms in shared memory: what is counted stays, whoever dies. */
#include "service/figures.h"

#include "../base/check.h"
#include "base/text.h"
#include "service/status.h"
#include "tbl/limits.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct figures_request request(unsigned status, uint64_t ns)
{
    struct figures_request r = {.status = status, .sent = 10};
    for (unsigned i = 0; i < FIGURE_TIME_COUNT; i++)
        r.ns[i] = UINT64_MAX;
    r.ns[FIGURE_TIME_TOTAL] = ns;
    return r;
}

static struct figures_sum sum_of(const struct figures *figures)
{
    struct figures_sum sum;
    figures_read(figures, &sum);
    return sum;
}

static void requests_are_counted(void **state)
{
    (void)state;
    struct figures *figures;
    struct figures_hand hand;
    assert_int_equal(figures_new(&figures), 0);
    figures_open(figures, &hand);
    const struct {
        unsigned status;
        uint64_t ns;
        enum figure figure;
        enum figure_bucket bucket;
    } rows[] = {
        {200, 0, FIGURE_CODE_2XX, FIGURE_BUCKET_10},
        {204, 10000, FIGURE_CODE_2XX, FIGURE_BUCKET_10}, /* a bound belongs to its bucket */
        {304, 10001, FIGURE_CODE_3XX, FIGURE_BUCKET_20},
        {404, 1000000, FIGURE_CODE_4XX, FIGURE_BUCKET_1000},
        {599, 60000000000, FIGURE_CODE_5XX, FIGURE_BUCKET_60000000},
        {101, 60000000001, FIGURE_CODE_OTHER, FIGURE_BUCKET_MORE},
    };
    uint64_t ns = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct figures_sum before = sum_of(figures), after;
        struct figures_request r = request(rows[i].status, rows[i].ns);
        figures_request(&hand, &r);
        after = sum_of(figures);
        ns += rows[i].ns;
        assert_int_equal(after.at[rows[i].figure], before.at[rows[i].figure] + 1);
        assert_int_equal(after.at[FIGURE_TIME + rows[i].bucket],
                         before.at[FIGURE_TIME + rows[i].bucket] + 1);
        assert_int_equal(after.at[FIGURE_SENT], 10 * (i + 1));
        assert_int_equal(after.at[FIGURE_TIME + FIGURE_BUCKET_COUNT], ns);
    }
    struct figures_request bad = request(408, 5);
    bad.failed = true;
    bad.limit = "head-timeout";
    figures_request(&hand, &bad);
    bad.limit = "of somebody else";
    figures_request(&hand, &bad);
    struct figures_sum sum = sum_of(figures);
    assert_int_equal(sum.at[FIGURE_FAILED], 2);
    assert_int_equal(sum.at[FIGURE_LIMIT + 5], 1);
    assert_int_equal(sum.at[FIGURE_LIMIT + FIGURE_LIMIT_COUNT - 1], 1);
    assert_int_equal(sum.threads, 1);
    figures_close(&hand);
    figures_request(&hand, &bad); /* nobody counts any more */
    sum = sum_of(figures);
    assert_int_equal(sum.at[FIGURE_FAILED], 2);
    assert_int_equal(sum.threads, 0);
    figures_free(figures);
}

static void what_the_dead_counted_stays(void **state)
{
    (void)state;
    struct figures *figures;
    assert_int_equal(figures_new(&figures), 0);
    for (unsigned i = 0; i < 5; i++) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            struct figures_hand hand;
            struct figures_request r = request(200, 1000);
            figures_open(figures, &hand);
            figures_connection(&hand, true);
            figures_request(&hand, &r);
            raise(SIGKILL);
        }
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    }
    struct figures_sum sum = sum_of(figures);
    assert_int_equal(sum.at[FIGURE_CODE_2XX], 5);
    assert_int_equal(sum.at[FIGURE_OPENED], 5);
    assert_int_equal(sum.connections, 0); /* theirs are gone with them */
    assert_int_equal(sum.threads, 0);
    figures_free(figures);
}

static void connections(struct figures_hand *hand, bool opened, unsigned count)
{
    while (count-- > 0)
        figures_connection(hand, opened);
}

/* Under `pool` one thread opens what another one closes. */
static void connections_may_end_elsewhere(void **state)
{
    (void)state;
    struct figures *figures;
    struct figures_hand one, other, third;
    assert_int_equal(figures_new(&figures), 0);
    figures_open(figures, &one);
    figures_open(figures, &other);
    connections(&one, true, 5);
    connections(&other, false, 3);
    assert_int_equal(sum_of(figures).connections, 2);
    figures_close(&one);
    assert_int_equal(sum_of(figures).connections, 2);
    figures_open(figures, &third); /* where the first one was */
    connections(&third, true, 1);
    assert_int_equal(sum_of(figures).connections, 3);
    connections(&other, false, 3);
    assert_int_equal(sum_of(figures).connections, 0);
    figures_close(&third);
    figures_close(&other);
    assert_int_equal(sum_of(figures).connections, 0);
    figures_free(figures);
}

/* It takes along its own connections, not what was moved by those who had its places before. */
static void the_killed_take_their_own_along(void **state)
{
    (void)state;
    struct figures *figures;
    struct figures_hand first[2], third, later[2];
    assert_int_equal(figures_new(&figures), 0);
    figures_open(figures, &first[0]);
    figures_open(figures, &first[1]);
    figures_open(figures, &third);
    connections(&first[0], true, 7);
    connections(&first[1], false, 7);
    connections(&third, true, 4);
    figures_close(&first[0]);
    figures_close(&first[1]);
    for (unsigned i = 0; i < 3; i++) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            figures_open(figures, &first[0]);
            figures_open(figures, &first[1]);
            connections(&first[i % 2], true, 5);
            connections(&first[1 - i % 2], false, 2);
            raise(SIGKILL);
        }
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_int_equal(sum_of(figures).connections, 4);
        for (unsigned j = 0; j < 2;
             j++) { /* until all free places are taken, those of the dead stay */
            figures_open(figures, &later[j]);
            figures_close(&later[j]);
        }
        assert_int_equal(sum_of(figures).connections, 4);
    }
    static struct figures_hand all[LIMIT_FIGURE_SLOTS];
    for (unsigned i = 0; i < LIMIT_FIGURE_SLOTS - 1; i++) {
        figures_open(figures, &all[i]);
        assert_false(all[i].shared);
    }
    assert_int_equal(sum_of(figures).connections, 4);
    figures_free(figures);
}

static void more_threads_than_slots_share_one(void **state)
{
    (void)state;
    struct figures *figures;
    static struct figures_hand hands[LIMIT_FIGURE_SLOTS + 3];
    const unsigned count = LIMIT_FIGURE_SLOTS + 3;
    struct figures_request r = request(200, 1);
    assert_int_equal(figures_new(&figures), 0);
    for (unsigned i = 0; i < count; i++) {
        figures_open(figures, &hands[i]);
        figures_connection(&hands[i], true);
        figures_request(&hands[i], &r);
    }
    struct figures_sum sum = sum_of(figures);
    assert_int_equal(sum.at[FIGURE_CODE_2XX], count);
    assert_int_equal(sum.connections, count);
    assert_true(hands[count - 1].shared);
    for (unsigned i = 0; i < count; i++) {
        figures_connection(&hands[i], false);
        figures_close(&hands[i]);
    }
    sum = sum_of(figures);
    assert_int_equal(sum.at[FIGURE_CLOSED], count);
    assert_int_equal(sum.connections, 0);
    figures_free(figures);
}

static void the_text_fits_with_the_largest_figures(void **state)
{
    (void)state;
    struct figures *figures;
    struct figures_hand hand;
    static char room[LIMIT_STATUS_TEXT_BYTES];
    struct text t;
    assert_int_equal(figures_new(&figures), 0);
    figures_open(figures, &hand);
    struct figures_request r = request(200, 1ull << 60);
    r.sent = 1ull << 63;
    for (unsigned i = 0; i < FIGURE_TIME_COUNT; i++)
        r.ns[i] = 1ull << 62;
    figures_request(&hand, &r);
    struct status status = {.figures = figures};
    text_init(&t, room, sizeof(room));
    assert_true(status_metrics(&status, &t));
    assert_true(t.len < sizeof(room) * 2 / 3); /* counters of 20 digits would fit, too */
    text_init(&t, room, 4096);
    assert_true(status_event(&status, &t, (struct weir_now){0}));
    assert_true(t.len < 3072);
    figures_close(&hand);
    figures_free(figures);
}

static void who_may_see_them(void **state)
{
    (void)state;
    struct status status = {0};
    assert_int_equal(status_allow(&status, "local"), 0);
    assert_int_equal(status_allow(&status, "192.0.2.0/24"), 0);
    assert_int_equal(status_allow(&status, "2001:db8::1"), 0);
    assert_int_equal(status.allow_count, 2);
    assert_int_equal(status.allow[0].bits, 24);
    assert_int_equal(status.allow[1].bits, 128);
    const char *const wrong[] = {
        "", "/", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/-1", "::/129", "example.com", "192.0.2"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        assert_int_equal(status_allow(&status, wrong[i]), -EINVAL);
    assert_false(status.any);
    assert_int_equal(status_allow(&status, "any"), 0);
    assert_true(status.any);
    for (unsigned i = 2; i < LIMIT_STATUS_ALLOW; i++)
        assert_int_equal(status_allow(&status, "::1"), 0);
    assert_int_equal(status_allow(&status, "::1"), -ENOSPC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_counted),
        cmocka_unit_test(what_the_dead_counted_stays),
        cmocka_unit_test(connections_may_end_elsewhere),
        cmocka_unit_test(the_killed_take_their_own_along),
        cmocka_unit_test(more_threads_than_slots_share_one),
        cmocka_unit_test(the_text_fits_with_the_largest_figures),
        cmocka_unit_test(who_may_see_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
