#include "service/log_sink.h"

#include "tbl/limits.h"
#include "tbl/limits_log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SYSLOG_DEFAULT "/dev/log"

enum log_sink_kind log_sink_kind(const char *name)
{
    if (!name || strcmp(name, "off") == 0)
        return LOG_SINK_OFF;
    if (strcmp(name, "-") == 0)
        return LOG_SINK_STANDARD;
    if (strcmp(name, "syslog") == 0 || strncmp(name, "syslog:", 7) == 0)
        return LOG_SINK_SYSLOG;
    return name[0] == '|' ? LOG_SINK_PROGRAM : LOG_SINK_FILE;
}

/* O_NONBLOCK: to open a named pipe that nobody reads is an error, not a wait. */
static int open_file(const char *name)
{
    int fd = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
    return fd < 0 ? -errno : fd;
}

static int open_syslog(const char *name)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const char *path = name[6] ? name + 7 : SYSLOG_DEFAULT;
    if (strlen(path) >= sizeof(at.sun_path))
        return -ENAMETOOLONG;
    memcpy(at.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
        int rc = -errno;
        close(fd);
        return rc;
    }
    return fd;
}

/* A fresh program: default signals, an empty mask, a group of its own, the pipe and nothing else of ours. */
static int spawn_program(const char *command, int in, pid_t *out_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    char *const argv[] = {"sh", "-c", (char *)(uintptr_t)command, NULL};
    int rc = posix_spawn(out_pid, "/bin/sh", &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return -rc;
}

static int open_program(struct log_sink *sink)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    int rc = spawn_program(sink->name + 1, ends[0], &sink->pid);
    close(ends[0]);
    if (rc < 0) {
        sink->pid = 0;
        close(ends[1]);
        return rc;
    }
    (void)fcntl(ends[1], F_SETFL, O_NONBLOCK); /* this end alone */
    return ends[1];
}

int log_sink_check(const char *name)
{
    int fd = -1;
    switch (log_sink_kind(name)) {
    case LOG_SINK_FILE:
        fd = open_file(name);
        break;
    case LOG_SINK_SYSLOG:
        fd = open_syslog(name);
        break;
    case LOG_SINK_PROGRAM:
        return name[1] ? 0 : -EINVAL;
    default:
        return 0;
    }
    if (fd < 0)
        return fd;
    close(fd);
    return 0;
}

void log_sink_init(struct log_sink *sink, const char *name, int standard, unsigned priority)
{
    *sink = (struct log_sink){.name = name,
                              .standard = standard,
                              .priority = priority,
                              .kind = log_sink_kind(name),
                              .fd = -1,
                              .delay_ms = LIMIT_LOG_PROGRAM_MS};
}

static int open_fd(struct log_sink *sink)
{
    switch (sink->kind) {
    case LOG_SINK_FILE:
        return open_file(sink->name);
    case LOG_SINK_STANDARD:
        return sink->standard;
    case LOG_SINK_SYSLOG:
        return open_syslog(sink->name);
    case LOG_SINK_PROGRAM:
        return open_program(sink);
    case LOG_SINK_OFF:
        break;
    }
    return -EINVAL;
}

/* Whatever went wrong is not tried at once again. */
static void put_off(struct log_sink *sink, uint64_t now_ns)
{
    sink->start_ns = now_ns + sink->delay_ms * WEIR_NS_PER_MS;
    sink->delay_ms = sink->delay_ms * 2 < LIMIT_LOG_PROGRAM_MAX_MS ? sink->delay_ms * 2
                                                                   : LIMIT_LOG_PROGRAM_MAX_MS;
}

int log_sink_open(struct log_sink *sink, uint64_t now_ns)
{
    struct stat st;
    if (sink->fd >= 0)
        return 0;
    if (now_ns < sink->start_ns || sink->pid > 0)
        return -EAGAIN;
    int fd = open_fd(sink);
    if (fd < 0) {
        put_off(sink, now_ns);
        return fd;
    }
    sink->fd = fd;
    sink->regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    if (sink->kind == LOG_SINK_PROGRAM)
        put_off(sink, now_ns); /* for the next one */
    return 0;
}

