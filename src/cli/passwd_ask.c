#include "cli/passwd_ask.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

/* What is held back while a question is open, as the descriptor tells of it; -1: nothing is. */
struct held {
    int signals;
    sigset_t before;
};

/* -EINTR: a signal is there that was held back. */
static int read_byte(int fd, int signals, char *out)
{
    struct pollfd wait[] = {{.fd = signals, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    while (signals >= 0 && wait[1].revents == 0) {
        if (poll(wait, 2, -1) < 0 && errno != EINTR)
            return -errno;
        if (wait[0].revents != 0)
            return -EINTR;
    }
    ssize_t n = read(fd, out, 1);
    return n < 0 ? -errno : (int)n;
}

static int read_line(int fd, int signals, char password[PASSWORD_ROOM])
{
    size_t len = 0;
    for (;;) {
        char c;
        int n = read_byte(fd, signals, &c);
        if (n < 0)
            return n;
        if (n == 0 || c == '\n')
            break;
        if (len > LIMIT_AUTH_PASSWORD)
            return -EMSGSIZE;
        password[len++] = c;
    }
    len -= len > 0 && password[len - 1] == '\r';
    password[len] = '\0';
    return len > LIMIT_AUTH_PASSWORD ? -EMSGSIZE : memchr(password, '\0', len) ? -EILSEQ : 0;
}

int password_read(int fd, char password[PASSWORD_ROOM])
{
    return read_line(fd, -1, password);
}

/* One that is ignored (nohup) would be told of while it is blocked, and do nothing then. SIGCONT, since a shell may have set the echo
 * when SIGSTOP stopped us, which nobody can hold back. */
static int hold_signals(struct held *held)
{
    static const int numbers[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct sigaction action;
        if (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(&set, numbers[i]);
    }
    held->signals = signalfd(-1, &set, SFD_CLOEXEC);
    if (held->signals < 0)
        return -errno;
    sigprocmask(SIG_BLOCK, &set, &held->before);
    return 0;
}

/* What came meanwhile does now what it always does. */
static void let_signals(const struct held *held)
{
    close(held->signals);
    sigprocmask(SIG_SETMASK, &held->before, NULL);
}

/* In the background the terminal is others', a shell's say, who have made it as they want it. */
static void show_again(int terminal, const struct termios *before)
{
    if (tcgetpgrp(terminal) != getpgrp())
        return;
    (void)tcsetattr(terminal, TCSAFLUSH, before);
    (void)!write(terminal, "\n", 1);
}

/* -EINTR: as read_byte(); whoever is still alive asks again. The first tcsetattr() changes nothing, but stops one in the background
 * (SIGTTOU) while it can still be killed. */
static int ask_once(int terminal, const char *question, const struct termios *before,
                    char password[PASSWORD_ROOM])
{
    struct held held;
    struct termios quiet = *before;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    int rc = tcsetattr(terminal, TCSANOW, before) < 0 ? -errno : hold_signals(&held);
    if (rc < 0)
        return rc;
    if (tcsetattr(terminal, TCSAFLUSH, &quiet) < 0) {
        rc = -errno;
    } else {
        (void)!write(terminal, question, strlen(question));
        rc = read_line(terminal, held.signals, password);
        show_again(terminal, before);
    }
    if (rc < 0)
        explicit_bzero(password, PASSWORD_ROOM);
    let_signals(&held);
    return rc;
}

int password_ask(int terminal, const char *question, char password[PASSWORD_ROOM])
{
    struct termios before;
    if (tcgetattr(terminal, &before) < 0)
        return -errno;
    int rc;
    do {
        rc = ask_once(terminal, question, &before, password);
    } while (rc == -EINTR);
    return rc;
}
