/* weir relay: what passes between two ends, once or for every client. */
#include "cli/relay.h"

#include "cli/commands.h"
#include "cli/quantity.h"

#include <stdlib.h>
#include <string.h>

static int wrong_rate(const char *option, const char *text, uint64_t *out)
{
    if (!text || (quantity_bytes(text, out) == 0 && *out > 0 && *out <= LIMIT_RELAY_RATE))
        return 0;
    return usage_error(&command_relay,
                       "--%s '%s' is no number of bytes a second, such as 500K or 10M", option,
                       text);
}

/* Ends that are connected to by TLS get behind their names whom to believe. They are freed with the process. */
static int name_ends(const struct relay_values *v, char **names, int count)
{
    bool any = false;
    for (int i = 0; i < count; i++) {
        char *text = strncmp(names[i], "tls:", 4) == 0 ? malloc(TLS_CLIENT_NAME_MAX) : NULL;
        const char *name;
        if (!text)
            continue;
        any = true;
        int rc = tls_client_name(&command_relay, &v->trust, names[i], text, &name);
        if (rc == 0 && name == text)
            names[i] = text;
        else
            free(text);
        if (rc != 0)
            return rc;
    }
    if (!any && (v->trust.ca || v->trust.insecure))
        return usage_error(&command_relay,
                           "--%s is for an end that is connected to by TLS, such "
                           "as tls:db1:5432",
                           v->trust.ca ? "ca" : "insecure");
    tls_client_warn(&command_relay, &v->trust);
    return 0;
}

static int run(void *arg, int argc, char **argv)
{
    struct relay_values *v = arg;
    int rc = wrong_rate("rate", v->rate_text, &v->rate);
    if (rc == 0)
        rc = wrong_rate("rate-total", v->rate_total_text, &v->rate_total);
    if (rc == 0)
        rc = name_ends(v, argv, argc);
    if (rc != 0)
        return rc;
    if (v->server.listen.count > 0)
        return argc > 0 ? relay_serve(v, argv, (size_t)argc)
                        : usage_error(&command_relay, "needs a target, such as unix:/run/app.sock");
    if (argc != 2)
        return usage_error(&command_relay,
                           "needs two endpoints, A and B, or --listen and a target");
    return relay_pair(v, argv);
}

static void defaults(void *values)
{
    struct relay_values *v = values;
    v->connect_s = v->idle_s = RELAY_UNSET;
}

static const struct option_row rows[] = {
    {.name = "listen",
     .letter = 'l',
     .kind = OPTION_LIST,
     .value = "ENDPOINT",
     .help =
         "where to wait for many clients, tls:HOST:PORT with --cert; can be given several times",
     .offset = offsetof(struct relay_values, server.listen)},
    {.name = "connect-timeout",
     .letter = 't',
     .kind = OPTION_COUNT,
     .value = "SECONDS",
     .help = "how long connecting may take (30, 0: for ever; with --listen 10, which is the most)",
     .offset = offsetof(struct relay_values, connect_s),
     .max = 86400},
    {.name = "idle-timeout",
     .letter = 'i',
     .kind = OPTION_COUNT,
     .value = "SECONDS",
     .help = "end after so long without a byte; 0: never (0; with --listen 600)",
     .offset = offsetof(struct relay_values, idle_s),
     .max = 86400},
    {.name = "rate",
     .kind = OPTION_TEXT,
     .value = "BYTES",
     .help = "a second, of one connection, each way: 500K, 10M (default: any)",
     .offset = offsetof(struct relay_values, rate_text)},
    {.name = "rate-total",
     .kind = OPTION_TEXT,
     .value = "BYTES",
     .help = "the same of all connections together, both ways",
     .offset = offsetof(struct relay_values, rate_total_text)},
    {.name = "send-proxy-v2",
     .kind = OPTION_FLAG,
     .help = "tell the target who the client is (PROXY protocol, version 2)",
     .offset = offsetof(struct relay_values, proxy_v2)},
    {.name = "json",
     .kind = OPTION_FLAG,
     .help = "what it came to, as an object on standard output",
     .offset = offsetof(struct relay_values, json)},
    SERVER_OPTION_ROWS(relay_values, server),
    TLS_OPTION_ROWS(relay_values, tls),
    TLS_TRUST_OPTION_ROWS(relay_values, trust),
};

const struct command command_relay = {
    .name = "relay",
    .synopsis = "[options] [listen:]A [listen:]B | --listen ENDPOINT [options] TARGET ...",
    .summary = "move bytes both ways between two endpoints",
    .examples =
        "weir relay --listen tcp:0.0.0.0:7000 unix:/run/app.sock\n"
        "weir relay --listen tcp:127.0.0.1:5432 --rate 10M --send-proxy-v2 tcp:db1:5432 tcp:db2:5432\n"
        "weir relay --listen unix:@upper --model fork 'exec:tr a-z A-Z'\n"
        "weir relay --listen tls:0.0.0.0:7443 --cert cert.pem --key key.pem unix:/run/app.sock\n"
        "weir relay --listen tcp:127.0.0.1:5432 --ca ca.pem tls:db1.example:5433\n"
        "weir relay listen:tcp:127.0.0.1:7000 unix:/run/app.sock\n"
        "weir relay tcp:127.0.0.1:7000 file:/tmp/received\n"
        "weir relay listen:unix:@sort exec:sort\n",
    .exits =
        "0    both directions ended well; --listen: stopped, everything under way was finished\n"
        "1    an endpoint could not be opened, or the talk broke, or nothing moved for --idle-timeout;\n"
        "     --listen: could not start, or a worker died while stopping\n"
        "2    wrong usage\n"
        "3    --listen: connections were cut: the grace period was over, or a second signal came\n"
        "130  without --listen: stopped by SIGINT (143: SIGTERM)\n",
    .options = rows,
    .option_count = sizeof(rows) / sizeof(rows[0]),
    .values_size = sizeof(struct relay_values),
    .defaults = defaults,
    .run = run,
};
