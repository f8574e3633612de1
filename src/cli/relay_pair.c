/* weir relay A B: both ways between any two endpoints, until both have ended. */
#include "cli/commands.h"
#include "cli/relay.h"
#include "drive/core.h"
#include "proto/proxy_v2.h"
#include "stream/relay.h"
#include "stream/transport.h"
#include "stream/wait.h"

#include <weir/process.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define CONNECT_S 30

static const char listen_prefix[] = "listen:";

struct end {
    const char *name; /* without the prefix */
    bool listens;
    bool secure; /* ... for clients by TLS */
    char plain[LIMIT_HOST_BYTES + 50];
    unsigned how;
    struct weir_listener *listener;
    struct weir_stream *stream;
};

static int to_ms(unsigned seconds)
{
    return seconds == 0 ? WEIR_FOREVER : (int)seconds * 1000;
}

/* 0, or the exit status after a complaint. An end that goes one way is read as the first and written as the second. */
static int end_parse(struct end *e, const char *argument, bool first)
{
    char why[512];
    const char *rest;
    size_t prefix = strlen(listen_prefix);
    *e = (struct end){.name = argument};
    if (strncmp(argument, listen_prefix, prefix) == 0) {
        e->listens = true;
        e->name += prefix;
    }
    e->secure = e->listens && strncmp(e->name, "tls:", 4) == 0;
    if (e->secure) {
        snprintf(e->plain, sizeof(e->plain), "tcp:%s", e->name + 4);
        e->name = e->plain;
    }
    if (weir_endpoint_check(e->name, e->listens, why, sizeof(why)) < 0)
        return usage_error(&command_relay, "%s", why);
    if (endpoint_split(e->name, &rest)->one_way)
        e->how = first ? WEIR_READ : WEIR_WRITE | WEIR_CREATE | WEIR_TRUNCATE;
    return 0;
}

static int end_listen(struct end *e)
{
    if (!e->listens)
        return 0;
    int rc = weir_listen(e->name, 0, &e->listener);
    if (rc < 0) {
        complain(&command_relay, "cannot listen at %s: %s%s", e->name, strerrordesc_np(-rc),
                 rc == -EADDRINUSE ? "; another program does, choose another name" : "");
        return 1;
    }
    const char *name = weir_listener_name(e->listener);
    fprintf(stderr, "weir: relay at %s%s\n", e->secure ? "tls" : "", name + (e->secure ? 3 : 0));
    return 0;
}

/* One client is all: once it has come, others are refused. */
static int end_accept(struct end *e, struct weir_tls *tls)
{
    if (!e->listens)
        return 0;
    int rc = weir_accept(e->listener, WEIR_FOREVER, &e->stream);
    weir_listener_close(e->listener);
    e->listener = NULL;
    if (rc == 0 && e->secure) {
        struct weir_stream *under = e->stream;
        e->stream = NULL;
        rc = weir_tls_stream(under, tls, LIMIT_TLS_HANDSHAKE_MS, &e->stream);
    }
    if (rc < 0) {
        complain(&command_relay, "cannot accept a client at %s: %s", e->name, strerrordesc_np(-rc));
        return 1;
    }
    return 0;
}

static int end_open(struct end *e, unsigned timeout_s)
{
    if (e->listens)
        return 0;
    char why[512];
    if (weir_open_why(e->name, e->how, to_ms(timeout_s), &e->stream, why, sizeof(why)) < 0) {
        complain(&command_relay, "cannot open %s: %s", e->name, why);
        return 1;
    }
    return 0;
}

/* The settings of ends that wait for a client by TLS; NULL: there are none. */
static int make_tls(const struct end ends[2], const struct relay_values *v, struct weir_tls **out)
{
    *out = NULL;
    if (ends[0].secure || ends[1].secure)
        return tls_options_server(&command_relay, &v->tls, out);
    if (v->tls.certs.count > 0 || v->tls.keys.count > 0 || v->tls.client_ca)
        return usage_error(&command_relay,
                           "--cert, --key and --client-ca are for an end that "
                           "waits for clients by TLS, as in listen:tls:127.0.0.1:7000");
    return 0;
}

static int open_ends(struct end ends[2], struct weir_tls *tls, unsigned timeout_s)
{
    int rc = 0;
    for (int i = 0; i < 2 && rc == 0; i++)
        rc = end_listen(&ends[i]);
    for (int i = 0; i < 2 && rc == 0; i++)
        rc = end_accept(&ends[i], tls);
    for (int i = 0; i < 2 && rc == 0; i++)
        rc = end_open(&ends[i], timeout_s);
    return rc;
}

/* The target hears first who its client is; where the relay itself connected on both sides there is none (LOCAL). */
static int introduce(struct end ends[2], unsigned timeout_s)
{
    uint8_t header[PROXY_V2_BYTES_MAX];
    struct weir_address client, server;
    stream_ends(ends[0].stream, &client, &server);
    size_t len = proxy_v2(header, ends[0].listens ? &client : NULL, &server);
    weir_set_timeout(ends[1].stream, to_ms(timeout_s));
    int rc = weir_write_all(ends[1].stream, header, len);
    if (rc < 0)
        complain(&command_relay, "cannot send the PROXY header to %s: %s", ends[1].name,
                 strerrordesc_np(-rc));
    weir_set_timeout(ends[1].stream, WEIR_FOREVER);
    return rc < 0 ? 1 : 0;
}

