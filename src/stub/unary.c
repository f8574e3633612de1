/* One question, one answer: waited for, or told. */
#include "stream/wait.h"
#include "stub/channel.h"

#include <errno.h>
#include <stdlib.h>

static void fail(struct weir_rpc_call *call, int code, const char *text)
{
    call->call.status = (struct weir_rpc_status){.code = code, .message = text};
}

ProtobufCMessage *call_reply(struct weir_rpc_call *call)
{
    struct rpc_queue *in = &call->call.in;
    ProtobufCMessage *reply = NULL;
    if (call->call.status.code != WEIR_RPC_OK)
        return NULL;
    if (!in->first || in->first->next) {
        fail(call, WEIR_RPC_INTERNAL, "there must be one answer to the call, and there is not");
        return NULL;
    }
    reply = rpc_unpack(call->call.method->output, in->first->bytes, in->first->len);
    if (!reply)
        fail(call, WEIR_RPC_INTERNAL, "the answer cannot be unpacked");
    return reply;
}

/* Begins it, with all it sends. */
static int ask(struct weir_rpc_channel *ch, const struct weir_rpc_method *method,
               const ProtobufCMessage *request, const struct weir_rpc_call_options *options,
               const struct rpc_client_events *tell, struct weir_rpc_call **out)
{
    int rc = request->descriptor == method->input ? 0 : -EINVAL;
    if (rc == 0)
        rc = call_begin(ch, method, options, tell, out);
    if (rc < 0)
        return rc;
    (*out)->call.plain = true;
    rc = call_send(*out, request);
    if (rc == 0) {
        rpc_call_half_close(&(*out)->call);
        return 0;
    }
    (*out)->call.tell = tell + 1; /* nobody was told of it yet */
    call_free(*out);
    return rc;
}

/* --- waited for --- */

static bool has_ended(void *arg)
{
    return ((struct weir_rpc_call *)arg)->call.ended;
}

static const struct rpc_client_events silent[2];

static int unary(struct weir_rpc_channel *ch, const struct weir_rpc_method *method,
                 const ProtobufCMessage *request, const struct weir_rpc_call_options *options,
                 ProtobufCMessage **out_reply, struct weir_rpc_status *status)
{
    struct weir_rpc_call *call;
    int rc = channel_enter(ch);
    if (rc == 0)
        rc = ask(ch, method, request, options, silent, &call);
    if (rc < 0) {
        *status = (struct weir_rpc_status){.code = rpc_code_of_errno(rc),
                                           .message = "the call cannot be made"};
        return status->code;
    }
    ch->timely = true; /* call_begin() has read the clock */
    rc = channel_pump(ch, has_ended, call, DEADLINE_NEVER);
    if (rc < 0)
        rpc_call_fail(&call->call, rpc_code_of_errno(rc), "waiting has failed");
    ProtobufCMessage *reply = call_reply(call);
    if (reply)
        *out_reply = reply;
    *status = call->call.status;
    ch->lent = call;
    return status->code;
}

WEIR_API int weir_rpc_unary(struct weir_rpc_channel *ch, const struct weir_rpc_method *method,
                            const ProtobufCMessage *request,
                            const struct weir_rpc_call_options *options,
                            ProtobufCMessage **out_reply, struct weir_rpc_status *out_status)
{
    struct weir_rpc_status status;
    return unary(ch, method, request, options, out_reply, out_status ? out_status : &status);
}

/* --- told --- */

struct started {
    void (*done)(void *arg, const ProtobufCMessage *reply, const struct weir_rpc_status *);
    void *arg;
};

static void tell(struct rpc_call *inner)
{
    struct weir_rpc_call *call = (struct weir_rpc_call *)inner;
    struct started *started = call->arg;
    call->telling = true;
    ProtobufCMessage *reply = call_reply(call);
    started->done(started->arg, reply, &inner->status);
    if (reply)
        protobuf_c_message_free_unpacked(reply, NULL);
    free(started);
    call_free(call);
}

static const struct rpc_client_events telling[2] = {{.done = tell}, {.done = NULL}};

WEIR_API int weir_rpc_start(struct weir_rpc_channel *ch, const struct weir_rpc_method *method,
                            const ProtobufCMessage *request,
                            const struct weir_rpc_call_options *options,
                            void (*done)(void *arg, const ProtobufCMessage *reply,
                                         const struct weir_rpc_status *),
                            void *arg)
{
    struct weir_rpc_call *call;
    int rc = channel_enter(ch);
    if (rc < 0 && rc != -EDEADLK)
        return rc;
    struct started *started = malloc(sizeof(*started));
    if (!started)
        return -ENOMEM;
    *started = (struct started){done, arg};
    rc = ask(ch, method, request, options, telling, &call);
    if (rc < 0) {
        free(started);
        return rc;
    }
    call->arg = started;
    return 0;
}
