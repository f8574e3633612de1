/*
 * An application for test_handlers.py:
 *
 *     handler_server ENDPOINT MODEL FOLDER GRACE_S [CERT KEY]
 *
 * Each path is one habit of a program: /sum reads all, /echo gives back what it reads, /big writes much, /sleep is slow, /form shows a
 * form, /after tells how many functions started and ended and what the last one was told.
 */
#include <weir/routes.h>
#include <weir/server.h>
#include <weir/tls.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int started, ended, last;
static char folder[512];

/* What a program is told when its client is gone. */
static int note(int rc)
{
    atomic_store(&last, rc);
    atomic_fetch_add(&ended, 1);
    return rc;
}

static int hello(struct weir_request *request, struct weir_response *response)
{
    const char *id = weir_request_parameter(request, "id");
    const char *word = weir_request_query_value(request, "q");
    struct weir_bytes agent = {"-", 1};
    weir_request_field(request->exchange, "X-Agent", &agent);
    weir_response_field(response, "X-Arg", request->arg ? request->arg : "none");
    return weir_response_printf(response, "%s|%s|%.*s\n", id ? id : "none", word ? word : "none",
                                (int)agent.len, agent.at);
}

static int rest(struct weir_request *request, struct weir_response *response)
{
    return weir_response_text(response, 200, weir_request_parameter(request, "rest"));
}

static int sum(struct weir_request *request, struct weir_response *response)
{
    static _Thread_local char buffer[65536];
    atomic_fetch_add(&started, 1);
    uint64_t total = 0, bytes = 0;
    ssize_t n;
    while ((n = weir_request_read(request, buffer, sizeof(buffer))) > 0) {
        for (ssize_t i = 0; i < n; i++)
            total += (uint8_t)buffer[i];
        bytes += (uint64_t)n;
    }
    note((int)n);
    return n < 0 ? (int)n
                 : weir_response_printf(response, "%llu %llu\n", (unsigned long long)bytes,
                                        (unsigned long long)total);
}

static int echo(struct weir_request *request, struct weir_response *response)
{
    char buffer[5000];
    ssize_t n;
    int rc = 0;
    while (rc == 0 && (n = weir_request_read(request, buffer, sizeof(buffer))) > 0)
        rc = weir_response_write(response, buffer, (size_t)n);
    return rc < 0 ? rc : (int)n;
}

static int whole(struct weir_request *request, struct weir_response *response)
{
    struct weir_bytes all;
    int rc = weir_request_content(request, 1000, &all);
    if (rc == -EMSGSIZE)
        return weir_response_error(response, 413);
    return rc < 0 ? rc : weir_response_write(response, all.at, all.len);
}

static int big(struct weir_request *request, struct weir_response *response)
{
    const char *text = weir_request_query_value(request, "bytes");
    const char *length = weir_request_query_value(request, "length");
    uint64_t left = text ? strtoull(text, NULL, 10) : 0;
    char block[10000];
    int rc = 0;
    atomic_fetch_add(&started, 1);
    memset(block, 'b', sizeof(block));
    if (length)
        weir_response_length(response, strtoull(length, NULL, 10));
    while (left > 0 && rc == 0) {
        size_t n = left < sizeof(block) ? (size_t)left : sizeof(block);
        rc = weir_response_write(response, block, n);
        left -= n;
    }
    return note(rc);
}

/* Reads all that comes, slowly or not, and answers at length: both directions wait in turn. */
static int both(struct weir_request *request, struct weir_response *response)
{
    char buffer[1000];
    ssize_t n;
    uint64_t bytes = 0;
    while ((n = weir_request_read(request, buffer, sizeof(buffer))) > 0)
        bytes += (uint64_t)n;
    int rc = n < 0 ? (int)n : weir_response_printf(response, "%llu\n", (unsigned long long)bytes);
    memset(buffer, 'x', sizeof(buffer));
    for (unsigned i = 0; i < 4000 && rc == 0; i++)
        rc = weir_response_write(response, buffer, sizeof(buffer));
    return rc;
}

