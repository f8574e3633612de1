#include "model/helper.h"

#include "model/news.h"
#include "model/worker.h"
#include "tbl/limits_log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* What it has to say goes the way of the workers' news. */
struct spokesman {
    struct weir_helper base; /* the first */
    struct worker worker;
};

static void say(const struct weir_helper *helper, enum weir_report kind, const char *text)
{
    news_say(&((const struct spokesman *)helper)->worker, kind, "%s", text);
}

int helper_init(struct helper *helper, const struct weir_beside *row)
{
    *helper = (struct helper){.row = row, .alive = {-1, -1}};
    return pipe2(helper->alive, O_CLOEXEC) < 0 ? -errno : 0;
}

/* SIGUSR1 stays blocked, as it was in the parent. */
static void set_signals(const sigset_t *before)
{
    sigset_t mask = *before;
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    sigaddset(&mask, SIGUSR1);
    sigprocmask(SIG_SETMASK, &mask, NULL);
}

static _Noreturn void be_helper(const struct helper *helper, const struct helper_origin *origin)
{
    struct spokesman spokesman = {.base = {.stop = helper->alive[0], .say = say},
                                  .worker = {.news = origin->news}};
    origin->leave(origin->arg);
    set_signals(origin->mask);
    int rc = helper->row->run(&spokesman.base, helper->row->arg);
    worker_exit(rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

int helper_start(struct helper *helper, const struct helper_origin *origin)
{
    pid_t pid = fork();
    if (pid < 0) {
        helper->start_ns = mono_ns() + 1000 * WEIR_NS_PER_MS;
        return -errno;
    }
    if (pid == 0)
        be_helper(helper, origin);
    helper->pid = pid;
    helper->start_ns = 0;
    restart_started(&helper->restart, mono_ns());
    return 0;
}

void helper_signal(const struct helper *helper, int signal_number)
{
    if (helper->pid > 0)
        kill(helper->pid, signal_number);
}

bool helper_died(struct helper *helper, pid_t pid, unsigned *out_delay_ms)
{
    if (pid != helper->pid)
        return false;
    uint64_t now = mono_ns();
    helper->pid = 0;
    *out_delay_ms = restart_died(&helper->restart, now);
    helper->start_ns = now + *out_delay_ms * WEIR_NS_PER_MS;
    return true;
}

bool helper_end(struct helper *helper, const struct helper_origin *origin,
                const struct weir_server *server, int news)
{
    if (helper->pid == 0 && helper_start(helper, origin) < 0)
        return true; /* nobody to be had for the last work */
    close(helper->alive[1]);
    helper->alive[1] = -1;
    uint64_t until = mono_ns() + LIMIT_HELPER_END_MS * WEIR_NS_PER_MS;
    int status;
    while (waitpid(helper->pid, &status, WNOHANG) == 0) {
        if (mono_ns() >= until) {
            kill(helper->pid, SIGKILL);
            waitpid(helper->pid, &status, 0);
            helper->pid = 0;
            return false;
        }
        news_pass_on(news, server);
        poll(NULL, 0, 2);
    }
    helper->pid = 0;
    return true;
}

void helper_done(struct helper *helper)
{
    for (unsigned i = 0; i < 2; i++) {
        if (helper->alive[i] >= 0)
            close(helper->alive[i]);
        helper->alive[i] = -1;
    }
}
