/* The weir server of the benchmark: rpc_server ENDPOINT (event, one worker), or rpc_server pair SPIN_US (one stream, descriptor 3). */
#include "table.h"

#include <weir/http.h>
#include <weir/rpc_server.h>
#include <weir/server.h>
#include <weir/stream.h>

#include <stdlib.h>
#include <string.h>

static void echo(Weir__Bench__Bench_Service *service, const Weir__Bench__Bytes *input,
                 Weir__Bench__Bytes_Closure closure, void *data)
{
    (void)service;
    closure(input, data);
}

int main(int argc, char **argv)
{
    static const struct weir_rpc_service bench = {
        "weir.bench.Bench", &weir__bench__bench__descriptor, &echo_method, 1, NULL};
    Weir__Bench__Bench_Service implementation = {WEIR__BENCH__BENCH__BASE_INIT, echo};
    const struct weir_rpc_served served = {.service = &bench,
                                           .implementation = &implementation.base};
    struct weir_rpc_server *server;
    struct weir_route rows[8];
    const struct weir_service *service;
    struct weir_stream *stream;
    if (argc < 2 || weir_rpc_serve(&served, 1, NULL, &server) < 0)
        return 1;
    if (strcmp(argv[1], "pair") == 0)
        return weir_from_fd(3, true, &stream) < 0 ||
               weir_rpc_serve_stream(server, stream, argc > 2 ? (unsigned)atoi(argv[2]) : 0) < 0;
    const struct weir_routes_options options = {.http = {.http2 = &weir_http2}};
    if (weir_routes_open(rows, weir_rpc_routes(server, rows, 8), &options, &service, NULL) < 0)
        return 1;
    const char *const listen[] = {argv[1]};
    const struct weir_server run = {
        .service = service, .listen = listen, .listen_count = 1, .model = "event", .workers = 1};
    int status = weir_server_run(&run);
    weir_routes_close(service);
    weir_rpc_server_close(server);
    return status;
}
