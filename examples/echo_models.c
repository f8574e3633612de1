/*
 * The same echo server under each model: the first argument names it. The protocol is a machine that does no I/O,
 * so nothing else changes. `weir models` prints the table.
 *
 * serve: ./echo_models sequential ENDPOINT; "one\n" -> "one\n"
 * serve: ./echo_models fork-wait ENDPOINT; "two\n" -> "two\n"
 * serve: ./echo_models fork ENDPOINT; "three\n" -> "three\n"
 * serve: ./echo_models thread ENDPOINT; "four\n" -> "four\n"
 * serve: ./echo_models pool ENDPOINT; "five\n" -> "five\n"
 * serve: ./echo_models prefork ENDPOINT; "six\n" -> "six\n"
 * serve: ./echo_models event ENDPOINT; "seven\n" -> "seven\n"
 */
#include <weir/server.h>

#include <stdio.h>

static ssize_t echo(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    (void)state;
    weir_out_copy(weir_conn_out(conn), bytes, len);
    return (ssize_t)len;
}

static const struct weir_protocol protocol = {.name = "echo", .input_max = 1, .input = echo};

static void say(void *arg, enum weir_report kind, const char *text)
{
    (void)arg;
    if (kind != WEIR_REPORT_INFO)
        fprintf(stderr, "echo: %s\n", text);
}

int main(int argc, char **argv)
{
    const char *endpoint = argc > 2 ? argv[2] : "tcp:127.0.0.1:7000";
    struct weir_service service = {.name = "echo", .protocol = &protocol, .threads = true};
    struct weir_server server = {.service = &service, .listen = &endpoint, .listen_count = 1};
    server.model = argc > 1 ? argv[1] : "event";
    server.report = say;
    return weir_server_run(&server);
}
