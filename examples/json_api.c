/*
 * A small JSON API: plain functions that may block, a form with a file, and pages beside them; under any model.
 *
 * serve: ./json_api ENDPOINT SITE; "GET /api/notes/7?lang=en HTTP/1.0\r\n\r\n" -> "HTTP/1.1 200 OK\r\n" ...
 * serve: ./json_api ENDPOINT SITE; "PUT /api/notes/7 HTTP/1.0\r\n\r\n" -> "HTTP/1.1 405 Method Not Allowed\r\n" ...
 * serve: ./json_api ENDPOINT SITE; "POST /api/photos HTTP/1.0\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 82\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"p\"; filename=\"a.png\"\r\n\r\npixels\r\n--b--\r\n" -> "HTTP/1.1 201 Created\r\n" ...
 * serve: ./json_api ENDPOINT SITE; "GET /river.txt HTTP/1.0\r\n\r\n" -> "HTTP/1.1 200 OK\r\n" ...
 */
#include <weir/routes.h>
#include <weir/server.h>

#include <stdio.h>
#include <string.h>

static int get_note(struct weir_request *request, struct weir_response *response)
{
    int id = 0;
    if (sscanf(weir_request_parameter(request, "id"), "%d", &id) != 1)
        return weir_response_error(response, 404);
    weir_response_field(response, "Content-Type", "application/json");
    return weir_response_printf(response, "{\"id\": %d}\n", id);
}

/* Part by part, as it arrives: a large file never lies in memory. */
static int post_photos(struct weir_request *request, struct weir_response *response)
{
    struct weir_form_part part;
    char bytes[16384], json[100];
    long long total = 0;
    int files = 0, rc;
    while ((rc = weir_form_next(request, &part)) > 0) {
        ssize_t n;
        files += part.filename != NULL;
        while ((n = weir_form_read(request, bytes, sizeof(bytes))) > 0)
            total += n; /* here it would be kept */
    }
    if (rc < 0)
        return weir_response_error(response, 400);
    snprintf(json, sizeof(json), "{\"files\": %d, \"bytes\": %lld}\n", files, total);
    return weir_response_json(response, 201, json);
}

static void say(void *arg, enum weir_report kind, const char *text)
{
    if (kind != WEIR_REPORT_INFO)
        fprintf(stderr, "json_api: %s: %s\n", (const char *)arg, text);
}

int main(int argc, char **argv)
{
    const char *endpoint = argc > 1 ? argv[1] : "tcp:127.0.0.1:8080";
    char *pages = argc > 2 ? argv[2] : ".";
    const struct weir_route routes[] = {
        {.method = WEIR_METHOD_GET, .pattern = "/api/notes/:id", .answer = get_note},
        {.method = WEIR_METHOD_POST, .pattern = "/api/photos", .answer = post_photos},
        {.pattern = "/", .files = pages},
    };
    struct weir_server server = {
        .listen = &endpoint, .listen_count = 1, .report = say, .report_arg = pages};
    int rc = weir_routes_open(routes, 3, NULL, &server.service, NULL);
    if (rc < 0)
        return fprintf(stderr, "json_api: %s: %s\n", pages, strerror(-rc)), WEIR_EXIT_FAILED;
    int status = weir_server_run(&server);
    weir_routes_close(server.service);
    return status;
}
