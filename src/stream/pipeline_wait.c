/* Watching over stages that run: their ends, the bytes between them, signals to them. */
#include "stream/pipeline_impl.h"
#include "stream/sigpipe.h"
#include "stream/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- the end of a stage --- */

/* Is it a pipe that nobody reads? Asked by being its writer for a moment (fifo(7): a named one cannot even be opened then).
 * 1: so it is; 0: somebody reads, or it is no pipe; -errno. */
static int is_unread(int look)
{
    struct stat st;
    char path[40];
    if (look < 0)
        return -EBADF;
    if (fstat(look, &st) < 0)
        return -errno;
    if (!S_ISFIFO(st.st_mode))
        return 0;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", look);
    struct pollfd p = {.fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)};
    if (p.fd < 0)
        return errno == ENXIO ? 1 : -errno;
    int rc = poll(&p, 1, 0);
    close(p.fd);
    return rc < 0 ? -errno : (p.revents & POLLERR) != 0;
}

/* SIGPIPE can come from elsewhere: another pipe, a socket, kill(1). Where the pipe cannot be asked, its reader's end has to do. */
static bool was_cut_off(const struct weir_pipeline *p, size_t index)
{
    if (p->stages[index].status != WEIR_SIGNALLED + SIGPIPE)
        return false;
    if (p->meter != WEIR_METER_NONE && index + 1 < p->count)
        return p->joints[index].unread; /* it was we who read from it */
    int unread = is_unread(p->stages[index].look);
    if (unread >= 0)
        return unread > 0;
    return index + 1 < p->count && p->stages[index + 1].status != STAGE_RUNS;
}

static uint64_t ns_of(struct timeval t)
{
    return (uint64_t)t.tv_sec * WEIR_NS_PER_S + (uint64_t)t.tv_usec * 1000;
}

/* It is looked at, not reaped (WNOWAIT); the system call gives the CPU time too, which the library's wrapper leaves out. */
static int peek(int fd, siginfo_t *info, struct rusage *usage)
{
    long rc;
    do
        rc = syscall(SYS_waitid, P_PIDFD, fd, info, WEXITED | WNOWAIT, usage);
    while (rc < 0 && errno == EINTR);
    return rc < 0 ? -errno : 0;
}

static int end_stage(struct weir_pipeline *p, size_t index)
{
    struct stage *s = &p->stages[index];
    siginfo_t info = {0};
    struct rusage usage = {0};
    int fd = weir_process_fd(s->process);
    int rc = peek(fd, &info, &usage);
    s->end_ns = deadline_now();
    s->user_ns = ns_of(usage.ru_utime);
    s->system_ns = ns_of(usage.ru_stime);
    if (rc < 0)
        s->status =
            rc; /* ECHILD: the program ignores SIGCHLD, the kernel has thrown the status away */
    else
        s->status = info.si_code == CLD_EXITED ? info.si_status : WEIR_SIGNALLED + info.si_status;
    s->cut_off = was_cut_off(p, index);
    p->running--;
    return pipeline_watch(p, EPOLL_CTL_DEL, fd, 0, EVENT_STAGE, index);
}

/* --- waiting --- */

static int look_at_joints(struct weir_pipeline *p)
{
    uint64_t ticks, now = deadline_now();
    if (read(p->timer, &ticks, sizeof(ticks)) < 0 && errno != EAGAIN)
        return -errno;
    for (size_t i = 0; i + 1 < p->count; i++)
        joint_look(&p->joints[i], now - p->looked_ns);
    p->looked_ns = now;
    return 0;
}

static int handle(struct weir_pipeline *p, const struct epoll_event *event)
{
    size_t index = event->data.u64 & UINT32_MAX;
    switch ((enum pipeline_event)(event->data.u64 >> 32)) {
    case EVENT_STAGE:
        return end_stage(p, index);
    case EVENT_JOINT:
        return joint_handle(p, index, event->events);
    case EVENT_TIMER:
        break;
    }
    return look_at_joints(p);
}

