/*
 * The table of promises of weir-streams(7), a test a cell: tests/check/promises.py holds the CELL rows of promises_*.c to the
 * cells of the manual, word by word.
 *
 * A row of the manual is a kind of stream, made in each of the ways that users make it; a cell's test runs on all of them.
 */
#pragma once

#include "children.h"
#include "tls_ends.h"

#include <fcntl.h>
#include <sys/socket.h>

struct cell {
    const char *kind;    /* the row */
    const char *promise; /* the column */
    const char *words;   /* what the manual says there */
    void (*test)(const struct kind *);
};

#define CELL(kind, promise, words, test)                                                           \
    {                                                                                              \
        kind, promise, words, test                                                                 \
    }

/* --- the kinds that ends.h does not have --- */

/* Written by one stream, read by another. */
static inline void open_file(struct ends *e)
{
    const char *name = fresh_name("file:");
    assert_int_equal(weir_open(name, WEIR_WRITE | WEIR_CREATE, 0, &e->writer), 0);
    assert_int_equal(weir_open(name, 0, 0, &e->reader), 0);
}

/* fd:N over a socket that we were given. */
static inline void open_given_socket(struct ends *e)
{
    int fds[2];
    char name[32];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    snprintf(name, sizeof(name), "fd:%d", fds[0]);
    assert_int_equal(weir_open(name, 0, 0, &e->reader), 0);
    snprintf(name, sizeof(name), "fd:%d", fds[1]);
    assert_int_equal(weir_open(name, 0, 0, &e->writer), 0);
}

/* The ways to make each kind. */
static const struct {
    const char *name;
    struct kind kind;
} made[] = {
    {"tcp", {"v4", open_tcp4, true, true}},
    {"tcp", {"v6", open_tcp6, true, true}},
    {"tls", {"v4", open_tls4, true, true}},
    {"tls", {"v6", open_tls6, true, true}},
    {"unix", {"path", open_unix, true, false}},
    {"unix", {"abstract", open_abstract, true, false}},
    {"socketpair", {"pair", open_pair, true, false}},
    {"shm", {"pair", open_shm, true, false}},
    {"shm", {"by name", open_shm_by_name, true, false}},
    {"pipe", {"pipe", open_pipe, false, false}},
    {"named pipe", {"named pipe", open_fifo, false, false}},
    {"exec", {"cat", open_exec, false, false}},
    {"file", {"file", open_file, false, false}},
    {"fd", {"pipe", open_given, false, false}},
    {"fd", {"socket", open_given_socket, true, false}},
};

static inline bool same_stream(const struct ends *e)
{
    return e->writer == e->reader;
}

/* --- as tests --- */

static inline void test_cell(void **state)
{
    const struct cell *cell = *state;
    unsigned ways = 0;
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
        if (strcmp(made[i].name, cell->kind) != 0)
            continue;
        ways++;
        bool v6 = made[i].kind.open == open_tcp6 || made[i].kind.open == open_tls6;
        if (!v6 || has_tcp6())
            cell->test(&made[i].kind);
    }
    assert_true(ways > 0);
}

/* Dies of a SIGPIPE that should not come. */
static inline int run_cells(const char *group, const struct cell *cells, size_t count)
{
    static struct CMUnitTest tests[128];
    static char names[128][64];
    assert_true(count <= 128);
    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof(names[i]), "%s: %s", cells[i].kind, cells[i].promise);
        tests[i] =
            (struct CMUnitTest){names[i], test_cell, count_before, count_after, (void *)&cells[i]};
    }
    signal(SIGPIPE, SIG_DFL);
    return _cmocka_run_group_tests(group, tests, count, make_dir, remove_dir);
}
