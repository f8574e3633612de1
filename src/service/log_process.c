#include "service/log_process.h"

#include "service/log_ring.h"
#include "tbl/limits.h"
#include "tbl/limits_log.h"

#include <weir/server.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHANNELS_MAX (2 + LIMIT_SITE_LOGS)

struct writer {
    const struct weir_helper *helper;
    struct log_channel *const *channels;
    unsigned count;
    int signals;
    bool more; /* something waits that could not be written yet */
};

static uint64_t mono_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * WEIR_NS_PER_S + (uint64_t)now.tv_nsec;
}

static void __attribute__((format(printf, 2, 3)))
say(const struct weir_helper *helper, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    helper->say(helper, WEIR_REPORT_WARNING, line);
}

/* --- what is lost --- */

static void say_lost(const struct writer *writer, struct log_channel *channel, uint64_t now,
                     bool last)
{
    uint64_t lost = log_lost(channel->rings);
    if (lost == channel->lost || (now < channel->say_ns && !last))
        return;
    say(writer->helper,
        "%llu lines of the %s (%s) were lost: it does not take them as fast as they come",
        (unsigned long long)(lost - channel->lost), channel->what, channel->sink.name);
    channel->lost = lost;
    channel->say_ns = now + LIMIT_LOG_SAY_MS * WEIR_NS_PER_MS;
}

/* Once, until it can be written again. */
static void failed(const struct writer *writer, struct log_channel *channel, int error)
{
    if (channel->error)
        return;
    channel->error = error;
    say(writer->helper,
        "cannot write the %s (%s): %s; lines are kept while there is room, then lost",
        channel->what, channel->sink.name, strerror(-error));
}

static void succeeded(const struct writer *writer, struct log_channel *channel)
{
    if (!channel->error)
        return;
    channel->error = 0;
    say(writer->helper, "the %s (%s) is written again", channel->what, channel->sink.name);
}

/* The rest of a line whose beginning went elsewhere. */
static void skip_torn(struct log_channel *channel)
{
    struct iovec piece[2];
    if (channel->torn < 0)
        return;
    unsigned ring = (unsigned)channel->torn;
    int pieces = log_peek(channel->rings, ring, piece);
    for (int i = 0; i < pieces; i++) {
        const char *end = memchr(piece[i].iov_base, '\n', piece[i].iov_len);
        size_t len = end ? (size_t)(end - (char *)piece[i].iov_base) + 1 : piece[i].iov_len;
        log_took(channel->rings, ring, len);
        if (end)
            break;
    }
    log_count_lost(channel->rings, 1);
    channel->torn = -1;
}

/* --- writing --- */

/* A line that is cut by the ring's end, in one piece, for those who take whole ones. */
static size_t join(const struct iovec piece[2], char *line, size_t size)
{
    size_t first = piece[0].iov_len < size ? piece[0].iov_len : size;
    size_t rest = piece[1].iov_len < size - first ? piece[1].iov_len : size - first;
    memcpy(line, piece[0].iov_base, first);
    memcpy(line + first, piece[1].iov_base, rest);
    const char *end = memchr(line, '\n', first + rest);
    return end ? (size_t)(end - line) + 1 : 0;
}

static ssize_t write_piece(struct log_channel *channel, const struct iovec piece[2], int pieces)
{
    static char line[LIMIT_LOG_LINE]; /* of this process alone, which has one thread */
    if (channel->sink.kind == LOG_SINK_SYSLOG && pieces == 2 &&
        !memchr(piece[0].iov_base, '\n', piece[0].iov_len)) {
        size_t len = join(piece, line, sizeof(line));
        return log_sink_write(&channel->sink, line, len);
    }
    return log_sink_write(&channel->sink, piece[0].iov_base, piece[0].iov_len);
}

/* What lies in one ring now. 0, or why some of it was left. */
static int write_ring(struct log_channel *channel, unsigned ring)
{
    struct iovec piece[2];
    size_t budget = 0;
    int pieces = log_peek(channel->rings, ring, piece);
    for (int i = 0; i < pieces; i++)
        budget += piece[i].iov_len;
    while ((budget > 0 || channel->torn >= 0) &&
           (pieces = log_peek(channel->rings, ring, piece)) > 0) {
        ssize_t n = write_piece(channel, piece, pieces);
        if (n < 0)
            return (int)n;
        char last = (size_t)n <= piece[0].iov_len ? ((char *)piece[0].iov_base)[n - 1] : '\n';
        channel->torn = last == '\n' ? -1 : (int)ring;
        log_took(channel->rings, ring, (size_t)n);
        budget -= (size_t)n < budget ? (size_t)n : budget;
        if (channel->sink.fd < 0)
            return -EAGAIN;
    }
    return 0;
}

static int write_all(struct log_channel *channel)
{
    int rc = channel->torn >= 0 ? write_ring(channel, (unsigned)channel->torn) : 0;
    unsigned count = log_rings_count(channel->rings);
    for (unsigned i = 0; i < count && rc == 0; i++)
        rc = write_ring(channel, i);
    return rc;
}

