/*
 * stream/sigpipe.h: no SIGPIPE out of a public call, whatever the program has done about that signal.
 *
 * Sockets are asked not to raise it (MSG_NOSIGNAL). Pipes, sendfile(2) and splice(2) cannot be asked on every kernel: around those the
 * signal is blocked, and one that the call itself raised is taken back. SIGPIPE goes to the thread that wrote, so
 * other threads do not notice.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>

struct sigpipe {
    sigset_t before;
    bool held; /* false: one was pending already, so another one changes nothing */
};

void sigpipe_hold(struct sigpipe *);
/* `broken`: a call in between failed with EPIPE. */
void sigpipe_release(struct sigpipe *, bool broken);
