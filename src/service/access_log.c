#include "service/access_log.h"

#include "base/bytes.h"
#include "base/text.h"
#include "http/date.h"
#include "http/exchange.h"
#include "tbl/limits.h"

#include <weir/driver.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int access_log_open(struct access_log *log, const char *name)
{
    *log = (struct access_log){.fd = -1};
    if (!name || strcmp(name, "off") == 0)
        return 0;
    if (strcmp(name, "-") == 0) {
        log->fd = STDOUT_FILENO;
    } else {
        /* O_NONBLOCK: to open a named pipe that nobody reads is an error, not a wait. */
        log->fd =
            open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
        if (log->fd < 0)
            return -errno;
        log->own = true;
    }
    struct stat st;
    if (fstat(log->fd, &st) < 0) {
        int rc = -errno;
        access_log_close(log);
        return rc;
    }
    log->regular = S_ISREG(st.st_mode);
    return 0;
}

void access_log_close(struct access_log *log)
{
    if (log->own)
        close(log->fd);
    *log = (struct access_log){.fd = -1};
}

/* Does a line end somewhere in the first `max` bytes? Then up to there. */
static size_t whole_lines(const char *at, size_t len, size_t max)
{
    if (len <= max)
        return len;
    const char *end = memrchr(at, '\n', max);
    return end ? (size_t)(end - at) + 1 : max;
}

/* Pipes and terminals: at most PIPE_BUF bytes once there is room, so that no write waits and no lines mix. */
static ssize_t write_some(const struct access_log *log, const char *at, size_t len)
{
    if (!log->regular) {
        struct pollfd ready = {.fd = log->fd, .events = POLLOUT};
        if (poll(&ready, 1, 0) <= 0 || !(ready.revents & POLLOUT))
            return -EAGAIN;
        len = whole_lines(at, len, PIPE_BUF);
    }
    ssize_t n = write(log->fd, at, len);
    return n < 0 ? -errno : n;
}

static unsigned count_lines(const char *at, size_t len)
{
    unsigned lines = 0;
    for (size_t i = 0; i < len; i++)
        lines += at[i] == '\n';
    return lines;
}

static void lose(struct log_buffer *buffer)
{
    buffer->lost += count_lines(buffer->at, buffer->len);
    buffer->len = 0;
}

