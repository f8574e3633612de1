#include "model/news.h"

#include "tbl/limits.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* One packet: what was sent in one piece comes in one piece. */
struct record {
    uint8_t kind; /* enum weir_report */
    char text[LIMIT_NEWS_BYTES - 1];
};

int news_open(int out_ends[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, out_ends) < 0 ? -errno : 0;
}

void news_say(const struct worker *worker, enum weir_report kind, const char *format, ...)
{
    struct record record = {.kind = (uint8_t)kind};
    va_list args;
    va_start(args, format);
    int len = vsnprintf(record.text, sizeof(record.text), format, args);
    va_end(args);
    if (len < 0)
        return;
    size_t text = (size_t)len < sizeof(record.text) ? (size_t)len + 1 : sizeof(record.text);
    if (send(worker->news, &record, offsetof(struct record, text) + text,
             MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return; /* full: nobody waits for news */
}

void news_pass_on(int fd, const struct weir_server *server)
{
    struct record record;
    ssize_t n;
    while ((n = recv(fd, &record, sizeof(record), MSG_DONTWAIT)) >
           (ssize_t)offsetof(struct record, text)) {
        record.text[sizeof(record.text) - 1] = '\0';
        if (server->report)
            server->report(server->report_arg, (enum weir_report)record.kind, record.text);
    }
}
