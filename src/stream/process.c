#include "stream/process_impl.h"
#include "stream/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUNNING (-1)

struct weir_process {
    pid_t pid;
    int fd;     /* pidfd */
    int status; /* RUNNING, or as weir_process_wait() gives it */
    char name[64];
};

static const struct weir_fd_map standard_map[] = {{0, 0}, {1, 1}, {2, 2}};

static int plan_map(struct child_plan *p, const struct weir_process_options *o)
{
    bool given = o && o->map;
    const struct weir_fd_map *map = given ? o->map : standard_map;
    p->map_count = given ? o->map_count : 3;
    p->missing_is_null = !given;
    if (p->map_count > LIMIT_PROCESS_FDS)
        return -EINVAL;
    for (size_t i = 0; i < p->map_count; i++) {
        if (map[i].child_fd < 0)
            return -EBADF;
        for (size_t j = 0; j < i; j++)
            if (map[j].child_fd == map[i].child_fd)
                return -EINVAL;
        p->map[i] = map[i];
    }
    return 0;
}

static int plan_init(struct child_plan *p, const struct weir_process_options *o)
{
    p->parent = getpid();
    p->env = o && o->env ? o->env : (const char *const *)environ;
    if (o) {
        p->dir = o->dir;
        p->dir_fd = o->dir_fd;
        p->limits = o->limits;
        p->limit_count = o->limit_count;
        p->new_group = o->new_group;
        p->group = o->group;
        p->die_signal = o->die_signal;
    }
    return plan_map(p, o);
}

/* In a child made by vfork() the parent's thread stands still until exec or exit, so the plan may live on its stack. */
static pid_t split(struct child_plan *p)
{
    pid_t pid = p->argv ? vfork() : fork();
    if (pid == 0)
        child_run(p);
    return pid < 0 ? -errno : pid;
}

/* With every signal blocked: no handler of ours may run in the child. */
static pid_t split_quietly(struct child_plan *p)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = split(p);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pid;
}

static void reap(pid_t pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* 0 once the program runs, or why it does not. */
static int read_error(int fd)
{
    int error = 0;
    ssize_t n;
    do
        n = read(fd, &error, sizeof(error));
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof(error) ? -error : 0;
}

static int start_child(struct child_plan *plan, struct weir_process *p)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    plan->error_fd = ends[1];
    p->pid = split_quietly(plan);
    close(ends[1]);
    int rc = p->pid < 0 ? p->pid : read_error(ends[0]);
    close(ends[0]);
    if (rc < 0) {
        if (p->pid > 0)
            reap(p->pid);
        return rc;
    }
    /* Nobody else reaps it, so the number is still its own. Two descriptors were given back just now. */
    p->fd = pidfd_open(p->pid, 0);
    if (p->fd < 0) {
        rc = -errno;
        kill(p->pid, SIGKILL);
        reap(p->pid);
        return rc;
    }
    return 0;
}

static int start(struct child_plan *plan, const char *name, struct weir_process **out)
{
    struct weir_process *p = calloc(1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    p->status = RUNNING;
    snprintf(p->name, sizeof(p->name), "%s", name);
    int rc = start_child(plan, p);
    if (rc < 0) {
        free(p);
        return rc;
    }
    *out = p;
    return 0;
}

WEIR_API int weir_process_start(const char *const *argv, const struct weir_process_options *options,
                                struct weir_process **out)
{
    struct child_plan plan = {.argv = argv};
    if (!argv || !argv[0])
        return -EINVAL;
    if (!argv[0][0])
        return -ENOENT;
    int rc = plan_init(&plan, options);
    if (rc < 0)
        return rc;
    const char *slash = strrchr(argv[0], '/');
    if (!slash) {
        plan.path = getenv("PATH");
        if (!plan.path)
            plan.path = "/usr/local/bin:/usr/bin:/bin";
    }
    return start(&plan, slash ? slash + 1 : argv[0], out);
}

WEIR_API int weir_process_call(int (*function)(void *arg), void *arg,
                               const struct weir_process_options *options,
                               struct weir_process **out)
{
    struct child_plan plan = {.function = function, .arg = arg};
    int rc = plan_init(&plan, options);
    if (rc < 0)
        return rc;
    /* What is buffered would be written twice, by us and by the child. */
    fflush(NULL);
    return start(&plan, "function", out);
}

const char *process_name(const struct weir_process *p)
{
    return p->name;
}

WEIR_API pid_t weir_process_pid(const struct weir_process *p)
{
    return p->pid;
}

WEIR_API int weir_process_fd(const struct weir_process *p)
{
    return p->fd;
}

WEIR_API int weir_process_wait(struct weir_process *p, int timeout_ms)
{
    siginfo_t info;
    if (p->status != RUNNING)
        return p->status;
    int rc = wait_fd(p->fd, POLLIN, deadline_in(timeout_ms));
    if (rc < 0)
        return rc;
    do
        rc = waitid(P_PIDFD, (id_t)p->fd, &info, WEXITED);
    while (rc < 0 && errno == EINTR);
    if (rc < 0)
        return -errno; /* ECHILD: the program ignores SIGCHLD, the kernel has thrown the status away */
    p->status = info.si_code == CLD_EXITED ? info.si_status : WEIR_SIGNALLED + info.si_status;
    return p->status;
}

WEIR_API int weir_process_kill(struct weir_process *p, int signal_number, bool group)
{
    if (p->status != RUNNING)
        return -ESRCH;
    int rc =
        group ? kill(-p->pid, signal_number) : pidfd_send_signal(p->fd, signal_number, NULL, 0);
    return rc < 0 ? -errno : 0;
}

WEIR_API void weir_process_free(struct weir_process *p)
{
    if (!p)
        return;
    if (p->status == RUNNING) {
        pidfd_send_signal(p->fd, SIGKILL, NULL, 0);
        (void)!weir_process_wait(p, -1);
    }
    close(p->fd);
    free(p);
}

WEIR_API const char *weir_process_status(int status, char *text, size_t size)
{
    if (status >= WEIR_SIGNALLED) {
        const char *name = sigabbrev_np(status - WEIR_SIGNALLED);
        if (name)
            snprintf(text, size, "was killed by SIG%s", name);
        else
            snprintf(text, size, "was killed by signal %d", status - WEIR_SIGNALLED);
    } else if (status >= 0) {
        snprintf(text, size, "exited with status %d", status);
    } else {
        snprintf(text, size, "could not be waited for: %s", strerrordesc_np(-status));
    }
    return text;
}
