/* Child programs whose standard streams are companions. */
#include "drive/core.h"

#include <weir/process.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct child {
    struct weir_process *process;
    void (*ended)(void *arg, int status);
    void *arg;
};

/* Both ends of the three pipes; [i][0] is the child's. -1: not open. */
struct child_pipes {
    int fd[3][2];
};

static void close_pipes(struct child_pipes *pipes, int side)
{
    for (int i = 0; i < 3; i++) {
        if (pipes->fd[i][side] >= 0)
            close(pipes->fd[i][side]);
        pipes->fd[i][side] = -1;
    }
}

static int open_pipes(const struct weir_spawn *spawn, struct child_pipes *pipes)
{
    for (int i = 0; i < 3; i++)
        pipes->fd[i][0] = pipes->fd[i][1] = -1;
    for (int i = 0; i < 3; i++) {
        int ends[2];
        if (!spawn->protocol[i])
            continue;
        if (pipe2(ends, O_CLOEXEC) < 0) {
            int error = errno;
            close_pipes(pipes, 0);
            close_pipes(pipes, 1);
            return -error;
        }
        bool child_reads = i == 0;
        pipes->fd[i][0] = ends[child_reads ? 0 : 1];
        pipes->fd[i][1] = ends[child_reads ? 1 : 0];
    }
    return 0;
}

static int start(const struct weir_spawn *spawn, const struct child_pipes *pipes,
                 struct weir_process **out)
{
    static const char *const no_env[] = {NULL};
    struct weir_fd_map map[3];
    for (int i = 0; i < 3; i++)
        map[i] = (struct weir_fd_map){.parent_fd = pipes->fd[i][0], .child_fd = i};
    struct weir_process_options options = {
        .map = map,
        .map_count = 3,
        .env = spawn->env ? spawn->env : no_env,
        .dir = spawn->dir,
        .dir_fd = spawn->dir_fd,
        .new_group = true,
        .die_signal = SIGKILL, /* should this process be killed itself */
        .limits = spawn->limits,
        .limit_count = spawn->limit_count,
    };
    return weir_process_start(spawn->argv, &options, out);
}

/* One end becomes a companion; `fd` is taken. */
static struct weir_conn *adopt_end(struct core *core, int fd, const struct weir_protocol *protocol,
                                   const void *config)
{
    struct weir_stream stream;
    fcntl(fd, F_SETFL,
          fcntl(fd, F_GETFL) | O_NONBLOCK); /* our own open file: nobody else sees it */
    if (stream_init_fd(&stream, fd, true) < 0)
        return NULL;
    return core->base.ops->adopt(&core->base, &stream, protocol, config);
}

/* None of them has had a turn, so nothing is under way in their slots. */
static void close_ends(struct core *core, struct weir_conn *ends[3], int why)
{
    for (int i = 0; i < 3; i++) {
        if (!ends[i])
            continue;
        weir_conn_finish(ends[i], why);
        core_close(core, weir_conn_slot(ends[i]));
    }
}

static struct slot *add_child(struct core *core, struct weir_process *process,
                              const struct weir_spawn *spawn)
{
    struct child *child = calloc(1, sizeof(*child));
    struct weir_stream none;
    stream_init_none(&none);
    struct slot *slot = child ? core_add_companion(core, &none, NULL) : NULL;
    if (!slot) {
        weir_process_free(process);
        free(child);
        return NULL;
    }
    *child = (struct child){.process = process, .ended = spawn->ended, .arg = spawn->arg};
    slot->child = child;
    return slot;
}

int core_spawn(struct weir_driver *driver, const struct weir_spawn *spawn,
               struct weir_conn *out_ends[3])
{
    struct core *core = (struct core *)driver;
    struct child_pipes pipes;
    struct weir_process *process;
    int rc = open_pipes(spawn, &pipes);
    if (rc < 0)
        return rc;
    rc = start(spawn, &pipes, &process);
    close_pipes(&pipes, 0);
    struct slot *slot = rc < 0 ? NULL : add_child(core, process, spawn);
    if (!slot) {
        close_pipes(&pipes, 1);
        return rc < 0 ? rc : -ENOMEM;
    }
    pid_t pid = weir_process_pid(process);
    struct weir_conn *ends[3] = {0};
    for (int i = 0; i < 3; i++) {
        if (pipes.fd[i][1] < 0)
            continue;
        ends[i] = adopt_end(core, pipes.fd[i][1], spawn->protocol[i], spawn->config[i]);
        pipes.fd[i][1] = -1;
        rc = ends[i] ? rc : -ENOMEM;
    }
    if (rc < 0) {
        slot->child->ended = NULL; /* the caller learns it here */
        (void)weir_process_kill(process, SIGKILL, true);
        close_ends(core, ends, rc);
        close_pipes(&pipes, 1);
        return rc;
    }
    for (int i = 0; i < 3; i++)
        out_ends[i] = ends[i];
    return (int)pid;
}

int child_fd(const struct child *child)
{
    return weir_process_fd(child->process);
}

bool child_step(struct slot *slot)
{
    struct child *child = slot->child;
    int status = weir_process_wait(child->process, 0);
    if (status == -ETIMEDOUT)
        return false;
    if (child->ended)
        child->ended(child->arg, status);
    child->ended = NULL;
    return true;
}

void child_cancel(struct slot *slot)
{
    struct child *child = slot->child;
    if (!child)
        return;
    (void)weir_process_kill(child->process, SIGKILL, true);
    weir_process_free(child->process);
    if (child->ended)
        child->ended(child->arg, -ECANCELED);
    free(child);
    slot->child = NULL;
}
