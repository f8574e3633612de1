/*
 * An echo client: sends a line to any endpoint and prints what comes back. `cat` is an echo server too: try exec:cat,
 * or start ./echo_server and say tcp:127.0.0.1:7000.
 *
 * run: ./echo_client exec:cat hello -> "hello\n"
 */
#include <weir/stream.h>

#include <stdio.h>
#include <string.h>

static int talk(struct weir_stream *server, const char *line)
{
    char bytes[4096];
    ssize_t n;
    int error = weir_write_all(server, line, strlen(line));
    if (error == 0)
        error = weir_write_all(server, "\n", 1);
    if (error == 0)
        error = weir_end(server); /* half-close: the server sees the end, we go on reading */
    if (error < 0)
        return error;
    while ((n = weir_read(server, bytes, sizeof bytes)) > 0)
        fwrite(bytes, 1, (size_t)n, stdout);
    return (int)n;
}

int main(int argc, char **argv)
{
    const char *endpoint = argc > 1 ? argv[1] : "tcp:127.0.0.1:7000";
    struct weir_stream *server;
    int error = weir_open(endpoint, WEIR_READ | WEIR_WRITE, 5000, &server);
    if (error == 0) {
        error = talk(server, argc > 2 ? argv[2] : "hello");
        weir_close(server);
    }
    if (error < 0)
        fprintf(stderr, "echo_client: %s: %s\n", endpoint, strerror(-error));
    return error < 0;
}
