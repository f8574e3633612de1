#include "service/logs.h"

#include "base/bytes.h"
#include "http/exchange.h"
#include "tbl/limits_log.h"

#include <weir/server.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* RFC 3164 section 4.1.1: the daemon facility is 3; 3 is an error, 6 information. */
enum { PRIORITY_ACCESS = 3 * 8 + 6, PRIORITY_ERROR = 3 * 8 + 3 };

bool logs_wrong(const struct logs_options *options, char *why, size_t why_size)
{
    struct log_format format;
    if (log_format_read(options->format, options->mask, &format, why, why_size) < 0)
        return true;
    const char *names[] = {options->access, options->error};
    for (size_t i = 0; i < 2; i++) {
        if (names[i] && strcmp(names[i], "|") == 0) {
            snprintf(why, why_size, "a program for a log needs a command, as '|rotatelogs ...'");
            return true;
        }
    }
    return false;
}

static int open_channel(struct log_channel *channel, const char *what, const char *name,
                        unsigned rings, size_t size)
{
    channel->what = what;
    if (log_sink_kind(name) == LOG_SINK_OFF)
        return 0;
    int rc = log_sink_check(name);
    return rc < 0 ? rc : log_rings_new(rings, size, &channel->rings);
}

static int open_sites(struct logs *logs, const struct logs_options *options, const char **out_which)
{
    int rc = options->sites.count > LIMIT_SITE_LOGS ? -ENOSPC : 0;
    for (size_t i = 0; i < options->sites.count && rc == 0; i++) {
        struct log_channel *channel = &logs->sites[logs->site_count];
        *out_which = options->sites.at[i];
        rc = open_channel(channel, "access log", *out_which, LIMIT_SITE_LOG_RINGS,
                          LIMIT_SITE_LOG_RING);
        if (rc < 0)
            break;
        log_sink_init(&channel->sink, *out_which, STDOUT_FILENO, PRIORITY_ACCESS);
        logs->site_count++;
    }
    return rc;
}

int logs_open(struct logs *logs, const struct logs_options *options, const char **out_which)
{
    char why[600];
    *logs = (struct logs){0};
    int rc = log_format_read(options->format, options->mask, &logs->format, why, sizeof(why));
    *out_which = options->format;
    if (rc == 0) {
        *out_which = options->access;
        rc = open_channel(&logs->access, "access log", options->access, LIMIT_LOG_RINGS,
                          LIMIT_LOG_RING);
        log_sink_init(&logs->access.sink, options->access, STDOUT_FILENO, PRIORITY_ACCESS);
    }
    if (rc == 0) {
        *out_which = options->error;
        rc = open_channel(&logs->error, "error log", options->error, LIMIT_ERROR_RINGS,
                          LIMIT_ERROR_RING);
        log_sink_init(&logs->error.sink, options->error, STDERR_FILENO, PRIORITY_ERROR);
    }
    if (rc == 0)
        rc = open_sites(logs, options, out_which);
    if (rc < 0)
        logs_close(logs);
    return rc;
}

void logs_close(struct logs *logs)
{
    log_rings_free(logs->access.rings);
    log_rings_free(logs->error.rings);
    logs->access.rings = logs->error.rings = NULL;
    for (unsigned i = 0; i < logs->site_count; i++)
        log_rings_free(logs->sites[i].rings);
    logs->site_count = 0;
}

int logs_run(const struct weir_helper *helper, struct logs *logs)
{
    struct log_channel *channels[2 + LIMIT_SITE_LOGS] = {&logs->access, &logs->error};
    for (unsigned i = 0; i < logs->site_count; i++)
        channels[2 + i] = &logs->sites[i];
    return log_process_run(helper, channels, 2 + logs->site_count);
}

uint64_t logs_lost(const struct logs *logs)
{
    uint64_t lost = logs->access.rings ? log_lost(logs->access.rings) : 0;
    for (unsigned i = 0; i < logs->site_count; i++)
        lost += logs->sites[i].rings ? log_lost(logs->sites[i].rings) : 0;
    return lost;
}

void logs_add(struct logs_hand *hand, unsigned which, struct weir_exchange *x, uint64_t end_ns,
              int why)
{
    char line[LIMIT_LOG_LINE];
    struct text t;
    bool own = which > 0 && which <= hand->logs->site_count;
    struct log_rings *rings = own ? hand->logs->sites[which - 1].rings : hand->logs->access.rings;
    if (!rings || which == LOGS_NONE)
        return;
    text_init(&t, line, sizeof(line));
    log_format_write(&hand->logs->format, &hand->memo, &t, x, end_ns, why);
    log_put(rings, own ? &hand->sites[which - 1] : &hand->access, t.at, t.len);
}

void logs_let_go(struct logs_hand *hand)
{
    if (!hand->logs)
        return;
    log_let_go(hand->logs->access.rings, &hand->access);
    log_let_go(hand->logs->error.rings, &hand->error);
    for (unsigned i = 0; i < hand->logs->site_count; i++)
        log_let_go(hand->logs->sites[i].rings, &hand->sites[i]);
}

