/*
 * A function call over the network. The line that calls would be the same for a service in this process.
 */
#include "greeter.pb-weir.h"

#include <weir/rpc_client.h>

#include <stdio.h>

static void show(const Greeter__Reply *reply, void *arg)
{
    (void)arg;
    if (reply)
        puts(reply->text);
}

int main(int argc, char **argv)
{
    const char *endpoint = argc > 1 ? argv[1] : "tcp:127.0.0.1:50051";
    const struct weir_rpc_options options = {.timeout_ms = 5000};
    ProtobufCService *greeter;
    Greeter__Request request = GREETER__REQUEST__INIT;
    request.name = argc > 2 ? argv[2] : "world";
    if (weir_rpc_client(endpoint, &greeter__greeter__rpc, &options, &greeter) < 0) {
        fprintf(stderr, "client: nobody answers at %s\n", endpoint);
        return 1;
    }
    greeter__greeter__hello(greeter, &request, show, NULL);
    int code = weir_rpc_last(greeter)->code;
    if (code != WEIR_RPC_OK)
        fprintf(stderr, "client: %s: %s\n", weir_rpc_code_name(code),
                weir_rpc_last(greeter)->message);

    /* Several answers: a call of one's own. */
    struct weir_rpc_call *call;
    ProtobufCMessage *message;
    if (weir_rpc_begin(weir_rpc_channel(greeter), &greeter__greeter__rpc.methods[1], NULL, NULL,
                       NULL, &call) < 0)
        return 1;
    if (weir_rpc_send(call, &request.base) == 0 && weir_rpc_end(call) == 0)
        while (weir_rpc_receive(call, WEIR_FOREVER, &message) == 1) {
            show((Greeter__Reply *)message, NULL);
            protobuf_c_message_free_unpacked(message, NULL);
        }
    weir_rpc_free(call);
    protobuf_c_service_destroy(greeter);
    return code;
}