/* Remembers the last bytes a program was sent: what it leaves unread in its pipe is lost, and counted. */
static void remember(struct log_sink *sink, const char *at, size_t len)
{
    if (!sink->sent && !(sink->sent = malloc(LIMIT_LOG_PROGRAM_PIPE)))
        return;
    for (size_t i = 0; i < len;) {
        size_t to = sink->sent_len % LIMIT_LOG_PROGRAM_PIPE, n = LIMIT_LOG_PROGRAM_PIPE - to;
        n = n < len - i ? n : len - i;
        memcpy(sink->sent + to, at + i, n);
        sink->sent_len += n;
        i += n;
    }
}

static void count_unread(struct log_sink *sink)
{
    int unread = 0;
    if (!sink->sent || ioctl(sink->fd, FIONREAD, &unread) < 0)
        return;
    uint64_t n = unread < LIMIT_LOG_PROGRAM_PIPE ? (uint64_t)unread : LIMIT_LOG_PROGRAM_PIPE;
    for (uint64_t i = sink->sent_len - n; i < sink->sent_len; i++)
        sink->unread += sink->sent[i % LIMIT_LOG_PROGRAM_PIPE] == '\n';
    sink->sent_len = 0;
}

static void close_fd(struct log_sink *sink)
{
    if (sink->fd >= 0 && sink->kind == LOG_SINK_PROGRAM)
        count_unread(sink);
    if (sink->fd >= 0 && sink->kind != LOG_SINK_STANDARD)
        close(sink->fd);
    sink->fd = -1;
}

bool log_sink_reopen(struct log_sink *sink)
{
    if (sink->kind != LOG_SINK_FILE)
        return false;
    close_fd(sink);
    sink->start_ns = 0;
    sink->delay_ms = LIMIT_LOG_PROGRAM_MS;
    return true;
}

/* It reads no more: nothing can be written, and poll(2) would not wait. */
static void ask_to_end(struct log_sink *sink)
{
    close_fd(sink);
    kill(-sink->pid, SIGTERM);
}

static void end_if_deaf(struct log_sink *sink, uint64_t now_ns)
{
    struct pollfd reader = {.fd = sink->fd};
    if (sink->fd >= 0 && poll(&reader, 1, 0) > 0)
        ask_to_end(sink);
    if (sink->fd >= 0)
        return;
    if (!sink->kill_ns)
        sink->kill_ns = now_ns + LIMIT_LOG_END_MS * WEIR_NS_PER_MS;
    else if (now_ns >= sink->kill_ns)
        kill(-sink->pid, SIGKILL);
}

bool log_sink_ended(struct log_sink *sink, uint64_t now_ns, int *out_status)
{
    if (sink->pid <= 0)
        return false;
    if (waitpid(sink->pid, out_status, WNOHANG) != sink->pid) {
        end_if_deaf(sink, now_ns);
        return false;
    }
    sink->pid = 0;
    sink->kill_ns = 0;
    close_fd(sink);
    if (now_ns > sink->start_ns + LIMIT_LOG_PROGRAM_MAX_MS * WEIR_NS_PER_MS) {
        sink->delay_ms = LIMIT_LOG_PROGRAM_MS; /* it lived well */
        sink->start_ns = now_ns;
    }
    return true;
}

/* Does a line end somewhere in the first `max` bytes? Then up to there. */
static size_t whole_lines(const char *at, size_t len, size_t max)
{
    if (len <= max)
        return len;
    const char *end = memrchr(at, '\n', max);
    return end ? (size_t)(end - at) + 1 : max;
}