/* --- errors --- */

static void begin(struct text *t, enum log_level level, const char *what, int64_t wall_ns)
{
    static const char *const levels[] = {"error", "warning", "notice"};
    text_str(t, "{\"time\":\"");
    log_add_utc(t, wall_ns);
    text_str(t, "\",\"level\":\"");
    text_str(t, levels[level]);
    text_str(t, "\",\"what\":\"");
    text_str(t, what);
    text_char(t, '"');
}

static void add_text(struct text *t, const char *name, struct weir_bytes value)
{
    if (value.len == 0)
        return;
    text_str(t, ",\"");
    text_str(t, name);
    text_str(t, "\":");
    log_add_json(t, value, LIMIT_LOG_ERROR_TEXT);
}

static void add_peer(struct text *t, const struct logs *logs, struct weir_driver *driver,
                     struct weir_conn *conn)
{
    char room[128];
    struct text peer;
    unsigned port;
    text_init(&peer, room, sizeof(room));
    log_add_peer(&logs->format, &peer, driver, conn, &port);
    add_text(t, "remote", (struct weir_bytes){peer.at, peer.len});
}

static void add_client(struct text *t, const struct logs *logs, const struct weir_exchange *x)
{
    char room[128];
    struct text client;
    unsigned port;
    text_init(&client, room, sizeof(room));
    log_add_client(&logs->format, &client, x, &port);
    add_text(t, "remote", (struct weir_bytes){client.at, client.len});
    add_text(t, "user", x->user);
}

static void add_why(struct text *t, int why)
{
    add_text(t, "why", bytes_str(log_error_name(why)));
    if (why < 0)
        add_text(t, "text", bytes_str(strerrordesc_np(-why) ? strerrordesc_np(-why) : ""));
}

static void put(struct logs_hand *hand, struct text *t)
{
    text_add(t, "}\n", 2);
    if (!t->cut)
        log_put(hand->logs->error.rings, &hand->error, t->at, t->len);
    else
        log_count_lost(hand->logs->error.rings, 1);
}

/* A client's fault is a notice: anybody can make as many as he likes. */
static enum log_level level_of(const struct weir_exchange *x, int why)
{
    if (x->status >= 500)
        return LOG_LEVEL_ERROR;
    return x->limit || (why < 0 && why != -EPROTO) ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE;
}

void logs_tell_request(struct logs_hand *hand, struct weir_exchange *x, int why)
{
    char line[LIMIT_LOG_LINE], id[WEIR_REQUEST_ID_MAX];
    struct text t;
    text_init(&t, line, sizeof(line));
    begin(&t, level_of(x, why), "request", x->driver->now.wall_ns);
    add_text(&t, "id", (struct weir_bytes){id, weir_request_id(x, id)});
    add_client(&t, hand->logs, x);
    add_text(&t, "line", weir_request_line(x));
    text_str(&t, ",\"status\":");
    text_u64(&t, x->status);
    add_text(&t, "limit", bytes_str(x->limit ? x->limit : ""));
    add_why(&t, why);
    put(hand, &t);
}

void logs_tell_connection(struct logs_hand *hand, struct weir_driver *driver,
                          struct weir_conn *conn, int why)
{
    char line[1024];
    struct text t;
    text_init(&t, line, sizeof(line));
    begin(&t, LOG_LEVEL_NOTICE, "connection", driver->now.wall_ns);
    add_peer(&t, hand->logs, driver, conn);
    add_why(&t, why);
    put(hand, &t);
}

bool logs_tell_program(struct logs_hand *hand, int64_t wall_ns, const char *id,
                       struct weir_bytes program, struct weir_bytes text)
{
    char line[LIMIT_LOG_LINE];
    struct text t;
    if (!logs_tell(hand))
        return false;
    text_init(&t, line, sizeof(line));
    begin(&t, LOG_LEVEL_WARNING, "cgi", wall_ns);
    add_text(&t, "id", bytes_str(id));
    add_text(&t, "program", program);
    add_text(&t, "text", text);
    put(hand, &t);
    return true;
}

bool logs_tell_text(struct logs_hand *hand, int64_t wall_ns, const char *what,
                    struct weir_bytes text)
{
    char line[LIMIT_LOG_LINE];
    struct text t;
    if (!logs_tell(hand))
        return false;
    text_init(&t, line, sizeof(line));
    begin(&t, LOG_LEVEL_WARNING, what, wall_ns);
    add_text(&t, "text", text);
    put(hand, &t);
    return true;
}

void logs_tell_server(const struct logs *logs, enum log_level level, const char *text)
{
    char line[LIMIT_LOG_LINE];
    struct text t;
    struct timespec now;
    struct logs_hand hand = {.logs = logs};
    if (!logs_tell(&hand))
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    text_init(&t, line, sizeof(line));
    begin(&t, level, "server", now.tv_sec * (int64_t)WEIR_NS_PER_S + now.tv_nsec);
    add_text(&t, "text", bytes_str(text));
    put(&hand, &t);
    logs_let_go(&hand);
}
