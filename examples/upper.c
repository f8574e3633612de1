/*
 * A protocol of one's own: it answers each line in upper case. A machine sees bytes and queues bytes; the driver does
 * the reading, the writing and the waiting. So it runs under any model, and a test can feed it a byte at a time.
 *
 * serve: ./upper ENDPOINT; "hello\nweir\n" -> "HELLO\nWEIR\n"
 */
#include <weir/server.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { LINE_MAX_BYTES = 512, IDLE_S = 30 };

/* Every wait has a deadline. Time is given, never read. */
static int upper_open(void *state, struct weir_conn *conn, const void *config)
{
    (void)state, (void)config;
    weir_conn_arm(conn, weir_conn_now(conn).mono_ns + IDLE_S * WEIR_NS_PER_S);
    return 0;
}

static ssize_t upper_input(void *state, struct weir_conn *conn, const uint8_t *bytes, size_t len)
{
    (void)state;
    const uint8_t *end = memchr(bytes, '\n', len < LINE_MAX_BYTES ? len : LINE_MAX_BYTES);
    if (!end)
        return 0; /* needs more: they come again with more behind them, up to input_max */
    size_t line = (size_t)(end - bytes) + 1;
    char *to = weir_out_reserve(weir_conn_out(conn), line);
    if (!to)
        return -ENOMEM;
    for (size_t i = 0; i < line; i++)
        to[i] = (char)(bytes[i] >= 'a' && bytes[i] <= 'z' ? bytes[i] - 32 : bytes[i]);
    weir_out_commit(weir_conn_out(conn), line);
    weir_conn_arm(conn, weir_conn_now(conn).mono_ns + IDLE_S * WEIR_NS_PER_S);
    return (ssize_t)line;
}

static const struct weir_protocol upper = {
    .name = "upper", .input_max = LINE_MAX_BYTES, .open = upper_open, .input = upper_input};

static void say(void *arg, enum weir_report kind, const char *text)
{
    (void)arg;
    if (kind != WEIR_REPORT_INFO)
        fprintf(stderr, "upper: %s\n", text);
}

int main(int argc, char **argv)
{
    const char *endpoint = argc > 1 ? argv[1] : "tcp:127.0.0.1:7000";
    struct weir_service service = {.name = "upper", .protocol = &upper, .threads = true};
    struct weir_server server = {.service = &service, .listen = &endpoint, .listen_count = 1};
    server.report = say;
    return weir_server_run(&server);
}
