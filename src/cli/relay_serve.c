/* weir relay --listen ENDPOINT TARGET: every client gets a connection of its own to the target, under any model. */
#include "cli/commands.h"
#include "cli/relay.h"
#include "load/amount.h"
#include "stream/transport.h"
#include "stream/wait.h"

#include <weir/driver.h>

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PLACES_MAX 65600 /* of the table of counters: 8 MiB, untouched unless needed */
#define PLACES_MIN 1100  /* more than any model has workers or threads unless told so */

struct relay_server {
    const struct relay_values *values;
    struct relay_table *table;
    bool live; /* a line is being redrawn on the terminal */
};

/* --- what is said of each connection --- */

/* A log that nobody reads must not hold up the connections: the line is left out then. */
static void say(const struct relay_server *server, const char *text)
{
    char line[1024];
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    int len =
        snprintf(line, sizeof(line), "%sweir relay: %s\n", server->live ? "\r\033[K" : "", text);
    if (len >= (int)sizeof(line)) {
        len = sizeof(line) - 1;
        line[len - 1] = '\n';
    }
    if (poll(&out, 1, 0) > 0)
        (void)!write(STDERR_FILENO, line, (size_t)len);
}

static const char *client_text(const struct weir_relay_end *end, char *text, size_t size)
{
    if (end->client_port)
        snprintf(text, size, "%s:%u", end->client, end->client_port);
    else
        snprintf(text, size, "%s", end->client[0] ? end->client : "-");
    return text;
}

/* What an error means at that end. */
static const char *meaning(int error, const char *end)
{
    const char *text = strerrordesc_np(-error);
    bool tls = strncmp(end, "tls:", 4) == 0;
    if (tls && error == -EACCES)
        return "its certificate is not to be trusted (weir connect to it says why)";
    if (tls && error == -EPROTO)
        return "TLS failed, or was cut off (weir connect to it says more)";
    return text ? text : "unknown error";
}

static const char *why_text(const struct weir_relay_end *end, char *text, size_t size)
{
    if (end->why == WEIR_DONE)
        return "both ended";
    if (end->silence)
        return "no byte came for too long";
    if (end->why == -ECONNABORTED)
        return "cut by the stop";
    bool client = end->side == WEIR_RELAY_CLIENT;
    snprintf(text, size, "%s: %s", client ? "the client" : "the target",
             meaning(end->why, client ? "" : end->target));
    return text;
}

static void say_unreachable(const struct relay_server *server, const struct weir_relay_end *end)
{
    char line[640], client[128];
    snprintf(line, sizeof(line), "cannot reach %.300s: %s; the client %s was let go", end->target,
             meaning(end->why, end->target), client_text(end, client, sizeof(client)));
    say(server, line);
}

static void say_ended(const struct relay_server *server, const struct weir_relay_end *end)
{
    char line[800], client[128], why[160], took[AMOUNT_MAX];
    snprintf(line, sizeof(line),
             "%s to %.300s: %" PRIu64 " bytes there, %" PRIu64 " bytes back, %s: %s",
             client_text(end, client, sizeof(client)), end->target, end->to_target, end->to_client,
             amount_time(took, (double)end->duration_ns), why_text(end, why, sizeof(why)));
    say(server, line);
}

static void ended(void *arg, const struct weir_relay_end *end)
{
    const struct relay_server *server = arg;
    bool unreachable = end->why != WEIR_DONE && end->side == WEIR_RELAY_DIAL;
    if (unreachable && !server->values->server.quiet)
        say_unreachable(server, end);
    if (!unreachable && server->values->server.verbose)
        say_ended(server, end);
}

/* --- counters: a place for each worker's thread, kept in its driver --- */

static int worker_start(struct weir_driver *driver, void *arg)
{
    const struct relay_server *server = arg;
    driver->local = relay_table_claim(server->table);
    return 0;
}

static void worker_end(struct weir_driver *driver, void *arg)
{
    (void)arg;
    relay_table_release(driver->local);
}

static struct weir_relay_counts *counts(void *arg, struct weir_driver *driver)
{
    (void)arg;
    return driver->local;
}

/* --- what was asked for --- */