static int sleeps(struct weir_request *request, struct weir_response *response)
{
    const char *ms = weir_request_query_value(request, "ms");
    atomic_fetch_add(&started, 1);
    usleep((useconds_t)(ms ? atoi(ms) : 100) * 1000);
    int rc = weir_response_text(response, 200, "awake\n");
    if (rc == 0)
        rc = weir_response_flush(response);
    return note(rc);
}

static int stream(struct weir_request *request, struct weir_response *response)
{
    int rc = 0;
    (void)request;
    for (int i = 0; i < 3 && rc == 0; i++) {
        rc = weir_response_printf(response, "part %d\n", i);
        if (rc == 0)
            rc = weir_response_flush(response);
        usleep(50000);
    }
    return rc;
}

static int fails(struct weir_request *request, struct weir_response *response)
{
    weir_response_field(response, "X-Lost", "1");
    if (weir_request_query_value(request, "late")) {
        int rc = weir_response_printf(response, "half");
        if (rc == 0)
            rc = weir_response_flush(response);
        return rc < 0 ? rc : -EIO;
    }
    return -EIO;
}

static int sends(struct weir_request *request, struct weir_response *response)
{
    char path[600];
    (void)request;
    snprintf(path, sizeof(path), "%s/file.bin", folder);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    off_t len = lseek(fd, 0, SEEK_END);
    int rc = weir_response_file(response, fd, 0, (uint64_t)len);
    close(fd);
    return rc;
}

static int form(struct weir_request *request, struct weir_response *response)
{
    struct weir_form_part part;
    const char *text;
    int rc;
    while ((rc = weir_form_next(request, &part)) > 0) {
        char buffer[4096];
        uint64_t bytes = 0;
        ssize_t n;
        if (!part.filename) {
            rc = weir_form_text(request, 1000, &text);
            if (rc < 0)
                break;
            weir_response_printf(response, "%s=%s\n", part.name, text);
            continue;
        }
        while ((n = weir_form_read(request, buffer, sizeof(buffer))) > 0)
            bytes += (uint64_t)n;
        if (n < 0) {
            rc = (int)n;
            break;
        }
        weir_response_printf(response, "%s: %s %s %llu\n", part.name, part.filename, part.type,
                             (unsigned long long)bytes);
    }
    if (rc < 0 && rc != -EPIPE)
        return weir_response_error(response, rc == -EMSGSIZE ? 413 : rc == -EOPNOTSUPP ? 415 : 400);
    return rc;
}

static int after(struct weir_request *request, struct weir_response *response)
{
    (void)request;
    return weir_response_printf(response, "%d %d %s\n", atomic_load(&started), atomic_load(&ended),
                                atomic_load(&last) == -EPIPE ? "EPIPE" : "other");
}

static int twice(struct weir_request *request, struct weir_response *response)
{
    (void)request;
    bool right = weir_response_status(response, 99) == -EINVAL &&
                 weir_response_field(response, "Date", "x") == -EINVAL &&
                 weir_response_field(response, "A", "b\r\nC: d") == -EINVAL &&
                 weir_response_length(response, 3) == 0 &&
                 weir_response_write(response, "1234", 4) == -EMSGSIZE &&
                 weir_response_write(response, "123", 3) == 0 &&
                 weir_response_flush(response) == 0 &&
                 weir_response_status(response, 200) == -EALREADY &&
                 weir_response_field(response, "A", "b") == -EALREADY;
    return right ? 0 : -EIO;
}

/* A handler of the event kind, beside the others. */
static int quick_start(struct weir_exchange *x)
{
    const struct weir_route *route = weir_exchange_config(x);
    const char *name = weir_route_parameter(x, "name");
    weir_reply_field(x, "X-Arg", route->arg);
    return name ? weir_reply_bytes(x, name, strlen(name), NULL) : -ENOENT;
}
static const struct weir_handler quick = {.name = "quick", .start = quick_start};

