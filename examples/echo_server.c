/*
 * An echo server: straight-line code over one stream, a thread for each client.
 *
 * serve: ./echo_server ENDPOINT; "hello\n" -> "hello\n"
 */
#include <weir/server.h>
#include <weir/stream.h>

#include <stdio.h>

static int echo(struct weir_stream *client, void *arg)
{
    uint64_t bytes;
    bool reading;
    (void)arg;
    return weir_copy(client, client, &bytes, &reading); /* a slow client slows only itself */
}

static void say(void *arg, enum weir_report kind, const char *text)
{
    (void)arg, (void)kind;
    fprintf(stderr, "echo: %s\n", text);
}

int main(int argc, char **argv)
{
    const char *endpoint = argc > 1 ? argv[1] : "tcp:127.0.0.1:7000";
    struct weir_service service = {.name = "echo", .talk = echo, .threads = true};
    struct weir_server server = {.service = &service, .listen = &endpoint, .listen_count = 1};
    server.report = say;
    return weir_server_run(&server);
}