/* Children that a stage leaves behind may still read what it was sent; that is passed on. They may also hold a pipe
 * open and never write: for those nobody waits. */
static bool is_over(struct weir_pipeline *p)
{
    if (p->running > 0)
        return false;
    for (size_t i = 0; i + 1 < p->count; i++)
        if (!joint_is_empty(&p->joints[i]))
            return false;
    for (size_t i = 0; i + 1 < p->count; i++)
        joint_close(&p->joints[i]);
    return true;
}

static int wait_until(struct weir_pipeline *p, uint64_t deadline)
{
    struct epoll_event events[32];
    while (!is_over(p)) {
        int left = deadline_left_ms(deadline);
        int n = epoll_wait(p->epoll, events, 32, left);
        if (n < 0 && errno != EINTR)
            return -errno;
        for (int i = 0; i < n; i++) {
            int rc = handle(p, &events[i]);
            if (rc < 0)
                return rc;
        }
        if (left == 0)
            return is_over(p) ? 0 : -ETIMEDOUT;
    }
    return 0;
}

WEIR_API int weir_pipeline_wait(struct weir_pipeline *p, int timeout_ms)
{
    struct sigpipe mask;
    uint64_t deadline = deadline_in(timeout_ms);
    if (p->meter == WEIR_METER_NONE)
        return wait_until(p, deadline);
    sigpipe_hold(&mask);
    int rc = wait_until(p, deadline);
    sigpipe_release(&mask, true);
    return rc;
}

WEIR_API int weir_pipeline_fd(const struct weir_pipeline *p)
{
    return p->epoll;
}

/* --- signals --- */

WEIR_API int weir_pipeline_kill(struct weir_pipeline *p, int signal_number)
{
    int rc = -ESRCH;
    if (p->group > 0)
        return kill(-p->group, signal_number) < 0 ? -errno : 0;
    for (size_t i = 0; i < p->started; i++) {
        if (p->stages[i].status != STAGE_RUNS)
            continue;
        int sent = weir_process_kill(p->stages[i].process, signal_number, false);
        rc = sent < 0 ? sent : rc == -ESRCH ? 0 : rc;
    }
    return rc;
}

WEIR_API int weir_pipeline_stop(struct weir_pipeline *p, int grace_ms)
{
    (void)weir_pipeline_kill(p, SIGTERM);
    (void)weir_pipeline_kill(p, SIGCONT); /* one that was stopped could not act on it */
    int rc = weir_pipeline_wait(p, grace_ms);
    if (rc != -ETIMEDOUT)
        return rc;
    (void)weir_pipeline_kill(p, SIGKILL);
    return weir_pipeline_wait(p, LIMIT_KILLED_MS);
}

/* --- what came of it --- */

WEIR_API int weir_pipeline_result(const struct weir_pipeline *p)
{
    for (size_t i = p->count; i-- > 0;)
        if (p->stages[i].status != 0 && !p->stages[i].cut_off)
            return p->stages[i].status;
    return 0;
}

WEIR_API size_t weir_pipeline_count(const struct weir_pipeline *p)
{
    return p->count;
}

WEIR_API struct weir_stage weir_pipeline_stage(const struct weir_pipeline *p, size_t index)
{
    const struct stage *s = &p->stages[index];
    uint64_t end = s->status == STAGE_RUNS ? deadline_now() : s->end_ns;
    return (struct weir_stage){.pid = weir_process_pid(s->process),
                               .status = s->status,
                               .cut_off = s->cut_off,
                               .wall_ns = end - s->start_ns,
                               .user_ns = s->user_ns,
                               .system_ns = s->system_ns};
}

WEIR_API struct weir_joint weir_pipeline_joint(const struct weir_pipeline *p, size_t index)
{
    return p->joints[index].count;
}
