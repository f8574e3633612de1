/* In the child. System calls only: the parent's memory may be shared and its locks may be held by other threads. */
#include "base/text.h"
#include "stream/process_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHILD_FAILED 127 /* nobody sees it: the errno number goes through the pipe */

static _Noreturn void fail(const struct child_plan *p, int error)
{
    if (write(p->error_fd, &error, sizeof(error)) < 0)
        _exit(CHILD_FAILED - 1);
    _exit(CHILD_FAILED);
}

/* By the system call: the library's wrapper refuses two signals and sanitizers keep books about it in shared memory. An
 * all-zero structure is SIG_DFL, no flags and an empty mask on every architecture. */
static void default_signals(void)
{
    static const unsigned char zero[64];
    for (int signal = 1; signal < NSIG; signal++)
        syscall(SYS_rt_sigaction, signal, zero, NULL, (size_t)(NSIG - 1) / 8);
}

static void join_family(const struct child_plan *p)
{
    if ((p->new_group || p->group) && setpgid(0, p->group) < 0)
        fail(p, errno);
    if (p->die_signal && prctl(PR_SET_PDEATHSIG, p->die_signal) < 0)
        fail(p, errno);
    /* The parent may have died before prctl: then no signal comes any more. */
    if (p->die_signal && getppid() != p->parent)
        _exit(CHILD_FAILED);
}

/* Moves every descriptor of the map above all targets; after that no dup2() can hit one that is still needed. */
static void move_up(struct child_plan *p, int above)
{
    int error_fd = fcntl(p->error_fd, F_DUPFD_CLOEXEC, above);
    if (error_fd < 0)
        fail(p, errno);
    p->error_fd = error_fd;
    for (size_t i = 0; i < p->map_count; i++) {
        int from = p->map[i].parent_fd;
        p->moved[i] = from < 0 ? -1 : fcntl(from, F_DUPFD_CLOEXEC, above);
        if (p->moved[i] >= 0)
            continue;
        if (from >= 0 && !(p->missing_is_null && errno == EBADF))
            fail(p, errno);
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (null < 0 || (p->moved[i] = fcntl(null, F_DUPFD_CLOEXEC, above)) < 0)
            fail(p, errno);
    }
}

/* A program expects descriptors that wait. A pipe gets an open file of its own for that, so that our end of it stays as it
 * is; a socket has only one, but our own calls on sockets do not depend on it. */
static void make_blocking(int fd)
{
    struct stat st;
    char path[40];
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || !(flags & O_NONBLOCK) || fstat(fd, &st) < 0)
        return;
    if (!S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode))
        return;
    int again = -1;
    if (S_ISFIFO(st.st_mode)) {
        struct text t;
        text_init(&t, path, sizeof(path));
        text_str(&t, "/proc/self/fd/");
        text_u64(&t, (uint64_t)fd);
        again = open(text_end(&t), (flags & O_ACCMODE) | O_NONBLOCK | O_CLOEXEC);
    }
    fcntl(again >= 0 ? again : fd, F_SETFL, flags & ~O_NONBLOCK);
    if (again >= 0) {
        dup2(again, fd);
        close(again);
    }
}

static void place(const struct child_plan *p)
{
    for (size_t i = 0; i < p->map_count; i++) {
        if (dup2(p->moved[i], p->map[i].child_fd) < 0)
            fail(p, errno);
        if (p->argv)
            make_blocking(p->map[i].child_fd);
    }
}

static bool is_mapped(const struct child_plan *p, int fd)
{
    for (size_t i = 0; i < p->map_count; i++)
        if (p->map[i].child_fd == fd)
            return true;
    return false;
}

static void close_from_to(unsigned first, unsigned last)
{
    if (first <= last)
        syscall(SYS_close_range, first, last, 0);
}

/* `top`: the first number above all targets. The error pipe stays until exec closes it. */
static void close_others(const struct child_plan *p, int top)
{
    int first = 0;
    for (int fd = 0; fd <= top; fd++) {
        if (fd < top && !is_mapped(p, fd))
            continue;
        if (fd > first)
            close_from_to((unsigned)first, (unsigned)fd - 1);
        first = fd + 1;
    }
    close_from_to((unsigned)top, (unsigned)p->error_fd - 1);
    close_from_to((unsigned)p->error_fd + 1, ~0u);
}

static void map_descriptors(struct child_plan *p)
{
    int top = STDERR_FILENO + 1;
    for (size_t i = 0; i < p->map_count; i++)
        if (p->map[i].child_fd >= top)
            top = p->map[i].child_fd + 1;
    move_up(p, top);
    place(p);
    close_others(p, top);
}

static int exec_at(const struct child_plan *p, const char *path)
{
    execve(path, (char *const *)p->argv, (char *const *)p->env);
    return errno;
}

/* As execvp(3), but a file that is no program is an error, not a shell script. */
static int exec_in_path(struct child_plan *p)
{
    int error = ENOENT;
    size_t name_len = strlen(p->argv[0]);
    for (const char *at = p->path; at;) {
        size_t len = strcspn(at, ":");
        if (len + 1 + name_len + 1 <= sizeof(p->try_path)) {
            memcpy(p->try_path, at, len);
            size_t slash = len > 0; /* an empty element is the working directory */
            if (slash)
                p->try_path[len] = '/';
            memcpy(p->try_path + len + slash, p->argv[0], name_len + 1);
            int failed = exec_at(p, p->try_path);
            if (failed == EACCES)
                error = EACCES;
            else if (failed != ENOENT && failed != ENOTDIR)
                return failed;
        }
        at = at[len] ? at + len + 1 : NULL;
    }
    return error;
}

/* Both limits, so that the program cannot raise them again. One that is lower already stays. */
static void lower_limits(const struct child_plan *p)
{
    for (size_t i = 0; i < p->limit_count; i++) {
        struct rlimit limit;
        if (getrlimit((unsigned)p->limits[i].resource, &limit) < 0)
            fail(p, errno);
        if (limit.rlim_max > p->limits[i].max)
            limit.rlim_max = p->limits[i].max;
        if (limit.rlim_cur > limit.rlim_max)
            limit.rlim_cur = limit.rlim_max;
        if (setrlimit((unsigned)p->limits[i].resource, &limit) < 0)
            fail(p, errno);
    }
}

static _Noreturn void call_function(const struct child_plan *p)
{
    close(p->error_fd);
    int status = p->function(p->arg);
    fflush(NULL);
    _exit(status & 0xff);
}

void child_run(struct child_plan *p)
{
    sigset_t none;
    default_signals();
    join_family(p);
    if (p->dir_fd > 0 && fchdir(p->dir_fd) < 0) /* while it is open */
        fail(p, errno);
    map_descriptors(p);
    if (p->dir && p->dir_fd <= 0 && chdir(p->dir) < 0)
        fail(p, errno);
    lower_limits(p);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (!p->argv)
        call_function(p);
    fail(p, p->path ? exec_in_path(p) : exec_at(p, p->argv[0]));
}