static void report(void *arg, enum weir_report kind, const char *text)
{
    (void)arg;
    fprintf(stderr, "%s%s\n", kind == WEIR_REPORT_READY ? "handlers at " : "", text);
}

/* The same over TLS. */
static int secure(struct weir_service *service, const char *cert, const char *key)
{
    char why[256];
    struct weir_tls *tls;
    const struct weir_tls_cert pair = {cert, key};
    const struct weir_tls_options options = {.certs = &pair,
                                             .cert_count = 1,
                                             .alpn = "http/1.1",
                                             .protocol = service->protocol,
                                             .config = service->config};
    int rc = weir_tls_new(&options, &tls, why, sizeof(why));
    if (rc < 0) {
        fprintf(stderr, "%s\n", why);
        return rc;
    }
    service->protocol = &weir_tls_machine;
    service->config = tls;
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 5 && argc != 7)
        return 2;
    snprintf(folder, sizeof(folder), "%s", argv[3]);
    const struct weir_route routes[] = {
        {.method = WEIR_METHOD_GET, .pattern = "/hello/:id", .answer = hello, .arg = "hello"},
        {.method = WEIR_METHOD_GET, .pattern = "/hello/me", .answer = hello},
        {.method = WEIR_METHOD_DELETE, .pattern = "/hello/:id", .answer = hello},
        {.method = WEIR_METHOD_GET, .pattern = "/rest/*rest", .answer = rest},
        {.method = WEIR_METHOD_POST, .pattern = "/sum", .answer = sum},
        {.method = WEIR_METHOD_PUT, .pattern = "/echo", .answer = echo},
        {.method = WEIR_METHOD_POST, .pattern = "/whole", .answer = whole},
        {.method = WEIR_METHOD_POST, .pattern = "/both", .answer = both},
        {.method = WEIR_METHOD_GET, .pattern = "/big", .answer = big},
        {.method = WEIR_METHOD_GET, .pattern = "/sleep", .answer = sleeps},
        {.method = WEIR_METHOD_GET, .pattern = "/stream", .answer = stream},
        {.method = WEIR_METHOD_GET, .pattern = "/fail", .answer = fails},
        {.method = WEIR_METHOD_GET, .pattern = "/send", .answer = sends},
        {.method = WEIR_METHOD_POST, .pattern = "/form", .answer = form},
        {.method = WEIR_METHOD_GET, .pattern = "/after", .answer = after},
        {.method = WEIR_METHOD_GET, .pattern = "/twice", .answer = twice},
        {.method = WEIR_METHOD_GET, .pattern = "/quick/:name", .handler = &quick, .arg = "quick"},
        {.pattern = "/files", .files = folder},
    };
    struct weir_routes_options options = {.http = {.answer_ms = 3000, .send_ms = 5000}};
    struct weir_server server = {.listen = (const char *const[]){argv[1]},
                                 .listen_count = 1,
                                 .model = argv[2],
                                 .workers =
                                     strcmp(argv[2], "event") == 0 ? 1 : 2, /* one that counts */
                                 .grace_s = (unsigned)atoi(argv[4]),
                                 .report = report};
    size_t wrong = 0;
    int rc = weir_routes_open(routes, sizeof(routes) / sizeof(routes[0]), &options, &server.service,
                              &wrong);
    if (rc < 0) {
        fprintf(stderr, "route %zu: %s\n", wrong, strerror(-rc));
        return 1;
    }
    struct weir_service over = *server.service;
    if (argc == 7 && secure(&over, argv[5], argv[6]) < 0)
        return 1;
    const struct weir_service *routed = server.service;
    server.service = &over;
    int status = weir_server_run(&server);
    if (argc == 7)
        weir_tls_free((struct weir_tls *)(uintptr_t)over.config);
    weir_routes_close(routed);
    return status;
}
