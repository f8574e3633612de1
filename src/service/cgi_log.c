#include "service/cgi_log.h"

#include "base/text.h"
#include "service/local.h"

#include <weir/driver.h>

#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Nothing in it may end the line or steer a terminal. */
static void add_escaped(struct text *t, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)bytes[i];
        if ((c >= 0x20 && c < 0x7f) || c == '\t') {
            text_char(t, (char)c);
        } else {
            text_str(t, "\\x");
            text_char(t, "0123456789abcdef"[c >> 4]);
            text_char(t, "0123456789abcdef"[c & 15]);
        }
    }
}

static bool tell(const struct cgi_log *log, const char *bytes, size_t len)
{
    struct local *local = log->driver ? log->driver->local : NULL;
    return local && logs_tell_program(&local->account.logs, log->driver->now.wall_ns, log->id,
                                      log->program, (struct weir_bytes){bytes, len});
}

/* A pipe takes up to PIPE_BUF bytes at once, so lines of several processes do not mix. */
static void say(const struct cgi_log *log, const char *bytes, size_t len)
{
    char line[PIPE_BUF];
    struct text t;
    if (tell(log, bytes, len))
        return;
    text_init(&t, line, sizeof(line) - 1);
    text_str(&t, "weir: cgi ");
    text_str(&t, log->id);
    text_char(&t, ' ');
    add_escaped(&t, log->program.at, log->program.len < 1024 ? log->program.len : 1024);
    text_str(&t, ": ");
    add_escaped(&t, bytes, len);
    line[t.len] = '\n';
    struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&ready, 1, 0) > 0 && ready.revents & POLLOUT)
        (void)!write(STDERR_FILENO, line, t.len + 1);
}

void cgi_log_say(const struct cgi_log *log, const char *format, ...)
{
    char words[256];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    if (n > 0)
        say(log, words, (size_t)n < sizeof(words) ? (size_t)n : sizeof(words) - 1);
}

static void end_line(struct cgi_log *log)
{
    if (log->len > 0 && log->line[log->len - 1] == '\r')
        log->len--;
    if (log->len > 0)
        say(log, log->line, log->len);
    log->len = 0;
}

void cgi_log_take(struct cgi_log *log, const char *bytes, size_t len)
{
    if (log->total >= LIMIT_CGI_LOG_BYTES)
        return;
    if (len > LIMIT_CGI_LOG_BYTES - log->total)
        len = LIMIT_CGI_LOG_BYTES - log->total;
    log->total += len;
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != '\n')
            log->line[log->len++] = bytes[i];
        if (bytes[i] == '\n' || log->len == sizeof(log->line))
            end_line(log);
    }
    if (log->total == LIMIT_CGI_LOG_BYTES) {
        end_line(log);
        cgi_log_say(log, "what else it says is left out");
    }
}

void cgi_log_end(struct cgi_log *log)
{
    end_line(log);
}
