/*
 * A web server: the files of a folder, under any model, with deadlines, ranges, 304 and a log. It is what
 * `weir serve` is made of.
 *
 * serve: ./web_server ENDPOINT SITE; "GET /river.txt HTTP/1.0\r\n\r\n" -> "HTTP/1.1 200 OK\r\n" ...
 * serve: ./web_server ENDPOINT SITE; "GET /no-such-file HTTP/1.0\r\n\r\n" -> "HTTP/1.1 404 Not Found\r\n" ...
 */
#include <weir/http.h>
#include <weir/server.h>

#include <stdio.h>
#include <string.h>

static void say(void *arg, enum weir_report kind, const char *text)
{
    if (kind != WEIR_REPORT_INFO)
        fprintf(stderr, "web_server: %s: %s\n", (const char *)arg, text);
}

int main(int argc, char **argv)
{
    const char *endpoint = argc > 1 ? argv[1] : "tcp:127.0.0.1:8080";
    char *root = argc > 2 ? argv[2] : ".";
    struct weir_server server = {.listen = &endpoint, .listen_count = 1};
    int error = weir_files_open(root, NULL, &server.service);
    if (error < 0) {
        fprintf(stderr, "web_server: %s: %s\n", root, strerror(-error));
        return WEIR_EXIT_FAILED;
    }
    server.report = say;
    server.report_arg = root;
    int status = weir_server_run(&server);
    weir_files_close(server.service);
    return status;
}
