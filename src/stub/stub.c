/* Generated stubs whose service runs elsewhere. */
#include "stub/channel.h"

#include <errno.h>
#include <stdlib.h>

struct stub {
    ProtobufCService base; /* first */
    struct weir_rpc_channel *channel;
    const struct weir_rpc_service *service;
    bool owns;
    struct weir_rpc_status last;
};

/* What a closure of an asynchronous call is for. */
struct asked {
    struct stub *stub;
    ProtobufCClosure closure;
    void *data;
};

static void refuse(struct stub *stub, int code, const char *text, ProtobufCClosure closure,
                   void *data)
{
    stub->last = (struct weir_rpc_status){.code = code, .message = text};
    closure(NULL, data);
}

static void answered(void *arg, const ProtobufCMessage *reply, const struct weir_rpc_status *status)
{
    struct asked asked = *(struct asked *)arg;
    free(arg);
    asked.stub->last = *status;
    asked.closure(reply, asked.data);
    asked.stub->last = (struct weir_rpc_status){.code = status->code, .message = ""};
}

static void invoke_async(struct stub *stub, const struct weir_rpc_method *method,
                         const ProtobufCMessage *input, ProtobufCClosure closure, void *data)
{
    struct asked *asked = malloc(sizeof(*asked));
    int rc = asked ? 0 : -ENOMEM;
    if (asked) {
        *asked = (struct asked){stub, closure, data};
        rc = weir_rpc_start(stub->channel, method, input, NULL, answered, asked);
    }
    if (rc == 0)
        return;
    free(asked);
    refuse(stub, rpc_code_of_errno(rc), "the call cannot be made", closure, data);
}

static void invoke(ProtobufCService *service, unsigned index, const ProtobufCMessage *input,
                   ProtobufCClosure closure, void *data)
{
    struct stub *stub = (struct stub *)service;
    const struct weir_rpc_method *method =
        index < stub->service->method_count ? &stub->service->methods[index] : NULL;
    if (!method || method->client_streaming || method->server_streaming) {
        refuse(stub, WEIR_RPC_UNIMPLEMENTED, "a stub has one question and one answer", closure,
               data);
        return;
    }
    if (stub->channel->options.async) {
        invoke_async(stub, method, input, closure, data);
        return;
    }
    ProtobufCMessage *reply = NULL;
    (void)weir_rpc_unary(stub->channel, method, input, NULL, &reply, &stub->last);
    closure(reply, data);
    if (reply)
        protobuf_c_message_free_unpacked(reply, NULL);
}

static void destroy(ProtobufCService *service)
{
    struct stub *stub = (struct stub *)service;
    if (stub->owns)
        (void)weir_rpc_close(stub->channel);
    free(stub);
}

WEIR_API int weir_rpc_stub(struct weir_rpc_channel *channel, const struct weir_rpc_service *service,
                           ProtobufCService **out)
{
    struct stub *stub = calloc(1, sizeof(*stub));
    if (!stub)
        return -ENOMEM;
    stub->base = (ProtobufCService){service->descriptor, invoke, destroy};
    stub->channel = channel;
    stub->service = service;
    stub->last.message = "";
    *out = &stub->base;
    return 0;
}

WEIR_API int weir_rpc_client(const char *endpoint, const struct weir_rpc_service *service,
                             const struct weir_rpc_options *options, ProtobufCService **out)
{
    struct weir_rpc_channel *channel;
    ProtobufCService *made;
    int rc = weir_rpc_open(endpoint, options, &channel);
    if (rc < 0)
        return rc;
    rc = weir_rpc_stub(channel, service, &made);
    if (rc < 0) {
        (void)weir_rpc_close(channel);
        return rc;
    }
    ((struct stub *)made)->owns = true;
    *out = made;
    return 0;
}

WEIR_API const struct weir_rpc_status *weir_rpc_last(const ProtobufCService *service)
{
    static const struct weir_rpc_status ok = {.code = WEIR_RPC_OK, .message = ""};
    return service->invoke == invoke ? &((const struct stub *)service)->last : &ok;
}

WEIR_API struct weir_rpc_channel *weir_rpc_channel(const ProtobufCService *service)
{
    return service->invoke == invoke ? ((const struct stub *)service)->channel : NULL;
}