/* Only from here on, when nothing else waits: SIGINT and SIGTERM end the relay with its count. */
static int open_stop(sigset_t *before)
{
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    sigprocmask(SIG_BLOCK, &stop, before);
    return signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void sum_up(const struct relay_values *v, const struct weir_relay *count, bool failed,
                   uint64_t ns)
{
    const struct relay_sums sums = {
        .connections = 1, .errors = failed, .to_target = count->a_to_b, .to_client = count->b_to_a};
    if (!v->server.quiet)
        fprintf(stderr, "weir relay: a→b %llu bytes, b→a %llu bytes\n",
                (unsigned long long)count->a_to_b, (unsigned long long)count->b_to_a);
    if (v->json)
        relay_json(&sums, ns);
}

static const char *reason(const struct end *e, int error)
{
    const char *why = weir_stream_why(e->stream);
    return why[0] ? why : strerrordesc_np(-error);
}

static int relay(struct end ends[2], const struct relay_values *v)
{
    struct weir_relay count = {0};
    struct signalfd_siginfo signal = {0};
    sigset_t before;
    int stop = open_stop(&before);
    uint64_t start = deadline_now();
    const struct relay_options options = {
        .idle_ms = to_ms(v->idle_s == RELAY_UNSET ? 0 : v->idle_s), .stop = stop, .rate = v->rate};
    int rc = relay_until(ends[0].stream, ends[1].stream, &options, &count);
    int status = rc == 0 ? 0 : 1;
    if (rc == -ECANCELED && read(stop, &signal, sizeof(signal)) == sizeof(signal))
        status = 128 + (int)signal.ssi_signo;
    else if (count.a_error)
        complain(&command_relay, "%s: %s", ends[0].name, reason(&ends[0], count.a_error));
    else if (count.b_error)
        complain(&command_relay, "%s: %s", ends[1].name, reason(&ends[1], count.b_error));
    else if (rc < 0)
        complain(&command_relay, "between %s and %s: %s", ends[0].name, ends[1].name,
                 strerrordesc_np(-rc));
    sum_up(v, &count, status != 0, deadline_now() - start);
    if (stop >= 0)
        close(stop);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return status;
}

/* The child of an end need not care that its input has ended. It is killed when its time is up. */
static void end_stop(const struct end *e)
{
    if (!e->stream || !e->stream->child)
        return;
    (void)weir_process_kill(e->stream->child, SIGTERM, false);
    weir_set_timeout(e->stream, LIMIT_LONELY_CHILD_MS);
}

/* A child that did not go well is a failure of the relay, unless it was cut off anyway. */
static int close_ends(struct end ends[2], int status)
{
    char text[64];
    for (int i = 0; i < 2 && status > 128; i++)
        end_stop(&ends[i]);
    for (int i = 0; i < 2; i++) {
        weir_listener_close(ends[i].listener);
        int rc = weir_close(ends[i].stream);
        if (rc == 0 || status != 0)
            continue;
        status = 1;
        if (rc < 0)
            complain(&command_relay, "%s: %s", ends[i].name, strerrordesc_np(-rc));
        else
            complain(&command_relay, "%s %s", ends[i].name,
                     weir_process_status(rc, text, sizeof(text)));
    }
    return status;
}

/* Options that say how many clients are looked after, where there is one. */
static int wrong_options(const struct relay_values *v)
{
    const struct server_options *s = &v->server;
    const char *name = s->model             ? "model"
                       : s->workers         ? "workers"
                       : s->max_connections ? "max-connections"
                       : s->queue           ? "queue"
                       : s->grace_s         ? "grace"
                                            : NULL;
    if (name)
        return usage_error(&command_relay,
                           "--%s is for many clients, which --listen ENDPOINT waits for", name);
    if (v->rate_total)
        return usage_error(&command_relay, "--rate-total is for many clients: use --rate");
    return 0;
}

/* Who is told who the client is must be somebody we have called, and who listens. */
static int wrong_introduction(const struct end ends[2], const struct relay_values *v)
{
    const char *rest;
    const struct end *b = &ends[1];
    if (v->proxy_v2 && (b->listens || endpoint_split(b->name, &rest)->one_way))
        return usage_error(
            &command_relay,
            "--send-proxy-v2 needs a B that is connected to, such as unix:/run/app.sock");
    if (v->proxy_v2 && endpoint_split(b->name, &rest) == &tls_transport)
        return usage_error(
            &command_relay,
            "--send-proxy-v2 would have to come before TLS, so it does not go with %s", b->name);
    return 0;
}

static int parse(const struct relay_values *v, char **argv, struct end ends[2])
{
    int rc = wrong_options(v);
    for (int i = 0; i < 2 && rc == 0; i++)
        rc = end_parse(&ends[i], argv[i], i == 0);
    return rc == 0 ? wrong_introduction(ends, v) : rc;
}

int relay_pair(const struct relay_values *v, char **argv)
{
    struct end ends[2];
    unsigned connect_s = v->connect_s == RELAY_UNSET ? CONNECT_S : v->connect_s;
    struct weir_tls *tls;
    int status = parse(v, argv, ends);
    if (status == 0)
        status = make_tls(ends, v, &tls);
    if (status != 0)
        return status;
    status = open_ends(ends, tls, connect_s);
    weir_tls_free(tls); /* the streams have a hold of their own */
    if (status == 0 && v->proxy_v2)
        status = introduce(ends, connect_s);
    if (status == 0)
        status = relay(ends, v);
    return close_ends(ends, status);
}