/* Writes while something is taken; what an error leaves is lost, what only has to wait stays. */
static void flush(const struct access_log *log, struct log_buffer *buffer)
{
    size_t done = 0;
    ssize_t n = 0;
    if (buffer->torn && buffer->len > 0 && write_some(log, "\n", 1) == 1)
        buffer->torn = false;
    while (done < buffer->len) {
        n = write_some(log, buffer->at + done, buffer->len - done);
        if (n == -EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    buffer->len -= done;
    if (done > 0 && buffer->len > 0) {
        buffer->torn = n != -EAGAIN && buffer->at[done - 1] != '\n';
        memmove(buffer->at, buffer->at + done, buffer->len);
    }
    if (n < 0 && n != -EAGAIN)
        lose(buffer);
}

static bool is_plain(char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* What a client said, with nothing in it that could end the field, the line, or confuse a terminal. */
static void add_escaped(struct text *t, struct weir_bytes bytes)
{
    size_t len = bytes.len < LIMIT_LOG_FIELD ? bytes.len : LIMIT_LOG_FIELD;
    if (len == 0)
        text_char(t, '-');
    for (size_t i = 0; i < len;) {
        size_t from = i;
        while (i < len && is_plain(bytes.at[i]))
            i++;
        text_add(t, bytes.at + from, i - from);
        if (i == len)
            return;
        uint8_t c = (uint8_t)bytes.at[i++];
        char escape[4] = {'\\', 'x', "0123456789abcdef"[c >> 4], "0123456789abcdef"[c & 15]};
        text_add(t, escape, sizeof(escape));
    }
}

static void two(struct text *t, unsigned value)
{
    text_char(t, (char)('0' + value / 10 % 10));
    text_char(t, (char)('0' + value % 10));
}

/* "06/Nov/1994:08:49:37 +0000", written once a second. */
static void add_time(struct text *t, struct log_buffer *buffer, int64_t wall_ns)
{
    int64_t second = wall_ns / (int64_t)WEIR_NS_PER_S;
    if (second != buffer->second || buffer->stamp[0] == '\0') {
        struct date d;
        struct text stamp;
        date_split(second, &d);
        text_init(&stamp, buffer->stamp, sizeof(buffer->stamp));
        two(&stamp, d.day);
        text_char(&stamp, '/');
        text_add(&stamp, date_months[d.month - 1], 3);
        text_char(&stamp, '/');
        text_u64(&stamp, (uint64_t)d.year);
        text_char(&stamp, ':');
        two(&stamp, d.hour);
        text_char(&stamp, ':');
        two(&stamp, d.minute);
        text_char(&stamp, ':');
        two(&stamp, d.second);
        text_str(&stamp, " +0000");
        text_end(&stamp);
        buffer->second = second;
    }
    text_str(t, buffer->stamp);
}

/* An address of version 6 comes in brackets, which no log reader expects. */
static void add_peer(struct text *t, struct weir_exchange *x)
{
    char peer[128];
    unsigned port;
    struct weir_driver *driver = weir_exchange_driver(x);
    struct weir_conn *conn = weir_exchange_conn(x);
    if (!conn || !driver->ops->peer ||
        driver->ops->peer(driver, conn, peer, sizeof(peer), &port) < 0) {
        text_char(t, '-');
        return;
    }
    size_t len = strlen(peer);
    if (len > 2 && peer[0] == '[' && peer[len - 1] == ']')
        text_add(t, peer + 1, len - 2);
    else
        text_add(t, peer, len);
}

static void add_seconds(struct text *t, uint64_t ns)
{
    text_u64(t, ns / WEIR_NS_PER_S);
    text_char(t, '.');
    unsigned us = (unsigned)(ns % WEIR_NS_PER_S / 1000);
    two(t, us / 10000);
    two(t, us / 100);
    two(t, us);
}

static void add_field(struct text *t, const struct weir_exchange *x, enum field_id id)
{
    text_str(t, " \"");
    add_escaped(t, exchange_field(x, id));
    text_char(t, '"');
}

static size_t write_record(char *at, size_t size, struct log_buffer *buffer,
                           struct weir_exchange *x)
{
    struct weir_now now = weir_exchange_driver(x)->now;
    struct text t;
    text_init(&t, at, size - 1);
    add_peer(&t, x);
    text_str(&t, " - - [");
    add_time(&t, buffer, now.wall_ns);
    text_str(&t, "] \"");
    add_escaped(&t, weir_request_line(x));
    text_str(&t, "\" ");
    text_u64(&t, weir_exchange_status(x));
    text_char(&t, ' ');
    text_u64(&t, weir_exchange_sent(x));
    add_field(&t, x, FIELD_REFERER);
    add_field(&t, x, FIELD_USER_AGENT);
    text_char(&t, ' ');
    add_seconds(&t, now.mono_ns - weir_exchange_started(x));
    if (weir_exchange_limit(x)) {
        text_str(&t, " limit=");
        text_str(&t, weir_exchange_limit(x));
    }
    at[t.len] = '\n';
    return t.len + 1;
}

void access_log_add(const struct access_log *log, struct log_buffer *buffer,
                    struct weir_exchange *x)
{
    if (log->fd < 0)
        return;
    if (!buffer->at && !(buffer->at = malloc(LIMIT_LOG_BUFFER))) {
        buffer->lost++;
        return;
    }
    if (LIMIT_LOG_BUFFER - buffer->len < LIMIT_LOG_RECORD)
        flush(log, buffer);
    if (LIMIT_LOG_BUFFER - buffer->len < LIMIT_LOG_RECORD)
        lose(buffer); /* whoever reads it has stopped */
    if (buffer->len == 0)
        buffer->first_ns = weir_exchange_driver(x)->now.mono_ns;
    buffer->len += write_record(buffer->at + buffer->len, LIMIT_LOG_RECORD, buffer, x);
}

uint64_t access_log_idle(const struct access_log *log, struct log_buffer *buffer, uint64_t now_ns)
{
    const uint64_t late = LIMIT_LOG_LATE_MS * WEIR_NS_PER_MS;
    if (buffer->len == 0)
        return 0;
    if (now_ns < buffer->first_ns + late)
        return buffer->first_ns + late;
    flush(log, buffer);
    buffer->first_ns = now_ns;
    return buffer->len > 0 ? now_ns + late : 0;
}

void access_log_done(const struct access_log *log, struct log_buffer *buffer)
{
    if (buffer->len > 0)
        flush(log, buffer);
    free(buffer->at);
    *buffer = (struct log_buffer){0};
}
