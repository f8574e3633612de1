/*
 * A service that others call, beside files on the same port: `weir call`, Python, Go and C all reach it.
 */
#include "greeter.pb-weir.h"

#include <weir/rpc_server.h>
#include <weir/server.h>

#include <stdio.h>

static void hello(Greeter__Greeter_Service *service, const Greeter__Request *request,
                  Greeter__Reply_Closure closure, void *data)
{
    char text[100];
    Greeter__Reply reply = GREETER__REPLY__INIT;
    (void)service;
    snprintf(text, sizeof(text), "hello, %s", request->name);
    reply.text = text;
    closure(&reply, data);
}

/* A stream of answers: straight-line code that waits where the client is slow. */
static int count(struct weir_rpc_context *call, void *arg)
{
    ProtobufCMessage *request;
    int rc = weir_rpc_read(call, &request);
    (void)arg;
    for (int i = 1; rc >= 0 && i <= 3; i++) {
        char text[16];
        Greeter__Reply reply = GREETER__REPLY__INIT;
        snprintf(text, sizeof(text), "%d", i);
        reply.text = text;
        rc = weir_rpc_write(call, &reply.base);
    }
    protobuf_c_message_free_unpacked(request, NULL);
    return rc < 0 ? WEIR_RPC_UNAVAILABLE : WEIR_RPC_OK;
}

static void report(void *arg, enum weir_report kind, const char *text)
{
    (void)arg, (void)kind;
    fprintf(stderr, "greeter: %s\n", text);
}

int main(int argc, char **argv)
{
    Greeter__Greeter_Service greeter = {GREETER__GREETER__BASE_INIT, hello, NULL};
    const struct weir_rpc_streaming streams[] = {{.method = "Count", .answer = count}};
    const struct weir_rpc_served served = {&greeter__greeter__rpc, &greeter.base, false, streams,
                                           1};
    const struct weir_routes_options options = {.http = {.http2 = &weir_http2}};
    const char *const listen[] = {argc > 1 ? argv[1] : "tcp:127.0.0.1:50051"};
    struct weir_rpc_server *rpc;
    struct weir_route routes[8];
    const struct weir_service *service;
    if (weir_rpc_serve(&served, 1, NULL, &rpc) < 0 ||
        weir_routes_open(routes, weir_rpc_routes(rpc, routes, 8), &options, &service, NULL) < 0)
        return 1;
    const struct weir_server server = {
        .service = service, .listen = listen, .listen_count = 1, .report = report};
    return weir_server_run(&server);
}
