/* fork: a child for each connection, all at once, up to a bound; children are reaped as they end. */
#include "model/crowd.h"
#include "model/serve.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

static int start(struct crowd *crowd, struct weir_stream *client)
{
    struct watch watch = {.stop = crowd->gate.worker->stop, .busy = &crowd->busy, .busy_count = 1};
    pid_t pid = serve_child(&crowd->gate, client, &watch, crowd->ended);
    return pid < 0 ? pid : 0;
}

static unsigned reap(struct crowd *crowd)
{
    struct signalfd_siginfo info;
    while (read(crowd->ended, &info, sizeof(info)) > 0)
        ; /* one signal can stand for many children */
    unsigned count = 0;
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        serve_child_ended(crowd->gate.worker, pid, status);
        count++;
    }
    return count;
}

int fork_run(const struct worker *worker)
{
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    struct crowd crowd = {.start = start, .reap = reap};
    crowd.ended = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    return crowd.ended < 0 ? -errno : crowd_run(&crowd, worker);
}
