/* Rings of records: one reader, many writers, some of which die. */
#include "service/log_ring.h"

#include "../base/check.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE 4096

static struct log_rings *fresh(unsigned count)
{
    struct log_rings *rings;
    assert_int_equal(log_rings_new(count, SIZE, &rings), 0);
    return rings;
}

static void say(struct log_rings *rings, struct log_hand *hand, const char *text)
{
    log_put(rings, hand, text, strlen(text));
}

/* All that lies in a ring, taken. */
static size_t take(struct log_rings *rings, unsigned ring, char *to)
{
    struct iovec piece[2];
    size_t len = 0;
    int pieces = log_peek(rings, ring, piece);
    for (int i = 0; i < pieces; i++) {
        memcpy(to + len, piece[i].iov_base, piece[i].iov_len);
        len += piece[i].iov_len;
    }
    log_took(rings, ring, len);
    to[len] = '\0';
    return len;
}

static void records_come_in_order_around_the_end(void **state)
{
    (void)state;
    struct log_rings *rings = fresh(1);
    struct log_hand hand = {0};
    char text[64], got[SIZE + 1];
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof(text), "record number %d of many\n", i);
        say(rings, &hand, text);
        assert_int_equal(take(rings, 0, got), strlen(text));
        assert_string_equal(got, text);
    }
    assert_int_equal(log_lost(rings), 0);
    log_let_go(rings, &hand);
    log_rings_free(rings);
}

static void what_does_not_fit_is_counted(void **state)
{
    (void)state;
    struct log_rings *rings = fresh(1);
    struct log_hand hand = {0}, other = {0};
    char record[1000], got[SIZE + 1];
    memset(record, 'x', sizeof(record));
    for (int i = 0; i < 6; i++)
        log_put(rings, &hand, record, sizeof(record));
    assert_int_equal(log_lost(rings), 2);
    say(rings, &hand, "short\n"); /* there is room for that */
    say(rings, &other, "no ring left\n");
    assert_int_equal(log_lost(rings), 3);
    assert_int_equal(take(rings, 0, got), 4006);
    assert_string_equal(got + 4000, "short\n");
    log_let_go(rings, &hand);
    say(rings, &other, "now there is\n");
    assert_int_equal(take(rings, 0, got), 13);
    log_let_go(rings, &other);
    log_rings_free(rings);
}

static bool is_woken(const struct log_rings *rings)
{
    struct pollfd fd = {.fd = log_rings_wake_fd(rings), .events = POLLIN};
    return poll(&fd, 1, 0) == 1;
}

static void a_sleeping_reader_is_woken_once(void **state)
{
    (void)state;
    struct log_rings *rings = fresh(2);
    struct log_hand hand = {0};
    char record[3000] = {0}, got[SIZE + 1];
    assert_true(log_asleep(rings));
    say(rings, &hand, "a\n");
    assert_false(is_woken(rings)); /* not before the writer waits */
    log_let_go(rings, &hand);
    assert_true(is_woken(rings));
    log_awake(rings);
    assert_false(is_woken(rings));
    assert_false(log_asleep(rings)); /* there is something */
    take(rings, 0, got);
    say(rings, &hand, "b\n");
    log_let_go(rings, &hand);
    assert_false(is_woken(rings)); /* it will look by itself */
    log_put(rings, &hand, record, sizeof(record));
    assert_true(is_woken(rings)); /* half full */
    log_awake(rings);
    take(rings, 0, got);
    assert_true(log_asleep(rings));
    log_let_go(rings, &hand);
    log_rings_free(rings);
}

static void a_killed_writer_leaves_its_records_and_its_ring(void **state)
{
    (void)state;
    struct log_rings *rings = fresh(1);
    struct log_hand hand = {0};
    char got[SIZE + 1];
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        say(rings, &hand, "last words\n");
        raise(SIGKILL);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    say(rings, &hand, "of the next\n");
    assert_int_equal(log_lost(rings), 0);
    take(rings, 0, got);
    assert_string_equal(got, "last words\nof the next\n");
    log_let_go(rings, &hand);
    log_rings_free(rings);
}

#define WRITERS 8
#define RECORDS 3000

static _Noreturn void write_much(struct log_rings *rings, int number)
{
    struct log_hand hand = {0};
    char text[64];
    for (int i = 0; i < RECORDS; i++) {
        snprintf(text, sizeof(text), "%d %d\n", number, i);
        say(rings, &hand, text);
        if (i % 7 == 0)
            log_let_go(rings, &hand);
        if (i % 50 == 0)
            poll(NULL, 0, 1);
    }
    log_let_go(rings, &hand);
    _exit(0);
}

/* Each line is whole, and each writer's come once. */
static unsigned check_lines(const char *at, uint8_t seen[WRITERS][RECORDS])
{
    unsigned lines = 0;
    for (; *at; at = strchr(at, '\n') + 1, lines++) {
        int number, i, end = 0;
        assert_int_equal(sscanf(at, "%d %d%n", &number, &i, &end), 2);
        assert_int_equal(at[end], '\n');
        assert_in_range(number, 0, WRITERS - 1);
        assert_in_range(i, 0, RECORDS - 1);
        assert_int_equal(seen[number][i]++, 0);
    }
    return lines;
}

static void many_writers_do_not_mix(void **state)
{
    (void)state;
    static uint8_t seen[WRITERS][RECORDS];
    struct log_rings *rings = fresh(4); /* fewer than writers */
    char got[SIZE + 1];
    unsigned lines = 0, left = WRITERS;
    for (int i = 0; i < WRITERS; i++) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            write_much(rings, i);
    }
    while (left > 0) {
        int status;
        while (left > 0 && waitpid(-1, &status, WNOHANG) > 0) {
            assert_int_equal(status, 0);
            left--;
        }
        for (unsigned ring = 0; ring < 4; ring++)
            if (take(rings, ring, got) > 0)
                lines += check_lines(got, seen);
    }
    for (unsigned ring = 0; ring < 4; ring++)
        if (take(rings, ring, got) > 0)
            lines += check_lines(got, seen);
    assert_int_equal(lines + log_lost(rings), WRITERS * RECORDS);
    assert_true(lines > RECORDS);
    log_rings_free(rings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_in_order_around_the_end),
        cmocka_unit_test(what_does_not_fit_is_counted),
        cmocka_unit_test(a_sleeping_reader_is_woken_once),
        cmocka_unit_test(a_killed_writer_leaves_its_records_and_its_ring),
        cmocka_unit_test(many_writers_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
