#include "service/account.h"

#include "base/text.h"
#include "http/exchange.h"
#include "service/route.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int read_status(const struct account_options *options, struct status *out, char *why,
                       size_t why_size)
{
    struct weir_bytes prefix;
    *out = (struct status){0};
    if (!options->status)
        return 0;
    if (!route_prefix(options->status, strlen(options->status), &prefix) || prefix.len == 0) {
        snprintf(why, why_size, "the path of the figures must be a clean one, as /status, not '%s'",
                 options->status);
        return -EINVAL;
    }
    out->prefix_len = prefix.len;
    for (size_t i = 0; i < options->allow.count; i++) {
        int rc = status_allow(out, options->allow.at[i]);
        if (rc < 0) {
            snprintf(why, why_size,
                     "figures can be shown to local, any, an address or ADDRESS/BITS, not '%s'",
                     options->allow.at[i]);
            return rc;
        }
    }
    return 0;
}

bool account_options_wrong(const struct account_options *options, char *why, size_t why_size)
{
    struct status status;
    return logs_wrong(&options->logs, why, why_size) ||
           read_status(options, &status, why, why_size) < 0;
}

int account_open(struct account *account, const struct account_options *options,
                 struct route *route)
{
    char why[300];
    const char *which;
    int rc = read_status(options, &account->status, why, sizeof(why));
    if (rc == 0)
        rc = logs_open(&account->logs, &options->logs, &which);
    if (rc == 0 && options->status)
        rc = figures_new(&account->figures);
    if (rc == 0 && options->status)
        rc = route_add(route, options->status, strlen(options->status), &status_handler,
                       &account->status);
    account->status.figures = account->figures;
    account->status.logs = &account->logs;
    return rc;
}

void account_close(struct account *account)
{
    logs_close(&account->logs);
    figures_free(account->figures);
    account->figures = NULL;
}

void account_set_http(const struct account *account, const struct account_options *options,
                      struct weir_http *http,
                      void (*ended)(const struct weir_http *, struct weir_exchange *, int),
                      void (*connection)(const struct weir_http *, struct weir_conn *, bool, int))
{
    bool timed_lines =
        (account->logs.access.rings || account->logs.site_count > 0) && account->logs.format.timed;
    http->ended = logs_wanted(&account->logs) || account->figures ? ended : NULL;
    http->connection = account->logs.error.rings || account->figures ? connection : NULL;
    http->server_timing = options->server_timing;
    http->timed = timed_lines || account->figures || options->server_timing;
}

void account_begin(const struct account *account, struct account_hand *hand)
{
    hand->logs.logs = &account->logs;
    if (account->figures)
        figures_open(account->figures, &hand->figures);
}

void account_let_go(struct account_hand *hand)
{
    logs_let_go(&hand->logs);
}

void account_end(struct account_hand *hand)
{
    logs_let_go(&hand->logs);
    figures_close(&hand->figures);
}

static uint64_t between(uint64_t from, uint64_t to)
{
    return !from || !to ? UINT64_MAX : to > from ? to - from : 0;
}

static void count(struct figures_hand *hand, const struct weir_exchange *x, uint64_t end_ns,
                  int why)
{
    const uint64_t *at = x->time_ns;
    figures_request(
        hand, &(struct figures_request){
                  .status = x->status,
                  .failed = why != WEIR_DONE,
                  .sent = x->reply_sent,
                  .limit = x->limit,
                  .ns = {[FIGURE_TIME_TOTAL] = end_ns > x->started_ns ? end_ns - x->started_ns : 0,
                         [FIGURE_TIME_RECEIVE] = between(x->started_ns, at[TIME_RECEIVE]),
                         [FIGURE_TIME_PARSE] = between(at[TIME_RECEIVE], at[TIME_PARSE]),
                         [FIGURE_TIME_OPEN] = between(at[TIME_PARSE], at[TIME_OPEN]),
                         [FIGURE_TIME_SEND] = between(at[TIME_OPEN], end_ns)}});
}

/* What the owner of a site wants to be told: faults of ours, limits, and answers that did not go out whole. */
static bool is_bad(const struct weir_exchange *x, int why)
{
    return why != WEIR_DONE || x->limit || x->status >= 500;
}

void account_ended(struct account_hand *hand, struct weir_exchange *x, unsigned log, int why)
{
    uint64_t end_ns = driver_clock(x->driver);
    logs_add(&hand->logs, log, x, end_ns, why);
    if (hand->figures.slot)
        count(&hand->figures, x, end_ns, why);
    if (is_bad(x, why) && logs_tell(&hand->logs))
        logs_tell_request(&hand->logs, x, why);
}

/* A pipe takes up to PIPE_BUF bytes at once, so lines of several processes do not mix; nobody waits for it. */
void account_tell(struct account_hand *hand, int64_t wall_ns, const char *what,
                  struct weir_bytes text)
{
    char line[1024];
    struct text t;
    if (logs_tell_text(&hand->logs, wall_ns, what, text))
        return;
    text_init(&t, line, sizeof(line) - 1);
    text_str(&t, "weir: ");
    text_str(&t, what);
    text_str(&t, ": ");
    for (size_t i = 0; i < text.len; i++)
        text_char(&t, (unsigned char)text.at[i] < ' ' || text.at[i] == 0x7f ? '?' : text.at[i]);
    line[t.len] = '\n';
    struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&ready, 1, 0) > 0 && ready.revents & POLLOUT)
        (void)!write(STDERR_FILENO, line, t.len + 1);
}

void account_connection(struct account_hand *hand, struct weir_driver *driver,
                        struct weir_conn *conn, bool opened, int why)
{
    figures_connection(&hand->figures, opened);
    if (why != WEIR_DONE && logs_tell(&hand->logs))
        logs_tell_connection(&hand->logs, driver, conn, why);
}
