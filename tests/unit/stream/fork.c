/* Which process this is, also in a child of a child, and in threads that ask first together. */
#include "stream/fork.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void *ask(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 1000; i++)
        if (process_self() != getpid())
            return "wrong";
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    pthread_t threads[8];
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, NULL), 0);
    for (unsigned i = 0; i < 8; i++) {
        void *wrong;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
}

/* 0: it knew itself. `raw`: without the C library's part in it. */
static int child_of(int depth, int raw)
{
    pid_t pid = raw ? (pid_t)syscall(SYS_clone, 17 /* SIGCHLD */, NULL, NULL, NULL, NULL) : fork();
    if (pid == 0)
        _exit(process_self() != getpid() || process_self() != getpid() ||
              (depth > 0 && child_of(depth - 1, raw)));
    int status = -1;
    if (waitpid(pid, &status, 0) != pid)
        return -1;
    return status || process_self() != getpid();
}

static void test_children(void **state)
{
    (void)state;
    assert_int_equal(process_self(), getpid());
    assert_int_equal(child_of(3, 0), 0);
    assert_int_equal(child_of(3, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_children),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