static void look_at_program(const struct writer *writer, struct log_channel *channel, uint64_t now)
{
    int status;
    if (log_sink_ended(&channel->sink, now, &status))
        say(writer->helper, "the program of the %s (%s) ended (%s %d); it is started again",
            channel->what, channel->sink.name, WIFSIGNALED(status) ? "signal" : "status",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    if (channel->sink.fd < 0 && channel->sink.kind == LOG_SINK_PROGRAM)
        skip_torn(channel);
    if (channel->sink.unread > 0) {
        log_count_lost(channel->rings, channel->sink.unread);
        channel->sink.unread = 0;
    }
}

static void serve_channel(struct writer *writer, struct log_channel *channel, uint64_t now)
{
    look_at_program(writer, channel, now);
    int rc = log_sink_open(&channel->sink, now);
    if (rc == 0)
        rc = write_all(channel);
    if (rc == 0)
        succeeded(writer, channel);
    else if (rc != -EAGAIN)
        failed(writer, channel, rc);
    writer->more |= rc != 0;
    say_lost(writer, channel, now, false);
}

static void look(struct writer *writer)
{
    uint64_t now = mono_ns();
    writer->more = false;
    for (unsigned i = 0; i < writer->count; i++)
        if (writer->channels[i]->rings)
            serve_channel(writer, writer->channels[i], now);
}

/* --- waiting --- */

static void reopen(struct writer *writer)
{
    for (unsigned i = 0; i < writer->count; i++) {
        struct log_channel *channel = writer->channels[i];
        if (channel->rings && log_sink_reopen(&channel->sink))
            skip_torn(channel);
    }
}

/* How long until the next look: writers wake it sooner. */
static int nap(struct writer *writer, bool was_awake)
{
    bool sleeps = !writer->more && !was_awake;
    for (unsigned i = 0; i < writer->count && sleeps; i++)
        if (writer->channels[i]->rings)
            sleeps = log_asleep(writer->channels[i]->rings);
    return sleeps ? LIMIT_LOG_NAP_MS : LIMIT_LOG_GATHER_MS;
}

static void awake(struct writer *writer)
{
    for (unsigned i = 0; i < writer->count; i++)
        if (writer->channels[i]->rings)
            log_awake(writer->channels[i]->rings);
}

/* Is there anything in any ring? */
static bool has_news(const struct writer *writer)
{
    struct iovec piece[2];
    for (unsigned i = 0; i < writer->count; i++)
        for (unsigned k = 0;
             writer->channels[i]->rings && k < log_rings_count(writer->channels[i]->rings); k++)
            if (log_peek(writer->channels[i]->rings, k, piece) > 0)
                return true;
    return false;
}

/* true: nobody is left who could write. */
static bool wait_once(struct writer *writer, bool busy)
{
    struct pollfd fds[2 + 2 * CHANNELS_MAX] = {{.fd = writer->helper->stop, .events = POLLIN},
                                               {.fd = writer->signals, .events = POLLIN}};
    nfds_t count = 2;
    for (unsigned i = 0; i < writer->count; i++) {
        const struct log_channel *channel = writer->channels[i];
        if (!channel->rings)
            continue;
        fds[count++] = (struct pollfd){.fd = log_rings_wake_fd(channel->rings), .events = POLLIN};
        if (channel->sink.kind == LOG_SINK_PROGRAM) /* its death is heard of */
            fds[count++] = (struct pollfd){.fd = channel->sink.fd};
    }
    int timeout = nap(writer, busy);
    struct signalfd_siginfo info;
    (void)poll(fds, count, timeout);
    awake(writer);
    while (read(writer->signals, &info, sizeof(info)) > 0)
        reopen(writer);
    return fds[0].revents != 0;
}

/* --- the end --- */

static void lose_rest(struct log_channel *channel)
{
    struct iovec piece[2];
    for (unsigned ring = 0; ring < log_rings_count(channel->rings); ring++) {
        int pieces = log_peek(channel->rings, ring, piece);
        uint64_t lines = 0;
        size_t len = 0;
        for (int i = 0; i < pieces; i++) {
            const char *at = piece[i].iov_base;
            for (size_t k = 0; k < piece[i].iov_len; k++)
                lines += at[k] == '\n';
            len += piece[i].iov_len;
        }
        log_took(channel->rings, ring, len);
        log_count_lost(channel->rings, lines);
    }
}

static void end(struct writer *writer)
{
    uint64_t until = mono_ns() + LIMIT_LOG_END_MS * WEIR_NS_PER_MS;
    look(writer);
    while (has_news(writer) && mono_ns() < until) {
        poll(NULL, 0, 10);
        look(writer);
    }
    for (unsigned i = 0; i < writer->count; i++) {
        struct log_channel *channel = writer->channels[i];
        if (!channel->rings)
            continue;
        lose_rest(channel);
        log_sink_close(&channel->sink);
        say_lost(writer, channel, 0, true);
    }
}

int log_process_run(const struct weir_helper *helper, struct log_channel *const *channels,
                    unsigned count)
{
    struct writer writer = {.helper = helper, .channels = channels, .count = count};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE); /* programs end */
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigdelset(&set, SIGPIPE);
    writer.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (writer.signals < 0)
        return -errno;
    for (unsigned i = 0; i < count; i++)
        channels[i]->torn = -1;
    bool busy = true;
    for (bool last = false; !last;) {
        last = wait_once(&writer, busy);
        busy = has_news(&writer);
        look(&writer);
    }
    end(&writer);
    close(writer.signals);
    return 0;
}
