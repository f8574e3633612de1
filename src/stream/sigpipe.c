#include "stream/sigpipe.h"

#include <errno.h>
#include <time.h>

void sigpipe_hold(struct sigpipe *s)
{
    sigset_t pending;
    sigset_t only;
    sigemptyset(&pending);
    sigpending(&pending);
    s->held = !sigismember(&pending, SIGPIPE);
    if (!s->held)
        return;
    sigemptyset(&only);
    sigaddset(&only, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &only, &s->before);
}

void sigpipe_release(struct sigpipe *s, bool broken)
{
    if (!s->held)
        return;
    if (broken) {
        sigset_t only;
        sigemptyset(&only);
        sigaddset(&only, SIGPIPE);
        /* It is pending already: a wait of no time at all, repeated only if another signal interrupts it. */
        while (sigtimedwait(&only, NULL, &(struct timespec){0}) < 0 && errno == EINTR)
            ;
    }
    pthread_sigmask(SIG_SETMASK, &s->before, NULL);
}