static int wrong_target(const struct relay_values *v, const char *target)
{
    char why[512];
    const char *rest;
    if (weir_endpoint_check(target, false, why, sizeof(why)) < 0)
        return usage_error(&command_relay, "%s", why);
    const struct transport *row = endpoint_split(target, &rest);
    if (row == &standard_transport || row == &fd_transport)
        return usage_error(&command_relay,
                           "%s is one conversation and cannot be opened again for each client",
                           target);
    if (v->proxy_v2 && row == &tls_transport)
        return usage_error(
            &command_relay,
            "--send-proxy-v2 would have to come before TLS, so it does not go with %s", target);
    if (row->one_way)
        return usage_error(&command_relay,
                           "%s goes one way: a target is talked with, such as unix:/run/app.sock",
                           target);
    return 0;
}

static int wrong_times(const struct relay_values *v)
{
    if (v->connect_s == 0)
        return usage_error(
            &command_relay,
            "with --listen, --connect-timeout is 1 to 10 seconds: no client waits for ever");
    if (v->connect_s != RELAY_UNSET && v->connect_s * 1000 > LIMIT_DIAL_MS)
        return usage_error(&command_relay, "with --listen, --connect-timeout is 1 to %d seconds",
                           LIMIT_DIAL_MS / 1000);
    return 0;
}

static unsigned places(const struct server_options *o)
{
    unsigned most = o->max_connections > o->workers ? o->max_connections : o->workers;
    most = most > PLACES_MIN ? most + 64 : PLACES_MIN;
    return most < PLACES_MAX ? most : PLACES_MAX;
}

static unsigned idle_ms(const struct relay_values *v)
{
    if (v->idle_s == RELAY_UNSET)
        return 0; /* as usual */
    return v->idle_s == 0 ? WEIR_RELAY_PATIENT : v->idle_s * 1000;
}

static int serve(const struct relay_values *v, struct relay_server *server,
                 const char *const *targets, size_t target_count)
{
    const struct weir_relay_options options = {
        .targets = targets,
        .target_count = target_count,
        .connect_ms = v->connect_s == RELAY_UNSET ? 0 : v->connect_s * 1000,
        .idle_ms = idle_ms(v),
        .proxy_v2 = v->proxy_v2,
        .rate = v->rate,
        .rate_total = v->rate_total,
        .total = v->rate_total ? relay_table_rate(server->table) : NULL,
        .counts = counts,
        .ended = ended,
        .arg = server,
    };
    const struct weir_service service = {
        .name = "relay",
        .protocol = &weir_relay_protocol,
        .config = &options,
        .arg = server,
        .threads = true,
        .companions = 1,
        .worker_start = worker_start,
        .worker_end = worker_end,
    };
    struct option_list listen = v->server.listen;
    struct tls_setup setup = {.tls = NULL};
    tls_setup_listen(&setup, &listen);
    const struct announcement announcement = {.what = "relay", .secure = setup.secure};
    int status = tls_setup(&command_relay, &v->tls, &service, &listen, NULL, &setup);
    if (status == 0)
        status =
            server_options_run(&command_relay, &v->server, &setup.service, &listen, &announcement);
    tls_setup_done(&setup);
    return status;
}

/* Nothing to sum up where nothing was started. */
static void sum_up(const struct relay_values *v, const struct relay_server *server, int status,
                   uint64_t ns)
{
    struct relay_sums sums;
    if (status == WEIR_EXIT_USAGE)
        return;
    relay_table_sum(server->table, &sums);
    if (!v->server.quiet && status != WEIR_EXIT_FAILED)
        relay_say_sums(&sums);
    if (v->json)
        relay_json(&sums, ns);
}

int relay_serve(const struct relay_values *v, char **targets, size_t target_count)
{
    struct relay_server server = {.values = v};
    for (size_t i = 0; i < target_count; i++) {
        int rc = wrong_target(v, targets[i]);
        if (rc != 0)
            return rc;
    }
    int rc = wrong_times(v);
    if (rc != 0)
        return rc;
    if (v->json && strcmp(v->server.listen.at[0], "-") == 0)
        return usage_error(&command_relay, "--json and --listen - both want standard output");
    server.table = relay_table_new(places(&v->server));
    if (!server.table) {
        complain(&command_relay, "no memory for counters: %s", strerrordesc_np(errno));
        return 1;
    }
    struct relay_live live = {-1, -1};
    server.live = isatty(STDERR_FILENO) && !v->server.quiet;
    if (server.live)
        live = relay_live_start(server.table);
    uint64_t start = deadline_now();
    int status = serve(v, &server, (const char *const *)targets, target_count);
    relay_live_stop(&live);
    sum_up(v, &server, status, deadline_now() - start);
    relay_table_free(server.table);
    return status;
}
