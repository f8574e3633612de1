#include "model/worker.h"

#include <sys/prctl.h>
#include <unistd.h>

static unsigned orphan_grace_s; /* one a process, set before the handler */

/* The first SIGALRM says that the supervisor died; the second, which ends the process, that the time is over. */
static void orphaned(int signal_number)
{
    (void)signal_number;
    alarm(orphan_grace_s);
}

void worker_signals(const sigset_t *mask, pid_t supervisor, unsigned grace_s)
{
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGUSR1, SIG_IGN); /* of the whole group; only logs care */
    orphan_grace_s = grace_s;
    struct sigaction action = {.sa_handler = orphaned, .sa_flags = (int)SA_RESETHAND | SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    sigset_t worker = *mask;
    sigaddset(&worker, SIGPIPE);
    sigdelset(&worker, SIGALRM);
    sigprocmask(SIG_SETMASK, &worker, NULL);
    prctl(PR_SET_PDEATHSIG, SIGALRM);
    if (getppid() != supervisor)
        raise(SIGALRM); /* it died before the line above */
}

/* LeakSanitizer's, when it is linked in. */
extern void __lsan_do_leak_check(void) __attribute__((weak));

void worker_exit(int status)
{
    if (__lsan_do_leak_check)
        __lsan_do_leak_check();
    _exit(status);
}