/* Descriptors that are others' too: at most PIPE_BUF bytes once there is room, so that no write waits. */
static ssize_t write_bytes(struct log_sink *sink, const char *at, size_t len)
{
    if (sink->kind == LOG_SINK_STANDARD && !sink->regular) {
        struct pollfd ready = {.fd = sink->fd, .events = POLLOUT};
        if (poll(&ready, 1, 0) <= 0 || !(ready.revents & (POLLOUT | POLLERR)))
            return -EAGAIN;
        len = whole_lines(at, len, PIPE_BUF);
    }
    if (len > LIMIT_LOG_BATCH)
        len = LIMIT_LOG_BATCH;
    ssize_t n;
    do {
        n = write(sink->fd, at, len);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

/* RFC 3164 section 4.1: "<PRI>Mmm dd hh:mm:ss weir[PID]: " in front of it; the local daemon adds the machine's name. */
static int send_line(const struct log_sink *sink, const char *line, size_t len)
{
    char head[64], stamp[24] = "";
    struct tm parts;
    time_t now = time(NULL);
    if (localtime_r(&now, &parts))
        strftime(stamp, sizeof(stamp), "%b %e %H:%M:%S", &parts);
    int n =
        snprintf(head, sizeof(head), "<%u>%s weir[%d]: ", sink->priority, stamp, (int)getppid());
    size_t max = LIMIT_LOG_SYSLOG_BYTES - (size_t)n;
    struct iovec iov[2] = {{head, (size_t)n}, {(char *)(uintptr_t)line, len < max ? len : max}};
    struct msghdr message = {.msg_iov = iov, .msg_iovlen = 2};
    return sendmsg(sink->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static ssize_t send_lines(struct log_sink *sink, const char *at, size_t len)
{
    size_t done = 0;
    int rc = 0;
    for (unsigned i = 0; i < LIMIT_LOG_SYSLOG_BATCH && done < len; i++) {
        const char *end = memchr(at + done, '\n', len - done);
        if (!end)
            break;
        rc = send_line(sink, at + done, (size_t)(end - at) - done);
        if (rc == -ENOBUFS)
            rc = -EAGAIN;
        if (rc < 0)
            break;
        done = (size_t)(end - at) + 1;
    }
    if (rc < 0 && rc != -EAGAIN)
        close_fd(sink); /* the daemon was started anew: so is the connection */
    return done > 0 ? (ssize_t)done : rc ? rc : -EINVAL;
}

ssize_t log_sink_write(struct log_sink *sink, const char *at, size_t len)
{
    assert(sink->fd >= 0 && len > 0);
    if (sink->kind == LOG_SINK_SYSLOG)
        return send_lines(sink, at, len);
    ssize_t n = write_bytes(sink, at, len);
    if (sink->kind != LOG_SINK_PROGRAM)
        return n;
    if (n > 0)
        remember(sink, at, (size_t)n);
    if (n == -EPIPE) { /* it has ended, or is to */
        ask_to_end(sink);
        return -EAGAIN;
    }
    return n;
}

/* false: it is still there. */
static bool ends_within(struct log_sink *sink, unsigned ms)
{
    int status;
    for (; sink->pid > 0; ms -= 10) {
        if (waitpid(sink->pid, &status, WNOHANG) == sink->pid)
            sink->pid = 0;
        else if (ms < 10)
            return false;
        else
            poll(NULL, 0, 10);
    }
    return true;
}

void log_sink_close(struct log_sink *sink)
{
    bool asked = sink->kill_ns > 0; /* to end, before */
    if (sink->kind == LOG_SINK_PROGRAM && sink->fd >= 0) {
        close(sink->fd); /* what it has not read yet it still reads */
        sink->fd = -1;
    }
    close_fd(sink);
    if (!asked && !ends_within(sink, LIMIT_LOG_END_MS))
        kill(-sink->pid, SIGTERM);
    if (!ends_within(sink, asked ? 0 : LIMIT_LOG_KILL_MS))
        kill(-sink->pid, SIGKILL);
    sink->pid = 0;
    free(sink->sent);
    sink->sent = NULL;
}
