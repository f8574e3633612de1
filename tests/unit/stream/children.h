/*
 * Children of a test: started, told when to go on, killed, and never left behind.
 */
#pragma once

#include "ends.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>

/* A machine that is busy with other tests wakes nobody in time; alone it is well below a millisecond. */
#define PROMPT_MS 1000

static inline void nap_us(long us)
{
    nanosleep(&(struct timespec){us / 1000000, us % 1000000 * 1000}, NULL);
}

/* 0 in the child, which dies with the test. */
static inline pid_t start(void)
{
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    return pid;
}

/* Waits and reaps: the exit status, or the signal below 0. */
static inline int end_of(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Waits, and leaves it to be reaped. */
static inline void wait_for_end(pid_t pid)
{
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

/* --- one process tells another to go on: a pipe that both hold --- */

struct signpost {
    int fds[2];
};

static inline void signpost_init(struct signpost *post)
{
    assert_int_equal(pipe2(post->fds, O_CLOEXEC), 0);
}

static inline void signpost_done(struct signpost *post)
{
    close(post->fds[0]);
    close(post->fds[1]);
}

static inline void tell(const struct signpost *post, char what)
{
    if (write(post->fds[1], &what, 1) != 1)
        abort();
}

/* What was told; waits for it, but not for ever. */
static inline char hear(const struct signpost *post)
{
    struct pollfd p = {.fd = post->fds[0], .events = POLLIN};
    char what;
    if (poll(&p, 1, PATIENCE_MS) != 1 || read(post->fds[0], &what, 1) != 1)
        abort();
    return what;
}

/* --- killed at any moment --- */

struct killer {
    pid_t pid;
    long us;
    int64_t at_ms;
    pthread_t thread;
};

static inline void *kill_later(void *arg)
{
    struct killer *k = arg;
    nap_us(k->us);
    kill(k->pid, SIGKILL);
    k->at_ms = now_ms();
    return NULL;
}

static inline void killer_start(struct killer *k)
{
    assert_int_equal(pthread_create(&k->thread, NULL, kill_later, k), 0);
}

/* The survivor has noticed: was it in time? */
static inline void killer_done(struct killer *k)
{
    pthread_join(k->thread, NULL);
    if (now_ms() - k->at_ms > PROMPT_MS)
        fail_msg("noticed after %ld ms", (long)(now_ms() - k->at_ms));
    assert_int_equal(end_of(k->pid), -SIGKILL);
}
