/*
 * Two ends of each transport, made the way users make them: what is promised everywhere is then one test over this table.
 * Every test counts descriptors and children before and after.
 */
#pragma once

#include <weir/process.h>
#include <weir/shm.h>
#include <weir/stream.h>

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS 10000 /* no wait of a test is longer */

struct ends {
    struct weir_stream *writer; /* of two-way kinds either end does both */
    struct weir_stream *reader; /* exec: the same stream as writer */
};

struct kind {
    const char *name;
    void (*open)(struct ends *);
    bool two_way;
    bool late_epipe; /* TCP: the first write after the peer closed can still succeed */
};

static char test_dir[64];
static unsigned open_before;

static inline int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static inline void nap_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static inline unsigned count_fds(void)
{
    unsigned count = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

static inline int count_before(void **state)
{
    (void)state;
    open_before = count_fds();
    return 0;
}

/* Nothing left behind: no descriptor, no child, no SIGPIPE that waits, and none blocked that was not. */
static inline int count_after(void **state)
{
    (void)state;
    sigset_t set;
    assert_int_equal(count_fds(), open_before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    sigpending(&set);
    assert_false(sigismember(&set, SIGPIPE));
    pthread_sigmask(SIG_BLOCK, NULL, &set);
    assert_false(sigismember(&set, SIGPIPE));
    return 0;
}

static inline int make_dir(void **state)
{
    (void)state;
    strcpy(test_dir, "/tmp/weir-stream-XXXXXX");
    return mkdtemp(test_dir) ? 0 : -1;
}

static inline int remove_dir(void **state)
{
    (void)state;
    char path[400];
    DIR *dir = opendir(test_dir);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        snprintf(path, sizeof(path), "%s/%s", test_dir, e->d_name);
        if (e->d_name[0] != '.')
            unlink(path);
    }
    if (dir)
        closedir(dir);
    return rmdir(test_dir);
}

/* A name in the test's own folder, different each time: "unix:/tmp/.../7". */
static inline const char *fresh_name(const char *scheme)
{
    static char names[32][128];
    static unsigned next;
    char *name = names[next % 32];
    snprintf(name, sizeof(names[0]), "%s%s/%u", scheme, test_dir, next++);
    return name;
}

static inline void open_pipe(struct ends *e)
{
    struct weir_stream *ends[2];
    assert_int_equal(weir_pipe(ends), 0);
    *e = (struct ends){.writer = ends[1], .reader = ends[0]};
}

static inline void open_fifo(struct ends *e)
{
    const char *name = fresh_name("pipe:");
    assert_int_equal(weir_open(name, WEIR_READ | WEIR_CREATE, PATIENCE_MS, &e->reader), 0);
    assert_int_equal(weir_open(name, WEIR_WRITE, PATIENCE_MS, &e->writer), 0);
}

static inline void open_pair(struct ends *e)
{
    struct weir_stream *ends[2];
    assert_int_equal(weir_pair(ends), 0);
    *e = (struct ends){.writer = ends[1], .reader = ends[0]};
}

/* A client and what the listener accepted for it. */
static inline void open_listened(const char *name, struct ends *e)
{
    struct weir_listener *listener;
    assert_int_equal(weir_listen(name, 0, &listener), 0);
    assert_int_equal(weir_open(weir_listener_name(listener), 0, PATIENCE_MS, &e->writer), 0);
    assert_int_equal(weir_accept(listener, PATIENCE_MS, &e->reader), 0);
    weir_listener_close(listener);
}

static inline void open_unix(struct ends *e)
{
    open_listened(fresh_name("unix:"), e);
}

static inline void open_shm(struct ends *e)
{
    struct weir_stream *ends[2];
    assert_int_equal(weir_shm_pair(64 * 1024, ends), 0);
    *e = (struct ends){.writer = ends[1], .reader = ends[0]};
}

static inline void *accept_one(void *arg)
{
    struct weir_listener *listener = arg;
    struct weir_stream *accepted = NULL;
    int rc = weir_accept(listener, PATIENCE_MS, &accepted);
    return rc < 0 ? NULL : accepted;
}

/* The client has its memory from the server, so somebody must accept while it opens. */
static inline void open_shm_by_name(struct ends *e)
{
    struct weir_listener *listener;
    pthread_t thread;
    void *accepted;
    assert_int_equal(weir_listen(fresh_name("shm:"), 0, &listener), 0);
    assert_int_equal(pthread_create(&thread, NULL, accept_one, listener), 0);
    assert_int_equal(weir_open(weir_listener_name(listener), 0, PATIENCE_MS, &e->writer), 0);
    pthread_join(thread, &accepted);
    assert_non_null(accepted);
    e->reader = accepted;
    weir_listener_close(listener);
}

static inline void open_abstract(struct ends *e)
{
    open_listened(fresh_name("unix:@"), e);
}

static inline void open_tcp4(struct ends *e)
{
    open_listened("tcp:127.0.0.1:0", e);
}

static inline void open_tcp6(struct ends *e)
{
    open_listened("tcp:[::1]:0", e);
}

static inline void open_exec(struct ends *e)
{
    assert_int_equal(weir_open("exec:cat", 0, PATIENCE_MS, &e->writer), 0);
    e->reader = e->writer;
}

static inline bool has_tcp6(void)
{
    struct weir_listener *listener;
    if (weir_listen("tcp:[::1]:0", 0, &listener) < 0)
        return false;
    weir_listener_close(listener);
    return true;
}

/* fd:N over a pipe that we were given: blocking, and not ours to change. */
static inline void open_given(struct ends *e)
{
    int fds[2];
    char name[32];
    assert_int_equal(pipe(fds), 0);
    snprintf(name, sizeof(name), "fd:%d", fds[0]);
    assert_int_equal(weir_open(name, 0, 0, &e->reader), 0);
    snprintf(name, sizeof(name), "fd:%d", fds[1]);
    assert_int_equal(weir_open(name, 0, 0, &e->writer), 0);
}

static const struct kind kinds[] = {
    {"pipe", open_pipe, false, false},
    {"named-pipe", open_fifo, false, false},
    {"fd", open_given, false, false},
    {"pair", open_pair, true, false},
    {"unix", open_unix, true, false},
    {"abstract", open_abstract, true, false},
    {"tcp4", open_tcp4, true, true},
    {"tcp6", open_tcp6, true, true},
    {"exec", open_exec, false, false},
    {"shm", open_shm, true, false},
    {"shm-by-name", open_shm_by_name, true, false},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static inline void set_timeouts(struct ends *e, int ms)
{
    weir_set_timeout(e->writer, ms);
    weir_set_timeout(e->reader, ms);
}

static inline int close_ends(struct ends *e)
{
    int rc = weir_close(e->writer);
    if (e->reader != e->writer)
        rc = weir_close(e->reader);
    return rc;
}

/* The same numbers each time: a failure can be repeated. */
static inline uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* The byte at each place of the test stream. */
static inline uint8_t byte_at(size_t place)
{
    return (uint8_t)(place * 31 + (place >> 8) * 7 + (place >> 16));
}
